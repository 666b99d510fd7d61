/** Who is counted, as part of a key: of fixed length, and without saying who it is to whoever looks at the store. */
import { createHash } from 'node:crypto';

export function digestOf(who: string): string {
  return createHash('sha256').update(who).digest('base64url').slice(0, 22);
}
