/**
 * Variables that look like ours and are not: most often a slip of the pen, whose default would be taken silently.
 */
const OUR_PREFIX = /^(SESSION|STREAM|REDIS|DRAIN|AUTH|MCP)_/;

/** Kubernetes describes each service of the namespace to each container: `redis` as REDIS_PORT_6379_TCP_ADDR and so on. */
const SERVICE_NAME = /_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;
/** This one is told by its value only: `REDIS_PORT=6379` is somebody's mistake. */
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\//;

/** The desktop's, on most Linux machines. */
const FOREIGN = new Set(['SESSION_MANAGER']);

/** Names only: the value of a misspelled variable may be a secret. */
export function unknownVariables(env: NodeJS.ProcessEnv, known: ReadonlySet<string>): string[] {
  return Object.keys(env)
    .filter((name) => OUR_PREFIX.test(name) && !known.has(name) && !FOREIGN.has(name))
    .filter((name) => env[name] !== undefined && env[name] !== '' && !isOfService(name, env[name]))
    .sort();
}

function isOfService(name: string, value: string): boolean {
  return SERVICE_NAME.test(name) || (name.endsWith('_PORT') && SERVICE_ADDRESS.test(value));
}
