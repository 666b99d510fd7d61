/** Mounted behind somebody else's middleware: a body that is gone is a fault that is told, not a wait. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { McpServer } from '@modelcontextprotocol/server';
import { expect } from 'chai';
import express, { type RequestHandler } from 'express';
import { silentLogger } from '../../src/core/logger.js';
import { createNode } from '../../src/index.js';
import { within } from '../support/eventually.js';
import { expectRpcError } from '../support/expectations.js';
import { initialize, NEWEST_REVISION } from '../support/json-rpc.js';
import { postMcp } from '../support/raw-client.js';

describe('a mounted node', () => {
  const opened: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0)) await close();
  });

  async function mount(...middleware: RequestHandler[]): Promise<{ url: string; nodeUrls: string[] }> {
    const server = () => new McpServer({ name: 'mounted', version: '1.0.0' });
    const node = await createNode({ server, logger: silentLogger });
    await node.start();
    const listener: Server = createServer(express().use(...middleware, node.handler));
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    opened.push(async () => {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
      await node.close();
    });
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    return { url, nodeUrls: [url] };
  }
  const handshake = initialize(NEWEST_REVISION);
  const passing: RequestHandler = (_req, _res, next) => next();

  it('serves a body that was parsed before it, and one that was not', async () => {
    for (const middleware of [passing, express.json()]) {
      expect((await postMcp(await mount(middleware), handshake)).status).to.equal(200);
    }
  });

  it('says that the body is gone where somebody has read it and kept it', async () => {
    for (const event of ['end', 'close']) {
      const reading: RequestHandler = (req, _res, next) => {
        req.resume();
        req.once(event, () => setImmediate(next));
      };
      const response = await within(postMcp(await mount(reading), handshake), 'an answer', 5000);
      await expectRpcError(response, 500, -32603);
    }
  });
});
