/** What the gates have found out about a request, and what handlers are told of it. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Audit, Refusal } from '../core/audit.js';
import type { Identity } from '../core/authentication.js';
import type { Caller } from '../mcp/legacy-era.js';
import { trailOf } from './request-trail.js';

export function callerOf(req: IncomingMessage, { principal, authInfo }: Identity, audit: Audit): Caller {
  const request = new RequestView(req);
  const http = { requestInfo: new RequestInfo(req, request), request };
  return { principal, authInfo, http, trail: trailOf(req), onForbidden: () => audit.refused(forbidden(req)) };
}

/** Refused by an error on a stream, whose status has been sent already. */
function forbidden({ method = '', socket }: IncomingMessage): Refusal {
  return { reason: 'scope', status: 200, method, address: socket.remoteAddress };
}

/** The request as the first SDK line hands it to handlers (`extra.requestInfo`). */
class RequestInfo {
  readonly headers: IncomingHttpHeaders;
  readonly #request: RequestView;

  constructor(req: IncomingMessage, request: RequestView) {
    this.headers = req.headers;
    this.#request = request;
  }

  /** Undefined: it was asked for in a way that is no URL. */
  get url(): URL | undefined {
    const { url } = this.#request;
    return URL.canParse(url) ? new URL(url) : undefined;
  }
}

/**
 * The request as the second SDK line hands it to handlers (`ctx.http.req`): the part of the web `Request` that can still
 * be had once the body is read. Headers are converted when somebody asks, which is rare.
 */
class RequestView {
  readonly #req: IncomingMessage;
  #headers: Headers | undefined;

  constructor(req: IncomingMessage) {
    this.#req = req;
  }

  get method(): string {
    return this.#req.method ?? 'POST';
  }

  get url(): string {
    const { url = '/', headers } = this.#req;
    // Whole where the request line has the form that proxies are sent.
    return /^https?:/i.test(url) ? url : `http://${headers.host ?? 'localhost'}${url}`;
  }

  get headers(): Headers {
    if (!this.#headers) {
      this.#headers = new Headers();
      for (const [name, value] of Object.entries(this.#req.headers)) {
        if (value !== undefined) this.#headers.set(name, Array.isArray(value) ? value.join(', ') : value);
      }
    }
    return this.#headers;
  }
}

/** The one value of a header; `ambiguous` where it was given more than once. */
export function singleHeader(req: IncomingMessage, name: string): string | undefined | 'ambiguous' {
  const value = req.headers[name];
  // Node joins repeated headers with a comma, which none of the values we read this way contains.
  if (Array.isArray(value) || value?.includes(',')) return 'ambiguous';
  return value;
}
