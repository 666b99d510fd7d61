/**
 * Tools that show what a balancer does to calls: how often a handler was entered, and when its events arrive.
 *
 * The session's state is the witness: it survives the node.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** No tool runs for ever, whatever a failing test forgets. */
const LONGEST_MS = 40_000;

const say = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });

export default ({ nodeId, session }) => {
  const server = new McpServer({ name: 'effects', version: '1.0.0' });
  const until = async (signal, reached) => {
    const end = Date.now() + LONGEST_MS;
    while (!signal.aborted && Date.now() < end && !(await reached())) await pause(15);
  };
  const tool = (name, shape, run) =>
    server.registerTool(name, { description: name, inputSchema: z.object(shape) }, async (args, call) =>
      say((await run(args, call.mcpReq)) ?? null),
    );

  tool('whoami', {}, () => nodeId);
  tool('count', { key: z.string() }, ({ key }) => session.increment(key));
  tool('read', { key: z.string() }, async ({ key }) => await session.get(key));
  tool('write', { key: z.string(), value: z.any() }, ({ key, value }) => session.set(key, value));
  // Enters its effect, and says nothing until it is let go.
  tool('effect', { key: z.string() }, async ({ key }, { signal }) => {
    // The name last: whoever has read it may kill the node, and must find the effect.
    await session.increment(`${key}:effects`);
    await session.set(`${key}:node`, nodeId);
    await until(signal, async () => (await session.get(key)) !== undefined);
    return nodeId;
  });
  // Says the next thing only when its caller has confirmed the one before.
  tool('paced', { key: z.string(), steps: z.number() }, async ({ key, steps }, { signal, notify, _meta }) => {
    await session.set(`${key}:node`, nodeId);
    for (let progress = 1; progress <= steps; progress++) {
      const progressToken = _meta?.progressToken;
      await notify({ method: 'notifications/progress', params: { progressToken, progress, total: steps } });
      await until(signal, async () => ((await session.get(key)) ?? 0) >= progress);
    }
    return nodeId;
  });
  return server;
};
