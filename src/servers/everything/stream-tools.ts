/**
 * Tools that send something before they finish: log lines, progress, or the end of their own stream.
 *
 * All of it goes out through the call's own context, so that it reaches the stream of the request that caused it. Not
 * here: log levels, which the node filters.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { doPacedWork, MAX_STEPS, MAX_TOTAL_MS, reportProgress } from '../paced-work.js';
import { READS, text } from '../reply.js';

/** Between two notifications: long enough for them to leave as events of their own. */
const PAUSE_MS = 50;
/** After the stream was closed: long enough for a client to notice before the result is there. */
const RECONNECT_MS = 100;

const noInput = z.object({});
const slowInput = z.object({
  ms: z.int().min(0).max(MAX_TOTAL_MS).default(1000).describe('For all steps together'),
  steps: z.int().min(1).max(MAX_STEPS).default(10),
});
const manyLogsInput = z.object({ count: z.int().min(0).max(10_000).default(100) });

export function registerStreamTools(server: McpServer): void {
  server.registerTool(
    'test_tool_with_logging',
    { description: 'Writes three log lines while it runs', inputSchema: noInput, annotations: READS },
    async (_input, call) => {
      await call.mcpReq.log('info', 'Tool execution started');
      await wait(PAUSE_MS, undefined, { signal: call.mcpReq.signal });
      await call.mcpReq.log('info', 'Tool processing data');
      await wait(PAUSE_MS, undefined, { signal: call.mcpReq.signal });
      await call.mcpReq.log('info', 'Tool execution completed');
      return text('Tool with logging executed successfully');
    },
  );
  server.registerTool(
    'test_tool_with_progress',
    { description: 'Reports progress 0, 50 and 100 of 100', inputSchema: noInput, annotations: READS },
    async (_input, call) => {
      await reportProgress(call, 0, 100);
      await wait(PAUSE_MS, undefined, { signal: call.mcpReq.signal });
      await reportProgress(call, 50, 100);
      await wait(PAUSE_MS, undefined, { signal: call.mcpReq.signal });
      await reportProgress(call, 100, 100);
      return text('Tool with progress executed successfully');
    },
  );
  server.registerTool(
    'test_reconnection',
    {
      description:
        'Closes the stream of this very call, then finishes: the result awaits the client on the resumed stream',
      inputSchema: noInput,
      annotations: READS,
    },
    async (_input, call) => {
      // Absent where no stream can be resumed (2026-07-28, or an answer that is plain JSON): then nothing is closed.
      call.http?.closeSSE?.();
      await wait(RECONNECT_MS, undefined, { signal: call.mcpReq.signal });
      return text('Reconnection test completed successfully');
    },
  );
  server.registerTool(
    'test_logging_tool',
    {
      description: 'Writes one log line, which must not be sent to a client that named no level (2026-07-28)',
      inputSchema: noInput,
      annotations: READS,
    },
    async (_input, call) => {
      await call.mcpReq.log('info', 'test_logging_tool was called');
      return text('Logging tool executed successfully');
    },
  );
  server.registerTool(
    'slow',
    {
      description: 'Takes its time: progress and one log line per step; may be run again after a crash',
      inputSchema: slowInput,
      annotations: READS,
    },
    async ({ ms, steps }, call) => {
      await doPacedWork(call, { steps, totalMs: ms, label: 'slow' });
      return text(`slow: ${steps} steps done`);
    },
  );
  server.registerTool(
    'many_logs',
    { description: 'Writes many log lines without a pause', inputSchema: manyLogsInput, annotations: READS },
    async ({ count }, call) => {
      for (let line = 1; line <= count; line += 1) await call.mcpReq.log('info', `line ${line} of ${count}`);
      return text(`many_logs: ${count} lines written`);
    },
  );
}
