import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { CONFIG_VARIABLES, type ConfigFault, describeConfig, formatFault, parseConfig } from '../../src/app/config.js';
import type { Config } from '../../src/app/config-types.js';

type Env = Record<string, string>;

function accepted(env: Env): { config: Config; warnings: readonly string[] } {
  const parsed = parseConfig(env);
  if ('faults' in parsed) expect.fail(parsed.faults.map(formatFault).join('\n'));
  return parsed;
}

function configOf(env: Env): Config {
  return accepted(env).config;
}

function faultsOf(env: Env): readonly ConfigFault[] {
  const parsed = parseConfig(env);
  return 'faults' in parsed ? parsed.faults : [];
}

/** The only fault of a single variable. */
function faultOf(variable: string, value: string): ConfigFault {
  const faults = faultsOf({ [variable]: value });
  expect(
    faults.map((fault) => fault.variable),
    `${variable}=${value}`,
  ).to.deep.equal([variable]);
  return faults[0] as ConfigFault;
}

describe('configuration: defaults', () => {
  it('are those of the documentation, without any variable', () => {
    const { nodeId, ...rest } = configOf({});
    expect(nodeId).to.match(/^node-[a-z0-9]{6}$/);
    expect(rest).to.deep.equal({
      port: 3000,
      host: '127.0.0.1',
      redis: undefined,
      keyPrefix: '',
      mcpServer: 'demo',
      sessionTtlMs: 1800000,
      sessionMaxAgeMs: 0,
      streamTtlMs: 300000,
      streamUpgradeMs: 200,
      nodeLeaseMs: 6000,
      sseKeepaliveMs: 15000,
      drainDelayMs: 2000,
      drainTimeoutMs: 25000,
      redisTimeoutMs: 800,
      maxBodyBytes: 4194304,
      maxSessions: 0,
      allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
      allowedOrigins: ['localhost', '127.0.0.1', '[::1]'],
      authTokens: new Map(),
      authIssuer: undefined,
      authJwksUri: undefined,
      authAudiences: [],
      authScopes: [],
      authToolScopes: new Map(),
      authScopeImplies: new Map(),
      authAnonymous: false,
      publicUrl: undefined,
      stateSecrets: [],
      stateTtlMs: 600000,
      maxListenStreams: 1024,
      maxListenStreamsPerUser: 64,
      rateWindowMs: 60000,
      ratePerUser: 120000,
      ratePerAddress: 0,
      maxSessionsPerUser: 10000,
      maxSessionsPerAddress: 0,
      maxStreamsPerUser: 10000,
      maxStreamsPerAddress: 0,
      maxCallsPerSession: 1000,
      maxStateBytes: 4194304,
      maxStateKeys: 10000,
      maxBatchLength: 100,
      maxJsonDepth: 256,
      maxJsonElements: 200000,
      requestTimeoutMs: 90000,
      trustedProxies: undefined,
      opsPort: undefined,
      logLevel: 'info',
    });
  });

  it('warn about nothing', () => {
    expect(accepted({}).warnings).to.deep.equal([]);
  });

  it('hold for empty variables as for unset ones', () => {
    const empty = Object.fromEntries(Object.keys(CONFIG_VARIABLES).map((name) => [name, '']));
    const { nodeId: _, ...rest } = configOf({ ...empty, SESSION_NOVEL: '' });
    const { nodeId: __, ...defaults } = configOf({});
    expect(rest).to.deep.equal(defaults);
    expect(accepted({ ...empty, SESSION_NOVEL: '' }).warnings).to.deep.equal([]);
  });
});

describe('configuration: reading the environment', () => {
  it('looks at no variable that is not documented', () => {
    const looked = new Set<string>();
    const env = new Proxy<NodeJS.ProcessEnv>(
      { HOME: '/root', PATH: '/bin' },
      {
        get: (target, name) => {
          looked.add(String(name));
          return Reflect.get(target, name);
        },
      },
    );
    parseConfig(env);
    expect([...looked].sort()).to.deep.equal(Object.keys(CONFIG_VARIABLES).sort());
  });

  it('cannot be changed afterwards, all the way down', () => {
    const config = configOf({
      AUTH_TOKENS: 'ann:0123456789abcdef',
      REDIS_URL: 'redis+sentinel://a,b/main',
      STATE_SECRETS: 's'.repeat(32),
    });
    const change = (act: () => unknown) => expect(act).to.throw(TypeError);
    change(() => Object.assign(config, { port: 1 }));
    change(() => (config.allowedHosts as string[]).push('evil.example'));
    change(() => (config.stateSecrets as Uint8Array[]).pop());
    change(() => (config.authTokens as Map<string, string>).set('token', 'eve'));
    change(() => (config.authTokens as Map<string, string>).delete('0123456789abcdef'));
    change(() => (config.authTokens as Map<string, string>).clear());
    const { redis } = config;
    if (redis?.kind !== 'sentinel') return expect.fail('a sentinel target was expected');
    change(() => Object.assign(redis.nodes[0] ?? {}, { host: 'evil.example' }));
    expect(config.authTokens.get('0123456789abcdef')).to.equal('ann');
  });

  it('does not freeze what it was given', () => {
    const env: Env = { PORT: '1' };
    parseConfig(env);
    expect(Object.isFrozen(env)).to.equal(false);
  });
});

