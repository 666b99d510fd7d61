/** What Redis keeps, in its own count of bytes. */
import { createClient } from 'redis';

export type Inspector = ReturnType<typeof inspector>;
export const inspector = (url: string) => createClient({ url });

/** Bytes of all keys whose name contains `part`, by key. */
export async function bytesOfKeys(redis: Inspector, part: string): Promise<Map<string, number>> {
  const bytes = new Map<string, number>();
  for await (const keys of redis.scanIterator({ MATCH: `*${part}*`, COUNT: 1000 })) {
    for (const key of keys) bytes.set(key, (await redis.memoryUsage(key, { SAMPLES: 0 })) ?? 0);
  }
  return bytes;
}

export function sum(bytes: ReadonlyMap<string, number>): number {
  return [...bytes.values()].reduce((total, size) => total + size, 0);
}

/** Bytes that all data takes: the difference of two readings is what was written between them, the index included. */
export async function usedMemory(redis: Inspector): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
}
