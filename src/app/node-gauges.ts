/**
 * What a node says of itself at a scrape, and only then: nothing here is counted on the way of a request.
 *
 * A scrape never fails. What the store would have to say keeps its last value while that is away; each question to it is
 * over in `REDIS_TIMEOUT_MS`, at once where it is known to be away.
 */
import { Gauge, type Registry } from 'prom-client';
import type { NodeInfo, Sampled } from './metrics.js';

export function sampleNode(registers: Registry[], node: Sampled, info: NodeInfo): void {
  const sampled = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  new Gauge({
    name: 'mcp_inbox_depth',
    help: 'Letters in the inbox of this node (answers and progress that came in elsewhere) that wait to be read.',
    registers,
    async collect() {
      try {
        this.set(await node.inboxDepth());
      } catch {
        // redis_up tells why it stands still.
      }
    },
  });
  new Gauge({
    name: 'mcp_calls_running',
    help: 'Exchanges that are being served here, streams that have no client at the moment included.',
    labelNames: ['era'],
    registers,
    collect() {
      const { legacy, modern } = node.callsRunning();
      this.set({ era: 'legacy' }, legacy);
      this.set({ era: 'modern' }, modern);
    },
  });
  sampled('mcp_subscriptions_open', 'Open subscriptions/listen streams on this node.', node.subscriptionsOpen);
  sampled('mcp_http_connections_open', 'Connections to the listener of this node.', node.connectionsOpen);
  sampled(
    'mcp_node_lease_age_seconds',
    "Since the last heartbeat that the store has confirmed; beyond mcp_node_lease_seconds others take this node's calls.",
    node.leaseAgeSeconds,
  );
  sampled(
    'mcp_node_lease_seconds',
    'How long a node may be silent before it is taken for dead.',
    () => info.leaseSeconds,
  );
  sampled('mcp_node_draining', '1 while this node is leaving, else 0.', () => (node.draining() ? 1 : 0));
  new Gauge({
    name: 'mcp_node_info',
    help: 'Always 1; which store this node uses.',
    labelNames: ['store'],
    registers,
  }).set({ store: info.store }, 1);
}
