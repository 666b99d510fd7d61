/**
 * What stands before a fleet: nginx with the configuration that is shipped, its upstreams replaced by the nodes of the
 * test. It is told nothing when a node goes or comes; it finds out like anybody else.
 *
 * On a machine without nginx it is the balancer of the demo, which like it tries another node where a connection was
 * refused. Where `CI` is set that would prove too little, and is a fault. Not here: health checks.
 */
import { startBalancer } from '../../src/demo/balancer.js';
import { findProxy, NGINX } from '../deploy/proxies.js';

export interface FrontDoor {
  readonly kind: 'nginx' | 'balancer';
  readonly url: string;
  /** What it has complained of, but for nodes that took no connection. */
  complaints(): Promise<string>;
  stop(): Promise<void>;
}

/** Opens a door to nodes at fixed ports; they may come and go behind it. */
export async function openFrontDoor(nodePorts: readonly number[]): Promise<FrontDoor> {
  if ((await findProxy('nginx')) === undefined) {
    if (process.env.CI) throw new Error('nginx is not on PATH: install it, on Debian with "apt-get install nginx"');
    const balancer = await startBalancer(nodePorts.map((port) => `http://127.0.0.1:${port}`));
    return { kind: 'balancer', url: balancer.url, complaints: async () => '', stop: () => balancer.close() };
  }
  // nginx does not ask the ports of operators.
  const upstreams = nodePorts.map((port) => ({ port, opsPort: port }));
  const nginx = await NGINX.start(upstreams, [['access_log /dev/stdout fleet;', 'access_log off;']]);
  const complaints = async (): Promise<string> => {
    const lines = (await nginx.log()).split('\n').filter((line) => !line.includes('Connection refused'));
    return lines.join('\n').slice(-10_000);
  };
  return { kind: 'nginx', url: nginx.url, complaints, stop: nginx.stop };
}
