/** The words of the command line. */
import { parseArgs } from 'node:util';
import { PLANTS } from './plants.js';

export interface Options {
  readonly seeds: readonly number[];
  readonly minutes: number;
  readonly clients: number;
  readonly leaseMs: number;
  readonly plants: readonly string[];
  readonly faults: readonly string[] | undefined;
  readonly history: string | undefined;
  /** A history that was kept, to be judged again. */
  readonly judge: string | undefined;
  /** How long it is quiet between two faults. */
  readonly restMs: readonly [number, number] | undefined;
  readonly record: boolean;
}

export const USAGE = `npm run chaos -- [options]
  --seed N[,N...]    what decides everything that is left to chance (default 1)
  --minutes M        how long each run breaks things (default 1)
  --clients N        clients of each kind (default 3)
  --lease-ms N       NODE_LEASE_MS of the nodes (default 2500)
  --faults A,B       only these kinds of faults
  --plant NAME|all   run a build with a planted fault and expect to find it: ${Object.keys(PLANTS).join(', ')}
  --history FILE     keep the history as JSON lines
  --judge FILE       make no run, judge this history
  --record           keep the figures in chaos/results and write PROOF.md anew
  --ci               the short run of the continuous integration: seed 7, under a minute of faults`;

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string' },
      clients: { type: 'string', default: '3' },
      'lease-ms': { type: 'string', default: '2500' },
      faults: { type: 'string' },
      plant: { type: 'string' },
      history: { type: 'string' },
      judge: { type: 'string' },
      record: { type: 'boolean', default: false },
      ci: { type: 'boolean', default: false },
    },
  });
  const plant = values.plant;
  const plants = plant === undefined ? [] : plant === 'all' ? Object.keys(PLANTS) : [plant];
  for (const name of plants) if (!(name in PLANTS)) throw new Error(`there is no plant named ${name}`);
  return {
    seeds: (values.seed ?? (values.ci ? '7' : '1')).split(',').map((seed) => positive('seed', seed)),
    minutes: positive('minutes', values.minutes ?? (values.ci ? '0.9' : '1')),
    clients: positive('clients', values.clients),
    leaseMs: positive('lease-ms', values['lease-ms']),
    plants,
    faults: values.faults?.split(','),
    history: values.history,
    judge: values.judge,
    // Every kind of fault has its turn in the short run.
    restMs: values.ci ? [300, 1000] : undefined,
    record: values.record,
  };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`--${name} must be a number above 0: ${text}`);
  return number;
}
