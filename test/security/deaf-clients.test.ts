/** A client that calls and does not read costs its node no more than a bounded piece of what is said to it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { body, modernHeaders } from '../modern/modern-client.js';
import { eventually } from '../support/eventually.js';
import { type NodeProcess, startNode } from '../support/node-process.js';
import { send } from '../support/raw-http.js';

const MEGABYTE = 1024 * 1024;

describe('a client of the modern era', () => {
  let node: NodeProcess;
  before(async () => {
    node = await startNode({ MCP_SERVER: fileURLToPath(new URL('./servers/talkative.mjs', import.meta.url)) });
  });
  after(() => node?.stop());

  const metric = async (start: string): Promise<number> => {
    const text = await (await send(`${node.url}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(start)) ?? ' 0';
    return Number(line.slice(line.lastIndexOf(' ')));
  };
  const call = async (times: number) => {
    const params = { name: 'talk', arguments: { times }, _meta: { progressToken: 't' } };
    const text = JSON.stringify(body('tools/call', params, { meta: { progressToken: 't' } }));
    const headers = {
      Host: 'localhost',
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'Content-Length': String(Buffer.byteLength(text)),
      ...modernHeaders('tools/call', params),
    };
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(node.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(`POST /mcp HTTP/1.1\r\n${head.join('')}\r\n${text}`);
    return socket;
  };

  it('is cut off where it does not read, before the node has grown by much', async () => {
    const before = await metric('process_resident_memory_bytes ');
    const deaf = await call(300);
    deaf.pause();
    await eventually(
      async () => {
        const cut = 'mcp_requests_total{era="modern",method="tools/call",outcome="disconnected"}';
        expect(await metric(cut)).to.equal(1);
      },
      { what: 'the end of the call', deadlineMs: 20_000 },
    );
    const grown = (await metric('process_resident_memory_bytes ')) - before;
    expect(grown / MEGABYTE, 'growth of the node in MB').to.be.below(200);
    deaf.destroy();
  });

  it('gets all of it where it reads', async () => {
    const socket = await call(40);
    let bytes = 0;
    let tail = '';
    for await (const chunk of socket) {
      bytes += (chunk as Buffer).length;
      tail = (tail + chunk).slice(-4096);
      if (tail.includes('"resultType":"complete"')) break;
    }
    expect(bytes).to.be.above(40 * MEGABYTE);
  });
});
