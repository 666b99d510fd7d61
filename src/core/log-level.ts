/** Levels of `logging/setLevel`, least severe first. */
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

/** Whether a line of this level is sent to a session that asked for `threshold` (empty: it never asked; all are sent). */
export function isLogged(level: unknown, threshold: string): boolean {
  return threshold === '' || LEVELS.indexOf(String(level)) >= LEVELS.indexOf(threshold);
}
