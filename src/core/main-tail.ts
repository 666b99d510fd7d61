/**
 * The tail of a session's main stream: the standalone GET stream, or the one of HTTP+SSE.
 *
 * It merges the session's own log with the fleet's changes. A change is not copied into the logs of the sessions: each
 * main tail reads the one log of changes from a position of its own, which is part of its event ids. A thousand
 * streams cost one write, and still every node can tell which changes a client has seen.
 *
 * What piled up while no stream was open is told once for each kind and resource, not once for each change.
 */
import type { EventPosition } from './event-id.js';
import { formatEventId, isAfter } from './event-id.js';
import type { Change, ChangeEntry, ChangeLog } from './ports/change-log.js';
import { MAIN_STREAM } from './ports/event-log.js';
import { StoreUnavailable } from './ports/store.js';
import { Subscriptions } from './subscriptions.js';
import { Tail, type TailContext, type TailOptions } from './tail.js';

const READ_LIMIT = 500;

export interface MainTailOptions extends Omit<TailOptions, 'streamId' | 'primes'> {
  readonly changes: ChangeLog;
  /** Reads from the store what the session is subscribed to. */
  readonly subscriptions: () => Promise<readonly string[]>;
  /** Before `notifications/initialized` a client is sent no changes; they wait in the log. */
  readonly initialized: boolean;
}

export class MainTail extends Tail {
  readonly #changes: ChangeLog;
  readonly #subscriptions: Subscriptions;
  #initialized: boolean;
  #changesPosition: string;
  /** Live changes are taken only when everything before them was read. */
  #started = false;
  #caughtUp = false;
  #catchingUp = false;
  #again = false;
  #recording = false;
  #recorded: string;

  constructor(context: TailContext, options: MainTailOptions) {
    super(context, { ...options, streamId: MAIN_STREAM, primes: false });
    this.#changes = options.changes;
    this.#subscriptions = new Subscriptions(options.subscriptions);
    this.#initialized = options.initialized;
    this.#changesPosition = options.position.changes ?? '0-0';
    this.#recorded = this.delivered;
  }

  protected override get position(): EventPosition {
    return { streamId: this.streamId, own: this.own, changes: this.#changesPosition };
  }

  protected override moveTo(position: EventPosition): void {
    super.moveTo(position);
    this.#changesPosition = position.changes ?? this.#changesPosition;
    this.#caughtUp = false;
  }

  override start(position?: EventPosition): void {
    super.start(position);
    this.#started = true;
    void this.catchUp();
  }

  override wake(position: EventPosition): void {
    super.wake(position);
    this.#started = true;
    void this.catchUp();
  }

  get initialized(): boolean {
    return this.#initialized;
  }

  setInitialized(): void {
    this.#initialized = true;
    void this.catchUp();
  }

  setSubscription(uri: string, active: boolean): void {
    this.#subscriptions.set(uri, active);
  }

  /** Signals about subscriptions were lost. */
  forgetSubscriptions(): void {
    this.#subscriptions.forget();
    this.changesMissed();
  }

  /** A change of the fleet, in the order of its log. */
  offerChange(entry: ChangeEntry): void {
    if (!this.active || !this.#started) return;
    // Catching up reads the log by itself, and may have told of what the node hears of only now.
    if (!isAfter(entry.position, this.#changesPosition)) return;
    if (this.#caughtUp && !this.sink.congested) this.#tell(entry);
    else void this.catchUp();
  }

  /** Something was missed on the way to this node, and the node cannot say what. */
  changesMissed(): void {
    this.#caughtUp = false;
    void this.catchUp();
  }

  override look(): Promise<void> {
    if (!this.#caughtUp) void this.catchUp();
    return super.look();
  }

  protected override onDrained(): void {
    super.onDrained();
    void this.catchUp();
  }

  /** Reads the changes that this stream has not been told of. */
  async catchUp(): Promise<void> {
    if (!this.#initialized || !this.#started || !this.active) return;
    this.#again = true;
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    this.#caughtUp = false;
    try {
      while (this.#again && this.active) {
        this.#again = false;
        // A store that fails here leaves the position where it is: the next look, at the latest the one by the clock, goes on.
        await this.#subscriptions.ready();
        const { complete, entries } = await this.#changes.read(this.#changesPosition, READ_LIMIT);
        if (!this.active) return;
        const last = entries.at(-1);
        if (complete) {
          for (const entry of newestOfEach(entries)) {
            if (this.sink.congested) {
              this.sink.onDrain(() => this.onDrained());
              return;
            }
            this.#tell(entry);
          }
          if (last) this.#changesPosition = last.position;
        } else {
          this.#tellAnythingMayHaveChanged(last?.position ?? (await this.#changes.latest()));
        }
        if (entries.length > 0) this.#again = true;
      }
      this.#caughtUp = true;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) this.context.logger.error({ error }, 'main tail: catching up failed');
    } finally {
      this.#catchingUp = false;
    }
  }

  #tell({ position, change }: ChangeEntry): void {
    this.#changesPosition = position;
    if (change.kind === 'resource' && !this.#subscriptions.has(change.uri)) return;
    this.#send(change);
  }

  #tellAnythingMayHaveChanged(position: string): void {
    this.context.metrics.historyLost();
    this.#changesPosition = position;
    for (const kind of ['tools', 'prompts', 'resources'] as const) this.#send({ kind });
    for (const uri of this.#subscriptions) this.#send({ kind: 'resource', uri });
  }

  #send(change: Change): void {
    this.sink.send({ id: formatEventId(this.position), data: JSON.stringify(notificationOf(change)) });
  }

  /**
   * Events of the session's own log are noted at once: a client that comes back without `Last-Event-ID` must not get an
   * answer twice. One note is under way at a time and the next one tells the newest position.
   */
  protected override onDelivered(): void {
    void this.record();
  }

  async record(): Promise<void> {
    if (this.#recording || !this.active || this.#recorded === this.delivered) return;
    this.#recording = true;
    try {
      while (this.#recorded !== this.delivered && this.active) {
        const delivered = this.delivered;
        await this.context.log.recordDelivered(this.sessionId, this.streamId, this.holder, delivered);
        this.#recorded = delivered;
      }
    } catch {
      // Costs at most a repetition after a reconnection without Last-Event-ID; the next event notes it again.
    } finally {
      this.#recording = false;
    }
  }

  /** A main stream never ends by what is in its log; missing events are said and the rest is sent. */
  protected override onHistoryLost(known: boolean): void {
    // A log whose life ran out had nothing to say for that long: no event after the position was dropped.
    if (known) super.onHistoryLost(known);
  }
}

export function notificationOf(change: Change): object {
  if (change.kind === 'resource') {
    return { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: change.uri } };
  }
  return { jsonrpc: '2.0', method: `notifications/${change.kind}/list_changed` };
}

function newestOfEach(entries: readonly ChangeEntry[]): ChangeEntry[] {
  const newest = new Map<string, ChangeEntry>();
  for (const entry of entries) {
    const key = entry.change.kind === 'resource' ? `resource ${entry.change.uri}` : entry.change.kind;
    newest.delete(key);
    newest.set(key, entry);
  }
  return [...newest.values()];
}