describe('configuration: faults', () => {
  it('are collected, one for each variable, in the order of the documentation', () => {
    const faults = faultsOf({
      LOG_LEVEL: 'loud',
      PORT: '70000',
      HOST: 'not a host',
      REDIS_URL: 'http://localhost',
      NODE_LEASE_MS: '1',
      AUTH_TOKENS: 'secret-without-user',
    });
    expect(faults.map(({ variable }) => variable)).to.deep.equal([
      'PORT',
      'HOST',
      'REDIS_URL',
      'NODE_LEASE_MS',
      'AUTH_TOKENS',
      'LOG_LEVEL',
    ]);
  });

  it('read as one line with variable, value and what is expected', () => {
    expect(faultsOf({ PORT: '70000\n' }).map(formatFault)).to.deep.equal([
      'PORT="70000\\n": expected an integer from 0 to 65535',
    ]);
  });

  it('cut values that are too long for a line', () => {
    expect(faultOf('LOG_LEVEL', 'x'.repeat(100000)).value).to.have.length.below(200);
  });

  it('of one variable do not make another one wrong', () => {
    // PORT falls back to 3000 here, which nobody chose.
    expect(faultsOf({ PORT: 'x', OPS_PORT: '3000' }).map(({ variable }) => variable)).to.deep.equal(['PORT']);
  });
});

describe('configuration: integers', () => {
  const NUMBERS: readonly [variable: string, field: keyof Config, lowest: number, highest: number][] = [
    ['PORT', 'port', 0, 65535],
    ['SESSION_TTL_MS', 'sessionTtlMs', 100, 2147483647],
    ['SESSION_MAX_AGE_MS', 'sessionMaxAgeMs', 100, 2147483647],
    ['STREAM_TTL_MS', 'streamTtlMs', 100, 2147483647],
    ['STREAM_UPGRADE_MS', 'streamUpgradeMs', 0, 2147483647],
    ['NODE_LEASE_MS', 'nodeLeaseMs', 500, 2147483647],
    ['SSE_KEEPALIVE_MS', 'sseKeepaliveMs', 100, 2147483647],
    ['DRAIN_DELAY_MS', 'drainDelayMs', 0, 2147483647],
    ['DRAIN_TIMEOUT_MS', 'drainTimeoutMs', 0, 2147483647],
    ['REDIS_TIMEOUT_MS', 'redisTimeoutMs', 10, 2147483647],
    ['MAX_BODY_BYTES', 'maxBodyBytes', 256, 268435456],
    ['MAX_SESSIONS', 'maxSessions', 0, 1000000000],
    ['STATE_TTL_MS', 'stateTtlMs', 100, 2147483647],
    ['MAX_LISTEN_STREAMS', 'maxListenStreams', 1, 1000000000],
    ['RATE_WINDOW_MS', 'rateWindowMs', 100, 2147483647],
    ['RATE_PER_USER', 'ratePerUser', 0, 1000000000],
    ['RATE_PER_ADDRESS', 'ratePerAddress', 0, 1000000000],
    ['MAX_SESSIONS_PER_USER', 'maxSessionsPerUser', 0, 1000000000],
    ['MAX_SESSIONS_PER_ADDRESS', 'maxSessionsPerAddress', 0, 1000000000],
    ['MAX_STREAMS_PER_USER', 'maxStreamsPerUser', 0, 1000000000],
    ['MAX_STREAMS_PER_ADDRESS', 'maxStreamsPerAddress', 0, 1000000000],
    ['MAX_CALLS_PER_SESSION', 'maxCallsPerSession', 0, 1000000000],
    ['MAX_STATE_BYTES', 'maxStateBytes', 0, 1000000000],
    ['MAX_STATE_KEYS', 'maxStateKeys', 0, 1000000000],
    ['MAX_BATCH_LENGTH', 'maxBatchLength', 1, 1000000000],
    ['MAX_JSON_DEPTH', 'maxJsonDepth', 8, 1024],
    ['MAX_JSON_ELEMENTS', 'maxJsonElements', 64, 1000000000],
    ['REQUEST_TIMEOUT_MS', 'requestTimeoutMs', 500, 2147483647],
    ['OPS_PORT', 'opsPort', 0, 65535],
  ];

  for (const [variable, field, lowest, highest] of NUMBERS) {
    it(`take ${variable} from ${lowest} to ${highest}`, () => {
      expect(configOf({ [variable]: String(lowest) })[field]).to.equal(lowest);
      expect(configOf({ [variable]: String(highest) })[field]).to.equal(highest);
      faultOf(variable, String(highest + 1));
      if (lowest > 0) faultOf(variable, String(lowest - 1));
    });

    it(`refuse ${variable} in any other notation than plain decimal`, () => {
      const others = [
        '1e3',
        '0x200',
        '1000.0',
        '1000.5',
        '+1000',
        '-1000',
        ' 1000',
        '1000 ',
        '1_000',
        '01000',
        '1000ms',
      ];
      for (const value of [...others, 'many', 'NaN', 'Infinity', '99999999999999999999', '١٠٠٠']) {
        expect(faultOf(variable, value).value).to.equal(value);
      }
    });
  }

  it('take 0 for a session without absolute life time', () => {
    expect(configOf({ SESSION_MAX_AGE_MS: '0' }).sessionMaxAgeMs).to.equal(0);
  });

  it('take an absolute life time that is shorter than the idle one', () => {
    expect(configOf({ SESSION_MAX_AGE_MS: '5000' }).sessionMaxAgeMs).to.equal(5000);
  });
});

