/**
 * What the demo claims, step by step. Each step does something through the balancer, checks that it came out as claimed
 * and on more than one node, and only then prints its line.
 *
 * Which node took a request is the balancer's own record; the node's answer to `whereami` has to agree with it.
 */
import type { RpcMessage } from './raw-call.js';
import { printFact } from './screen.js';
import { type Stage, USER_NAME } from './stage.js';

const NOTE = 'the milk is on the second shelf';
const JOB = { steps: 5, ms: 1500 };

/** A claim that did not hold; its message is all that the user is shown. */
export class BrokenClaim extends Error {}

function claim(holds: boolean, what: string, seen: unknown): void {
  if (!holds) throw new BrokenClaim(`not so: ${what}; saw ${JSON.stringify(seen)}`);
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const stepsOf = (messages: readonly RpcMessage[]): number[] =>
  messages.flatMap(({ method, params }) => (method === 'notifications/progress' ? [params?.progress ?? 0] : []));
const resultOf = (messages: readonly RpcMessage[], id: string): string | undefined =>
  messages.find((message) => message.id === id)?.result?.content?.[0]?.text;

/** Steps in the order they are told; each returns when its lines are printed. */
export const STORY: readonly ((stage: Stage) => Promise<void>)[] = [
  opens,
  hops,
  remembers,
  asks,
  reports,
  resumes,
  survives,
  ends,
];

async function opens(stage: Stage): Promise<void> {
  const route = await stage.hopsOf('POST', () => stage.open());
  claim(stage.sessionId !== '', 'the handshake opens a session', stage.sessionId);
  claim(new Set(route).size === 2, 'its two requests meet two nodes', route);
  printFact(
    'handshake',
    route,
    `session ${stage.sessionId.slice(0, 8)}: opened on ${route[0]}, confirmed to ${route[1]}`,
  );
}

async function hops(stage: Stage): Promise<void> {
  const said: string[] = [];
  const route = await stage.hopsOf('POST', async () => {
    for (const _ of stage.fleet.replicas) said.push(stage.labelOf(await stage.call('whereami')));
  });
  claim(said.join() === route.join(), "the node's own name is the balancer's choice", { said, route });
  claim(new Set(said).size === stage.fleet.replicas.length, 'every node answers', said);
  printFact('three calls', said, 'one session, each call answered by another node');
}

async function remembers(stage: Stage): Promise<void> {
  let notes = '';
  const route = await stage.hopsOf('POST', async () => {
    await stage.call('note_add', { text: NOTE });
    notes = await stage.call('note_list');
  });
  claim(route.length === 2 && route[0] !== route[1], 'writing and reading meet two nodes', route);
  claim(notes.includes(NOTE), 'the note is read where it was not written', notes);
  printFact('state', route, `a note written on ${route[0]}, read on ${route[1]}: "${NOTE}"`);
}

async function asks(stage: Stage): Promise<void> {
  let greeting = '';
  const route = await stage.hopsOf('POST', async () => {
    greeting = await stage.call('ask_name');
  });
  claim(route.length === 2 && route[0] !== route[1], 'question and answer meet two nodes', route);
  claim(greeting.includes(USER_NAME), 'the answer reaches the call that asked', greeting);
  printFact('elicitation', route, `asked by a call on ${route[0]}, answered to ${route[1]}: "${greeting}"`);
}

async function reports(stage: Stage): Promise<void> {
  const startedAt = Date.now();
  const times: number[] = [];
  const route = await stage.hopsOf('POST', () => stage.call('long_job', JOB, () => times.push(Date.now() - startedAt)));
  const spread = (times.at(-1) ?? 0) - (times[0] ?? 0);
  claim(times.length === JOB.steps, 'every step is reported', times);
  claim(spread > JOB.ms / 3, 'steps come as they happen, not all at the end', times);
  printFact('progress', route, `${times.length} steps, streamed as they happened: ${times.map(seconds).join(', ')}`);
}

interface CutJob {
  readonly node: string;
  readonly steps: number[];
  readonly lastEventId: string;
}

/** Starts a job and drops the connection after some steps. The job runs on: only a `cancelled` would stop it. */
async function cutJob(stage: Stage, id: string, steps: number): Promise<CutJob> {
  const seen: RpcMessage[] = [];
  let lastEventId = '';
  const [node = ''] = await stage.hopsOf('POST', async () => {
    for await (const event of stage.raw().startTool(id, 'long_job', JOB)) {
      lastEventId = event.id;
      if (event.message) seen.push(event.message);
      if (stepsOf(seen).length === steps) break;
    }
  });
  return { node, steps: stepsOf(seen), lastEventId };
}

async function resume(stage: Stage, { lastEventId }: CutJob): Promise<{ node: string; messages: RpcMessage[] }> {
  const messages: RpcMessage[] = [];
  const [node = ''] = await stage.hopsOf('GET', async () => {
    for await (const { message } of stage.raw().resume(lastEventId)) if (message) messages.push(message);
  });
  return { node, messages };
}

async function resumes(stage: Stage): Promise<void> {
  const job = await cutJob(stage, 'cut', 2);
  const rest = await resume(stage, job);
  const steps = [...job.steps, ...stepsOf(rest.messages)];
  claim(steps.join() === '1,2,3,4,5', 'no step is lost and none comes twice', steps);
  claim(resultOf(rest.messages, 'cut') !== undefined, 'the result comes on the resumed stream', rest.messages);
  claim(rest.node !== job.node, 'the stream goes on at another node', [job.node, rest.node]);
  const text = `connection to ${job.node} cut after step 2 of 5; the rest, without gap, read from ${rest.node}`;
  printFact('resumption', [job.node, rest.node], text);
}

async function survives(stage: Stage): Promise<void> {
  const { canDie } = stage.fleet;
  const orphan = canDie ? await cutJob(stage, 'orphan', 1) : undefined;
  const victim = await stage.kill(orphan?.node ?? 'A');
  const killedAt = Date.now();
  const how = canDie ? `SIGKILL to ${victim.place}, in the middle of a job` : 'closed while its session lives';
  printFact('a node is lost', [`${victim.label} ✗`], how);

  const said: string[] = [];
  // Six turns reach both survivors also when the client's own stream, reopening, takes one of them.
  for (let i = 0; i < 6; i++) said.push(stage.labelOf(await stage.call('whereami')));
  const survivors = [...new Set(said)];
  claim(!survivors.includes(victim.label) && survivors.length === 2, 'the two that are left answer', said);
  const notes = await stage.call('note_list');
  claim(notes.includes(NOTE), 'the session keeps its notes', notes);
  printFact('same session', survivors, 'goes on with the nodes that are left, notes and all');

  if (!orphan) return;
  const { node, messages } = await resume(stage, orphan);
  claim(resultOf(messages, 'orphan') !== undefined, 'a survivor finishes a job that may be repeated', messages);
  const text = `the job of ${victim.label}, run again by a survivor: its result read ${seconds(Date.now() - killedAt)} after the loss`;
  printFact('orphaned job', [victim.label, node], text);
}

async function ends(stage: Stage): Promise<void> {
  const raw = stage.raw();
  const [node = ''] = await stage.hopsOf('DELETE', () => stage.deleteSession());
  const statuses = await Promise.all(stage.alive.map(({ url }) => raw.statusAt(url)));
  claim(
    statuses.every((status) => status === 404),
    'every node answers 404 after the DELETE',
    statuses,
  );
  const labels = stage.alive.map(({ label }) => label).join(' and ');
  printFact('end', [node], `session deleted on ${node}; 404 on ${labels} from then on`);
}
