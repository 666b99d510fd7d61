/**
 * Writes compose.json from the schema of the Compose Specification that Debian's package docker-compose 1.29.2 carries:
 * `apt-get download`, `dpkg-deb -x`, then `node make-compose.mjs <path of compose_spec.json>`.
 *
 * Changed: the `id` keywords of an older draft are left out, which newer validators refuse, and so are descriptions.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const { $schema, ...source } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const strip = (value) => {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([name, inner]) => !((name === 'id' || name === 'description') && typeof inner === 'string'),
  );
  return Object.fromEntries(kept.map(([name, inner]) => [name, strip(inner)]));
};
const $comment = 'Compose Specification, as of docker-compose 1.29.2, Apache-2.0; see make-compose.mjs';
writeFileSync(new URL('compose.json', import.meta.url), `${JSON.stringify({ $comment, ...strip(source) })}\n`);
