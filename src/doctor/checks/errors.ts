/** Errors of the nodes must arrive as they are: clients read their JSON-RPC codes, and pages tell them nothing. */
import { randomUUID } from 'node:crypto';
import { type Finding, ok, problem, warning } from '../finding.js';
import type { Answer } from '../http.js';
import { call, describe, errorCodeOf } from '../mcp.js';
import type { Check } from '../visit.js';
import { isUnknownSession } from './handshake.js';

const KEEP = {
  nginx: 'proxy_intercept_errors off; and no error_page for these locations',
  alb: 'no fixed-response rule for these paths; CloudFront: no custom error responses',
  ingress: 'remove nginx.ingress.kubernetes.io/custom-http-errors and custom-http-errors of the ConfigMap',
};

export const errors: Check = {
  name: 'errors',
  // Needs none, but where none is to be had, what refuses would be heard here as well.
  needsSession: true,
  async run({ mcp }) {
    const stranger = { 'Mcp-Session-Id': randomUUID() };
    const unknown = await mcp.post(call('ping'), stranger);
    const method = await mcp.request(mcp.url, { method: 'PUT' });
    const deleting = await mcp.request(mcp.url, { method: 'DELETE', headers: stranger });
    const findings: Finding[] = [];
    if (!isUnknownSession(unknown)) {
      findings.push(
        problem('errors', `a session that nobody knows gets ${describe(unknown)}: clients do not open a new one`, KEEP),
      );
    }
    if (method.status !== 405 || method.headers.allow === undefined || errorCodeOf(method) === undefined) {
      findings.push(warning('errors', `a method that is not served gets ${describe(method)}`, KEEP));
    }
    if (!isUnknownSession(deleting)) {
      findings.push(
        problem('methods', `DELETE does not come through: ${describe(deleting)}; sessions cannot be ended`, {
          nginx: 'no limit_except that leaves DELETE out',
          alb: 'no rule on http-request-method; WAF: allow DELETE',
          ingress: 'no snippet that limits methods; WAF (ModSecurity): tx.allowed_methods with DELETE',
        }),
      );
    }
    if (findings.length === 0) findings.push(ok('errors', '404, 405 and DELETE arrive as the nodes give them'));
    return findings;
  },
};

/** The older transport. Asked for a session that nobody has, so that none is left behind: it has no way to end one. */
export const routes: Check = {
  name: 'routes',
  // Needs none, but where none is to be had, what refuses would be heard here as well.
  needsSession: true,
  async run({ mcp }) {
    const path = `?sessionId=${randomUUID()}`;
    const asked: [string, Answer][] = [
      ['/sse', await mcp.request(mcp.beside(`sse${path}`), { headers: { Accept: 'text/event-stream' } })],
      [
        '/messages',
        await mcp.request(mcp.beside(`messages${path}`), {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(call('ping')),
        }),
      ],
    ];
    const missing = asked.filter(([, answer]) => !isUnknownSession(answer));
    if (missing.length === 0) return [ok('routes', '/sse and /messages come through (older clients)')];
    const names = missing.map(([name, answer]) => `${name} gets ${describe(answer)}`).join('; ');
    return [
      warning('routes', `${names}: clients of the HTTP+SSE transport are not served`, {
        nginx: 'location / (or /sse and /messages) with the same settings as /mcp',
        alb: 'listener rule: paths /mcp, /sse, /messages to the same target group',
        ingress: 'paths /sse and /messages beside /mcp',
      }),
    ];
  },
};