describe('configuration: ports', () => {
  it('refuses the same port twice', () => {
    expect(faultsOf({ PORT: '4000', OPS_PORT: '4000' }).map(formatFault)).to.deep.equal([
      'OPS_PORT="4000": expected another port than PORT',
    ]);
    expect(faultsOf({ OPS_PORT: '3000' })).to.have.length(1);
  });

  it('takes 0 twice, which are two free ports', () => {
    const { port, opsPort } = configOf({ PORT: '0', OPS_PORT: '0' });
    expect([port, opsPort]).to.deep.equal([0, 0]);
  });
});

describe('configuration: HOST', () => {
  for (const value of ['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::', 'node-1.internal', 'my_service']) {
    it(`may be ${value}`, () => expect(configOf({ HOST: value, AUTH_ANONYMOUS: 'true' }).host).to.equal(value));
  }
  for (const value of ['[::1]', 'localhost:3000', 'http://localhost', '*', 'a b', '10.0.0.0/8', 'user@host']) {
    it(`may not be ${value}`, () => void faultOf('HOST', value));
  }

  const without = /whoever reaches this node may use it/;
  for (const value of ['127.0.0.1', '127.8.8.8', '::1', 'localhost', 'LOCALHOST']) {
    it(`is not warned about when it is ${value}`, () => expect(accepted({ HOST: value }).warnings).to.deep.equal([]));
  }
  for (const value of ['0.0.0.0', '::', '10.1.2.3', 'node-1.internal']) {
    it(`may be ${value} without authentication only when that is said, and is warned about`, () => {
      expect(faultOf('HOST', value).expected).to.include('AUTH_ANONYMOUS=true');
      expect(accepted({ HOST: value, AUTH_ANONYMOUS: 'true' }).warnings.some((line) => without.test(line))).to.equal(
        true,
      );
      const { warnings } = accepted({
        HOST: value,
        AUTH_TOKENS: 'ann:0123456789abcdef',
        PUBLIC_URL: 'https://a.example',
      });
      expect(warnings).to.deep.equal([]);
    });
  }

  it('is warned about when other names than the loopback ones will be refused', () => {
    const { warnings } = accepted({ HOST: '0.0.0.0', AUTH_TOKENS: 'ann:0123456789abcdef' });
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.include('set PUBLIC_URL or ALLOWED_HOSTS');
  });
});

