/**
 * Tools for tests, written once for both SDK lines: they show what the bundled servers have no reason to show, such as
 * how many requests one call may have open, what a rebuilt server knows about its client, and calls that run until a
 * test lets them go.
 *
 * `call` is what the SDKs have in common, made alike by probe-v1 and probe-v2; `context` is the factory's argument.
 * Not here: anything a user would want to copy.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
/** No tool runs for ever, whatever a failing test forgets. */
const LONGEST_MS = 40_000;

export const CAPABILITIES = {
  logging: {},
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
};

/** A refused request is an outcome like any other here. */
const outcome = (promise) => promise.catch(({ code, message }) => ({ error: { code, message } }));

async function waitFor({ session }, { signal }, key) {
  const end = Date.now() + LONGEST_MS;
  await session.increment(`${key}:started`);
  while (!signal.aborted && Date.now() < end && (await session.get(key)) === undefined) await pause(15);
  if (!signal.aborted) return { value: await session.get(key) };
  await session.increment(`${key}:cancelled`);
  throw new Error('cancelled');
}

/** Name, arguments, what it does, and whether it may be run twice. */
export const TOOLS = [
  {
    name: 'self',
    shape: {},
    run: ({ nodeId, sessionId, era }, call) => ({
      nodeId,
      sessionId,
      era,
      capabilities: call.server.getClientCapabilities(),
      client: call.server.getClientVersion(),
    }),
  },
  {
    name: 'ask',
    shape: { messages: z.array(z.string()) },
    run: (_, call, { messages }) => Promise.all(messages.map((message) => outcome(call.elicit(message)))),
  },
  { name: 'ask_unbound', shape: {}, run: (_, call) => outcome(call.elicitUnbound('unbound')) },
  {
    name: 'ask_briefly',
    shape: { ms: z.number() },
    run: (_, call, { ms }) => outcome(call.elicit('quick', { timeout: ms })),
  },
  { name: 'sample', shape: { prompt: z.string() }, run: (_, call, { prompt }) => outcome(call.sample(prompt)) },
  { name: 'roots', shape: {}, run: (_, call) => outcome(call.roots()) },
  { name: 'ping_client', shape: {}, run: (_, call) => outcome(call.ping()) },
  {
    name: 'report',
    shape: { steps: z.number() },
    async run(_, call, { steps }) {
      for (let step = 1; step <= steps; step++) await call.progress(step, steps);
      return steps;
    },
  },
  {
    name: 'log_levels',
    shape: {},
    async run(_, call) {
      for (const level of LEVELS) await call.log(level, `a line at ${level}`);
      return LEVELS.length;
    },
  },
  {
    name: 'chatter',
    shape: { key: z.string() },
    async run({ session }, call, { key }) {
      const end = Date.now() + LONGEST_MS;
      let lines = 0;
      for (; Date.now() < end && (await session.get(key)) === undefined; lines++) {
        await call.log('debug', lines);
        await call.log('error', lines);
        await pause(15);
      }
      return lines;
    },
  },
  { name: 'pause', shape: { ms: z.number() }, run: (_, _call, { ms }) => pause(ms, ms) },
  {
    name: 'change',
    shape: { kind: z.enum(['tools', 'prompts', 'resources']) },
    run: ({ notify }, _call, { kind }) => notify[`${kind}Changed`](),
  },
  { name: 'touch', shape: { uri: z.string() }, run: ({ notify }, _call, { uri }) => notify.resourceUpdated(uri) },
  {
    name: 'remember',
    shape: { key: z.string(), value: z.any() },
    run: ({ session }, _call, { key, value }) => session.set(key, value),
  },
  {
    name: 'recall',
    shape: { key: z.string() },
    run: async ({ session }, _call, { key }) => ({ value: await session.get(key) }),
  },
  { name: 'add', shape: { key: z.string() }, run: ({ session }, _call, { key }) => session.increment(key) },
  { name: 'wait_for', shape: { key: z.string() }, run: (context, call, { key }) => waitFor(context, call, key) },
  {
    name: 'wait_repeatably',
    shape: { key: z.string() },
    annotations: { readOnlyHint: true, idempotentHint: true },
    run: (context, call, { key }) => waitFor(context, call, key),
  },
];

export const FORM = { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] };

export const toContent = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value ?? null) }] });
