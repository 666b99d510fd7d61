/**
 * Loads the server module that `MCP_SERVER` names: bundled, by path, or by package name.
 *
 * A bad module is found here, before the node listens, and told in one line. Not here: calling the factory. It is
 * called with a request's context, and what it returns is judged then.
 */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import vm from 'node:vm';
import type { ServerFactory, ServerModule } from './server-module.js';

export type { McpServerLike, ServerFactory, ServerModule, TransportLike } from './server-module.js';

const BUNDLED: ReadonlyMap<string, string> = new Map([
  ['demo', '../servers/demo.js'],
  ['everything', '../servers/everything/index.js'],
]);

/** The module cannot be used; the message is one line for whoever configured it. */
export class ServerModuleError extends Error {
  override readonly name = 'ServerModuleError';

  constructor(moduleName: string, fault: string, options?: ErrorOptions) {
    super(`server module ${JSON.stringify(moduleName)} ${fault}`, options);
  }
}

type Exports = Readonly<Record<string, unknown>>;

/**
 * `name`: `demo`, `everything`, a path (absolute, or relative to `cwd`), a `file:` URL, or a package as seen from `cwd`.
 * A file wins over a package of the same name.
 * @throws ServerModuleError
 */
export async function loadServerModule(name: string, cwd: string): Promise<ServerModule> {
  const exports = await load(name, cwd);
  const { factory, named } = findFactory(name, exports);
  const declared = (what: string): boolean => {
    const value = what in exports ? exports[what] : what in named ? named[what] : false;
    if (typeof value === 'boolean') return value;
    throw new ServerModuleError(name, `exports \`${what}\` as ${kindOf(value)}: true or false is expected`);
  };
  return {
    name,
    factory,
    reusable: declared('reusable'),
    quiet: declared('quiet'),
    fixedLists: declared('fixedLists'),
  };
}

/** The module's namespace; resolving and evaluating fail differently for whoever reads the line. */
async function load(name: string, cwd: string): Promise<Exports> {
  const importIt = locate(name, cwd);
  try {
    return await importIt();
  } catch (error) {
    if (error instanceof ServerModuleError) throw error;
    const hint =
      codeOf(error) === 'ERR_UNKNOWN_FILE_EXTENSION'
        ? ' (this Node cannot load TypeScript by itself: compile it, or start with `node --import tsx`)'
        : '';
    throw new ServerModuleError(name, `cannot be loaded: ${firstLine(error)}${hint}`, { cause: error });
  }
}

function locate(name: string, cwd: string): () => Promise<Exports> {
  const bundled = BUNDLED.get(name);
  if (bundled !== undefined) return () => import(new URL(bundled, import.meta.url).href);

  const path = toPath(name, cwd);
  if (isFile(path)) return () => import(pathToFileURL(path).href);

  const isPath = name.startsWith('file:') || /^\.{0,2}[/\\]/.test(name) || name === path;
  const require = createRequire(join(cwd, 'package.json'));
  try {
    // Also completes a path: an extension left out, a folder with an index or a package of its own.
    const found = require.resolve(isPath ? path : name);
    return () => import(found === name ? name : pathToFileURL(found).href);
  } catch (error) {
    if (!isPath && codeOf(error) === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return () => importFrom(cwd, name);
    // With a path: the package is there, and what its `main` names is not.
    if (codeOf(error) !== 'MODULE_NOT_FOUND' || (isObject(error) && 'path' in error)) {
      throw new ServerModuleError(name, `cannot be loaded: ${firstLine(error)}`, { cause: error });
    }
    const where = isPath ? `there is no ${path}` : `there is neither ${path} nor a package of that name in ${cwd}`;
    throw new ServerModuleError(name, `was not found: ${where}`);
  }
}

/**
 * Imports a package that can be imported only, as a module in `cwd` would. `require.resolve` does not see such packages
 * and `import.meta.resolve` takes no other base, so the import is made by a script that stands there by name. Node calls
 * this experimental, once, on stderr; hence only where nothing else finds the package.
 */
function importFrom(cwd: string, name: string): Promise<Exports> {
  const script = new vm.Script('(name) => import(name)', {
    filename: join(cwd, 'anynode-server.js'),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return script.runInThisContext()(name);
}

function toPath(name: string, cwd: string): string {
  if (!name.startsWith('file:')) return resolve(cwd, name);
  try {
    return fileURLToPath(name);
  } catch (error) {
    throw new ServerModuleError(name, `was not found: ${firstLine(error)}`);
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The default export, through the shapes it takes: `export default`, `module.exports =`, and both kinds of
 * `exports.default =`, which an import sees one level deeper.
 */
function findFactory(name: string, exports: Exports): { factory: ServerFactory; named: Exports } {
  if (!('default' in exports)) throw new ServerModuleError(name, 'has no default export: a server factory is expected');
  const outer = exports.default;
  const inner = isObject(outer) && 'default' in outer ? outer.default : outer;
  if (typeof inner === 'function') {
    if (/^class\b/.test(Function.prototype.toString.call(inner))) {
      throw new ServerModuleError(name, 'exports a class: export a function that builds the server');
    }
    return { factory: inner as ServerFactory, named: isObject(outer) ? outer : {} };
  }
  if (isObject(inner) && typeof inner.connect === 'function') {
    throw new ServerModuleError(
      name,
      'exports a server: export a function that builds it, a server object cannot be shared by sessions',
    );
  }
  throw new ServerModuleError(
    name,
    `exports ${kindOf(inner)} as its default: a server factory (a function) is expected`,
  );
}

/** Objects and functions: `module.exports = fn` carries its named exports on the function. */
function isObject(value: unknown): value is Exports {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function codeOf(error: unknown): unknown {
  return isObject(error) ? error.code : undefined;
}

const MAX_MESSAGE = 500;

/** Some of Node's own messages go on with a require stack over many lines. */
function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return (message.trim().split(/\s*[\r\n]+/, 1)[0] ?? '').slice(0, MAX_MESSAGE);
}
