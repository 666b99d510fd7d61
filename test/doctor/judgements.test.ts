/** What cannot be staged on one machine, wrong clocks, certificates and far stores, is judged from readings. */
import { expect } from 'chai';
import { judgeClocks } from '../../src/doctor/checks/clocks.js';
import { judgeRedis } from '../../src/doctor/checks/redis.js';
import { judgeCertificate } from '../../src/doctor/checks/tls.js';
import type { RedisFacts } from '../../src/doctor/redis-facts.js';

describe('anynode doctor, judgements', () => {
  const reading = (nodeId: string, offset: number, took = 10) => ({
    nodeId,
    at: 1_000_000 + offset,
    askedAt: 1_000_000 - took / 2,
    answeredAt: 1_000_000 + took / 2,
  });

  it('clocks: equal ones, one that is off, ones that are apart, and slow answers that prove nothing', () => {
    const level = (...readings: ReturnType<typeof reading>[]) => judgeClocks(readings).map(({ level }) => level);
    expect(level(reading('a', 0), reading('b', 100))).to.deep.equal(['ok']);
    expect(level(reading('a', 5000), reading('b', 5100))).to.deep.equal(['warning']);
    expect(level(reading('a', 0), reading('b', -5000))).to.deep.equal(['warning']);
    expect(level(reading('a', 0), reading('b', 60_000))).to.deep.equal(['problem']);
    expect(level(reading('a', 3000, 4900))).to.deep.equal(['ok']);
    expect(level(reading('a', 9000, 20_000))).to.deep.equal(['skipped']);
  });

  it('clocks: a quick answer narrows what a slow one left open', () => {
    expect(judgeClocks([reading('a', 4000, 4900), reading('a', 4000, 20)])[0]?.level).to.equal('warning');
  });

  it('certificates: good, ending soon, not accepted', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    const of = (validTo: string, trusted = true) =>
      judgeCertificate({ trusted, reason: trusted ? '' : 'CERT_HAS_EXPIRED', validTo, protocol: 'h2' }, now);
    expect(of('Jun  1 00:00:00 2026 GMT').level).to.equal('ok');
    expect(of('Jan  8 00:00:00 2026 GMT')).to.include({ level: 'warning', seen: 'the certificate ends in 7 days' });
    const expired = of('Dec  1 00:00:00 2025 GMT', false);
    expect([expired.level, expired.change?.nginx]).to.deep.include('problem');
    expect(expired.seen).to.include('CERT_HAS_EXPIRED').and.include('nothing was sent');
  });

  const sound: RedisFacts = {
    info: { redis_version: '7.2.4', role: 'master', maxmemory_policy: 'noeviction' },
    config: {
      'maxmemory-policy': 'noeviction',
      appendonly: 'yes',
      save: '',
      timeout: '0',
      'client-output-buffer-limit': 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
    },
    pingsMs: [0.3, 0.2, 0.4],
    nodes: 3,
  };
  const levels = (facts: Partial<RedisFacts>) => judgeRedis({ ...sound, ...facts }).map(({ level }) => level);

  it('Redis: sound; too old; far away; a disk that is full', () => {
    expect(levels({})).to.deep.equal(['ok']);
    expect(levels({ info: { ...sound.info, redis_version: '6.2.1' } })).to.deep.equal(['problem']);
    expect(levels({ info: { ...sound.info, valkey_version: '8.0.1' } })).to.deep.equal(['ok']);
    expect(levels({ pingsMs: [9, 8, 9] })).to.deep.equal(['warning']);
    expect(levels({ pingsMs: [90, 80, 90] })).to.deep.equal(['problem']);
    expect(levels({ info: { ...sound.info, aof_last_write_status: 'err' } })).to.deep.equal(['problem']);
  });

  it('Redis: where it tells no settings, its eviction is judged all the same and the rest is said to be unseen', () => {
    expect(levels({ config: undefined })).to.deep.equal(['ok', 'skipped']);
    const evicting = { ...sound.info, maxmemory_policy: 'volatile-lru' };
    expect(levels({ config: undefined, info: evicting })).to.deep.equal(['problem', 'skipped']);
  });
});
