/**
 * What the demo's story is told with: one SDK client behind the balancer, the balancer's record of which replica took
 * what, and names short enough to print.
 *
 * Not here: what is claimed (story), and how it looks (screen).
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Balancer, Forwarded } from './balancer.js';
import { RawCaller } from './raw-call.js';
import type { DemoFleet, Replica } from './replicas.js';

/** How long the client may take to open its stream for notices. */
const STREAM_DEADLINE_MS = 5000;
/** What the client answers when it is asked for a name. */
export const USER_NAME = 'Ada';

export class Stage {
  readonly fleet: DemoFleet;
  readonly #balancer: Balancer;
  readonly #client = new Client(
    { name: 'anynode-demo-client', version: '1.0.0' },
    { capabilities: { elicitation: {} } },
  );
  readonly #transport: StreamableHTTPClientTransport;
  readonly #dead = new Set<Replica>();
  readonly #forwarded: Forwarded[] = [];

  constructor(fleet: DemoFleet, balancer: Balancer) {
    this.fleet = fleet;
    this.#balancer = balancer;
    this.#transport = new StreamableHTTPClientTransport(new URL('/mcp', balancer.url));
    this.#client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: USER_NAME } }));
    // A connection lost to a killed node is part of the story; the transport reopens its stream by itself.
    this.#client.onerror = () => {};
    balancer.onForward = (forwarded) => this.#forwarded.push(forwarded);
  }

  get sessionId(): string {
    return this.#transport.sessionId ?? '';
  }

  get alive(): Replica[] {
    return this.fleet.replicas.filter((replica) => !this.#dead.has(replica));
  }

  async open(): Promise<void> {
    // The SDK's own transport is not assignable to its Transport under exactOptionalPropertyTypes.
    await this.#client.connect(this.#transport as Transport);
    // The client now opens its stream for notices by itself; were it late, it would take a turn from what follows.
    const deadline = Date.now() + STREAM_DEADLINE_MS;
    while (Date.now() < deadline && !this.#forwarded.some(({ method }) => method === 'GET')) await pause(10);
  }

  /** Text of a tool's result. */
  async call(name: string, args: Record<string, unknown> = {}, onProgress?: () => void): Promise<string> {
    const options = onProgress ? { onprogress: onProgress } : {};
    const { content } = await this.#client.callTool({ name, arguments: args }, undefined, options);
    return (content as { text?: string }[])[0]?.text ?? '';
  }

  raw(): RawCaller {
    return new RawCaller(this.#balancer.url, this.sessionId, this.#transport.protocolVersion ?? '');
  }

  deleteSession(): Promise<void> {
    return this.#transport.terminateSession();
  }

  /** Labels of the replicas that took the requests with that HTTP method while `work` ran, in order. */
  async hopsOf(method: string, work: () => Promise<unknown>): Promise<string[]> {
    const start = this.#forwarded.length;
    await work();
    return this.#forwarded
      .slice(start)
      .filter((forwarded) => forwarded.method === method)
      .map(({ replica }) => this.fleet.replicas.find(({ url }) => url === replica)?.label ?? '?');
  }

  labelOf(nodeId: string): string {
    return this.fleet.replicas.find((replica) => replica.nodeId === nodeId)?.label ?? nodeId;
  }

  async kill(label: string): Promise<Replica> {
    const victim = this.alive.find((replica) => replica.label === label);
    if (!victim) throw new Error(`there is no node ${label} to kill`);
    this.#dead.add(victim);
    await victim.kill();
    return victim;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