describe('configuration: TRUSTED_PROXIES', () => {
  const VALUES: readonly [value: string, trusted: Config['trustedProxies']][] = [
    ['1', 1],
    ['16', 16],
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['192.0.2.7, 2001:db8::/32', ['192.0.2.7', '2001:db8::/32']],
  ];
  for (const [value, trusted] of VALUES) {
    it(`may be ${value}`, () => expect(configOf({ TRUSTED_PROXIES: value }).trustedProxies).to.deep.equal(trusted));
  }
  // Everybody is never trusted: that would be to believe whatever a client says.
  for (const value of [
    '0',
    '17',
    '-1',
    '*',
    'all',
    '0.0.0.0/0',
    '::/0',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    'proxy',
    '1,',
  ]) {
    it(`may not be ${value}`, () => void faultOf('TRUSTED_PROXIES', value));
  }

  it('is asked for where limits go by address and a balancer may stand in front', () => {
    const open: Env = { HOST: '0.0.0.0', AUTH_TOKENS: 'ann:0123456789abcdef', PUBLIC_URL: 'https://a.example' };
    for (const name of ['RATE_PER_ADDRESS', 'MAX_SESSIONS_PER_ADDRESS', 'MAX_STREAMS_PER_ADDRESS']) {
      const { warnings } = accepted({ ...open, [name]: '5' });
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include(name).and.include('TRUSTED_PROXIES');
      expect(accepted({ ...open, [name]: '5', TRUSTED_PROXIES: '1' }).warnings).to.deep.equal([]);
      expect(accepted({ [name]: '5' }).warnings, 'on loopback').to.deep.equal([]);
    }
  });
});

describe('configuration: REDIS_URL', () => {
  const TARGETS: readonly [url: string, target: Config['redis']][] = [
    ['redis://localhost', { kind: 'single', nodes: [{ host: 'localhost', port: 6379 }] }],
    ['redis://localhost/', { kind: 'single', nodes: [{ host: 'localhost', port: 6379 }] }],
    ['redis://localhost:6380/2', { kind: 'single', nodes: [{ host: 'localhost', port: 6380 }], database: 2 }],
    ['redis://:pa%2Fss@h', { kind: 'single', nodes: [{ host: 'h', port: 6379 }], password: 'pa/ss' }],
    ['redis://[::1]:6379', { kind: 'single', nodes: [{ host: '::1', port: 6379 }] }],
    [
      'rediss://ann:pass@redis.example:6379/15',
      {
        kind: 'single',
        nodes: [{ host: 'redis.example', port: 6379 }],
        username: 'ann',
        password: 'pass',
        database: 15,
        tls: {},
      },
    ],
    ['rediss+sentinel://a/main', { kind: 'sentinel', nodes: [{ host: 'a', port: 26379 }], master: 'main', tls: {} }],
    ['rediss+cluster://a', { kind: 'cluster', nodes: [{ host: 'a', port: 6379 }], tls: {} }],
    [
      'redis+sentinel://a,b:26380,[::1]:5/main',
      {
        kind: 'sentinel',
        nodes: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 26380 },
          { host: '::1', port: 5 },
        ],
        master: 'main',
      },
    ],
    [
      'redis+sentinel://ann:p%40ss,word@a/my%20main/3',
      {
        kind: 'sentinel',
        nodes: [{ host: 'a', port: 26379 }],
        master: 'my main',
        username: 'ann',
        password: 'p@ss,word',
        database: 3,
      },
    ],
    [
      'redis+cluster://:pass@a,b:7001',
      {
        kind: 'cluster',
        nodes: [
          { host: 'a', port: 6379 },
          { host: 'b', port: 7001 },
        ],
        password: 'pass',
      },
    ],
    ['redis+cluster://10.0.0.1/', { kind: 'cluster', nodes: [{ host: '10.0.0.1', port: 6379 }] }],
  ];
  for (const [url, target] of TARGETS) {
    it(`may be ${url}`, () => expect(configOf({ REDIS_URL: url }).redis).to.deep.equal(target));
  }

  const FAULTS: readonly [title: string, url: string, shown: string][] = [
    ['another scheme', 'http://localhost', 'http://localhost'],
    ['no scheme', 'localhost:6379', 'localhost:6379'],
    ['a socket', 'unix:///run/redis.sock', 'unix:///run/redis.sock'],
    ['a form that does not exist', 'redis+ring://a/main', 'redis+ring://a/main'],
    ['no host', 'redis://', 'redis://'],
    ['no host after a password', 'redis://:secret@', 'redis://***@'],
    ['no host but a password', 'redis://ann:secret', 'redis://ann:***'],
    ['several hosts of a single server', 'redis://a,b', 'redis://a,b'],
    ['a port beyond 65535', 'redis://a:70000', 'redis://a:70000'],
    ['port 0', 'redis://a:0', 'redis://a:0'],
    ['a database that is no number', 'redis://a/zero', 'redis://a/zero'],
    ['a path behind the database', 'redis://a/0/1', 'redis://a/0/1'],
    ['a slash behind the database, which the client does not take', 'redis://a/0/', 'redis://a/0/'],
    ['a query, which would be ignored', 'redis://a?password=secret', 'redis://a?***'],
    ['a fragment', 'redis://a#secret', 'redis://a?***'],
    ['a user without password, whom the client would ignore', 'redis://secret@a', 'redis://***@a'],
    ['an empty password', 'redis://ann:@a', 'redis://***@a'],
    ['a password with a plain slash', 'redis://ann:sec/ret@a', 'redis://***@a'],
    ['a password with a plain #', 'redis://ann:sec#ret@a', 'redis://***@a'],
    ['a password with a lone percent sign', 'redis://ann:se%ret@a', 'redis://***@a'],
    ['Sentinels without a master', 'redis+sentinel://a,b', 'redis+sentinel://a,b'],
    ['Sentinels with an empty master', 'redis+sentinel://a//0', 'redis+sentinel://a//0'],
    ['Sentinels with an empty host', 'redis+sentinel://a,,b/main', 'redis+sentinel://a,,b/main'],
    [
      'Sentinels with more than a database',
      'redis+sentinel://ann:secret@a/main/0/1',
      'redis+sentinel://***@a/main/0/1',
    ],
    ['a cluster with a database', 'redis+cluster://a,b/1', 'redis+cluster://a,b/1'],
  ];
  for (const [title, url, shown] of FAULTS) {
    it(`may not have ${title}`, () => {
      const fault = faultOf('REDIS_URL', url);
      expect(fault.value).to.equal(shown);
      expect(formatFault(fault)).not.to.match(/secret|sec.ret|se%ret/);
    });
  }
});

