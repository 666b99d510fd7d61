import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Server as V1Server } from '@modelcontextprotocol/sdk/server/index.js';
import { McpServer as V1McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer, Server } from '@modelcontextprotocol/server';
import { expect } from 'chai';
import { loadServerModule, ServerModuleError } from '../../src/mcp/load-server.js';
import type { McpServerLike, TransportLike } from '../../src/mcp/server-module.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/modules', import.meta.url));

async function refusal(name: string, cwd: string): Promise<string> {
  const error: unknown = await loadServerModule(name, cwd).then(
    () => expect.fail(`${name} was loaded`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ServerModuleError)) throw error;
  return error.message;
}

describe('loading a server module', () => {
  /** A project outside of this one, so that no package of ours is found by chance. */
  let project: string;

  function write(path: string, content: string): void {
    const file = join(project, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  before(() => {
    project = realpathSync(mkdtempSync(join(tmpdir(), 'anynode-modules-')));
    const factory = '() => ({ connect: async () => {}, close: async () => {} })';
    write('package.json', '{"name":"own-name","type":"module","exports":"./own.js"}');
    write('own.js', `export default ${factory};`);
    write('broken.mjs', 'export default (');
    write('folder/package.json', '{"main":"./lib/start.cjs"}');
    write('folder/lib/start.cjs', `module.exports = ${factory};`);
    write('bare-file.js', `export const reusable = true;\nexport default ${factory};`);
    write('node_modules/bare-file.js/package.json', '{"main":"index.js"}');
    write('node_modules/bare-file.js/index.js', `module.exports = ${factory};`);
    write('node_modules/common/package.json', '{"name":"common","main":"main.js"}');
    write('node_modules/common/main.js', `module.exports = ${factory};`);
    write('node_modules/@scope/modern/package.json', '{"name":"@scope/modern","exports":{".":{"import":"./m.mjs"}}}');
    write('node_modules/@scope/modern/m.mjs', `export const reusable = true;\nexport default ${factory};`);
    write('node_modules/several/package.json', '{"name":"several","exports":{"./server":"./s.cjs"}}');
    write('node_modules/several/s.cjs', `module.exports = ${factory};`);
    write('node_modules/hollow/package.json', '{"name":"hollow","main":"gone.js"}');
  });

  after(() => rmSync(project, { recursive: true, force: true }));

  const shapes: readonly [title: string, file: string, reusable: boolean][] = [
    ['an ES module', './factory.js', false],
    ['an ES module with an async factory that is reusable', './reusable.mjs', true],
    ['a CommonJS module that is the factory', './commonjs.cjs', true],
    ['a CommonJS module compiled from an ES module', './compiled.cjs', true],
    ['a CommonJS module with exports.default', './exports-default.cjs', false],
  ];
  for (const [title, file, reusable] of shapes) {
    it(`takes the factory of ${title}`, async () => {
      const loaded = await loadServerModule(file, FIXTURES);
      expect(loaded.name).to.equal(file);
      expect(loaded.reusable).to.equal(reusable);
      const notify = {
        toolsChanged: async () => {},
        promptsChanged: async () => {},
        resourcesChanged: async () => {},
        resourceUpdated: async () => {},
      };
      const requestState = { mint: async () => '', verify: async () => undefined };
      const server = await loaded.factory({ era: 'legacy', nodeId: 'a', notify, requestState });
      expect(server.connect).to.be.a('function');
    });
  }

  const places: readonly [title: string, name: () => string, cwd: () => string, reusable: boolean][] = [
    ['a path relative to the working directory', () => 'factory.js', () => FIXTURES, false],
    ['a path that goes up', () => `../${relative(dirname(FIXTURES), FIXTURES)}/factory.js`, () => FIXTURES, false],
    ['an absolute path', () => join(FIXTURES, 'factory.js'), () => '/', false],
    ['a file: URL', () => pathToFileURL(join(FIXTURES, 'factory.js')).href, () => '/', false],
    ['a path without its extension', () => './factory', () => FIXTURES, false],
    ['a folder that is a package', () => './folder', () => project, false],
    ['a package of CommonJS', () => 'common', () => project, false],
    ['a package that can be imported only', () => '@scope/modern', () => project, true],
    ['one of the entries of a package', () => 'several/server', () => project, false],
    ['a package seen from a folder below the one that has it', () => 'common', () => join(project, 'folder'), false],
    ["the project's own package", () => 'own-name', () => project, false],
    ['a file rather than a package of its name', () => 'bare-file.js', () => project, true],
  ];
  for (const [title, name, cwd, reusable] of places) {
    it(`finds ${title}`, async () => {
      const loaded = await loadServerModule(name(), cwd());
      expect(loaded.factory).to.be.a('function');
      expect(loaded.reusable).to.equal(reusable);
    });
  }

  const faults: readonly [title: string, name: string, cwd: () => string, message: RegExp][] = [
    [
      'a path with nothing there',
      './nowhere.js',
      () => project,
      /^server module ".\/nowhere.js" was not found: there is no \/.*nowhere\.js$/,
    ],
    [
      'a name that is neither file nor package',
      'nowhere',
      () => project,
      /was not found: there is neither .* nor a package of that name in \//,
    ],
    ['a file: URL that is none', 'file://else/where.js', () => project, /was not found: /],
    ['a name with a zero byte', 'a\0b', () => project, /^server module "a\\u0000b" /],
    [
      'a package without that entry',
      'several/nothing',
      () => project,
      /cannot be loaded: Package subpath '.\/nothing'/,
    ],
    [
      'a package whose main file is missing',
      'hollow',
      () => project,
      /cannot be loaded: Cannot find module '.*gone.js'/,
    ],
    ['a module with a syntax error', './broken.mjs', () => project, /cannot be loaded: ./],
    [
      'a module that throws',
      './throws.mjs',
      () => FIXTURES,
      /^server module ".\/throws.mjs" cannot be loaded: no licence found$/,
    ],
    ['a module that throws a text', './throws-text.mjs', () => FIXTURES, /cannot be loaded: just a text$/],
    [
      'an import that fails inside',
      './missing-import.mjs',
      () => FIXTURES,
      /cannot be loaded: Cannot find package 'package-that-nobody-/,
    ],
    [
      'a require that fails inside',
      './missing-import.cjs',
      () => FIXTURES,
      /cannot be loaded: Cannot find module 'package-that-nobody-/,
    ],
    [
      'a module without default export',
      './no-default.mjs',
      () => FIXTURES,
      /has no default export: a server factory is expected$/,
    ],
    [
      'a default export that is no function',
      './not-a-function.mjs',
      () => FIXTURES,
      /exports an object as its default: a server factory/,
    ],
    [
      'a server instead of a factory',
      './server-object.mjs',
      () => FIXTURES,
      /export a function that builds it, a server object cannot be shared by sessions$/,
    ],
    [
      'a class instead of a factory',
      './class.mjs',
      () => FIXTURES,
      /exports a class: export a function that builds the server$/,
    ],
    [
      'a `reusable` that is neither true nor false',
      './odd-reusable.mjs',
      () => FIXTURES,
      /exports `reusable` as a string: true or false is expected$/,
    ],
  ];
  for (const [title, name, cwd, message] of faults) {
    it(`refuses ${title}, in one line`, async () => {
      const line = await refusal(name, cwd());
      expect(line).to.match(message);
      expect(line).not.to.include('\n');
    });
  }

  for (const name of ['demo', 'everything']) {
    it(`has the bundled server ${name}, from any working directory`, async () => {
      const loaded = await loadServerModule(name, project);
      expect(loaded.name).to.equal(name);
      expect(loaded.factory).to.be.a('function');
    });
  }
});

describe('the common ground of the two SDK lines', () => {
  const info = { name: 'probe', version: '1.0.0' };
  const lines: readonly [title: string, build: () => McpServerLike][] = [
    ['McpServer 1.x', () => new V1McpServer(info)],
    ['Server 1.x', () => new V1Server(info)],
    ['McpServer 2.x', () => new McpServer(info)],
    ['Server 2.x', () => new Server(info)],
  ];
  for (const [title, build] of lines) {
    it(`lets ${title} answer through a transport that has no more than TransportLike`, async () => {
      const server = build();
      const sent: { id: number; result: { serverInfo: typeof info } }[] = [];
      let answered = () => {};
      const answer = new Promise<void>((resolve) => {
        answered = resolve;
      });
      let closed = false;
      const transport: TransportLike = {
        start: async () => {},
        send: async (message) => {
          sent.push(message);
          answered();
        },
        close: async () => transport.onclose?.(),
      };
      await server.connect(transport);
      const { onclose } = transport;
      transport.onclose = () => {
        closed = true;
        onclose?.();
      };
      transport.onmessage?.({
        jsonrpc: '2.0',
        id: 7,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: info },
      });
      await answer;
      expect(sent).to.have.length(1);
      expect(sent[0]?.id).to.equal(7);
      expect(sent[0]?.result.serverInfo).to.deep.equal(info);
      await server.close();
      expect(closed).to.equal(true);
    });
  }
});
