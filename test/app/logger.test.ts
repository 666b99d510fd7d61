import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { LogLevel } from '../../src/app/config-types.js';
import { createLogger, hashId, type Logger, silentLogger } from '../../src/app/logger.js';

type Line = Record<string, unknown>;

function record(level: LogLevel = 'trace'): { logger: Logger; texts: string[]; lines: () => Line[] } {
  const texts: string[] = [];
  const logger = createLogger({ level, nodeId: 'node-a', destination: { write: (text) => void texts.push(text) } });
  return { logger, texts, lines: () => texts.map((text) => JSON.parse(text)) };
}

function lineOf(fields: Record<string, unknown>, message = 'tested'): Line {
  const { logger, lines } = record();
  logger.info(fields, message);
  return lines()[0] as Line;
}

const SESSION = '2f1d6c1e-8a54-4a0e-9c59-0a3b6d1f7e11';
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

describe('the log', () => {
  it('is one JSON object per line: level as a word, time, node, fields, message, and nothing else', () => {
    const { logger, texts } = record();
    logger.warn({ port: 3000, kinds: ['a', 'b'], gone: undefined, none: null }, 'listening');
    expect(texts).to.have.length(1);
    expect(texts[0]).to.match(/^[^\n]+\n$/);
    const { time, ...line } = JSON.parse(texts[0] ?? '');
    expect(new Date(time).toISOString()).to.equal(time);
    expect(Math.abs(Date.now() - Date.parse(time))).to.be.lessThan(60_000);
    expect(line).to.deep.equal({
      level: 'warn',
      nodeId: 'node-a',
      port: 3000,
      kinds: ['a', 'b'],
      none: null,
      msg: 'listening',
    });
  });

  for (const [index, level] of LEVELS.entries()) {
    it(`of level ${level} has that level and those above it`, () => {
      const { logger, lines } = record(level);
      for (const each of LEVELS) logger[each]({}, each);
      expect(lines().map((line) => line.level)).to.deep.equal(LEVELS.slice(index));
    });
  }

  it('of level silent has nothing', () => {
    const { logger, texts } = record('silent');
    for (const level of LEVELS) logger[level]({}, level);
    expect(texts).to.deep.equal([]);
  });

  it('keeps its own keys when a field has the name of one', () => {
    const { logger, texts } = record();
    logger.info({ level: 'debug', time: 1, nodeId: 'node-b', msg: 'other' }, 'tested');
    expect(texts[0]?.match(/"level":/g)).to.have.length(1);
    const { time: _, ...line } = JSON.parse(texts[0] ?? '');
    expect(line).to.deep.equal({
      level: 'info',
      nodeId: 'node-a',
      level_: 'debug',
      time_: 1,
      nodeId_: 'node-b',
      msg_: 'other',
      msg: 'tested',
    });
  });

  it('does not change the fields it is given', () => {
    const fields = Object.freeze({ level: 'debug', token: 'hush', nested: Object.freeze({ password: 'hush' }) });
    lineOf(fields);
    expect(fields).to.deep.equal({ level: 'debug', token: 'hush', nested: { password: 'hush' } });
  });

  it('is complete when the process exits at once', () => {
    const module = fileURLToPath(new URL('../../src/app/logger.ts', import.meta.url));
    const program = `
      import { createLogger } from ${JSON.stringify(module)};
      const logger = createLogger({ level: 'info', nodeId: 'node-a' });
      for (let n = 0; n < 1000; n += 1) logger.info({ n, filling: 'x'.repeat(200) }, 'line');
      process.exit(3);
    `;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)), encoding: 'utf8', maxBuffer: 10_000_000 },
    );
    expect(status, stderr).to.equal(3);
    const lines = stdout.trim().split('\n');
    expect(lines).to.have.length(1000);
    expect(JSON.parse(lines.at(-1) ?? '').n).to.equal(999);
  });
});

