/**
 * Positions in a log: `<milliseconds>-<sequence>`, the form of Redis stream ids.
 *
 * Not here: the public form of event ids, which also names the stream.
 */
const FORM = /^(\d+)-(\d+)$/;

function parsePosition(position: string): readonly [milliseconds: number, sequence: number] {
  const parts = FORM.exec(position);
  if (!parts) throw new TypeError(`not a position: ${JSON.stringify(position)}`);
  return [Number(parts[1]), Number(parts[2])];
}

/** Negative where `a` comes first, positive where `b` does. By number, since text would put `10-0` before `9-0`. */
export function comparePositions(a: string, b: string): number {
  const [aMilliseconds, aSequence] = parsePosition(a);
  const [bMilliseconds, bSequence] = parsePosition(b);
  return aMilliseconds - bMilliseconds || aSequence - bSequence;
}

/** Epoch milliseconds at which a position was given out. */
export function timeOf(position: string): number {
  return parsePosition(position)[0];
}

/**
 * The position after `previous`. It grows even where the clock stands still or steps back, because readers take "greater"
 * for "newer".
 */
export function nextPosition(previous: string, now: number): string {
  const [milliseconds, sequence] = parsePosition(previous);
  return now > milliseconds ? `${Math.floor(now)}-0` : `${milliseconds}-${sequence + 1}`;
}
