/** SDK 2.x: `createMcpHandler` with its defaults, both eras, on the adapter for `node:http` that its own middleware uses. */
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { listenAndTell } from './ready.js';
import createV2Server from './v2-server.js';

const handler = createMcpHandler(() => createV2Server());
listenAndTell(createServer(getRequestListener((request) => handler.fetch(request), { overrideGlobalObjects: false })));
