/** The balancer all cluster tests look through: what it does to a request, and what it must not do. */
import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { type Balancer, startBalancer } from '../../src/demo/balancer.js';
import { within } from './eventually.js';
import { send } from './raw-http.js';

interface Upstream {
  readonly url: string;
  close(): Promise<void>;
}

async function startUpstream(handler: http.RequestListener): Promise<Upstream> {
  const server = http.createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('the balancer', () => {
  let balancer: Balancer;
  const upstreams: Upstream[] = [];
  const put = async (...handlers: http.RequestListener[]): Promise<void> => {
    const started = await Promise.all(handlers.map(startUpstream));
    upstreams.push(...started);
    balancer.replicas = started.map(({ url }) => url);
  };
  const saying =
    (text: string): http.RequestListener =>
    (_, response) =>
      response.end(text);

  beforeEach(async () => {
    balancer = await startBalancer([]);
  });
  afterEach(async () => {
    await balancer.close();
    await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
  });

  const ask = async (): Promise<string> => (await send(balancer.url)).text();

  it('gives each request to the next replica, also on one connection, and counts', async () => {
    await put(saying('a'), saying('b'), saying('c'));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const onOneConnection = async (): Promise<string> => {
      const [response] = (await once(http.get(balancer.url, { agent }), 'response')) as [http.IncomingMessage];
      return String(Buffer.concat(await response.toArray()));
    };
    const answers: string[] = [];
    for (let i = 0; i < 6; i++) answers.push(await onOneConnection());
    agent.destroy();
    expect(answers.join('')).to.equal('abcabc');
    expect([...balancer.counts.values()]).to.deep.equal([2, 2, 2]);
  });

  it('takes another list of replicas at any time', async () => {
    await put(saying('a'));
    expect(await ask()).to.equal('a');
    await put(saying('b'));
    expect([await ask(), await ask()]).to.deep.equal(['b', 'b']);
  });

  it('passes headers as they came, Host and repeats included, but none of one connection only', async () => {
    await put((request, response) => {
      response.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Odd-CASE', 'kept']);
      response.end(JSON.stringify(request.rawHeaders));
    });
    const headers = ['Host', 'somewhere.example', 'X-Twice', '1', 'X-Twice', '2', 'Keep-Alive', 'timeout=5'];
    const response = await send(balancer.url, { headers });
    const seen: string[] = JSON.parse(await response.text());
    expect(seen.slice(0, 6)).to.deep.equal(headers.slice(0, 6));
    expect(seen).to.not.include('Keep-Alive');
    expect(response.headers['set-cookie']).to.deep.equal(['a=1', 'b=2']);
    expect(response.headers['x-odd-case']).to.equal('kept');
  });

  it('streams: what one side has sent is there before it sends the rest', async () => {
    await put((request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      request.on('data', (chunk) => response.write(`data: ${chunk}\n\n`));
      request.on('end', () => response.end());
    });
    const outgoing = http.request(balancer.url, { method: 'POST', agent: false });
    outgoing.write('one');
    const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
    response.setEncoding('utf8');
    for (const word of ['one', 'two']) {
      const [chunk] = await within(once(response, 'data'), `echo of ${word}`, 5000);
      expect(chunk).to.equal(`data: ${word}\n\n`);
      if (word === 'one') outgoing.write('two');
    }
    outgoing.end();
    await within(once(response, 'end'), 'end of the answer', 5000);
  });

  it('lets neither side outlive the other', async () => {
    let gone = (): void => {};
    const clientGone = new Promise<void>((resolve) => {
      gone = resolve;
    });
    await put((request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
      response.once('close', gone);
      if (request.url === '/dies') response.destroy();
    });
    const left = await send(balancer.url);
    left.close();
    await within(clientGone, 'the replica to notice', 5000);
    const cut = await send(`${balancer.url}/dies`);
    expect(await cut.untilEnd(5000)).to.equal(false);
  });

  it('goes on to the next replica when one refuses, and says 502 when all do', async () => {
    const closed = await startUpstream(saying('x'));
    await closed.close();
    await put(saying('b'));
    balancer.replicas = [closed.url, ...balancer.replicas];
    expect([await ask(), await ask()]).to.deep.equal(['b', 'b']);
    balancer.replicas = [closed.url];
    const response = await send(balancer.url, { method: 'POST', body: 'x' });
    expect(response.status).to.equal(502);
    expect(JSON.parse(await response.text())).to.deep.equal({ error: 'no replica takes connections' });
  });

  it('never sends a request twice: one that reached a replica is not tried elsewhere', async () => {
    let taken = 0;
    const hangsUp = createServer((socket) => {
      taken++;
      socket.once('data', () => socket.destroy());
    }).listen(0, '127.0.0.1');
    await once(hangsUp, 'listening');
    await put(saying('b'));
    balancer.replicas = [`http://127.0.0.1:${(hangsUp.address() as AddressInfo).port}`, ...balancer.replicas];
    const response = await send(balancer.url, { method: 'POST', body: 'x' });
    expect([response.status, taken]).to.deep.equal([502, 1]);
    hangsUp.close();
  });
});
