/** `npm run demo` as a visitor runs it: it ends well, shows every hop, and leaves nothing running. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { findRedisServer } from '../support/redis-binary.js';

const DEMO = fileURLToPath(new URL('../../dist/demo/main.js', import.meta.url));

interface Shown {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function collect(child: ChildProcess): Promise<Shown> {
  const texts = { out: '', err: '' };
  child.stdout?.on('data', (chunk) => {
    texts.out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    texts.err += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}

const runDemo = (env: Record<string, string>): Promise<Shown> =>
  collect(spawn(process.execPath, [DEMO], { env, stdio: ['ignore', 'pipe', 'pipe'] }));

const factsOf = ({ out }: Shown): string[] => out.split('\n').filter((line) => line.startsWith('  ok  '));

describe('the demo', function () {
  this.timeout(90_000);
  let real: Shown;
  let embedded: Shown;
  before(async () => {
    [real, embedded] = await Promise.all([
      // Where the tests had to fetch a Redis themselves it is not on the PATH of the machine.
      runDemo({ PATH: dirname(await findRedisServer()) }),
      // Without a `redis-server` to be found, and without the PATH of the machine.
      runDemo({ PATH: '/nonexistent' }),
    ]);
  });

  it('shows on a real Redis what crossed nodes, the loss of one included, and ends with 0', () => {
    expect(real.code, real.out + real.err).to.equal(0);
    expect(factsOf(real)).to.have.lengthOf(10);
    for (const word of ['elicitation', 'progress', 'resumption', 'SIGKILL', 'orphaned job', '404']) {
      expect(real.out).to.include(word);
    }
    expect(real.out).to.match(/store: Redis [\d.]+ at redis:\/\/127\.0\.0\.1:\d+/);
    expect(real.out).to.include('All of it held.');
  });

  it('does the same in one process where there is no Redis, and says so', () => {
    expect(embedded.code, embedded.out + embedded.err).to.equal(0);
    expect(factsOf(embedded)).to.have.lengthOf(9);
    expect(embedded.out).to.include('no redis-server on PATH').and.include('All of it held.');
  });

  it('uses no colour where there is no terminal, and writes nothing to stderr', () => {
    for (const { out, err } of [real, embedded]) {
      expect(out).to.not.include('\u001b');
      expect(err).to.equal('');
    }
  });

  it('leaves no process of its own behind', () => {
    const pids = [...real.out.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
    expect(pids).to.have.length.greaterThan(2);
    for (const pid of pids) expect(() => process.kill(pid, 0), `pid ${pid}`).to.throw(/ESRCH/);
  });
});
