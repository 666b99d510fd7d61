/** The certificate, before anything is sent: a token never goes to a host that cannot prove its name. */
import tls from 'node:tls';
import { type Finding, ok, problem, warning } from '../finding.js';
import { NoAnswer } from '../http.js';
import type { Check } from '../visit.js';

const CHECK = 'tls';
const SOON_DAYS = 14;
const RENEW = {
  nginx: 'ssl_certificate and ssl_certificate_key: the whole chain, of this name; renew it',
  alb: 'attach a valid ACM certificate to the HTTPS listener',
  ingress: 'spec.tls[].secretName: a valid certificate of this host; look at cert-manager',
};

export interface Certificate {
  readonly trusted: boolean;
  /** Why it is not. */
  readonly reason: string;
  readonly validTo: string;
  /** What ALPN agreed on. */
  readonly protocol: string;
}

export const tlsCheck: Check = {
  name: CHECK,
  needsSession: false,
  async run(visit) {
    const { url } = visit.mcp;
    if (url.protocol !== 'https:') return [ok(CHECK, 'not used: the address is http')];
    const finding = judgeCertificate(await look(url, visit.options.timeoutMs), Date.now());
    if (finding.level === 'problem') visit.stop = true;
    return [finding];
  },
};

export function judgeCertificate({ trusted, reason, validTo, protocol }: Certificate, now: number): Finding {
  const days = Math.floor((Date.parse(validTo) - now) / 86_400_000);
  if (!trusted) return problem(CHECK, `the certificate is not accepted: ${reason}; nothing was sent`, RENEW);
  if (days < SOON_DAYS) return warning(CHECK, `the certificate ends in ${days} days`, RENEW);
  return ok(CHECK, `the certificate is good for ${days} days; clients get ${protocol || 'http/1.1'}`);
}

function look(url: URL, timeoutMs: number): Promise<Certificate> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host,
      port: Number(url.port || 443),
      ...(/^[\d.:]+$/.test(host) ? {} : { servername: host }),
      ALPNProtocols: ['h2', 'http/1.1'],
      // Looked at, not used: what is wrong with it is the finding.
      rejectUnauthorized: false,
    });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no TLS handshake in time')));
    socket.once('error', (error: NodeJS.ErrnoException) => reject(new NoAnswer(error.code ?? 'TLS', error.message)));
    socket.once('secureConnect', () => {
      resolve({
        trusted: socket.authorized,
        reason: String(socket.authorizationError ?? ''),
        validTo: socket.getPeerCertificate().valid_to,
        protocol: socket.alpnProtocol || '',
      });
      socket.destroy();
    });
  });
}
