/**
 * Raw requests for what an SDK client hides: a connection that is cut in the middle of a call, the event id to go on
 * from, and bare status codes.
 *
 * Just enough of server-sent events for that. Not here: reconnecting by itself; the demo decides when, and says so.
 */
export interface RpcMessage {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly progress?: number };
  readonly result?: { readonly content?: readonly { readonly text?: string }[] };
  readonly error?: { readonly code: number; readonly message: string };
}

export interface StreamEvent {
  readonly id: string;
  readonly message: RpcMessage | undefined;
}

export class RawCaller {
  readonly #url: string;
  readonly #headers: Record<string, string>;

  constructor(baseUrl: string, sessionId: string, protocolVersion: string) {
    this.#url = `${baseUrl}/mcp`;
    this.#headers = {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'Mcp-Session-Id': sessionId,
      'MCP-Protocol-Version': protocolVersion,
    };
  }

  /** Starts a tool and yields its events as they come; leaving the loop drops the connection. */
  async *startTool(id: string, name: string, args: object): AsyncGenerator<StreamEvent> {
    const params = { name, arguments: args, _meta: { progressToken: id } };
    const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });
    yield* this.#events({ method: 'POST', headers: this.#headers, body });
  }

  /** The rest of a stream after the event named. */
  async *resume(lastEventId: string): AsyncGenerator<StreamEvent> {
    const headers = { ...this.#headers, Accept: 'text/event-stream', 'Last-Event-ID': lastEventId };
    yield* this.#events({ headers });
  }

  /** Status of a `ping` sent straight to one replica, past the balancer. */
  async statusAt(replicaUrl: string): Promise<number> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 'ping', method: 'ping' });
    const response = await fetch(`${replicaUrl}/mcp`, { method: 'POST', headers: this.#headers, body });
    await response.text();
    return response.status;
  }

  async *#events(init: RequestInit): AsyncGenerator<StreamEvent> {
    const abort = new AbortController();
    try {
      const response = await fetch(this.#url, { ...init, signal: abort.signal });
      if (!response.ok || !response.body) throw new Error(`status ${response.status}: ${await response.text()}`);
      let rest = '';
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        const blocks = `${rest}${chunk}`.split(/\r?\n\r?\n/);
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const event = parseEvent(block);
          if (event) yield event;
        }
      }
    } finally {
      abort.abort();
    }
  }
}

function parseEvent(block: string): StreamEvent | undefined {
  const field = (name: string): string[] =>
    block
      .split(/\r?\n/)
      .flatMap((line) => (line.startsWith(`${name}:`) ? [line.slice(name.length + 1).trimStart()] : []));
  const [id] = field('id');
  if (id === undefined) return undefined;
  const data = field('data').join('\n');
  return { id, message: data === '' ? undefined : (JSON.parse(data) as RpcMessage) };
}
