/**
 * Tools that show or use the fleet: who calls, which node answers, what belongs to the session, what all are told.
 *
 * Not here: delivery of the announcements; the node stores them and reaches every session and subscription.
 */
import type { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { Notify, ServerContext } from '../../index.js';
import { clientNameOf, principalOf } from '../caller.js';
import { doPacedWork, MAX_STEPS, MAX_TOTAL_MS } from '../paced-work.js';
import { ADDS, failure, READS, REPEATS, text } from '../reply.js';

const noInput = z.object({});
const echoInput = z.object({ text: z.string().default('') });
const key = z.string().min(1).max(100).default('default').describe('Which counter of this session');
const countInput = z.object({ key });
const slowCountInput = z.object({
  key,
  ms: z.int().min(0).max(MAX_TOTAL_MS).default(1000).describe('For all steps together'),
  steps: z.int().min(1).max(MAX_STEPS).default(10),
});
const mutateInput = z.object({ kind: z.enum(['tools', 'prompts', 'resources']).default('tools') });
const touchInput = z.object({ uri: z.string().default('test://watched-resource') });

const NO_SESSION = 'There is no counter here: this request belongs to no session (2026-07-28 has none).';

const ANNOUNCEMENTS = {
  tools: 'toolsChanged',
  prompts: 'promptsChanged',
  resources: 'resourcesChanged',
} as const satisfies Record<string, keyof Notify>;

export function registerFleetTools(server: McpServer, context: ServerContext): void {
  registerCaller(server, context);
  registerCounters(server, context);
  registerAnnouncements(server, context.notify);
}

function registerCaller(server: McpServer, context: ServerContext): void {
  server.registerTool(
    'echo',
    { description: 'Says back what it is told', inputSchema: echoInput, annotations: READS },
    (input) => text(input.text),
  );
  server.registerTool(
    'whereami',
    { description: 'Names the node that answered', inputSchema: noInput, annotations: READS },
    () => text(context.nodeId),
  );
  server.registerTool(
    'whoami',
    { description: 'Names the authenticated user, then the client', inputSchema: noInput, annotations: READS },
    (_input, call) => ({
      content: [
        { type: 'text', text: principalOf(context) },
        { type: 'text', text: clientNameOf(server, call) },
      ],
    }),
  );
}

function registerCounters(server: McpServer, { session }: ServerContext): void {
  const increment = (name: string) => session?.increment(`count:${name}`);

  server.registerTool(
    'count',
    { description: 'Adds one to a counter of the session', inputSchema: countInput, annotations: ADDS },
    async (input) => {
      const value = await increment(input.key);
      return value === undefined ? failure(NO_SESSION) : text(String(value));
    },
  );
  server.registerTool(
    'slow_count',
    {
      description: 'Adds one to a counter at once, then takes its time: must not be run again after a crash',
      inputSchema: slowCountInput,
      annotations: ADDS,
    },
    async (input, call) => {
      const value = await increment(input.key);
      if (value === undefined) return failure(NO_SESSION);
      await doPacedWork(call, { steps: input.steps, totalMs: input.ms, label: 'slow_count' });
      return text(String(value));
    },
  );
}

function registerAnnouncements(server: McpServer, notify: Notify): void {
  server.registerTool(
    'mutate',
    {
      description: 'Announces to the whole fleet that a list has changed',
      inputSchema: mutateInput,
      annotations: REPEATS,
    },
    async ({ kind }) => {
      await notify[ANNOUNCEMENTS[kind]]();
      return text(`${kind}: change announced`);
    },
  );
  server.registerTool(
    'touch',
    {
      description: 'Announces to the whole fleet that a resource was updated',
      inputSchema: touchInput,
      annotations: REPEATS,
    },
    async ({ uri }) => {
      await notify.resourceUpdated(uri);
      return text(`${uri}: update announced`);
    },
  );
  server.registerTool(
    'test_trigger_tool_change',
    { description: 'Announces that the tools have changed', inputSchema: noInput, annotations: REPEATS },
    async () => {
      await notify.toolsChanged();
      return text('tools: change announced');
    },
  );
  server.registerTool(
    'test_trigger_prompt_change',
    { description: 'Announces that the prompts have changed', inputSchema: noInput, annotations: REPEATS },
    async () => {
      await notify.promptsChanged();
      return text('prompts: change announced');
    },
  );
}
