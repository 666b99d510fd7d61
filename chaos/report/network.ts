/**
 * How the faults of the network are made on this machine, and why.
 *
 * Delay, loss and partitions come from the links, which are proxies between the processes. A kernel with netem could drop
 * packets below TCP instead; whether this one can is asked in a network namespace of its own, which nobody else sees.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const PROBE = 'ip link set lo up && tc qdisc add dev lo root netem delay 1ms';

export async function networkFaults(): Promise<string> {
  const why = await promisify(execFile)('unshare', ['-n', 'sh', '-c', PROBE], { timeout: 5000 }).then(
    () => 'netem would be there',
    (error: { stderr?: string; message: string }) =>
      `netem is not there: ${(error.stderr || error.message).trim().split('\n').at(-1)}`,
  );
  return `TCP proxies (${why})`;
}
