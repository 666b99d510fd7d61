/** Which address a request is counted for: believed from whom, and what counts as one. */
import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { countedAs, createClientAddress, type TrustedProxies } from '../../src/http/client-address.js';

function addressOf(trusted: TrustedProxies, peer: string, forwardedFor?: string): string {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  const req = { headers, socket: { remoteAddress: peer }, connection: { remoteAddress: peer } };
  return createClientAddress(trusted)(req as unknown as IncomingMessage);
}

describe('the address of a client', () => {
  it('is that of the socket, whatever a header says, unless somebody is trusted', () => {
    expect(addressOf(undefined, '203.0.113.9', '198.51.100.1')).to.equal('203.0.113.9');
    expect(addressOf(['10.0.0.0/8'], '203.0.113.9', '198.51.100.1'), 'a stranger').to.equal('203.0.113.9');
  });

  it('is what the nearest proxy appended, not what the client claims', () => {
    expect(addressOf(1, '10.0.0.1', '1.1.1.1, 198.51.100.1')).to.equal('198.51.100.1');
    expect(addressOf(2, '10.0.0.1', '1.1.1.1, 198.51.100.1, 10.0.0.2')).to.equal('198.51.100.1');
    expect(addressOf(['10.0.0.0/8'], '10.0.0.1', '1.1.1.1, 198.51.100.1, 10.0.0.2')).to.equal('198.51.100.1');
    expect(addressOf(['2001:db8::/32'], '2001:db8::7', '198.51.100.1')).to.equal('198.51.100.1');
    expect(addressOf(['10.0.0.1'], '::ffff:10.0.0.1', '198.51.100.1')).to.equal('198.51.100.1');
  });

  it('is that of the proxy where it passed on no address', () => {
    for (const header of [undefined, 'unknown', '', 'a"b, c', '::1::2', '1.2.3', 'fe80::%eth0%', '198.51.100.1 x']) {
      expect(addressOf(1, '10.0.0.1', header), String(header)).to.equal('10.0.0.1');
    }
  });

  it('may come with a port', () => {
    expect(addressOf(1, '10.0.0.1', '198.51.100.1:4711')).to.equal('198.51.100.1');
    expect(addressOf(1, '10.0.0.1', '[2001:db8:1:2:3::4]:4711')).to.equal('2001:db8:1:2::/64');
  });

  it('of IPv6 is counted by /64, however it is written; an IPv4 one in it is itself', () => {
    const same = [
      '2001:db8:0:7::1',
      '2001:DB8:0:7:ffff::',
      '2001:0db8:0000:0007::192.0.2.1',
      '2001:db8:0:7:1:2:3:4%eth0',
    ];
    for (const address of same) expect(countedAs(address), address).to.equal('2001:db8:0:7::/64');
    expect(countedAs('2001:db8:0:8::1')).to.not.equal(countedAs('2001:db8:0:7::1'));
    expect(countedAs('::1')).to.equal('0:0:0:0::/64');
    expect(countedAs('2001::')).to.equal('2001:0:0:0::/64');
    expect(countedAs('::ffff:192.0.2.1')).to.equal('192.0.2.1');
    expect(countedAs('192.0.2.1')).to.equal('192.0.2.1');
  });
});
