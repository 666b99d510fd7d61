/**
 * Assembles the file tree of the image without Docker: reads the Dockerfile and carries out its COPY and RUN steps in
 * temporary directories, one for each stage, from the files that .dockerignore lets through.
 *
 * An instruction or flag that is not understood is an error and never skipped. Not here: the base image; programs are
 * those of this machine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CONTEXT = fileURLToPath(new URL('../../', import.meta.url));

interface Step {
  readonly name: string;
  readonly text: string;
}

interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly steps: readonly Step[];
}

export interface Image {
  /** Of the base image. */
  readonly base: string;
  /** Where the image's root directory is here. */
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number;
  readonly gid: number;
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
  remove(): Promise<void>;
}

export function parseDockerfile(text: string): Stage[] {
  const lines = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, ' ');
  const stages: { base: string; name: string | undefined; steps: Step[] }[] = [];
  for (const line of lines.split('\n').filter((one) => one.trim() !== '')) {
    const [, name = '', rest = ''] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
    if (name === 'FROM') {
      const [, base = '', alias] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
      stages.push({ base, name: alias, steps: [] });
    } else {
      const stage = stages.at(-1);
      if (!stage || name === '') throw new Error(`not understood: ${line}`);
      stage.steps.push({ name, text: rest });
    }
  }
  return stages;
}

export async function assembleImage(): Promise<Image> {
  const stages = parseDockerfile(await readFile(join(CONTEXT, 'Dockerfile'), 'utf8'));
  const sent = await sentToBuilder();
  const directory = await mkdtemp(join(tmpdir(), 'anynode-image-'));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  // Others than the user who builds must reach the tree, as in a container.
  await chmod(directory, 0o755);
  const roots = new Map<string, Promise<string>>();
  let last: Image | undefined;

  const rootOf = (name: string): Promise<string> => {
    const root = roots.get(name);
    if (!root) throw new Error(`there is no stage ${name} before this one`);
    return root;
  };
  const build = async (stage: Stage, root: string): Promise<string> => {
    const image = { workdir: '/', env: {} as Record<string, string>, user: '0:0', command: [''], healthCheck: [''] };
    await mkdir(root, { recursive: true });
    const steps: Record<string, (text: string) => void | Promise<void>> = {
      ENV: (text) => {
        for (const [, name = '', value = ''] of text.matchAll(/(\w+)=(\S+)/g)) image.env[name] = value;
      },
      WORKDIR: async (text) => {
        image.workdir = text;
        await mkdir(join(root, text), { recursive: true });
      },
      COPY: async (text) => {
        const [, from, paths = ''] = /^(?:--from=(\S+) )?([^-].*)$/.exec(text) ?? [];
        const names = paths.split(' ');
        const target = join(root, image.workdir, names.at(-1) ?? '');
        for (const name of names.slice(0, -1)) {
          const source = from === undefined ? sent(name) : join(await rootOf(from), name);
          // Of a directory its content is copied, of a file the file.
          const isDirectory = (await stat(source)).isDirectory();
          const destination = isDirectory ? target : join(target, basename(name));
          await cp(source, destination, { recursive: true, verbatimSymlinks: true });
        }
      },
      RUN: (text) => run(text, join(root, image.workdir), image.env),
      USER: (text) => {
        image.user = text;
      },
      EXPOSE: () => {},
      HEALTHCHECK: (text) => {
        image.healthCheck = JSON.parse(/CMD (\[.*\])$/.exec(text)?.[1] ?? '');
      },
      CMD: (text) => {
        image.command = JSON.parse(text);
      },
    };
    for (const { name, text } of stage.steps) {
      const step = steps[name];
      if (!step) throw new Error(`not understood: ${name} ${text}`);
      await step(text);
    }
    const [uid = 0, gid = 0] = image.user.split(':').map(Number);
    if (stage === stages.at(-1)) last = { ...image, base: stage.base, root, uid, gid, remove };
    return root;
  };

  try {
    // All at once, as the builder does it; a stage waits where it copies from another one.
    stages.forEach((stage, i) => {
      roots.set(stage.name ?? `${i}`, build(stage, join(directory, `${i}`)));
    });
    await Promise.all(roots.values());
  } catch (error) {
    await Promise.allSettled(roots.values());
    await remove();
    throw error;
  }
  if (!last) throw new Error('the Dockerfile has no stage');
  return last;
}

/** Finds a file of the context, if .dockerignore lets it through: all is left out but what is named. */
async function sentToBuilder(): Promise<(name: string) => string> {
  const lines = (await readFile(join(CONTEXT, '.dockerignore'), 'utf8')).split('\n');
  const [first, ...named] = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (first !== '*' || named.some((line) => !line.startsWith('!'))) throw new Error('.dockerignore is not understood');
  return (name) => {
    if (!named.includes(`!${name}`)) throw new Error(`.dockerignore keeps ${name} from the builder`);
    return join(CONTEXT, name);
  };
}

async function run(command: string, cwd: string, env: Readonly<Record<string, string>>): Promise<void> {
  const { PATH = '', HOME = '' } = process.env;
  const cached = { npm_config_prefer_offline: 'true', npm_config_loglevel: 'error' };
  const child = spawn('sh', ['-c', command], {
    cwd,
    env: { PATH, HOME, ...registryOf(process.env), ...cached, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const pipe of [child.stdout, child.stderr]) {
    pipe.on('data', (chunk) => {
      output += chunk;
    });
  }
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`RUN ${command} ended with ${status}:\n${output.slice(-3000)}`);
}

/** Where this machine gets its packages from. */
const registryOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined &&
        /^(npm_config_(registry|cache|userconfig|cafile)|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i.test(entry[0]),
    ),
  );
