/**
 * A server for tests of 2026-07-28: it says on standard output what becomes of its calls, keeps a shared page in a file
 * (RECORDING_PAGE) as a real one would in a database, and signs states for a tool, a prompt and resources of like names.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { inputRequired, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';

const PAGE = 'page://shared';
/** For servers that take their time to be built. */
const BUILD_MS = Number(process.env.RECORDING_BUILD_MS ?? 0);
const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
};
const text = (value) => ({ content: [{ type: 'text', text: value }] });
const say = (key, became) => console.log(JSON.stringify({ msg: 'recorded', key, became }));

const readPage = () => readFile(process.env.RECORDING_PAGE, 'utf8').catch(() => '');
async function writePage(value) {
  const draft = `${process.env.RECORDING_PAGE}.${process.pid}`;
  await writeFile(draft, value);
  await rename(draft, process.env.RECORDING_PAGE);
}

/** Works until its time is over or it is cancelled; with a token it reports progress, and so its answer is a stream. */
async function work({ key, ms }, { mcpReq }) {
  say(key, 'started');
  const progressToken = mcpReq._meta?.progressToken;
  try {
    for (let done = 0; done < ms; done += 20) {
      await pause(20, undefined, { signal: mcpReq.signal });
      if (progressToken === undefined) continue;
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: done, total: ms } });
    }
  } catch (error) {
    say(key, 'cancelled');
    throw error;
  }
  say(key, 'finished');
  return text('finished');
}

export default async function createRecording({ notify, requestState }) {
  if (BUILD_MS > 0) {
    console.log(JSON.stringify({ msg: 'building' }));
    await pause(BUILD_MS);
  }
  const server = new McpServer(
    { name: 'recording', version: '1.0.0' },
    { capabilities: CAPABILITIES, requestState: { verify: (state) => requestState.verify(state) } },
  );
  const rounds = async (done, call) => {
    const state = call.mcpReq.requestState();
    if (state !== undefined) return done(state.told);
    return inputRequired({ requestState: await requestState.mint({ told: 'a secret' }) });
  };
  const workInput = z.object({ key: z.string(), ms: z.number() });
  server.registerTool('work', { description: 'work', inputSchema: workInput }, work);
  server.registerTool('rounds', { description: 'rounds', inputSchema: z.object({}) }, (_, call) => rounds(text, call));
  server.registerPrompt('rounds', { description: 'rounds' }, (call) =>
    rounds((told) => ({ messages: [{ role: 'user', content: { type: 'text', text: told } }] }), call),
  );
  server.registerResource('rounds', new ResourceTemplate('rounds://{id}', { list: undefined }), {}, (uri, _, call) =>
    rounds((told) => ({ contents: [{ uri: uri.href, text: told }] }), call),
  );

  const page = await readPage();
  server.registerResource('page', PAGE, {}, () => ({ contents: [{ uri: PAGE, text: page }] }));
  // What is on the page is a tool as well, so that the list of tools changes with it.
  if (page !== '') server.registerTool(page, { description: page, inputSchema: z.object({}) }, () => text(page));
  const writeInput = z.object({ value: z.string() });
  server.registerTool('write', { description: 'write', inputSchema: writeInput }, async ({ value }) => {
    await writePage(value);
    await Promise.all([notify.resourceUpdated(PAGE), notify.toolsChanged()]);
    return text(value);
  });
  return server;
}
