/** Processor time of a process with all its threads, from the kernel's own books. Wall clock is noise on a shared machine. */
import { readFileSync } from 'node:fs';

/** `USER_HZ`: the unit of these fields, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system time so far, children that have ended included. In ms, in steps of 10. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name before may contain blanks; what follows its bracket does not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return (ticks * 1000) / TICKS_PER_SECOND;
}
