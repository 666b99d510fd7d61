/** A listener that is about to close takes what the system had taken for it already. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { listen, quietTurn } from '../../src/app/listen.js';

/** Sends requests from a thread of its own, so that they are sent while this one is busy; says what came of each. */
const CLIENT = `
  const { parentPort, workerData } = require('node:worker_threads');
  const http = require('node:http');
  const { port, sent } = workerData;
  let written = 0;
  const ask = () => new Promise((resolve) => {
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    request.on('error', ({ code }) => resolve(code));
    request.on('socket', (socket) => socket.once('connect', () => setImmediate(() => {
      if (++written === 3) { Atomics.store(sent, 0, 1); Atomics.notify(sent, 0); }
    })));
    request.end('{}');
  });
  Promise.all([ask(), ask(), ask()]).then((outcomes) => parentPort.postMessage(outcomes));
`;

describe('the end of listening', () => {
  const outcomesOf = async (stop: (server: Server) => void | Promise<void>): Promise<unknown[]> => {
    const server = createServer((_req, res) => res.end());
    const { port } = await listen(server, 0, '127.0.0.1');
    const sent = new Int32Array(new SharedArrayBuffer(4));
    const client = new Worker(CLIENT, { eval: true, workerData: { port, sent } });
    const answered = once(client, 'message');
    // Runs nothing else until the requests are on their way: they wait in the system, unseen by this thread.
    expect(Atomics.wait(sent, 0, 0, 10_000)).to.equal('ok');
    await stop(server);
    const [outcomes] = await answered;
    server.closeAllConnections();
    return outcomes;
  };

  it('would cut what came in while the process was busy', async () => {
    expect(await outcomesOf((server) => void server.close())).to.include('ECONNRESET');
  });

  it('comes when that has been taken', async () => {
    const outcomes = await outcomesOf(async (server) => {
      await quietTurn([server]);
      server.close();
    });
    expect(outcomes).to.deep.equal([200, 200, 200]);
  });

  it('comes in the end, however busy the process is', async () => {
    const server = createServer();
    await listen(server, 0, '127.0.0.1');
    let busy = true;
    const work = (): void => {
      const until = performance.now() + 2;
      while (performance.now() < until);
      if (busy) setImmediate(work);
    };
    work();
    await quietTurn([server]);
    busy = false;
    expect(server.listenerCount('connection')).to.equal(createServer().listenerCount('connection'));
    server.close();
  });
});
