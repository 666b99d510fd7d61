/**
 * Which calls run where, so that a survivor can take over those of a dead node.
 *
 * A journaled call has an entry with its session (owner, and what is needed to run it again) and a place in the list of
 * its node. The entry is the truth: a place without an entry is nothing.
 */
export interface CallName {
  readonly sessionId: string;
  readonly callId: string;
}

export type Claim =
  | { readonly outcome: 'claimed'; readonly journal: string; readonly claims: number }
  | { readonly outcome: 'held'; readonly owner: string }
  | { readonly outcome: 'over' | 'unknown' };

export interface CallJournal {
  /**
   * Enters a call that has no stream of its own. (One that has is entered by the append that opens the stream.)
   * False: the session is gone.
   */
  enter(call: CallName, owner: string, journal: string): Promise<boolean>;
  /** Takes a call out of the journal that is over without a last append. Nothing where another node owns it by now. */
  drop(call: CallName, owner: string): Promise<void>;
  /** Gives a call a place in a node's list. Done before the call can be lost, undone after it is over. */
  list(owner: string, call: CallName): Promise<void>;
  unlist(owner: string, call: CallName): Promise<void>;
  /** Some of the calls in a node's list, in no order. */
  listed(owner: string, limit: number): Promise<CallName[]>;
  /**
   * Makes a call of `from` one of `to` and returns what was journaled, and how often the call was claimed. Of several
   * callers one gets it; from then on nothing that `from` appends for the call is stored. Where `to` owns it already the
   * answer is the same and counts nothing, so a claim whose answer was lost can be made again. `over`: there is nothing to
   * claim (any more). `held`: another node owns it; `from` may have listed it to claim it, and may still do so. `unknown`: the journal does not begin with `form`, another release wrote it; it stays as it is.
   */
  claim(call: CallName, from: string, to: string, form: string): Promise<Claim>;
  /**
   * The owner leaves in order: that it ran the call does not count among its claims, as nobody was brought down by it.
   * Nothing happens where another one owns it.
   */
  leave(call: CallName, owner: string): Promise<void>;
  /** Keeps a living node's list alive; lists of the dead outlive their lease long enough to be taken over. */
  renew(owner: string): Promise<void>;
}
