/**
 * Headers on their way to the nodes. Each is sent with a value that a node must refuse: an answer that does not refuse it
 * shows that the node was told something else.
 */
import { type Advice, type Finding, ok, problem, skipped, warning } from '../finding.js';
import type { Answer } from '../http.js';
import { call, describe, errorCodeOf, type Headers, type McpProber, type Session } from '../mcp.js';
import { type Check, sessionOf, type Visit } from '../visit.js';

const HEADER_MISMATCH = -32020;
const NOBODY = 'anynode-doctor-no-such-tool';

const passes = (name: string): Advice => ({
  nginx: `remove \`proxy_set_header ${name} ...;\`; proxy_pass_request_headers on;`,
  alb: `passes it; CloudFront in front: origin request policy AllViewer; WAF: no rule on ${name}`,
  ingress: `remove ${name} from the ConfigMap of proxy-set-headers and from configuration-snippet`,
});

interface Trap {
  readonly name: string;
  readonly status: number;
  readonly send: (session: Session, mcp: McpProber) => Promise<Answer>;
}

const post = (headers: Headers) => (session: Session) => session.request('ping', {}, headers);

const TRAPS: readonly Trap[] = [
  { name: 'MCP-Protocol-Version', status: 400, send: post({ 'MCP-Protocol-Version': '1999-01-01' }) },
  { name: 'Content-Type', status: 415, send: post({ 'Content-Type': 'text/plain' }) },
  { name: 'Accept', status: 406, send: post({ Accept: 'text/html' }) },
  {
    name: 'Last-Event-ID',
    status: 400,
    async send(session) {
      const stream = session.mainStream({ 'Last-Event-ID': 'no event id' });
      const head = await stream.head;
      stream.close();
      if (!head) throw new Error('a stream with Last-Event-ID was not answered');
      return { ...head, text: '', askedAt: 0, answeredAt: 0 };
    },
  },
];

export const requestHeaders: Check = {
  name: 'request-headers',
  needsSession: true,
  async run(visit) {
    const session = sessionOf(visit);
    const findings: Finding[] = [];
    const passed: string[] = ['Mcp-Session-Id'];
    for (const { name, status, send } of TRAPS) {
      const answer = await send(session, visit.mcp);
      if (answer.status === status) passed.push(name);
      else {
        const seen = `${name} does not reach the nodes: ${status} was to come, ${answer.status} came`;
        findings.push(problem('request-headers', seen, passes(name)));
      }
    }
    findings.push(...(await modern(visit, passed)));
    findings.push(await origin(visit), ...(await authorization(visit)));
    return [ok('request-headers', `reach the nodes: ${passed.join(', ')}`), ...findings];
  },
};

/** Mcp-Method and Mcp-Name must agree with the body, so a node tells at once what it was told. */
async function modern({ mcp }: Visit, passed: string[]): Promise<Finding[]> {
  const right = await mcp.modern('tools/list');
  if (right.status === 400 && errorCodeOf(right) !== HEADER_MISMATCH) {
    return [skipped('request-headers', 'Mcp-Method, Mcp-Name: the server does not speak 2026-07-28')];
  }
  const calls: readonly [name: string, method: string, params: object, right: Headers, wrong: Headers][] = [
    ['Mcp-Method', 'tools/list', {}, {}, { 'Mcp-Method': 'prompts/list' }],
    ['Mcp-Name', 'tools/call', { name: NOBODY, arguments: {} }, { 'Mcp-Name': NOBODY }, { 'Mcp-Name': 'another' }],
  ];
  const findings: Finding[] = [];
  for (const [name, method, params, agreeing, wrong] of calls) {
    const taken = await mcp.modern(method, params, agreeing);
    const refused = await mcp.modern(method, params, { ...agreeing, ...wrong });
    if (errorCodeOf(taken) === HEADER_MISMATCH) {
      findings.push(problem('request-headers', `${name} does not reach the nodes: ${describe(taken)}`, passes(name)));
    } else if (errorCodeOf(refused) !== HEADER_MISMATCH) {
      findings.push(problem('request-headers', `${name} is rewritten: ${describe(refused)}`, passes(name)));
    } else passed.push(name);
  }
  return findings;
}

async function origin({ mcp }: Visit): Promise<Finding> {
  const answer = await mcp.post(call('ping'), { Origin: 'https://anynode-doctor.invalid' });
  if (answer.status === 403 && errorCodeOf(answer) !== undefined) {
    return ok('origin', 'a foreign Origin is refused by the nodes');
  }
  if (answer.status === 403) return ok('origin', 'a foreign Origin is refused before it reaches the nodes');
  return warning('origin', `a foreign Origin is not refused: ${describe(answer)}`, {
    ...passes('Origin'),
    anynode: 'ALLOWED_ORIGINS names the origins of your pages, not `*`',
  });
}

/** Where tokens are asked for: what a client without one is told has to arrive, since it starts the sign-in. */
async function authorization({ mcp, options }: Visit): Promise<Finding[]> {
  if (options.token === undefined) {
    return [skipped('authorization', 'no token was given: whether Authorization passes is not seen')];
  }
  const answer = await mcp.post(call('ping'), { Authorization: undefined });
  if (answer.status !== 401) {
    return [
      warning('authorization', `a request without a token is not refused (${answer.status})`, {
        nginx: 'no `proxy_set_header Authorization ...;` that gives everybody a token',
        anynode: 'AUTH_TOKENS on all nodes',
      }),
    ];
  }
  if (answer.headers['www-authenticate'] === undefined || errorCodeOf(answer) === undefined) {
    return [
      problem(
        'authorization',
        `401 arrives without ${errorCodeOf(answer) ? 'WWW-Authenticate' : 'its JSON-RPC body'}`,
        {
          nginx: 'no `proxy_hide_header WWW-Authenticate;`, proxy_intercept_errors off;',
          alb: 'target group of the nodes without an authenticate action',
          ingress: 'no WWW-Authenticate in hide-headers, no auth-url, no custom-http-errors with 401',
        },
      ),
    ];
  }
  return [ok('authorization', 'Authorization passes; without a token 401 arrives with WWW-Authenticate')];
}
