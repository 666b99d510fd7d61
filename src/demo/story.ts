/**
 * What the demo claims, step by step. Each step does something through the balancer, checks that it came out as claimed
 * and on more than one node, and only then prints its line.
 *
 * Which node took a request is the balancer's own record; the node's answer to `whereami` has to agree with it.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Balancer, Forwarded } from './balancer.js';
import { RawCaller, type RpcMessage } from './raw-call.js';
import type { DemoFleet, Replica } from './replicas.js';
import { printFact } from './screen.js';

const NOTE = 'the milk is on the second shelf';
const NAME = 'Ada';
const JOB = { steps: 5, ms: 1500 };

/** A claim that did not hold. Its message is all that the user is shown. */
export class BrokenClaim extends Error {}

function claim(holds: boolean, what: string, seen: unknown): asserts holds {
  if (!holds) throw new BrokenClaim(`${what}; saw ${JSON.stringify(seen)}`);
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

export class Story {
  readonly #fleet: DemoFleet;
  readonly #balancer: Balancer;
  readonly #client = new Client({ name: 'anynode-demo-client', version: '1.0.0' }, { capabilities: { elicitation: {} } });
  readonly #transport: StreamableHTTPClientTransport;
  readonly #forwarded: Forwarded[] = [];
  #facts = 0;

  constructor(fleet: DemoFleet, balancer: Balancer) {
    this.#fleet = fleet;
    this.#balancer = balancer;
    this.#transport = new StreamableHTTPClientTransport(new URL('/mcp', balancer.url));
    balancer.onForward = (forwarded) => this.#forwarded.push(forwarded);
    this.#client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { name: NAME } }));
    // A connection lost to a killed node is part of the story; the transport reopens its stream by itself.
    this.#client.onerror = () => {};
  }

  /** Tells all of it; resolves with the number of claims that held. */
  async tell(): Promise<number> {
    await this.#opens();
    await this.#hops();
    await this.#remembers();
    await this.#asks();
    await this.#reports();
    await this.#resumes();
    await this.#survives();
    await this.#ends();
    return this.#facts;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #opens(): Promise<void> {
    // The SDK's own transport is not assignable to its Transport under exactOptionalPropertyTypes.
    const route = await this.#postsOf(() => this.#client.connect(this.#transport as Transport));
    const id = this.#transport.sessionId ?? '';
    claim(id !== '', 'the handshake opens a session', id);
    claim(new Set(route).size === 2, 'initialize and initialized meet two nodes', route);
    this.#fact('handshake', route, `one session, ${id.slice(0, 8)}…: opened on ${route[0]}, confirmed on ${route[1]}`);
  }

  async #hops(): Promise<void> {
    const said: string[] = [];
    const route = await this.#postsOf(async () => {
      for (const _ of this.#fleet.replicas) said.push(this.#labelOf(await this.#call('whereami')));
    });
    claim(said.join() === route.join(), "a node's own name is the balancer's choice", { said, route });
    claim(new Set(said).size === this.#fleet.replicas.length, 'every node answers', said);
    this.#fact('three calls', said, 'each answered by another node, all in the same session');
  }

  async #remembers(): Promise<void> {
    let notes = '';
    const route = await this.#postsOf(async () => {
      await this.#call('note_add', { text: NOTE });
      notes = await this.#call('note_list');
    });
    claim(route.length === 2 && route[0] !== route[1], 'writing and reading meet two nodes', route);
    claim(notes.includes(NOTE), 'the note is read where it was not written', notes);
    this.#fact('session state', route, `written on ${route[0]}, read on ${route[1]}: "${NOTE}"`);
  }

  async #asks(): Promise<void> {
    let greeting = '';
    const route = await this.#postsOf(async () => {
      greeting = await this.#call('ask_name');
    });
    claim(route.length === 2 && route[0] !== route[1], 'question and answer meet two nodes', route);
    claim(greeting.includes(NAME), 'the answer reaches the call that asked', greeting);
    this.#fact('elicitation', route, `asked in a call on ${route[0]}, answered to ${route[1]}: "${greeting}"`);
  }

  async #reports(): Promise<void> {
    const startedAt = Date.now();
    const times: number[] = [];
    const route = await this.#postsOf(() =>
      this.#client.callTool({ name: 'long_job', arguments: JOB }, undefined, {
        onprogress: () => times.push(Date.now() - startedAt),
      }),
    );
    const spread = (times.at(-1) ?? 0) - (times[0] ?? 0);
    claim(times.length === JOB.steps, 'every step is reported', times);
    claim(spread > JOB.ms / 3, 'steps come as they happen, not all at the end', times);
    this.#fact('progress', route, `${times.length} steps streamed as they happened: ${times.map(seconds).join(', ')}`);
  }

  async #resumes(): Promise<void> {
    const { route, steps, lastEventId } = await this.#cutJob('cut', 2);
    const rest: RpcMessage[] = [];
    const resumed = await this.#hopsOf('GET', async () => {
      for await (const { message } of this.#raw().resume(lastEventId)) if (message) rest.push(message);
    });
    const all = [...steps, ...stepsOf(rest)];
    claim(all.join() === '1,2,3,4,5', 'no step is lost and none comes twice', all);
    claim(resultOf(rest, 'cut') !== undefined, 'the result comes on the resumed stream', rest);
    claim(route[0] !== resumed[0], 'the stream goes on at another node', [route, resumed]);
    const text = `connection to ${route[0]} cut after step 2; steps 3 to 5 and the result read from ${resumed[0]}`;
    this.#fact('resumption', [...route, ...resumed], text);
  }

  async #survives(): Promise<void> {
    const job = this.#fleet.canDie ? await this.#cutJob('orphan', 1) : undefined;
    const victim = this.#replica(job?.route[0] ?? 'A');
    await victim.kill();
    const killedAt = Date.now();
    const how = this.#fleet.canDie ? `killed with SIGKILL (${victim.place}), in the middle of a job` : 'taken away';
    const said: string[] = [];
    for (let i = 0; i < 4; i++) said.push(this.#labelOf(await this.#call('whereami')));
    claim(!said.includes(victim.label) && new Set(said).size === 2, 'the two that are left answer', said);
    this.#fact('loss of a node', [`${victim.label} ✗`], how);
    claim((await this.#call('note_list')).includes(NOTE), 'the session keeps its notes', '');
    this.#fact('same session', [...new Set(said)], 'goes on with the nodes that are left, notes and all');
    if (!job) return;

    const rest: RpcMessage[] = [];
    const route = await this.#hopsOf('GET', async () => {
      for await (const { message } of this.#raw().resume(job.lastEventId)) if (message) rest.push(message);
    });
    const result = resultOf(rest, 'orphan');
    claim(result?.result !== undefined, 'a job that may be repeated is finished by a survivor', rest);
    const text = `the job of ${victim.label} was run again by a survivor; its result, after ${seconds(Date.now() - killedAt)}, on the same stream`;
    this.#fact('orphaned call', [victim.label, ...route.slice(0, 1)], text);
  }

  async #ends(): Promise<void> {
    const raw = this.#raw();
    const [route] = await this.#hopsOf('DELETE', () => this.#transport.terminateSession());
    const alive = this.#fleet.replicas.filter(({ url }) => this.#isAlive.has(url));
    const statuses = await Promise.all(alive.map(({ url }) => raw.statusAt(url)));
    claim(statuses.every((status) => status === 404), 'every node says 404 afterwards', statuses);
    const labels = alive.map(({ label }) => label);
    this.#fact('end', [route ?? '?'], `session deleted on ${route}; at once 404 on ${labels.join(' and ')}`);
  }
}
