/** Positions of Redis streams: `<milliseconds>-<sequence>`. */

/** Negative: `a` is before `b`. */
export function comparePositions(a: string, b: string): number {
  const [aTime, aSequence] = split(a);
  const [bTime, bSequence] = split(b);
  return aTime - bTime || aSequence - bSequence;
}

/** The smallest position after a given one. */
export function nextPosition(position: string): string {
  const [time, sequence] = split(position);
  return `${time}-${sequence + 1}`;
}

function split(position: string): [time: number, sequence: number] {
  const dash = position.indexOf('-');
  return [Number(position.slice(0, dash)), Number(position.slice(dash + 1))];
}
