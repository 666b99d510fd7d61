/** The doctor against a real fleet behind nginx that spoils it: each fault is found, and named with its cure. */
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { type Fleet, startFleet } from '../support/fleet.js';
import { about, callDoctor, named, type Said } from './examination.js';
import { freePorts, type Nginx, needsNginx, startNginx } from './nginx.js';
import { SPOILERS, type Spoiler, spoiltConfig } from './spoilers.js';

const SHIPPED = new URL('../../deploy/nginx/nginx.conf', import.meta.url);
const MAX_BODY = 262_144;
/** Short enough for a test; keep-alives come every second or two. */
const QUICKLY = ['--watch', '2.6', '--timeout', '6', '--max-body', String(MAX_BODY), '--nodes', '3', '--json'];
/** Examinations at a time: more would slow each other down, and slowness is what some of them look for. */
const AT_ONCE = 4;

/** What is found behind each, and words of what was seen and of what to change. */
const FOUND: Readonly<Record<Spoiler, readonly (readonly [check: string, level: string, ...words: string[]])[]>> = {
  none: [],
  withholding: [
    ['buffering', 'problem', 'together with its first keep-alive', 'proxy_buffering off', 'proxy-buffering:'],
  ],
  buffered: [['buffering', 'problem', 'the first event of an open stream', 'arrived within', 'proxy_buffering off']],
  compressing: [['compression', 'warning', 'gzip', 'gzip_types', 'use-gzip']],
  impatient: [['idle-streams', 'problem', 'was cut after', 'proxy_read_timeout', 'idle_timeout.timeout_seconds']],
  repeating: [['retries', 'problem', 'sent to 3 nodes', 'proxy_next_upstream off', 'retry-non-idempotent']],
  forgetful: [['session-header', 'problem', 'does not reach the nodes', 'proxy_set_header Mcp-Session-Id']],
  secretive: [['session-header', 'problem', 'missing in the answer', 'proxy_hide_header Mcp-Session-Id']],
  selective: [
    ['request-headers', 'problem', 'MCP-Protocol-Version does not', 'Last-Event-ID does not', 'Mcp-Method does not'],
    ['request-headers', 'problem', 'Mcp-Name does not', 'proxy_set_header Mcp-Name', 'proxy_set_header Last-Event-ID'],
    ['origin', 'warning', 'is not refused'],
  ],
  sticky: [['spread', 'problem', 'reached one node of 3', 'ip_hash', 'stickiness.enabled']],
  branded: [['cookies', 'warning', 'ROUTE', 'stickiness.enabled']],
  narrow: [['body-size', 'problem', '413', '64 KiB passed', 'client_max_body_size', 'proxy-body-size']],
  polite: [['errors', 'problem', 'Sorry', 'proxy_intercept_errors off', 'custom-http-errors']],
  moved: [['handshake', 'problem', 'redirected (301)', 'ssl-redirect']],
};
/** What follows from a fault elsewhere and is said as well. */
const CONSEQUENCES: Partial<Record<Spoiler, readonly string[]>> = {
  buffered: ['streams', 'idle-streams', 'compression'],
  polite: ['methods', 'routes', 'body-size'],
  // On a busy machine a step of the call may take as long as the time-out.
  impatient: ['streams'],
  moved: ['health'],
};