describe('the log hides', () => {
  const SECRET_NAMES = [
    'authorization',
    'Authorization',
    'proxy-authorization',
    'token',
    'accessToken',
    'access_token',
  ];
  const MORE_NAMES = ['cookie', 'set-cookie', 'password', 'secret', 'clientSecret', 'STATE_SECRETS', 'AUTH_TOKENS'];
  for (const name of [
    ...SECRET_NAMES,
    ...MORE_NAMES,
    'REDIS_URL',
    'redisUrl',
    'apiKey',
    'credentials',
    'requestState',
  ]) {
    it(`a field called ${name}, at any depth`, () => {
      const line = lineOf({ [name]: 'hush', headers: { [name]: 'hush' }, list: [{ deep: { [name]: ['hush'] } }] });
      expect(JSON.stringify(line)).not.to.include('hush');
      expect(line[name]).to.equal('(hidden)');
    });
  }

  it('no number of something, and no name that only resembles', () => {
    const line = lineOf({ tokens: 3, secretary: 'ann', tokenKind: 'bearer', progressToken: 7 });
    expect(line).to.include({ tokens: 3, secretary: 'ann', tokenKind: 'bearer', progressToken: 7 });
  });

  for (const name of ['sessionId', 'session_id', 'Mcp-Session-Id', 'mcpSessionId']) {
    it(`the session in ${name} behind its hash`, () => {
      const line = lineOf({ [name]: SESSION, inner: { [name]: 'not-a-uuid' } });
      expect(line[name]).to.equal(`#${hashId(SESSION)}`);
      expect(line.inner).to.deep.equal({ [name]: `#${hashId('not-a-uuid')}` });
    });
  }

  it('the sessions of a list', () => {
    expect(lineOf({ sessionIds: [SESSION, 'b'] }).sessionIds).to.deep.equal([`#${hashId(SESSION)}`, `#${hashId('b')}`]);
  });

  const TEXTS: readonly [title: string, text: string, shown: string][] = [
    ['the session in a key', `no session:${SESSION}`, `no session:#${hashId(SESSION)}`],
    ['the session in an address', `/messages?sessionId=${SESSION}&x=1`, `/messages?sessionId=#${hashId(SESSION)}&x=1`],
    ['what should be a session in an address', '/sse?sessionId=hush', '/sse?sessionId=(hidden)'],
    ['user and password of an address', 'to redis://ann:hu%20sh@h:1/0 failed', 'to redis://***@h:1/0 failed'],
    ['a password with an @', 'rediss://:hu@sh@h', 'rediss://***@h'],
    ['a bearer token', 'got Bearer hushhush.hush_hush-hush==', 'got Bearer (hidden)'],
  ];
  for (const [title, text, shown] of TEXTS) {
    it(`${title}, wherever the text is`, () => {
      const line = lineOf({ text, list: [text], error: new Error(text) }, text);
      expect(line.text).to.equal(shown);
      expect(line.list).to.deep.equal([shown]);
      expect(line.msg).to.equal(shown);
      expect(line.error).to.include({ type: 'Error', message: shown });
      expect(JSON.stringify(line)).not.to.match(/hush|2f1d6c1e/);
    });
  }

  it('no name of a node, though it may be a UUID', () => {
    expect(lineOf({ formerNodeId: SESSION }).formerNodeId).to.equal(SESSION);
  });
});

describe('the log survives', () => {
  it('errors with all that belongs to them', () => {
    const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER', password: 'hush' });
    const error = Object.assign(new Error('outer', { cause }), { code: 'E_OUTER' });
    const { err } = lineOf({ err: error }) as { err: Line };
    expect(err).to.include({ type: 'Error', message: 'outer', code: 'E_OUTER' });
    expect(err.stack).to.include('logger.test.ts');
    expect(err.cause).to.include({ type: 'TypeError', message: 'inner', code: 'E_INNER', password: '(hidden)' });
  });

  it('several errors in one', () => {
    const { error } = lineOf({ error: new AggregateError([new Error('a'), new Error('b')], 'all') }) as {
      error: { errors: Line[] };
    };
    expect(error.errors.map(({ message }) => message)).to.deep.equal(['a', 'b']);
  });

  it('cycles', () => {
    const circle: Record<string, unknown> = { name: 'circle' };
    circle.self = circle;
    expect(JSON.stringify(lineOf({ circle }))).to.include('(deeper)');
  });

  it('getters that throw', () => {
    const fields = Object.defineProperty({ port: 1 }, 'broken', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    expect(lineOf(fields)).to.include({ fields: '(unreadable)', msg: 'tested' });
  });

  it('values that JSON does not have, without writing out what is in them', () => {
    const line = lineOf({
      big: 2n ** 64n,
      bytes: new TextEncoder().encode('hush'),
      map: new Map([['hush', 'hush']]),
      set: new Set(['hush']),
      date: new Date(0),
      address: new URL('http://ann:hush@h/'),
      call: () => 'hush',
      nothing: Number.NaN,
    });
    expect(line).to.deep.include({
      big: '18446744073709551616',
      bytes: '(4 bytes)',
      map: '(1 entries)',
      set: '(1 entries)',
      date: '1970-01-01T00:00:00.000Z',
      address: 'http://***@h/',
      nothing: null,
    });
    expect(JSON.stringify(line)).not.to.include('hush');
  });

  it('texts and lists without end', () => {
    const line = lineOf({ text: 'x'.repeat(1_000_000), list: Array.from({ length: 10_000 }, () => 1) });
    expect(JSON.stringify(line)).to.have.length.below(10_000);
  });

  it('texts made to keep a regular expression busy', () => {
    const started = performance.now();
    for (const part of ['a', 'a://', 'Bearer ', 'sessionId=', '0-', '://@']) lineOf({ text: part.repeat(20_000) });
    expect(performance.now() - started).to.be.lessThan(1000);
  });

  it('percent signs, which are no placeholders here', () => {
    expect(lineOf({ a: 1 }, 'done: 100%s %d %j').msg).to.equal('done: 100%s %d %j');
  });
});

describe('hashId', () => {
  it('is short, the same on every node, and different for different sessions', () => {
    expect(hashId(SESSION)).to.match(/^[0-9a-f]{10}$/);
    // sha256 of 'abc', as published with the algorithm.
    expect(hashId('abc')).to.equal('ba7816bf8f');
    expect(hashId('abd')).not.to.equal(hashId('abc'));
  });
});

describe('silentLogger', () => {
  it('takes every level and does nothing', () => {
    for (const level of LEVELS) silentLogger[level]({ level }, 'tested');
  });
});
