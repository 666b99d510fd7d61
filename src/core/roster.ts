/**
 * Who is here at the moment, in the order of their coming: thousands come and go each second, and few are here at once.
 *
 * A list and no `Set` or `Map`: those make a new table after so many removals, and the old one, dead but still looked at by
 * the quick garbage collection when it has grown old, keeps all that it held at that moment, and the table that came after it,
 * and so on. So nearly everything a request was made of lived until the next full collection; a quarter of the processor time of a
 * busy node went into copying it. What leaves a roster holds on to nothing and is held by nothing.
 */
export interface Place<T> {
  item: T | undefined;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

export class Roster<T> {
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Who has been here for longest. */
  get first(): T | undefined {
    return this.#first?.item;
  }

  add(item: T): Place<T> {
    const place: Place<T> = { item, before: this.#last, after: undefined };
    if (this.#last) this.#last.after = place;
    else this.#first = place;
    this.#last = place;
    this.#size += 1;
    return place;
  }

  /** Removing a place late or twice does nothing. */
  remove(place: Place<T>): void {
    if (place.item === undefined) return;
    const { before, after } = place;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    place.item = undefined;
    place.before = undefined;
    place.after = undefined;
    this.#size -= 1;
  }

  /** Whoever has been here for longest leaves. */
  shift(): void {
    if (this.#first) this.remove(this.#first);
  }

  clear(): void {
    while (this.#first) this.shift();
  }

  /** Of those who are here now; they may leave meanwhile. */
  items(): T[] {
    const items: T[] = [];
    for (let place = this.#first; place; place = place.after) items.push(place.item as T);
    return items;
  }
}
