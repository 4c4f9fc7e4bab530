/** Amounts of US dollars as decimal text, counted without rounding. */

const DECIMALS = 12;

function parse(amount: string): bigint {
  const negative = amount.startsWith("-");
  const [whole = "0", decimals = ""] = (negative ? amount.slice(1) : amount).split(".");
  const units = BigInt(`${whole === "" ? "0" : whole}${decimals.slice(0, DECIMALS).padEnd(DECIMALS, "0")}`);
  return negative ? -units : units;
}

/** What is to be added to the first amount to get the second. */
export function difference(before: string, after: string): string {
  const units = parse(after) - parse(before);
  const digits = (units < 0n ? -units : units).toString().padStart(DECIMALS + 1, "0");
  const decimals = digits.slice(-DECIMALS).replace(/0+$/, "");
  return `${units < 0n ? "-" : ""}${digits.slice(0, -DECIMALS)}${decimals === "" ? "" : `.${decimals}`}`;
}
