/** `initialize`: whether the fleet is there at all, and whether a session can be had and used. */
import { type Finding, ok, problem, warning } from '../finding.js';
import type { Answer } from '../http.js';
import { describe, errorCodeOf, rpcOf } from '../mcp.js';
import type { Check, Visit } from '../visit.js';

const CHECK = 'handshake';

export const handshake: Check = {
  name: CHECK,
  needsSession: false,
  async run(visit) {
    const { answer, session } = await visit.mcp.open();
    if (!session) return [explain(answer, visit)];
    visit.session = session;
    const server = session.result?.serverInfo;
    const findings = [ok(CHECK, `initialize answered by ${String(server?.name ?? 'a server')}, session opened`)];
    findings.push(...judgeAnswer(answer));

    const ping = await session.request('ping');
    if (ping.status === 400 && /Mcp-Session-Id/i.test(String(rpcOf(ping)?.error?.message))) {
      visit.session = undefined;
      findings.push(
        problem('session-header', 'Mcp-Session-Id does not reach the nodes: every request of a session fails', {
          nginx: 'remove `proxy_set_header Mcp-Session-Id ...;` (or proxy_pass_request_headers off)',
          alb: 'passes it; CloudFront in front: origin request policy AllViewer; WAF: no rule that strips headers',
          ingress: 'remove it from the ConfigMap of proxy-set-headers and from configuration-snippet',
        }),
      );
    }
    return findings;
  },
};

function explain(answer: Answer, { mcp, options }: Visit): Finding {
  const { status, headers } = answer;
  if (status >= 300 && status < 400) {
    return problem(
      CHECK,
      `initialize is redirected (${status}) to ${shown(headers.location)}: clients lose the body of a POST`,
      {
        nginx: 'no `return 301`/`rewrite` for this path, and a location without a trailing slash of its own',
        alb: 'no redirect action on this rule; give clients the final URL',
        ingress: 'give clients the https URL, or nginx.ingress.kubernetes.io/ssl-redirect: "false"; no rewrite-target',
      },
    );
  }
  if (status === 401) {
    const why = options.token === undefined ? 'no token was given' : 'the token is wrong, or Authorization is dropped';
    return problem(CHECK, `initialize gets 401: ${why}`, {
      nginx: 'no `proxy_set_header Authorization ...;`, no auth_basic here',
      alb: 'no authenticate action on this rule: it takes Authorization for itself',
      ingress: 'no auth-type/auth-url annotation here',
      anynode: 'a token of AUTH_TOKENS, in ANYNODE_TOKEN',
    });
  }
  const words = String(rpcOf(answer)?.error?.message ?? '');
  if (status === 403 && words.includes('Host')) {
    return problem(CHECK, `initialize gets 403: the nodes do not accept the Host they are told (${mcp.url.host}?)`, {
      nginx: 'proxy_set_header Host $http_host;',
      alb: 'routing.http.preserve_host_header.enabled = true',
      ingress: 'no nginx.ingress.kubernetes.io/upstream-vhost',
      anynode: `PUBLIC_URL=${mcp.url.origin} or ALLOWED_HOSTS=${mcp.url.hostname}`,
    });
  }
  if (status === 200 && rpcOf(answer)?.result) {
    return problem('session-header', 'initialize succeeds, but Mcp-Session-Id is missing in the answer', {
      nginx: 'remove `proxy_hide_header Mcp-Session-Id;`',
      alb: 'passes it; CloudFront or WAF in front: no response headers policy that removes it',
      ingress: 'remove it from hide-headers of the ConfigMap and from configuration-snippet',
    });
  }
  return problem(CHECK, `initialize gets ${describe(answer)}`, {
    nginx: 'proxy_pass to the nodes for /mcp, /sse and /messages, with the path unchanged',
    alb: 'a listener rule for these paths to the target group of the nodes; look at its health checks (/health)',
    ingress: 'paths /mcp, /sse and /messages, no rewrite-target; look at the endpoints of the service',
    anynode: 'is this the URL of /mcp, and do the nodes answer /health?',
  });
}

function judgeAnswer(answer: Answer): Finding[] {
  const findings: Finding[] = [];
  const type = answer.headers['content-type']?.split(';')[0];
  if (type !== 'application/json') {
    findings.push(
      problem('content-type', `answers arrive as ${String(type)} instead of application/json`, {
        nginx: 'no `proxy_hide_header Content-Type` and no `add_header Content-Type`',
        alb: 'passes it; look at CloudFront and its functions',
        ingress: 'no Content-Type in add-headers, hide-headers or configuration-snippet',
      }),
    );
  }
  if (answer.httpVersion === '1.0') {
    findings.push(
      warning('http-version', 'answers are HTTP/1.0: no connection is kept, streams have no end mark', {
        nginx: 'proxy_http_version 1.1; proxy_set_header Connection "";',
        alb: 'speaks 1.1 and 2; look at what is in front of it',
        ingress: 'nginx.ingress.kubernetes.io/proxy-http-version: "1.1"',
      }),
    );
  } else findings.push(ok('http-version', `HTTP/${answer.httpVersion}`));
  return findings;
}

/** Where a redirect goes, without query. */
function shown(location: string | undefined): string {
  return location === undefined ? 'nowhere' : (location.split('?')[0] ?? '').slice(0, 120);
}

/** A session that the node does not know; the one answer that tells it from all else. */
export const isUnknownSession = (answer: Answer): boolean => answer.status === 404 && errorCodeOf(answer) === -32001;
