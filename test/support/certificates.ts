/**
 * Certificates for tests, signed by an authority that nobody else trusts. Written in DER by hand, since Node reads
 * certificates and does not make them, and a machine need not have openssl.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Paths of files with the same. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Authority extends Certificate {
  issue(
    name: string,
    alternatives?: { readonly dns?: readonly string[]; readonly ip?: readonly string[] },
  ): Certificate;
  /** Removes the files of all that it has issued. */
  remove(): void;
}

export function createAuthority(name = 'authority of the tests'): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'anynode-certificates-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  process.on('exit', remove);
  const store = (cert: Buffer, key: KeyObject): Certificate => {
    const id = randomBytes(4).toString('hex');
    const lines = cert.toString('base64').match(/.{1,64}/g) ?? [];
    const pem = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
    const keyPem = String(key.export({ type: 'pkcs8', format: 'pem' }));
    const [certFile, keyFile] = [join(directory, `${id}.crt`), join(directory, `${id}.key`)];
    writeFileSync(certFile, pem);
    writeFileSync(keyFile, keyPem, { mode: 0o600 });
    return { cert: pem, key: keyPem, certFile, keyFile };
  };
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const critical = sequence(BASIC_CONSTRAINTS, TRUE, octets(sequence(TRUE)));
  return {
    ...store(certificate(name, name, own.publicKey, own.privateKey, [critical]), own.privateKey),
    issue(subject, { dns = [], ip = [] } = {}) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const names = [
        ...dns.map((each) => tagged(0x82, Buffer.from(each))),
        ...ip.map((each) => tagged(0x87, Buffer.from(each.split('.').map(Number)))),
      ];
      const extensions = names.length > 0 ? [sequence(ALTERNATIVE_NAMES, octets(sequence(...names)))] : [];
      return store(certificate(name, subject, pair.publicKey, own.privateKey, extensions), pair.privateKey);
    },
    remove() {
      process.off('exit', remove);
      remove();
    },
  };
}

function certificate(
  issuer: string,
  subject: string,
  subjectKey: KeyObject,
  signingKey: KeyObject,
  more: Buffer[],
): Buffer {
  const algorithm = sequence(ECDSA_WITH_SHA256);
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguished(issuer),
    sequence(utcTime(Date.now() - DAY_MS), utcTime(Date.now() + DAY_MS)),
    distinguished(subject),
    subjectKey.export({ type: 'spki', format: 'der' }),
    ...(more.length > 0 ? [tagged(0xa3, sequence(...more))] : []),
  );
  const signature = sign('sha256', body, signingKey);
  return sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const bytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));
const octets = (content: Buffer): Buffer => tagged(0x04, content);
const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'));
const TRUE = tagged(0x01, Buffer.from([0xff]));
const COMMON_NAME = oid('550403');
const BASIC_CONSTRAINTS = oid('551d13');
const ALTERNATIVE_NAMES = oid('551d11');
const ECDSA_WITH_SHA256 = oid('2a8648ce3d040302');

const distinguished = (name: string): Buffer =>
  sequence(tagged(0x31, sequence(COMMON_NAME, tagged(0x0c, Buffer.from(name)))));

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '');
  return tagged(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}
