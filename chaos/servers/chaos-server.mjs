/**
 * The server that the nodes of a chaos run serve. Every word it says names the call, the session and the user it is for,
 * and everything a call does is written to a ledger outside of the store: a file that survives every fault of the run.
 *
 * The ledger is opened for appending, one short line at a time, so lines of several nodes never mix.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { acceptedContent, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

const LEDGER = process.env.CHAOS_LEDGER;
const READS = { readOnlyHint: true, idempotentHint: true };
const ADDS = { readOnlyHint: false, idempotentHint: false };
const word = z.object({ word: z.string() });

const userOf = ({ authInfo }) => authInfo?.clientId ?? 'nobody';

function record(context, op) {
  const line = { op, session: context.sessionId, user: userOf(context), node: context.nodeId };
  if (LEDGER !== undefined) appendFileSync(LEDGER, `${JSON.stringify(line)}\n`);
}

const says = (context, op, more = {}) => ({
  content: [{ type: 'text', text: JSON.stringify({ op, session: context.sessionId, user: userOf(context), ...more }) }],
});

async function steps(call, { op, ms, count }) {
  const progressToken = call.mcpReq._meta?.progressToken;
  for (let step = 1; step <= count; step += 1) {
    await pause(ms / count, undefined, { signal: call.mcpReq.signal });
    if (progressToken === undefined) continue;
    const params = { progressToken, progress: step, total: count, message: JSON.stringify({ op }) };
    await call.mcpReq.notify({ method: 'notifications/progress', params });
  }
}

const workShape = z.object({ op: z.string(), ms: z.number(), count: z.number() });

export default function createChaosServer(context) {
  const server = new McpServer(
    { name: 'chaos', version: '1.0.0' },
    {
      requestState: { verify: (state) => context.requestState.verify(state) },
      capabilities: { logging: {}, tools: { listChanged: true }, resources: { listChanged: true, subscribe: true } },
    },
  );
  const tool = (name, annotations, inputSchema, run) =>
    server.registerTool(name, { description: name, annotations, inputSchema }, run);

  // Adds one, at the beginning: a second run would show, in the ledger and in the session's own counter.
  tool('effect', ADDS, workShape, async ({ op, ms, count }, call) => {
    record(context, op);
    const value = await context.session?.increment(`effect:${op}`);
    await steps(call, { op, ms, count });
    return says(context, op, { value });
  });
  // The same at the end, when the session may be gone: a late write must not bring anything back.
  tool('late_effect', ADDS, workShape, async ({ op, ms, count }, call) => {
    await steps(call, { op, ms, count }).catch(() => pause(300));
    record(context, op);
    const value = await context.session?.increment(`effect:${op}`);
    return says(context, op, { value });
  });
  tool('work', READS, workShape, async ({ op, ms, count }, call) => {
    record(context, op);
    await steps(call, { op, ms, count });
    return says(context, op);
  });
  tool('quick', READS, z.object({ op: z.string() }), ({ op }) => says(context, op));
  // One question and its answer, in both eras; the round's state carries the call's name.
  tool('ask', READS, z.object({ op: z.string() }), async ({ op }, call) => {
    const form = acceptedContent(call.mcpReq.inputResponses, 'word', word);
    if (form) return says(context, op, { answer: form.word, state: call.mcpReq.requestState()?.op });
    record(context, op);
    const message = JSON.stringify({ op, session: context.sessionId, user: userOf(context) });
    return inputRequired({
      inputRequests: { word: inputRequired.elicit({ message, requestedSchema: word }) },
      requestState: await context.requestState.mint({ op }),
    });
  });
  tool('touch', { ...ADDS, idempotentHint: true }, z.object({ op: z.string(), uri: z.string() }), async (input) => {
    await context.notify.resourceUpdated(input.uri);
    return says(context, input.op);
  });
  tool('tally', READS, z.object({ op: z.string() }), async ({ op }) =>
    says(context, op, { value: (await context.session?.get(`effect:${op}`)) ?? 0 }),
  );
  return server;
}
