/** What crosses nodes: a durable inbox for each node, and a bus of hints that may be lost. */
import type { ChangeEntry } from './change-log.js';
import type { LogEntry, TailHolder } from './event-log.js';

/** A client's message on its way to the node whose call waits for it (an answer, or progress on a server's request). */
export interface Letter {
  readonly sessionId: string;
  /** JSON text of the JSON-RPC message, ids as the client sent them. */
  readonly message: string;
  /** `traceparent` of the span in which it was taken over. Absent where nobody traces, or from an older release. */
  readonly traceparent?: string | undefined;
}

/** Hints to all nodes. Losing one costs latency or, for `cancelled`, the advice; never a message. */
export type Signal =
  | { readonly kind: 'ended'; readonly sessionId: string }
  | {
      readonly kind: 'cancelled';
      readonly sessionId: string;
      readonly requestId: string | number;
      readonly reason?: string;
    }
  | { readonly kind: 'level'; readonly sessionId: string; readonly level: string }
  | { readonly kind: 'initialized'; readonly sessionId: string }
  | {
      readonly kind: 'subscription';
      readonly sessionId: string;
      readonly uri: string;
      readonly active: boolean;
      /** Position in the log of changes from which on it counts; see `SessionStore.subscribe`. Absent: not known. */
      readonly since?: string;
    }
  | { readonly kind: 'tail-free'; readonly sessionId: string; readonly streamId: string };

/** "Look at this log": sent to the node that tails a stream. */
export interface WakeUp {
  readonly sessionId: string;
  readonly streamId: string;
  /** Whom the stream belongs to now; a tail that is not it falls silent. */
  readonly holder: TailHolder;
  /** Set when the former holder has handed the stream over: how far it got. */
  readonly handedOver?: string;
  /** The events themselves where they are small, with the position they follow; else the log must be read. */
  readonly events?: { readonly previous: string; readonly entries: readonly LogEntry[] };
}

export interface BrokerHandlers {
  /** Called in the order of the inbox, each letter at least once; a letter counts as read when this returns. */
  onLetter(letter: Letter): void;
  onWakeUp(wakeUp: WakeUp): void;
  onSignal(signal: Signal): void;
  /** `previous` is the position before it: when it is not the last one seen, changes were missed. */
  onChange(previous: string, entry: ChangeEntry): void;
  /** Hints may have been lost (the subscription was away): look at everything that is open. */
  onGap(): void;
}

export interface Broker {
  /** Opens this node's inbox and its subscription. Resolves when both are effective. */
  start(nodeToken: string, handlers: BrokerHandlers): Promise<void>;
  /**
   * Puts a letter into a node's inbox; durable and ordered when this resolves. False: no node with that token was heard
   * of for long (nothing was stored). A node whose lease has lapsed may be alive, and reads its letters if it is.
   */
  post(nodeToken: string, letter: Letter): Promise<boolean>;
  /** Tells all nodes, this one included. At most once, unordered with anything else. */
  signal(signal: Signal): Promise<void>;
  /** Letters in this node's inbox that it has not read yet; one just read may still count. @throws StoreUnavailable */
  depth(): Promise<number>;
  /** Stops reading; the inbox is removed. */
  stop(): Promise<void>;
}
