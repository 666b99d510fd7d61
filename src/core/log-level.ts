/** Levels of `logging/setLevel`, least severe first. */
export const LOG_LEVELS: readonly string[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

/** Whether a line of this level is sent to a session that asked for `threshold` (empty: it never asked; all are sent). */
export function isLogged(level: unknown, threshold: string): boolean {
  return threshold === '' || LOG_LEVELS.indexOf(String(level)) >= LOG_LEVELS.indexOf(threshold);
}

export function isLogLevel(value: unknown): boolean {
  return LOG_LEVELS.includes(String(value)) && typeof value === 'string';
}
