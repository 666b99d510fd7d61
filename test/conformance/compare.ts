/** Holds a page against the committed one, line by line. */

/** Empty: they are the same. `-` is what the committed page has and the run has not, `+` the other way round. */
export function differences(committed: string, found: string): readonly string[] {
  const lines = { committed: committed.split('\n'), found: found.split('\n') };
  const gone = lines.committed.filter((line) => !lines.found.includes(line)).map((line) => `- ${line}`);
  const come = lines.found.filter((line) => !lines.committed.includes(line)).map((line) => `+ ${line}`);
  if (gone.length + come.length === 0 && committed !== found) return ['the same lines in another order'];
  return [...gone, ...come];
}
