/**
 * Certificates for `rediss` addresses: read once, at start, so that a file that is missing or no PEM is a fault of the
 * configuration and not a connection that never comes.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisTarget, RedisTls } from '../../core/redis-target.js';
import { Unacceptable } from './variable.js';

export const CERTIFICATES_FORM = 'the path of a readable file with one or more certificates in PEM form';
export const KEY_FORM = 'the path of a readable file with a private key in PEM form, not encrypted';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** @throws Unacceptable */
export function readCertificates(path: string): string {
  const text = read(path, CERTIFICATES_FORM);
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new Unacceptable(`${CERTIFICATES_FORM} (it has none)`);
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
  } catch {
    throw new Unacceptable(`${CERTIFICATES_FORM} (one of them is damaged)`);
  }
  return text;
}

/** @throws Unacceptable */
export function readPrivateKey(path: string): string {
  const text = read(path, KEY_FORM);
  try {
    createPrivateKey(text);
  } catch {
    throw new Unacceptable(KEY_FORM);
  }
  return text;
}

/** Whether a certificate is that of a key; the first of a file is the one that is shown. */
export function belongTogether(certificates: string, key: string): boolean {
  return new X509Certificate(certificates).checkPrivateKey(createPrivateKey(key));
}

/** The target with what its TLS connections need; without TLS in the address nothing is added. */
export function withTls(target: RedisTarget, tls: RedisTls): RedisTarget {
  return target.tls === undefined ? target : { ...target, tls };
}

function read(path: string, form: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Unacceptable(`${form} (${(error as NodeJS.ErrnoException).code})`);
  }
}
