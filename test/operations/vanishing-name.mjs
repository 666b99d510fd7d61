/**
 * Loaded into a node before anything else: a host name of the test's own, which resolves to the loopback while a file
 * exists, and to nothing when it does not.
 *
 * A stand-in for the machine's resolver, whose tables are not a test's to edit; it answers as that one does, with
 * ENOTFOUND. Everything behind the name (sockets, Redis, the client library) is real.
 */
import dns from 'node:dns';
import { existsSync } from 'node:fs';

const { VANISHING_NAME: name, VANISHING_FILE: file = '' } = process.env;
const { lookup } = dns;

dns.lookup = (host, ...rest) => {
  if (host !== name) return lookup(host, ...rest);
  if (existsSync(file)) return lookup('127.0.0.1', ...rest);
  const error = new Error(`getaddrinfo ENOTFOUND ${host}`);
  const fields = { code: 'ENOTFOUND', errno: -3008, syscall: 'getaddrinfo', hostname: host };
  process.nextTick(rest.at(-1), Object.assign(error, fields));
};
