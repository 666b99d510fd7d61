/**
 * How a node is called: by `NODE_ID`, else `MACHINE_ID`, else the host's name with a random suffix, else at random.
 *
 * Not here: two living nodes of one name. The registry of nodes settles that when the node starts.
 */
import { randomInt } from 'node:crypto';

const MAX_NODE_ID_LENGTH = 64;
export const NODE_ID_FORM = `1 to ${MAX_NODE_ID_LENGTH} characters of \`A-Z a-z 0-9 . _ -\``;

const SUFFIX_LENGTH = 6;
const SUFFIX_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

export function isNodeId(text: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(text) && text.length <= MAX_NODE_ID_LENGTH;
}

/** Several nodes may run on one host, hence the suffix; a name nobody chose is fitted instead of refused. */
export function nodeIdOfHost(hostname: string | undefined): string {
  const name = (hostname ?? '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, MAX_NODE_ID_LENGTH - SUFFIX_LENGTH - 1);
  return `${name || 'node'}-${randomSuffix()}`;
}

function randomSuffix(): string {
  return Array.from({ length: SUFFIX_LENGTH }, () => SUFFIX_ALPHABET[randomInt(SUFFIX_ALPHABET.length)]).join('');
}
