// Values as they are written here and on the wire.

/** An amount: a number, or decimal text where a number would not be exact. */
export type Amount = number | string;

/** An instant: a Date, or RFC 3339 text. */
export type Instant = Date | string;

/** What is known of a use. Rules of scopes and plans can ask for it. */
export type Metadata = Record<string, string | number | boolean>;

/** Writes an amount. As text, what is not a number is refused instead of becoming null. */
export function amount(value: Amount): string;
export function amount(value: Amount | undefined): string | undefined;
export function amount(value: Amount | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** Reads an amount. Beyond 15 digits the last ones may be rounded. */
export function number(text: string | undefined): number {
  return Number(text ?? 0);
}

/** Writes an instant. What is none is refused by the server, which names the field. */
export function instant(value: Instant): string;
export function instant(value: Instant | undefined): string | undefined;
export function instant(value: Instant | null | undefined): string | null | undefined;
export function instant(value: Instant | null | undefined): string | null | undefined {
  if (!(value instanceof Date)) return value;
  return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
}
