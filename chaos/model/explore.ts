/**
 * Walks through every state that a model can reach, breadth first, so that what it finds is a shortest way there.
 *
 * A model is small and knows nothing of the product's code; what it says of the design holds for all orders of events
 * within its bounds, which no run of real processes can show.
 */
export interface Step<State> {
  readonly name: string;
  readonly to: State;
}

export interface Model<State> {
  readonly initial: State;
  steps(state: State): Step<State>[];
  /** What is wrong with a state; undefined: nothing. */
  fault(state: State): string | undefined;
  /** What is wrong with a state that nothing can follow. */
  finalFault(state: State): string | undefined;
}

export interface Exploration {
  readonly states: number;
  readonly endings: number;
  /** Undefined: none of all the states is wrong. */
  readonly fault: { readonly what: string; readonly path: readonly string[]; readonly state: unknown } | undefined;
}

/** Bounds a mistake in a model, not a model: those here have fewer by far. */
const MOST_STATES = 2_000_000;

export function explore<State>({ initial, steps, fault, finalFault }: Model<State>): Exploration {
  const from = new Map<string, { readonly before: string | undefined; readonly name: string }>();
  const first = JSON.stringify(initial);
  from.set(first, { before: undefined, name: 'start' });
  const pathTo = (key: string): string[] => {
    const path: string[] = [];
    for (let at: string | undefined = key; at !== undefined; at = from.get(at)?.before) {
      path.unshift(from.get(at)?.name ?? '');
    }
    return path;
  };
  let level: string[] = [first];
  let endings = 0;
  while (level.length > 0) {
    const next: string[] = [];
    for (const key of level) {
      const state = JSON.parse(key) as State;
      const following = steps(state);
      if (following.length === 0) endings += 1;
      const what = fault(state) ?? (following.length === 0 ? finalFault(state) : undefined);
      if (what !== undefined) return { states: from.size, endings, fault: { what, path: pathTo(key), state } };
      for (const { name, to } of following) {
        const reached = JSON.stringify(to);
        if (from.has(reached)) continue;
        from.set(reached, { before: key, name });
        next.push(reached);
      }
    }
    if (from.size > MOST_STATES) throw new Error(`more than ${MOST_STATES} states: the model is not bounded`);
    level = next;
  }
  return { states: from.size, endings, fault: undefined };
}

/** The steps that some condition allows, each on a copy of the state. */
export class Steps<State> {
  readonly list: Step<State>[] = [];
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
  }

  when(possible: boolean, name: string, change: (state: State) => void): void {
    if (!possible) return;
    const to = JSON.parse(JSON.stringify(this.#state)) as State;
    change(to);
    this.list.push({ name, to });
  }
}
