/** The flags of `npm run bench`. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly program: 'peers' | 'scale';
  readonly rounds: number;
  /** How long each contestant is driven in each round. */
  readonly ms: number;
  readonly warmUpMs: number;
  readonly quick: boolean;
  /** Ids of workloads; undefined: all. */
  readonly only: readonly string[] | undefined;
  /** Ids of contestants; undefined: all. */
  readonly peers: readonly string[] | undefined;
  /** Whether RESULTS.md and the chart are written. */
  readonly write: boolean;
}

export const USAGE = `npm run bench -- [scale] [flags]

  --quick            few and short rounds; nothing is written
  --rounds <n>       rounds of each workload (default 7)
  --duration <ms>    of each contestant in each round (default 1500)
  --only <ids>       workloads, by comma: call, list, progress, modern, gates, open, elicitation, streams
                     with scale: session, streams, nodes, idle
  --peers <ids>      contestants, by comma
  --no-write         leaves bench/RESULTS.md and the chart as they are`;

export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      duration: { type: 'string' },
      only: { type: 'string' },
      peers: { type: 'string' },
      'no-write': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new RangeError(USAGE);
  const [program = 'peers'] = positionals;
  if (program !== 'peers' && program !== 'scale') throw new RangeError(USAGE);
  const { quick } = values;
  const partial = values.only !== undefined || values.peers !== undefined;
  return {
    program,
    quick,
    rounds: positive(values.rounds, quick ? 3 : 7),
    ms: positive(values.duration, quick ? 500 : 1500),
    warmUpMs: quick ? 500 : 2000,
    only: values.only?.split(','),
    peers: values.peers?.split(','),
    write: !quick && !(partial && program === 'peers') && !values['no-write'],
  };
}

function positive(value: string | undefined, fallback: number): number {
  const number = value === undefined ? fallback : Number(value);
  if (!(Number.isInteger(number) && number > 0))
    throw new RangeError(`a whole number above 0 is expected, not ${value}\n\n${USAGE}`);
  return number;
}
