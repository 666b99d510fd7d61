/** Tokens, keys and metadata as nobody should make them: what they are answered, and that none is a fault of ours. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createAuthenticator } from '../../src/auth/index.js';
import { type Authenticator, VerifierUnavailable } from '../../src/core/authentication.js';
import { silentLogger } from '../../src/core/logger.js';

const AUDIENCE = 'https://mcp.example/mcp';
const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

describe('an issuer with odd keys', () => {
  const pair = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });
  const good = pair(2048);
  const weak = pair(1024);
  const jwk = ({ publicKey }: { publicKey: KeyObject }, kid: string): object => ({
    ...publicKey.export({ format: 'jwk' }),
    kid,
    alg: 'RS256',
  });
  const published = [
    jwk(good, 'good'),
    jwk(weak, 'weak'),
    { kty: 'RSA', kid: 'broken', alg: 'RS256', n: '!!!', e: 'AQAB' },
    { kty: 'RSA', kid: 'empty', alg: 'RS256' },
    { kty: 'EC', crv: 'P-999', kid: 'curve', alg: 'ES256', x: 'a', y: 'b' },
    { kty: 'oct', kid: 'shared', alg: 'HS256', k: base64url('s'.repeat(32)) },
    { ...jwk(good, 'for encryption'), use: 'enc' },
    jwk(pair(2048), 'twice'),
    jwk(good, 'twice'),
  ];

  let server: Server;
  let issuer: string;
  let keysAt: string;
  let keys: readonly object[];
  let fetched: number;
  let authenticator: Authenticator;
  before(async () => {
    server = createServer((req, res) => {
      const isKeys = req.url === '/keys';
      if (isKeys) fetched += 1;
      res.end(JSON.stringify(isKeys ? { keys } : { issuer, jwks_uri: keysAt }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    keysAt = `${issuer}/keys`;
    keys = published;
    fetched = 0;
    authenticator = createAuthenticator(
      {
        authTokens: new Map(),
        authIssuer: issuer,
        authJwksUri: undefined,
        authAudiences: [AUDIENCE],
        authScopeImplies: new Map(),
      },
      silentLogger,
    ) as Authenticator;
  });

  const claims = (more: object = {}): object => ({
    iss: issuer,
    aud: AUDIENCE,
    sub: 'ada',
    client_id: 'app',
    exp: Math.floor(Date.now() / 1000) + 300,
    ...more,
  });
  const signed = (header: object, payload: unknown = claims(), key: KeyObject = good.privateKey): string => {
    const text = `${base64url({ alg: 'RS256', kid: 'good', ...header })}.${base64url(payload)}`;
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  };
  const outcomeOf = async (token: string): Promise<string> => {
    const verdict = await authenticator.authenticate(token);
    return verdict.outcome === 'known' ? 'known' : verdict.why;
  };

  for (const [title, token, expected] of [
    ['a good key', () => signed({}), 'known'],
    ['one of two keys of one name', () => signed({ kid: 'twice' }), 'known'],
    ['a key that is too short', () => signed({ kid: 'weak' }, claims(), weak.privateKey), 'cannot be used'],
    ['a name whose key is no number', () => signed({ kid: 'broken' }), 'cannot be used'],
    ['a name whose key is empty', () => signed({ kid: 'empty' }), 'cannot be used'],
    ['a name whose key is on no known curve', () => signed({ kid: 'curve', alg: 'ES256' }), 'not of the issuer'],
    ['a key for encryption', () => signed({ kid: 'for encryption' }), 'not of the issuer'],
    [
      'a key that it brings along',
      () => signed({ kid: 'x', jwk: jwk(weak, 'x') }, claims(), weak.privateKey),
      'not of',
    ],
    ['a place where its key is', () => signed({ kid: 'x', jku: 'http://127.0.0.1:1/' }), 'not of the issuer'],
    ['an extension that nobody knows', () => signed({ crit: ['odd'], odd: 1 }), 'malformed'],
  ] as const) {
    it(`answers a token signed with ${title}`, async () => {
      expect(await outcomeOf(token())).to.include(expected);
    });
  }

  it('takes access tokens only, whatever else is signed with the same key', async () => {
    for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'AT+JWT']) {
      expect(await outcomeOf(signed({ typ })), typ).to.equal('known');
    }
    for (const typ of ['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'application/logout+jwt', 'at', '']) {
      expect(await outcomeOf(signed({ typ })), typ).to.include('no access token');
    }
  });

  it('refuses claims of the wrong form, and a subject that is no text', async () => {
    for (const more of [
      { exp: '9999999999' },
      { exp: -1 },
      { exp: null },
      { nbf: 'now' },
      { aud: [[AUDIENCE]] },
      { aud: { 0: AUDIENCE } },
      { iss: [issuer] },
      { sub: 7, client_id: undefined },
      { sub: '\ud800', client_id: undefined },
    ]) {
      expect(await outcomeOf(signed({}, claims(more))), JSON.stringify(more)).to.not.equal('known');
    }
    expect(await outcomeOf(signed({}, claims({ aud: ['https://other.example', AUDIENCE] })))).to.equal('known');
  });

  it('is out of reach while its metadata names no address of keys, and is asked again', async () => {
    keysAt = 'not an address';
    let thrown: unknown;
    await outcomeOf(signed({})).catch((error: unknown) => {
      thrown = error;
    });
    expect(thrown).to.be.instanceOf(VerifierUnavailable);
    keysAt = `${issuer}/keys`;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await outcomeOf(signed({}))).to.equal('known');
  });

  it('has withdrawn a key for whoever comes first after a quiet time', async () => {
    expect(await outcomeOf(signed({}))).to.equal('known');
    keys = published.slice(1, -1);
    const { now } = performance;
    try {
      performance.now = () => now.call(performance) + 11 * 60_000;
      expect(await outcomeOf(signed({}, claims({ jti: 'another' })))).to.include('not of the issuer');
      expect(fetched).to.be.greaterThan(1);
    } finally {
      performance.now = now;
    }
  });
});