describe('configuration: KEY_PREFIX', () => {
  for (const value of ['fleet-a:', 'x', 'team/one.', 'ä', 'p'.repeat(64)]) {
    it(`may be ${value}`, () => expect(configOf({ KEY_PREFIX: value }).keyPrefix).to.equal(value));
  }
  for (const value of ['{', 'a}b', 'a b', 'a\t', 'a*', 'a?', '[a', 'a]', 'a\\', 'a\u0000', 'a\n', 'p'.repeat(65)]) {
    it(`may not be ${JSON.stringify(value)}`, () => void faultOf('KEY_PREFIX', value));
  }
});

describe('configuration: the name of a node', () => {
  it('is NODE_ID before anything else', () => {
    expect(configOf({ NODE_ID: 'Node_1.a-b', MACHINE_ID: 'm', HOSTNAME: 'h' }).nodeId).to.equal('Node_1.a-b');
  });

  it('is MACHINE_ID where there is no NODE_ID', () => {
    expect(configOf({ NODE_ID: '', MACHINE_ID: 'm', HOSTNAME: 'h' }).nodeId).to.equal('m');
  });

  it('is HOSTNAME with a random suffix where there is neither', () => {
    const names = new Set(Array.from({ length: 20 }, () => configOf({ HOSTNAME: 'pod-0.web' }).nodeId));
    for (const name of names) expect(name).to.match(/^pod-0\.web-[a-z0-9]{6}$/);
    expect(names.size).to.equal(20);
  });

  const HOSTS: readonly [hostname: string, nodeId: RegExp][] = [
    ["Ann's laptop", /^Ann-s-laptop-[a-z0-9]{6}$/],
    ['*', /^node-[a-z0-9]{6}$/],
    ['h'.repeat(200), /^h{57}-[a-z0-9]{6}$/],
  ];
  for (const [hostname, nodeId] of HOSTS) {
    it(`is fitted to its form where HOSTNAME is ${hostname.slice(0, 20)}`, () => {
      expect(configOf({ HOSTNAME: hostname }).nodeId).to.match(nodeId);
    });
  }

  for (const value of ['a b', 'a:b', 'ä', 'a/b', 'n'.repeat(65), '\n']) {
    it(`may not be ${JSON.stringify(value)}`, () => {
      faultOf('NODE_ID', value);
      faultOf('MACHINE_ID', value);
    });
  }

  it('may have 64 characters', () => expect(configOf({ NODE_ID: 'n'.repeat(64) }).nodeId).to.have.length(64));

  it('does not depend on a MACHINE_ID that is not used', () => {
    expect(configOf({ NODE_ID: 'a', MACHINE_ID: 'not a name' }).nodeId).to.equal('a');
  });

  it('has one fault where NODE_ID and MACHINE_ID are both wrong', () => {
    expect(faultsOf({ NODE_ID: '!', MACHINE_ID: '!' }).map(({ variable }) => variable)).to.deep.equal(['NODE_ID']);
  });
});

