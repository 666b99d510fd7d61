/**
 * Faults planted into a copy of the compiled product: what the checker must find to be worth anything.
 *
 * Each is a change of text in the files that run, asserted to have been applied; the product itself has no hook for it.
 */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Patch {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Plant {
  readonly what: string;
  readonly patches: readonly Patch[];
  /** Rules of the checker, one of which at least has to be broken. */
  readonly breaks: readonly string[];
  /** Faults that bring it out; it may take none at all. */
  readonly faults: readonly string[];
}

const KILL = 'kill -9 of a node';
const FREEZE = 'node stopped past its lease';

export const PLANTS: Readonly<Record<string, Plant>> = {
  'send-before-store': {
    what: 'an event is sent as soon as it is there, under a name of the node, and stored a little later',
    patches: [
      {
        file: 'core/stream-writer.js',
        from: 'const outcome = await this.#store(batch);',
        to: `const outcome = await (async () => {
                if (!this.#opened) return this.#store(batch);
                const [ms, seq] = (this.#newest ?? '0-0').split('-').map(Number);
                const entries = batch.map(({ data, end }, i) => ({ position: \`\${ms}-\${seq + 1 + i}\`, data, end }));
                this.#options.onStored({ outcome: 'appended', previous: this.#newest, entries, holder: this.#holder });
                await sleep(250);
                return this.#store(batch);
            })();
            if (outcome.outcome === 'appended') {
                this.#newest = outcome.entries.at(-1).position;
                this.#holder = outcome.holder;
            }`,
      },
      { file: 'core/stream-writer.js', from: '#opened = false;', to: '#opened = false;\n    #newest;\n    #holder;' },
    ],
    breaks: ['changed history', 'doubled event', 'doubled answer', 'disorder', 'lost answer', 'history lost'],
    faults: [KILL],
  },
  'no-fencing': {
    what: 'an append of a call is stored whoever owns the call by now',
    patches: [
      {
        file: 'redis/lua/appendEvents-6.lua',
        from: `if state[1] ~= ARGV[4] and not (ARGV[9] ~= '' and state[2] == ARGV[9]) then`,
        to: 'if false then',
      },
    ],
    breaks: ['changed history', 'doubled answer', 'disorder'],
    faults: [FREEZE],
  },
  'doubled-claim': {
    what: 'a claim does not look who owns the call, and the place in the list of the dead node stays',
    patches: [
      {
        file: 'redis/lua/claimCall-2.lua',
        from: 'if owner ~= ARGV[1] and owner ~= ARGV[2] then',
        to: 'if false then',
      },
      { file: 'mcp/recovery.js', from: 'await store.calls.unlist(dead, name);', to: ';' },
    ],
    breaks: ['doubled effect', 'doubled answer', 'disorder', 'lost answer'],
    faults: [KILL],
  },
  'crossing-by-equal-ids': {
    what: 'exchanges of a node have equal names, and whose session an answer is of is not looked at',
    patches: [
      {
        file: 'core/random-id.js',
        from: 'newExchangeId = () => randomId(12)',
        to: `newExchangeId = () => 'A'.repeat(16)`,
      },
      { file: 'core/relay.js', from: 'if (exchange.sessionId !== sessionId)', to: 'if (false)' },
    ],
    breaks: ['crossed', 'lost answer'],
    faults: [KILL],
  },
  'resurrected-session': {
    what: 'writes to a session do not look whether it lives',
    patches: [
      { file: 'redis/lua/updateSession-1.lua', from: `redis.call('EXISTS', KEYS[1]) == 0`, to: 'false' },
      { file: 'redis/lua/incrementState-2.lua', from: 'if life <= 0 then', to: 'if false then' },
      {
        file: 'redis/lua/incrementState-2.lua',
        from: `redis.call('PEXPIRE', KEYS[2], life)`,
        to: `if life > 0 then redis.call('PEXPIRE', KEYS[2], life) end`,
      },
    ],
    breaks: ['resurrected'],
    faults: ['connections of clients cut'],
  },
  'deaf-by-clock': {
    what: 'a main stream begins where a clock says that is ahead, and the log does not mind',
    patches: [
      {
        file: 'mcp/session-streams.js',
        from: 'session.changesPosition ?? birth(session, feed)',
        to: `\`\${session.createdAt + 300_000}-0\``,
      },
      { file: 'redis/change-log.js', from: 'newest === START || newest === after', to: 'true' },
    ],
    breaks: ['lost change'],
    faults: [KILL],
  },
};

export interface PlantedBuild {
  readonly dist: string;
  remove(): Promise<void>;
}

/** A copy of `dist` with the fault in it. @throws where a patch does not fit, so that none is taken for found by mistake. */
export async function plantBuild({ patches }: Plant): Promise<PlantedBuild> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const directory = await mkdtemp(join(tmpdir(), 'anynode-plant-'));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const dist = join(directory, 'dist');
    await cp(join(root, 'dist'), dist, { recursive: true });
    await cp(join(root, 'package.json'), join(directory, 'package.json'));
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
    for (const { file, from, to } of patches) {
      const path = join(dist, file);
      const text = await readFile(path, 'utf8');
      if (text.split(from).length !== 2) throw new Error(`the patch of ${file} does not fit: ${from}`);
      await writeFile(
        path,
        text.replace(from, () => to),
      );
    }
    return { dist, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
