/** What has to be undone when a run ends, however it ends: in reverse order, each once, none kept back by another. */
export type Undo = () => Promise<unknown> | unknown;

const open = new Set<Ending>();

/** Ends everything that was begun anywhere and is not ended yet: for who is interrupted, at whatever moment. */
export async function endAll(): Promise<void> {
  await Promise.all([...open].map((ending) => ending.run()));
}

export class Ending {
  readonly #undo: Undo[] = [];
  #over: Promise<void> | undefined;

  constructor() {
    open.add(this);
  }

  add(undo: Undo): void {
    this.#undo.push(undo);
  }

  run(): Promise<void> {
    this.#over ??= (async () => {
      open.delete(this);
      for (const undo of this.#undo.reverse()) {
        try {
          await undo();
        } catch (error) {
          process.stderr.write(`chaos: clearing up: ${String(error)}\n`);
        }
      }
    })();
    return this.#over;
  }
}
