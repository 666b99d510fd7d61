/**
 * What became of the requests of a load: each was answered, or its connection was cut, or it failed. Only the trial
 * knows which of them it allows.
 */
export interface Fault {
  readonly who: string;
  readonly why: string;
}

/** The connection broke before the answer was whole: what nginx, too, can only report as 502. */
export class Cut extends Error {}

export class Tally {
  answered = 0;
  /** Streams that were gone on with on another connection. */
  resumed = 0;
  /** Nodes that were killed so far. */
  crashes = 0;
  /** Calls that were ended with an error after they had lost a node each time they ran. */
  givenUp = 0;
  readonly cuts: Fault[] = [];
  readonly failures: Fault[] = [];

  /** Runs one request to its end and counts what became of it; undefined where there was no answer. */
  async count<T>(who: string, run: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await run();
      this.answered += 1;
      return result;
    } catch (error) {
      (error instanceof Cut ? this.cuts : this.failures).push({ who, why: (error as Error).message });
      return undefined;
    }
  }

  toString(): string {
    return `${this.answered} answered, ${this.resumed} resumed, ${this.cuts.length} cut, ${this.givenUp} given up, ${this.failures.length} failed`;
  }
}