describe('configuration: ALLOWED_HOSTS', () => {
  const LISTS: readonly [value: string, hosts: readonly string[]][] = [
    ['mcp.example', ['mcp.example']],
    ['MCP.Example , other.example:8443', ['mcp.example', 'other.example:8443']],
    ['10.0.0.1,[::1],[0:0:0:0:0:0:0:2]:81', ['10.0.0.1', '[::1]', '[::2]:81']],
    ['mcp.example:80', ['mcp.example:80']],
    ['münchen.example', ['xn--mnchen-3ya.example']],
    ['a,a', ['a']],
  ];
  for (const [value, hosts] of LISTS) {
    it(`may be ${value}`, () => expect(configOf({ ALLOWED_HOSTS: value }).allowedHosts).to.deep.equal(hosts));
  }
  const faults = [
    'a,,b',
    'a,',
    ',',
    ' ',
    'http://a',
    'a/b',
    'a:',
    'a:0',
    'a:65536',
    'a:x',
    '::1',
    '[::1',
    '*.a.example',
  ];
  for (const value of [...faults, 'a,*', 'user@a', 'a?b', 'a%20b']) {
    it(`may not be ${JSON.stringify(value)}`, () => void faultOf('ALLOWED_HOSTS', value));
  }

  it('set to * switches the check off and is warned about', () => {
    const { config, warnings } = accepted({ ALLOWED_HOSTS: '*' });
    expect(config.allowedHosts).to.equal(undefined);
    expect(warnings).to.deep.equal(['ALLOWED_HOSTS=*: the Host header is not checked (DNS rebinding)']);
  });
});

describe('configuration: ALLOWED_ORIGINS', () => {
  const LISTS: readonly [value: string, origins: readonly string[]][] = [
    ['App.Example', ['app.example']],
    ['https://App.Example:443/, http://a:8080', ['https://app.example', 'http://a:8080']],
    ['http://[0::1]:3000', ['http://[::1]:3000']],
    ['vscode-webview://0AbC', ['vscode-webview://0abc']],
  ];
  for (const [value, origins] of LISTS) {
    it(`may be ${value}`, () => expect(configOf({ ALLOWED_ORIGINS: value }).allowedOrigins).to.deep.equal(origins));
  }
  for (const value of [
    'a:3000',
    'https://a/path',
    'https://a?b',
    'https://user@a',
    'https://',
    '*.a',
    'a,*',
    'https://*',
  ]) {
    it(`may not be ${value}`, () => void faultOf('ALLOWED_ORIGINS', value));
  }

  it('set to * switches the check off and is warned about', () => {
    const { config, warnings } = accepted({ ALLOWED_ORIGINS: '*' });
    expect(config.allowedOrigins).to.equal(undefined);
    expect(warnings).to.deep.equal(['ALLOWED_ORIGINS=*: pages of any web site may call this node']);
  });
});

describe('configuration: PUBLIC_URL', () => {
  const URLS: readonly [value: string, url: string][] = [
    ['https://mcp.example', 'https://mcp.example'],
    ['https://MCP.example:443/', 'https://mcp.example'],
    ['http://mcp.example:8080/fleet/', 'http://mcp.example:8080/fleet'],
  ];
  for (const [value, url] of URLS) {
    it(`may be ${value}`, () => expect(configOf({ PUBLIC_URL: value }).publicUrl).to.equal(url));
  }
  const faults = [
    'mcp.example',
    'ftp://mcp.example',
    'https://',
    'https:mcp.example',
    'https://a?b',
    'https://a?',
    'https://a#b',
  ];
  for (const value of [...faults, 'https://a b', 'https://a:x', 'https:///a']) {
    it(`may not be ${value}`, () => void faultOf('PUBLIC_URL', value));
  }

  it('may not carry a user, and the fault hides it', () => {
    expect(faultOf('PUBLIC_URL', 'https://ann:secret@mcp.example').value).to.equal('https://***@mcp.example');
  });

  it('is allowed as Host and as Origin beside the loopback names', () => {
    const { allowedHosts, allowedOrigins } = configOf({ PUBLIC_URL: 'https://mcp.example:8443/fleet' });
    expect(allowedHosts).to.deep.equal(['localhost', '127.0.0.1', '[::1]', 'mcp.example']);
    expect(allowedOrigins).to.deep.equal(['localhost', '127.0.0.1', '[::1]', 'https://mcp.example:8443']);
  });

  it('adds nothing to a list that was given', () => {
    const { allowedHosts, allowedOrigins } = configOf({
      PUBLIC_URL: 'https://mcp.example',
      ALLOWED_HOSTS: 'a',
      ALLOWED_ORIGINS: 'b',
    });
    expect([allowedHosts, allowedOrigins]).to.deep.equal([['a'], ['b']]);
  });
});

