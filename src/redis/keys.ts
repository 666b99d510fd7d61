/**
 * Every key and channel name of the Redis store. A grep for a quoted name finds this file only.
 *
 * All keys of a session carry the whole name of its hash as hash tag, so that they share a slot of a Redis Cluster
 * and one script may touch several of them. The same holds for a node's lease and inbox.
 */
export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  session(id: string): string {
    return `${this.#prefix}session:${id}`;
  }
  /** What the session's other keys begin with; scripts complete it with `state`, `streams`, `log:<id>`, ... */
  sessionTag(id: string): string {
    return `{${this.#prefix}session:${id}}:`;
  }
  state(id: string): string {
    return `${this.sessionTag(id)}state`;
  }
  /** Sorted set of the session's stream ids, by when their log's life ends. */
  streams(id: string): string {
    return `${this.sessionTag(id)}streams`;
  }
  /** Owner, tail and delivered position of one stream. */
  stream(id: string, streamId: string): string {
    return `${this.sessionTag(id)}stream:${streamId}`;
  }
  log(id: string, streamId: string): string {
    return `${this.sessionTag(id)}log:${streamId}`;
  }
  /** Sorted set of `<createdAt>:<sessionId>` by the earliest moment at which the session can have ended. */
  get sessions(): string {
    return `${this.#prefix}sessions`;
  }
  get changes(): string {
    return `${this.#prefix}changes`;
  }
  get newestChange(): string {
    return `{${this.#prefix}changes}:newest`;
  }
  /** Lease of a node's token; its value is the node's name. */
  nodeLease(token: string): string {
    return `${this.#prefix}node:${token}`;
  }
  /** There while the node may still read its inbox; outlives the lease, which can lapse without anybody dying. */
  inboxOpen(token: string): string {
    return `{${this.#prefix}node:${token}}:open`;
  }
  inbox(token: string): string {
    return `{${this.#prefix}node:${token}}:inbox`;
  }
  /** Set of `<sessionId> <callId>`: the journaled calls that run on a node. */
  calls(token: string): string {
    return `{${this.#prefix}node:${token}}:calls`;
  }
  /** Who has a node's name; its value is the token. */
  nodeName(nodeId: string): string {
    return `${this.#prefix}node-name:${nodeId}`;
  }
  /** Sorted set of the tokens of nodes that were not buried, by the time of their last heartbeat. */
  get nodes(): string {
    return `${this.#prefix}nodes`;
  }
  /** Sorted set of who has a place in a pool, by the end of the lease. */
  slots(pool: string): string {
    return `${this.#prefix}slots:${pool}`;
  }
  /** How many requests were let through in the running window. */
  rate(counter: string): string {
    return `${this.#prefix}rate:${counter}`;
  }
  /** Sorted set of the sessions of one opener, by the earliest moment at which each can have ended. */
  sessionPool(pool: string): string {
    return `${this.#prefix}pool:${pool}`;
  }
  /** Sorted set of the session's journaled calls, by when they are taken for lost unless renewed. */
  running(id: string): string {
    return `${this.sessionTag(id)}running`;
  }
  secret(name: string): string {
    return `${this.#prefix}secret:${name}`;
  }
  duty(name: string): string {
    return `${this.#prefix}duty:${name}`;
  }

  /** Written to see whether the store takes writes. */
  get health(): string {
    return `${this.#prefix}health`;
  }

  /** Never written: a name that some server of a Cluster has. */
  probe(number: number): string {
    return `${this.#prefix}probe:${number}`;
  }

  /** What a wake-up channel's name begins with; a node's token follows. */
  get wakeUpChannels(): string {
    return `${this.#prefix}wake-up:`;
  }
  get bus(): string {
    return `${this.#prefix}bus`;
  }
  get changeBus(): string {
    return `${this.#prefix}bus:changes`;
  }
}
