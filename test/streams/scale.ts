/** How large the trials are: small for every day, and with `ANYNODE_FULL=1` as large as their sentences are meant. */
const FULL = process.env.ANYNODE_FULL === '1';

export const size = (everyDay: number, full: number): number => (FULL ? full : everyDay);

export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;

/** What was measured, below the sentence it belongs to. It is told, not judged. */
export function tell(figures: string): void {
  process.stdout.write(`        ${figures}\n`);
}

/** The value that a share (0 to 1) of all values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