describe('configuration: AUTH_TOKENS', () => {
  it('takes several users, several tokens of a user, and colons in tokens', () => {
    const { authTokens } = configOf({
      AUTH_TOKENS: 'ann:token-of-ann-no-1, ann:token:of:ann:no:2,bob:token-of-bob-no-1',
    });
    expect([...authTokens]).to.deep.equal([
      ['token-of-ann-no-1', 'ann'],
      ['token:of:ann:no:2', 'ann'],
      ['token-of-bob-no-1', 'bob'],
    ]);
  });

  it('takes the same pair twice', () => {
    expect(configOf({ AUTH_TOKENS: 'ann:0123456789abcdef,ann:0123456789abcdef' }).authTokens.size).to.equal(1);
  });

  it('warns about short tokens without showing them', () => {
    const { warnings } = accepted({ AUTH_TOKENS: 'ann:hush,bob:0123456789abcde,eve:0123456789abcdef' });
    expect(warnings).to.deep.equal(['AUTH_TOKENS has tokens of fewer than 16 characters: 2']);
  });

  const FAULTS: readonly [title: string, value: string, detail: string][] = [
    ['an entry without colon', 'ann:hush-hush,hush', 'entry 2 has no colon'],
    ['an empty user', ':hush', 'entry 1 has no user'],
    ['an empty token', 'hush:', 'entry 1 has no token'],
    ['an empty entry', 'ann:hush,,bob:hush2', 'entry 2 is empty'],
    ['an empty entry at the end', 'ann:hush,', 'entry 2 is empty'],
    ['one token of two users', 'ann:hush,bob:hush', "entry 2 has another user's token"],
    ['white space in a token', 'ann:hush hush', 'entry 1 contains white space'],
    ['white space after the colon', 'ann: hush', 'entry 1 contains white space'],
    ['a token that no header carries', 'ann:hüsh-hush', 'entry 1 has a token of other than printable ASCII characters'],
  ];
  for (const [title, value, detail] of FAULTS) {
    it(`refuses ${title} without showing any`, () => {
      const fault = faultOf('AUTH_TOKENS', value);
      expect(fault.value).to.equal('(hidden)');
      expect(fault.expected).to.include(detail);
      expect(formatFault(fault)).not.to.match(/hush|ann|bob/);
    });
  }
});

describe('configuration: STATE_SECRETS', () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, index) => index * 8);
  const text = (secret: string) => new TextEncoder().encode(secret);

  const LISTS: readonly [title: string, value: string, secrets: readonly Uint8Array[]][] = [
    ['32 bytes in base64url', Buffer.from(bytes).toString('base64url'), [bytes]],
    ['32 bytes in base64url with padding', `${Buffer.from(bytes).toString('base64url')}=`, [bytes]],
    [
      '32 characters of text',
      'correct horse battery staple, no'.replace(',', ';'),
      [text('correct horse battery staple; no')],
    ],
    ['32 characters that look like base64url of less', 'a'.repeat(32), [text('a'.repeat(32))]],
    ['text of several bytes per character', 'ä'.repeat(16), [text('ä'.repeat(16))]],
    ['several', ` ${'a'.repeat(32)} , ${'b'.repeat(33)}`, [text('a'.repeat(32)), text('b'.repeat(33))]],
  ];
  for (const [title, value, secrets] of LISTS) {
    it(`may be ${title}`, () => expect(configOf({ STATE_SECRETS: value }).stateSecrets).to.deep.equal(secrets));
  }

  it('may not be shorter than 32 bytes, and the fault does not show them', () => {
    const fault = faultOf('STATE_SECRETS', `${'a'.repeat(32)},${'hush'.repeat(7)}`);
    expect(fault.value).to.equal('(hidden)');
    expect(fault.expected).to.include('entry 2 has 28');
    expect(formatFault(fault)).not.to.include('hush');
  });

  it('may not have an empty entry', () => void faultOf('STATE_SECRETS', `${'a'.repeat(32)},`));
});

describe('configuration: MCP_SERVER and LOG_LEVEL', () => {
  it('take any name of a module; whether it loads is seen when it is loaded', () => {
    expect(configOf({ MCP_SERVER: './my servers/one.js' }).mcpServer).to.equal('./my servers/one.js');
    faultOf('MCP_SERVER', 'a\nb');
  });

  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'silent']) {
    it(`take the level ${level}`, () => expect(configOf({ LOG_LEVEL: level }).logLevel).to.equal(level));
  }
  for (const level of ['INFO', 'fatal', 'verbose', 'constructor']) {
    it(`refuse the level ${level}`, () => void faultOf('LOG_LEVEL', level));
  }
});

