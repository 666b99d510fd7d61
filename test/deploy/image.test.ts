/** The image: what is in it, and that a node starts from it as the user, with the environment and the command it names. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { within } from '../support/eventually.js';
import { assembleImage, type Image, parseDockerfile } from './image.js';

interface Packages {
  readonly engines?: { readonly node: string };
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

describe('the image', function () {
  this.timeout(180_000);
  let image: Image;
  const running = new Set<ChildProcess>();
  before(async () => {
    image = await assembleImage();
  });
  after(async () => {
    for (const child of running) child.kill('SIGKILL');
    await image?.remove();
  });

  const app = (): string => join(image.root, image.workdir);
  const inside = (command: readonly string[], env: Record<string, string> = {}): ChildProcess => {
    const [program = '', ...args] = command;
    expect(program).to.equal('node');
    const child = spawn(process.execPath, args, {
      cwd: app(),
      // The image listens on all addresses, and does so for nobody in particular only when that is said.
      env: { PATH: process.env.PATH ?? '', AUTH_ANONYMOUS: 'true', ...image.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
      // Whoever is not root runs it as himself, who is no root either.
      ...(process.getuid?.() === 0 && { uid: image.uid, gid: image.gid }),
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    return child;
  };
  const start = async (env: Record<string, string> = {}): Promise<{ child: ChildProcess; port: string }> => {
    const child = inside(image.command, { PORT: '0', ...env });
    const listening = (async () => {
      for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
        const { msg, port } = JSON.parse(line) as { msg: string; port: number };
        if (msg === 'listening') return `${port}`;
      }
      throw new Error('it ended before it listened');
    })();
    return { child, port: await within(listening, 'a node that listens') };
  };
  const probe = async (env: Record<string, string>): Promise<number | null> => {
    const [status] = (await once(inside(image.healthCheck, env), 'exit')) as [number | null];
    return status;
  };
  const filesOf = async (folder: string): Promise<string[]> =>
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  it('holds the built program and the packages that it needs, and nothing else', async () => {
    expect((await readdir(image.root)).sort()).to.deep.equal([image.workdir.slice(1)]);
    expect((await readdir(app())).sort()).to.deep.equal(['LICENSE', 'dist', 'node_modules', 'package.json']);
    const sources = (await filesOf(join(app(), 'dist'))).filter((file) => /\.test\.|(?<!\.d)\.ts$/.test(file));
    expect(sources).to.deep.equal([]);
  });

  it('holds no tool of the developers', async () => {
    const { devDependencies, dependencies } = JSON.parse(
      await readFile(join(app(), 'package.json'), 'utf8'),
    ) as Packages;
    const lock = JSON.parse(await readFile(join(app(), 'node_modules/.package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean }>;
    };
    const installed = Object.keys(lock.packages);
    expect(installed.filter((path) => lock.packages[path]?.dev)).to.deep.equal([]);
    expect(installed).to.include.members(Object.keys(dependencies).map((name) => `node_modules/${name}`));
    const folders = await readdir(join(app(), 'node_modules'));
    for (const name of ['typescript', 'mocha', 'chai', 'tsx', '@biomejs']) {
      expect(
        Object.keys(devDependencies).some((dev) => dev.startsWith(name)),
        name,
      ).to.equal(true);
      expect(folders).not.to.include(name);
    }
  });

  it('is built on one base, named down to its patch release, that the package says it runs on', async () => {
    const text = await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8');
    const bases = new Set(parseDockerfile(text).map(({ base }) => base));
    expect([...bases]).to.have.lengthOf(1);
    const [, major, minor] = /^node:(\d+)\.(\d+)\.\d+-\w+-slim$/.exec(image.base) ?? [];
    const { engines } = JSON.parse(await readFile(join(app(), 'package.json'), 'utf8')) as Packages;
    const [, least, leastMinor] = /^>=(\d+)\.(\d+)$/.exec(engines?.node ?? '') ?? [];
    expect(Number(major) * 1000 + Number(minor)).to.be.at.least(Number(least) * 1000 + Number(leastMinor));
  });

  it('names a user without rights, who starts a node that serves and is found alive', async () => {
    expect([image.uid, image.gid].every((id) => id > 0)).to.equal(true);
    const { child, port } = await start();
    if (process.getuid?.() === 0) {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).to.equal(`${image.uid}`);
    }
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'image', version: '1' } },
    });
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const answer = await fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', headers, body });
    expect([answer.status, answer.headers.has('mcp-session-id')]).to.deep.equal([200, true]);
    expect(await probe({ PORT: port })).to.equal(0);

    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).to.deep.equal([0, null]);
    expect(await probe({ PORT: port }), 'of a node that is gone').to.equal(1);
  });

  it('finds a node alive that wants a token, which a health check has not', async () => {
    const { child, port } = await start({ AUTH_TOKENS: `user:${'t'.repeat(40)}`, DRAIN_DELAY_MS: '0' });
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).to.equal(401);
    expect(await probe({ PORT: port })).to.equal(0);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  });
});
