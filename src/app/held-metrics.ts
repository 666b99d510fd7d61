/**
 * Counters and histograms for what happens several times in a request. Their rows are looked up once and then held, so that
 * counting is an addition; the library makes and hashes a set of labels each time, which with four of these was a twentieth of a
 * fast request. At a scrape they look like its own.
 *
 * Labels are bounded by whoever asks for rows: none is ever forgotten.
 */
import type { Metric, Registry } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

interface Described {
  readonly name: string;
  readonly help: string;
}

abstract class HeldMetric<Row> {
  readonly name: string;
  protected readonly rows: { readonly labels: Labels; readonly row: Row }[] = [];
  readonly #help: string;
  readonly #type: string;

  constructor(registry: Registry, { name, help }: Described, type: string) {
    this.name = name;
    this.#help = help;
    this.#type = type;
    // The registry asks for a name and, at a scrape, for `get`.
    registry.registerMetric(this as unknown as Metric);
  }

  protected keep(labels: Labels, row: Row): Row {
    this.rows.push({ labels, row });
    return row;
  }

  protected abstract samples(): Sample[];

  async get(): Promise<object> {
    return { name: this.name, help: this.#help, type: this.#type, values: this.samples(), aggregator: 'sum' };
  }
}

/** What has been counted so far under one set of labels. */
export interface Count {
  value: number;
}

export class HeldCounter extends HeldMetric<Count> {
  constructor(registry: Registry, described: Described) {
    super(registry, described, 'counter');
  }

  /** Once for each set of labels. */
  row(labels: Labels): Count {
    return this.keep(labels, { value: 0 });
  }

  protected samples(): Sample[] {
    return this.rows.map(({ labels, row }) => ({ labels, value: row.value }));
  }
}

export class Durations {
  readonly #bounds: readonly number[];
  /** By bucket, each by itself; the last one has no bound. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = [...bounds, 0].map(() => 0);
  }

  observe(seconds: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += seconds;
  }
}

export class HeldHistogram extends HeldMetric<Durations> {
  readonly #bounds: readonly number[];

  /** `bounds`: upper ones, ascending, without the infinite one. */
  constructor(registry: Registry, described: Described, bounds: readonly number[]) {
    super(registry, described, 'histogram');
    this.#bounds = bounds;
  }

  /** Once for each set of labels. */
  row(labels: Labels): Durations {
    return this.keep(labels, new Durations(this.#bounds));
  }

  protected samples(): Sample[] {
    return this.rows.flatMap(({ labels, row: { counts, sum } }) => {
      let below = 0;
      const buckets = counts.map((count, i) => {
        below += count;
        return {
          labels: { le: this.#bounds[i] ?? '+Inf', ...labels },
          value: below,
          metricName: `${this.name}_bucket`,
        };
      });
      return [
        ...buckets,
        { labels, value: sum, metricName: `${this.name}_sum` },
        { labels, value: below, metricName: `${this.name}_count` },
      ];
    });
  }
}

/** Rows by a name, made when they are first asked for. */
export function rowsBy<Row>(make: (name: string) => Row): (name: string) => Row {
  const rows = new Map<string, Row>();
  return (name) => {
    let row = rows.get(name);
    if (row === undefined) {
      row = make(name);
      rows.set(name, row);
    }
    return row;
  };
}
