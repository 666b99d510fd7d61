import { randomBytes } from 'node:crypto';

/** A random name, safe in headers, keys and channels: base64url, four characters for three bytes. */
export function randomId(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

/** Random per boot; stands for the node on the wire and in keys, so that its name does not (12 characters). */
export const newNodeToken = (): string => randomId(9);

/** Names an exchange in wire ids: 96 bits, so that an answer cannot be forged by guessing (16 characters). */
export const newExchangeId = (): string => randomId(12);

/** Names a stream within its session (12 characters). */
export const newStreamId = (): string => randomId(9);

export const newConnectionId = (): string => randomId(9);
