/** Codes of a second factor as people type and keep them. */

export const CODE_LENGTH = 6;

/** The digits of what was typed or pasted, "123 456" too, and no more than a code has. */
export function readCode(typed: string): string {
  return typed.replace(/\D/g, "").slice(0, CODE_LENGTH);
}

export function isWholeCode(code: string): boolean {
  return /^\d{6}$/.test(code);
}

/** A recovery code as the server knows it: without the spaces that come with copying. */
export function readRecoveryCode(typed: string): string {
  return typed.trim().replace(/\s+/g, "").toLowerCase();
}

/** A secret in groups of four, for typing it into an app by hand. */
export function groupSecret(secret: string): string {
  return secret.replace(/\s/g, "").replace(/(.{4})(?=.)/g, "$1 ");
}

/** What is written into the file of recovery codes. */
export function recoveryFile(title: string, codes: readonly string[]): string {
  return `${title}\n\n${codes.join("\n")}\n`;
}
