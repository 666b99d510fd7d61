/**
 * The lists of a module that declares them fixed: what `tools/list` and its like answer is the same for every caller and
 * every session until `notify` says that it has changed. Converting the schemas of twenty tools costs more than ten calls.
 *
 * A list that is kept is used only after the log of changes was asked whether there is a newer one, so a client that was
 * told of a change and asks another node never gets the old list.
 *
 * Rejected: keeping the lists of modules that do not say so. Even of a reusable server a handler of its own may answer by who
 * asks, and a registered tool may be changed in place; neither shows from outside, and one caller would get another's list.
 *
 * Not here: pages after the first, and lists of the modern era.
 */
import type { ChangeFeed } from '../core/change-feed.js';
import { type JsonRpcRequest, type JsonRpcResponse, responseText } from '../core/jsonrpc.js';
import type { Change, ChangeLog } from '../core/ports/change-log.js';
import { START } from '../core/ports/event-log.js';
import type { SessionEffects } from './session-effects.js';

type Kind = Exclude<Change['kind'], 'resource'>;

const LISTS: ReadonlyMap<string, Kind> = new Map([
  ['tools/list', 'tools'],
  ['prompts/list', 'prompts'],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resources'],
]);

export class FixedLists {
  readonly #feed: ChangeFeed;
  readonly #log: ChangeLog;
  /** Results as JSON, by revision and method: a handful. */
  readonly #results = new Map<string, string>();
  readonly #changes: Record<Kind, number> = { tools: 0, prompts: 0, resources: 0 };

  constructor(feed: ChangeFeed, log: ChangeLog) {
    this.#feed = feed;
    this.#log = log;
    feed.listen(
      ({ change }) => change.kind !== 'resource' && this.#forget(change.kind),
      () => {
        for (const kind of ['tools', 'prompts', 'resources'] as const) this.#forget(kind);
      },
    );
  }

  /** Whether the request asks for a list from its beginning. */
  concerns({ method, params }: JsonRpcRequest): boolean {
    return LISTS.has(method) && params?.cursor === undefined;
  }

  /** The text of the answer, where it is known. @throws StoreUnavailable */
  async answer(revision: string, request: JsonRpcRequest): Promise<string | undefined> {
    const newest = await this.#log.latest();
    // No change for so long that its position is forgotten: there is none that this node could have missed.
    const heard = (): boolean =>
      this.#feed.position === newest || (newest === START && this.#feed.position !== undefined);
    if (!heard()) await this.#feed.look();
    // More came meanwhile: the server is asked.
    if (!heard()) return undefined;
    const result = this.#results.get(`${revision} ${request.method}`);
    return result && `{"jsonrpc":"2.0","id":${JSON.stringify(request.id)},"result":${result}}`;
  }

  /** The same effects, keeping the list that passes; not one that was made while it changed. */
  keeping(revision: string, effects: SessionEffects): SessionEffects {
    const before = { ...this.#changes };
    return {
      apply: async (request, response, capabilities) => {
        const answer = await effects.apply(request, response, capabilities);
        const kind = LISTS.get(request.method);
        if (kind && before[kind] === this.#changes[kind]) this.#keep(`${revision} ${request.method}`, answer);
        return answer;
      },
    };
  }

  #keep(key: string, answer: JsonRpcResponse): void {
    if (!('result' in answer)) return;
    const text = responseText({ jsonrpc: '2.0', id: 0, result: answer.result });
    // What could not be written as JSON has become an error on the way.
    const prefix = '{"jsonrpc":"2.0","id":0,"result":';
    if (text.startsWith(prefix)) this.#results.set(key, text.slice(prefix.length, -1));
  }

  #forget(kind: Kind): void {
    this.#changes[kind] += 1;
    for (const key of this.#results.keys()) {
      if (LISTS.get(key.slice(key.indexOf(' ') + 1)) === kind) this.#results.delete(key);
    }
  }
}
