/** The type of an attribute value, in the words of OpenTelemetry. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `array[${value.length}]`;
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "double";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "object") return "map";
  return "string";
}

/** JSON inside a string becomes the value; anything else stays as it is. */
export function decodeJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const trimmed = value.trim();
  if (!/^(?:\{.*\}|\[.*\])$/s.test(trimmed)) return value;
  try {
    return JSON.parse(trimmed) as unknown;
  } catch {
    return value;
  }
}

/** The attributes whose key or value contains every word of the search, sorted by key. */
export function matchAttributes(values: Readonly<Record<string, unknown>>, search: string): [string, unknown][] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return Object.entries(values)
    .filter(([key, value]) => {
      if (words.length === 0) return true;
      const text = `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