describe('anynode doctor behind nginx', () => {
  const ports = {} as Record<Spoiler, number>;
  const said = {} as Record<Spoiler, Said>;
  const running: Nginx[] = [];
  let fleet: Fleet | undefined;
  let shipped: Said;

  before(async function () {
    this.timeout(180_000);
    needsNginx(this);
    const env = { SSE_KEEPALIVE_MS: '2000', OPS_PORT: '0', MAX_BODY_BYTES: String(MAX_BODY), LOG_LEVEL: 'warn' };
    fleet = await startFleet({ env });
    const names = Object.keys(SPOILERS) as Spoiler[];
    const [ofShipped = 0, ...others] = await freePorts(names.length + 1);
    names.forEach((name, i) => {
      ports[name] = others[i] as number;
    });
    running.push(await startNginx(spoiltConfig(fleet.nodeUrls, ports), others));
    running.push(await startNginx(await shippedConfig(fleet, ofShipped), [ofShipped]));
    shipped = await callDoctor([`http://127.0.0.1:${ofShipped}/mcp`, ...QUICKLY]);
    const waiting = [...names];
    const work = async (): Promise<void> => {
      for (let name = waiting.shift(); name; name = waiting.shift()) {
        said[name] = await callDoctor([`http://127.0.0.1:${ports[name]}/mcp`, ...QUICKLY, '--provoke']);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  });
  after(async () => {
    await Promise.all(running.map((nginx) => nginx.stop()));
    await fleet?.stop();
  });

  it('the configuration that is shipped is clean', () => {
    expect(named(shipped, 'problem', 'warning')).to.deep.equal([]);
    expect([shipped.code, shipped.leftBehind]).to.deep.equal([0, 0]);
    for (const check of ['buffering', 'idle-streams', 'sharing', 'spread', 'request-headers', 'body-size', 'errors']) {
      expect(about(shipped, check), check).to.match(/^ok: /);
    }
    expect(about(shipped, 'buffering')).to.include('6 events, made 300 ms apart');
    expect(about(shipped, 'spread')).to.include('reached 3 nodes');
  });

  it('without a fault nothing is found, and a POST whose answer was lost is seen to have run once', () => {
    expect(named(said.none, 'problem', 'warning')).to.deep.equal([]);
    expect(about(said.none, 'retries')).to.match(/^ok: .*lost on the way back \(got 502\) had run 1 time/);
  });

  it('nothing is provoked unless that is asked for', () => {
    expect(about(shipped, 'retries')).to.match(/^skipped: not provoked/);
  });

  for (const name of Object.keys(FOUND) as Spoiler[]) {
    if (FOUND[name].length === 0) continue;
    it(`${name}: found and named, with what to change, and nothing else is blamed`, () => {
      for (const [check, level, ...words] of FOUND[name]) {
        expect(named(said[name], level as 'problem'), about(said[name], check)).to.include(check);
        for (const word of words) expect(about(said[name], check)).to.include(word);
      }
      const expected = [...FOUND[name].map(([check]) => check), ...(CONSEQUENCES[name] ?? [])];
      expect(expected).to.include.members(named(said[name], 'problem', 'warning'));
      expect(said[name].code).to.equal(FOUND[name].some(([, level]) => level === 'problem') ? 1 : 0);
    });
  }

  it('no session is left behind but those that the proxy lets nobody end or see', async () => {
    const left = Object.entries(said).filter(([, { leftBehind }]) => leftBehind > 0);
    expect(left.map(([name]) => name)).to.have.members(['forgetful', 'secretive']);
    const sessions = await fleet?.inspect.keys('session:*');
    expect(sessions?.length, 'sessions in the store').to.equal(2);
  });
});

/** The configuration that is shipped, with the nodes of the test instead of the service's name. */
async function shippedConfig({ nodeUrls }: Fleet, port: number): Promise<string> {
  const text = await readFile(SHIPPED, 'utf8');
  const hosts = nodeUrls.map((url) => new URL(url).host);
  const named = /server mcp-server:3000([^;]*);/.exec(text);
  const members = hosts.map((host) => `server ${host}${named?.[1]?.replace(' resolve', '') ?? ''};`).join(' ');
  const changed = named
    ? text.replace(named[0], members)
    : text.replace('mcp-server:3000', 'the_nodes').replace('http {', `http {\n  upstream the_nodes { ${members} }`);
  const whole = changed.replace(/listen (\[::\]:)?8080[^;]*;/g, (_, v6) => (v6 ? '' : `listen 127.0.0.1:${port};`));
  if (whole.includes('mcp-server') || !whole.includes(`:${port};`)) {
    throw new Error('deploy/nginx/nginx.conf has changed: teach this test where its nodes and its port stand');
  }
  return whole;
}
