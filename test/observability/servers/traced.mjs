// The probe tools, and two whose handlers begin spans of their own.
import { context, propagation, trace } from '@opentelemetry/api';
import { z } from 'zod';
import { toContent } from '../../support/servers/probe-tools.mjs';
import createProbe from '../../support/servers/probe-v2.mjs';

const tracer = trace.getTracer('a user');
const none = z.object({});
const form = {
  mode: 'form',
  message: 'which?',
  requestedSchema: { type: 'object', properties: { word: { type: 'string' } } },
};

/** Runs within a span; what it throws is the caller's. */
const within = (name, work) =>
  tracer.startActiveSpan(name, async (span) => {
    try {
      return await work(span);
    } finally {
      span.end();
    }
  });

export default (factoryContext) => {
  const server = createProbe(factoryContext);
  server.registerTool('work', { inputSchema: none }, () =>
    within('own work', async (span) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const user = propagation.getBaggage(context.active())?.getEntry('user')?.value;
      return toContent({ traceId: span.spanContext().traceId, user });
    }),
  );
  server.registerTool('ask_within', { inputSchema: none }, (_, { mcpReq }) =>
    within('own question', async () => toContent(await mcpReq.elicitInput(form))),
  );
  server.registerTool('fail', { inputSchema: none }, () => {
    throw new Error('it failed, with a secret: hunter2');
  });
  return server;
};
