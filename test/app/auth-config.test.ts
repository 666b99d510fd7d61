/** The variables of an authorization server: each for itself, and what they need of each other. */
import { expect } from 'chai';
import { formatFault, parseConfig } from '../../src/app/config.js';

const ISSUER = { AUTH_ISSUER: 'https://issuer.example/tenant', PUBLIC_URL: 'https://mcp.example' };

function config(env: Record<string, string>) {
  const parsed = parseConfig(env);
  if ('faults' in parsed) return expect.fail(parsed.faults.map(formatFault).join('\n'));
  return parsed.config;
}

function faults(env: Record<string, string>): string[] {
  const parsed = parseConfig(env);
  return 'faults' in parsed ? parsed.faults.map(({ variable }) => variable) : [];
}

describe('configuration: tokens of an authorization server', () => {
  it('are for the endpoint of PUBLIC_URL unless AUTH_AUDIENCE says otherwise', () => {
    expect(config(ISSUER).authAudiences).to.deep.equal(['https://mcp.example/mcp', 'https://mcp.example/sse']);
    expect(config({ ...ISSUER, AUTH_AUDIENCE: 'api://mcp' }).authAudiences).to.deep.equal(['api://mcp']);
    expect(config(ISSUER).authIssuer).to.equal('https://issuer.example/tenant');
  });

  it('need the address of the fleet, in one variable or the other', () => {
    expect(faults({ AUTH_ISSUER: 'https://issuer.example' })).to.deep.equal(['AUTH_AUDIENCE']);
    expect(faults({ AUTH_ISSUER: 'https://issuer.example', AUTH_AUDIENCE: 'api://mcp' })).to.deep.equal([
      'AUTH_AUDIENCE',
    ]);
    const env = { AUTH_ISSUER: 'https://issuer.example', AUTH_AUDIENCE: 'https://mcp.example/mcp' };
    expect(config(env).authAudiences).to.deep.equal(['https://mcp.example/mcp']);
  });

  for (const value of [
    'issuer',
    'http://issuer.example',
    'https://a:b@issuer.example',
    'https://i.example/?q',
    'ftp://i',
  ]) {
    it(`cannot come from ${value}`, () =>
      expect(faults({ ...ISSUER, AUTH_ISSUER: value })).to.deep.equal(['AUTH_ISSUER']));
  }
  for (const value of ['http://127.0.0.1:8080', 'http://localhost/', 'http://[::1]:1', 'https://i.example/']) {
    it(`may come from ${value}`, () => expect(config({ ...ISSUER, AUTH_ISSUER: value }).authIssuer).to.equal(value));
  }
  for (const value of ['keys', 'http://keys.example/jwks']) {
    it(`cannot be verified with keys of ${value}`, () =>
      expect(faults({ ...ISSUER, AUTH_JWKS_URI: value })).to.deep.equal(['AUTH_JWKS_URI']));
  }

  for (const [variable, value] of [
    ['AUTH_JWKS_URI', 'https://issuer.example/jwks'],
    ['AUTH_AUDIENCE', 'https://mcp.example/mcp'],
    ['AUTH_SCOPES', 'mcp'],
    ['AUTH_TOOL_SCOPES', 'echo=a'],
    ['AUTH_SCOPE_IMPLIES', 'a>b'],
  ] as const) {
    it(`are not half configured: ${variable} without an issuer is a fault`, () => {
      expect(faults({ [variable]: value })).to.deep.equal([variable]);
      expect(faults({ AUTH_TOKENS: 'ann:0123456789abcdef', [variable]: value })).to.deep.equal([variable]);
    });
  }

  it('have scopes for every request, for single tools, and scopes that include others', () => {
    const { authScopes, authToolScopes, authScopeImplies } = config({
      ...ISSUER,
      AUTH_SCOPES: 'mcp, mcp:use',
      AUTH_TOOL_SCOPES: 'write=files:write+files:read, drop=files:admin',
      AUTH_SCOPE_IMPLIES: 'files:admin>files:write,files:write>files:read,files:admin>audit',
    });
    expect(authScopes).to.deep.equal(['mcp', 'mcp:use']);
    expect([...authToolScopes]).to.deep.equal([
      ['write', ['files:write', 'files:read']],
      ['drop', ['files:admin']],
    ]);
    expect([...authScopeImplies]).to.deep.equal([
      ['files:admin', ['files:write', 'audit']],
      ['files:write', ['files:read']],
    ]);
  });

  for (const [variable, value] of [
    ['AUTH_SCOPES', 'a b'],
    ['AUTH_SCOPES', 'a"b'],
    ['AUTH_SCOPES', 'a,,b'],
    ['AUTH_TOOL_SCOPES', 'echo'],
    ['AUTH_TOOL_SCOPES', 'echo='],
    ['AUTH_TOOL_SCOPES', 'echo=a,echo=b'],
    ['AUTH_TOOL_SCOPES', 'echo=a++b'],
    ['AUTH_SCOPE_IMPLIES', 'a'],
    ['AUTH_SCOPE_IMPLIES', 'a>b>c'],
    ['AUTH_SCOPE_IMPLIES', 'a>'],
    ['AUTH_ANONYMOUS', 'yes'],
  ] as const) {
    it(`refuse ${variable}=${value}`, () => expect(faults({ ...ISSUER, [variable]: value })).to.deep.equal([variable]));
  }
});
