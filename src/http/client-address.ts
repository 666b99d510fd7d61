/**
 * Which address a request comes from: that of the socket, or what `X-Forwarded-For` says where the peer is a proxy that
 * is trusted. Nobody is trusted unless told so: else anybody could be anybody.
 */
import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import proxyAddr from 'proxy-addr';

/** Undefined: nobody. A number: so many hops before this node. Else addresses and ranges. */
export type TrustedProxies = number | readonly string[] | undefined;

export function createClientAddress(trusted: TrustedProxies): (req: IncomingMessage) => string {
  if (trusted === undefined || trusted === 0) return (req) => countedAs(req.socket.remoteAddress ?? '');
  const trusts =
    typeof trusted === 'number' ? (_address: string, hop: number) => hop < trusted : proxyAddr.compile([...trusted]);
  return (req) => {
    const address = proxyAddr(req, trusts) ?? '';
    // What a proxy passed on without being an address: the proxy itself is then counted, and nobody gains by it.
    return countedAs(isIP(withoutPort(address)) ? withoutPort(address) : (req.socket.remoteAddress ?? ''));
  };
}

/**
 * Who is counted as one. A customer of an access provider has a whole /64 of IPv6 at least, so single addresses of it
 * would be no bound at all; an IPv4 address in IPv6 clothes is the IPv4 address.
 */
export function countedAs(address: string): string {
  const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (plain !== undefined) return plain;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] as string).toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  // `::` stands for as many zeros as are missing; an IPv4 tail is two groups.
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':');
    const length = rest.length + (tail.includes('.') ? 1 : 0);
    while (groups.length + length < 8) groups.push('0');
    groups.push(...rest);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}

/** Some balancers append the port (`192.0.2.1:4711`, `[2001:db8::1]:4711`). */
function withoutPort(address: string): string {
  const bracketed = /^\[([^\]]+)\](:\d+)?$/.exec(address);
  if (bracketed) return bracketed[1] as string;
  return /^\d+\.\d+\.\d+\.\d+:\d+$/.test(address) ? (address.split(':')[0] as string) : address;
}
