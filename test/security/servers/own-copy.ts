/** A server module as it is deployed beside a node: in a directory of its own, with a copy of the SDK that is not the node's. */
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SDK = '@modelcontextprotocol';

export interface OwnCopy {
  /** Path of the module. */
  readonly path: string;
  remove(): Promise<void>;
}

export async function withOwnCopy(module: string): Promise<OwnCopy> {
  const home = await mkdtemp(join(tmpdir(), 'anynode-own-copy-'));
  const packages = join(home, 'node_modules');
  await mkdir(join(packages, SDK), { recursive: true });
  for (const name of ['server', 'core']) {
    await cp(join(ROOT, 'node_modules', SDK, name), join(packages, SDK, name), { recursive: true });
  }
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (name !== SDK) await symlink(join(ROOT, 'node_modules', name), join(packages, name));
  }
  await symlink(ROOT, join(packages, 'anynode'));
  const path = join(home, 'module.mjs');
  await cp(module, path);
  return { path, remove: () => rm(home, { recursive: true, force: true }) };
}
