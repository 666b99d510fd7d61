/** The user of DEPLOYMENT.md, word by word, on servers of the tests. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createClient } from 'redis';
import type { RedisServer } from './redis.js';

const DEPLOYMENT = fileURLToPath(new URL('../../DEPLOYMENT.md', import.meta.url));
/** Every character that has a meaning in a URL. */
export const PASSWORD = 'p@ss:w/o?r#d%20+&=';

/** The words after `ACL SETUSER anynode`, for keys with a prefix. */
export function documentedRule(prefix: string): string[] {
  const text = readFileSync(DEPLOYMENT, 'utf8');
  const block = /<!-- acl: begin -->\n```\nACL SETUSER anynode ([\s\S]+?)```/.exec(text)?.[1];
  if (!block) throw new Error('DEPLOYMENT.md has no access rule');
  return block.replaceAll('fleet:', prefix).replace('PASSWORD', PASSWORD).trim().split(/\s+/);
}

export async function addUser({ port }: RedisServer, rule = documentedRule('test-')): Promise<void> {
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  await client.connect();
  await client.sendCommand(['ACL', 'SETUSER', 'anynode', ...rule]);
  client.destroy();
}

/** An address with user and password, percent-encoded. */
export const asUser = (url: string): string => url.replace('://', `://anynode:${encodeURIComponent(PASSWORD)}@`);