describe('configuration: variables that look like ours', () => {
  function unknown(env: Env): string[] {
    return accepted(env).warnings.flatMap((line) => /^(\w+) is not a variable of this program/.exec(line)?.[1] ?? []);
  }

  it('are warned about by name, never by value', () => {
    const env = {
      SESSION_TTL: '1',
      STREAM_X: '1',
      REDIS_PASSWORD: 'hush',
      DRAIN_TIMEOUT: '1',
      AUTH_TOKEN: 'hush',
      MCP_SERVERS: '1',
    };
    expect(unknown(env)).to.deep.equal(Object.keys(env).sort());
    expect(accepted(env).warnings.join('\n')).not.to.include('hush');
  });

  it('are left alone with any other prefix', () => {
    expect(
      unknown({ NODE_ENV: 'production', PORTS: '1', MY_SESSION_TTL: '1', SESSIONS: '1', XDG_SESSION_ID: '1' }),
    ).to.deep.equal([]);
  });

  it('are left alone where Kubernetes describes its services', () => {
    const services = ['REDIS', 'MCP_SERVER', 'AUTH', 'SESSION_STORE'].map((name) => ({
      [`${name}_SERVICE_HOST`]: '10.0.0.1',
      [`${name}_SERVICE_PORT`]: '6379',
      [`${name}_SERVICE_PORT_HTTP_MAIN`]: '6379',
      [`${name}_PORT`]: 'tcp://10.0.0.1:6379',
      [`${name}_PORT_6379_TCP`]: 'tcp://10.0.0.1:6379',
      [`${name}_PORT_6379_TCP_PROTO`]: 'tcp',
      [`${name}_PORT_6379_TCP_PORT`]: '6379',
      [`${name}_PORT_6379_TCP_ADDR`]: '10.0.0.1',
      [`${name}_PORT_53_UDP_ADDR`]: '10.0.0.1',
    }));
    expect(unknown(Object.assign({}, ...services))).to.deep.equal([]);
  });

  it('are warned about where they only resemble those of Kubernetes', () => {
    const env = { MCP_PORT: '3000', REDIS_HOST: 'redis', REDIS_PORT: '6379', REDIS_PORT_NUMBER: '6379' };
    expect(unknown(env)).to.deep.equal(Object.keys(env).sort());
  });

  it('are left alone where the desktop sets them', () => {
    expect(unknown({ SESSION_MANAGER: 'local/host:@/tmp/.ICE-unix/1' })).to.deep.equal([]);
  });
});

describe('configuration: unwise pairs', () => {
  it('warns about commands that may be waited for longer than a lease', () => {
    const { warnings } = accepted({ NODE_LEASE_MS: '800' });
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.include('REDIS_TIMEOUT_MS is not below NODE_LEASE_MS');
    expect(accepted({ NODE_LEASE_MS: '801' }).warnings).to.deep.equal([]);
  });
});

describe('DEPLOYMENT.md', () => {
  const file = new URL('../../DEPLOYMENT.md', import.meta.url);
  const begin = '<!-- variables: begin -->\n';
  const end = '<!-- variables: end -->';

  it('has the table of variables that the code has', () => {
    const text = readFileSync(file, 'utf8');
    expect(text).to.include(begin).and.to.include(end);
    const from = text.indexOf(begin) + begin.length;
    const to = text.indexOf(end);
    const table = `${describeConfig()}\n`;
    if (process.env.UPDATE_DOCS === '1') return writeFileSync(file, text.slice(0, from) + table + text.slice(to));
    expect(text.slice(from, to)).to.equal(table, 'UPDATE_DOCS=1 npx mocha -g DEPLOYMENT.md brings it up to date');
  });

  it('has a row for each variable, in order, with its default', () => {
    const rows = describeConfig()
      .split('\n')
      .slice(2)
      .map((line) => line.split(' | '));
    expect(rows.map(([name]) => name?.replace(/[|` ]/g, ''))).to.deep.equal(Object.keys(CONFIG_VARIABLES));
    for (const [name, shown] of rows) {
      const variable = CONFIG_VARIABLES[name?.replace(/[|` ]/g, '') as keyof typeof CONFIG_VARIABLES];
      if (typeof variable.fallback === 'number') expect(shown).to.equal(String(variable.fallback));
    }
  });

  it('names no variable that the code does not have', () => {
    const text = readFileSync(file, 'utf8');
    // What is not ours: an example, the switch of the test above, what a client gives to `anynode doctor`, and those of
    // Node and OpenTelemetry.
    const foreign = new Set([
      'REDIS_PORT',
      'UPDATE_DOCS',
      'ANYNODE_TOKEN',
      'ANYNODE_REDIS_SERVER',
      'NODE_OPTIONS',
      'OTEL_EXPORTER_OTLP_ENDPOINT',
    ]);
    const named = [...text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`/g)].map(([, name]) => name as string);
    expect(named.filter((name) => !(name in CONFIG_VARIABLES) && !foreign.has(name))).to.deep.equal([]);
  });
});
