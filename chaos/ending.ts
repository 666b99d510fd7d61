/** What has to be undone when a run ends, however it ends: in reverse order, each once, none kept back by another. */
export type Undo = () => Promise<unknown> | unknown;

export class Ending {
  readonly #undo: Undo[] = [];
  #over: Promise<void> | undefined;

  add(undo: Undo): void {
    this.#undo.push(undo);
  }

  run(): Promise<void> {
    this.#over ??= (async () => {
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
