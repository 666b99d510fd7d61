/**
 * Everything that ends at some time, the next to end first: a binary heap whose members can be moved and removed.
 *
 * One timer for each session was rejected: a timer keeps its own time, so a test could not move the clock, and a renewal
 * for every request would re-arm it. Here a renewal is a few swaps.
 * Not here: the clock, and what follows from an end (`onEnd` does it).
 */
export interface Expiry {
  /** Epoch milliseconds; over when the clock shows this or more. */
  readonly at: number;
}

interface Member extends Expiry {
  at: number;
  /** Place in the heap; -1: not in it any more. */
  index: number;
  readonly onEnd: () => void;
}

export class ExpiryQueue {
  readonly #heap: Member[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** `onEnd` is called at most once, by {@link endDue}, after the member has left the queue. */
  add(at: number, onEnd: () => void): Expiry {
    const member: Member = { at, index: this.#heap.length, onEnd };
    this.#heap.push(member);
    this.#rise(member);
    return member;
  }

  /** Gives a member another time; nothing where it has ended or was removed. */
  move(expiry: Expiry, at: number): void {
    const member = this.#member(expiry);
    if (!member) return;
    member.at = at;
    this.#rise(member);
    this.#sink(member);
  }

  remove(expiry: Expiry): void {
    const member = this.#member(expiry);
    if (!member) return;
    const last = this.#heap.pop();
    if (last && last !== member) {
      this.#put(last, member.index);
      this.#rise(last);
      this.#sink(last);
    }
    member.index = -1;
  }

  /** Ends what is due, `limit` members at most; returns how many. */
  endDue(now: number, limit: number): number {
    let ended = 0;
    for (let next = this.#heap[0]; next && next.at <= now && ended < limit; next = this.#heap[0]) {
      this.remove(next);
      next.onEnd();
      ended += 1;
    }
    return ended;
  }

  #member(expiry: Expiry): Member | undefined {
    const member = expiry as Member;
    return this.#heap[member.index] === member ? member : undefined;
  }

  #put(member: Member, index: number): void {
    this.#heap[index] = member;
    member.index = index;
  }

  #rise(member: Member): void {
    for (;;) {
      const parent = this.#heap[(member.index - 1) >> 1];
      if (member.index === 0 || !parent || parent.at <= member.at) return;
      this.#swap(parent, member);
    }
  }

  #sink(member: Member): void {
    for (;;) {
      const left = this.#heap[2 * member.index + 1];
      const right = this.#heap[2 * member.index + 2];
      const smaller = left && right && right.at < left.at ? right : left;
      if (!smaller || smaller.at >= member.at) return;
      this.#swap(member, smaller);
    }
  }

  #swap(parent: Member, child: Member): void {
    const index = parent.index;
    this.#put(parent, child.index);
    this.#put(child, index);
  }
}
