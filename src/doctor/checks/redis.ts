/** Settings of Redis that lose sessions, cut subscriptions or slow every request down. */
import { type Finding, ok, problem, skipped, warning } from '../finding.js';
import type { RedisFacts } from '../redis-facts.js';
import type { Check } from '../visit.js';

const CHECK = 'redis';
const LEAST_VERSION = 7;
const SLOW_MS = 5;
const FAR_MS = 50;
/** A node that was away for a moment must find its subscription alive. */
const LEAST_PUBSUB_BYTES = 8 * 1024 * 1024;

export const redis: Check = {
  name: CHECK,
  needsSession: false,
  async run(visit) {
    const { redisUrl, keyPrefix, timeoutMs } = visit.options;
    if (redisUrl === undefined) return [skipped(CHECK, 'not looked at: --redis names it')];
    let facts: RedisFacts;
    try {
      facts = await visit.inspectRedis(redisUrl, keyPrefix, timeoutMs);
    } catch (error) {
      return [
        problem(CHECK, `not reached: ${(error as Error).message.replace(/\/\/[^@\s]*@/g, '//***@')}`, {
          redis: 'the same URL as REDIS_URL, from a machine that may reach it',
        }),
      ];
    }
    if (facts.nodes > 0) visit.expectedNodes ??= facts.nodes;
    return judgeRedis(facts);
  },
};

export function judgeRedis({ info, config, pingsMs, nodes }: RedisFacts): Finding[] {
  const findings: Finding[] = [];
  const version = info.valkey_version ?? info.redis_version ?? '';
  if (Number.parseInt(version, 10) < LEAST_VERSION) {
    findings.push(problem(CHECK, `version ${version}`, { redis: 'Redis 7 or later, or Valkey' }));
  }
  if (info.role === 'slave') {
    findings.push(problem(CHECK, 'this is a replica: it takes no writes', { redis: 'the address of the master' }));
  }
  const policy = config?.['maxmemory-policy'] ?? info.maxmemory_policy;
  if (policy !== undefined && policy !== 'noeviction') {
    findings.push(
      problem(CHECK, `maxmemory-policy is ${policy}: a full Redis throws sessions away without a word`, {
        redis: 'maxmemory-policy noeviction (ElastiCache: parameter group)',
      }),
    );
  }
  if (info.rdb_last_bgsave_status === 'err' || info.aof_last_write_status === 'err') {
    findings.push(problem(CHECK, 'it cannot write to its disk and will refuse writes', { redis: 'room on its disk' }));
  }
  if (config) findings.push(...judgeConfig(config));
  else findings.push(skipped(CHECK, 'CONFIG GET is refused (a managed service?): timeout and buffers are not seen'));

  const median = [...pingsMs].sort((a, b) => a - b)[Math.floor(pingsMs.length / 2)] ?? 0;
  const latency = `PING takes ${median.toFixed(1)} ms from here`;
  const closer = { redis: 'the same zone as the nodes: every request waits for it once at least' };
  if (median > FAR_MS) findings.push(problem(CHECK, latency, closer));
  else if (median > SLOW_MS) findings.push(warning(CHECK, latency, closer));
  const summary = `version ${version}, ${info.role === 'slave' ? 'replica' : 'master'}, ${nodes} node(s), ${latency}`;
  return findings.some(({ level }) => level === 'problem' || level === 'warning')
    ? findings
    : [ok(CHECK, summary), ...findings];
}

function judgeConfig(config: Readonly<Record<string, string>>): Finding[] {
  const findings: Finding[] = [];
  if (config.appendonly === 'no' && config.save === '') {
    findings.push(
      warning(CHECK, 'nothing is written to disk: a restart ends all sessions', {
        redis: 'appendonly yes (appendfsync everysec), or a replica that takes over',
      }),
    );
  }
  const timeout = Number(config.timeout ?? 0);
  if (timeout > 0) {
    findings.push(
      warning(CHECK, `timeout is ${timeout} s: connections that are quiet for a while are cut`, { redis: 'timeout 0' }),
    );
  }
  const pubsub = /pubsub (\d+) (\d+) (\d+)/.exec(config['client-output-buffer-limit'] ?? '');
  const [hard, soft] = [Number(pubsub?.[1] ?? 0), Number(pubsub?.[2] ?? 0)];
  if ((hard > 0 && hard < LEAST_PUBSUB_BYTES) || (soft > 0 && soft < LEAST_PUBSUB_BYTES / 8)) {
    findings.push(
      warning(CHECK, `client-output-buffer-limit pubsub is ${hard} ${soft}: subscriptions are cut under load`, {
        redis: 'client-output-buffer-limit pubsub 32mb 8mb 60',
      }),
    );
  }
  return findings;
}
