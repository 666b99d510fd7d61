/** The topology that an address is about. */
import { ClusterTopology } from './cluster-topology.js';
import { SentinelTopology } from './sentinel-topology.js';
import type { Topology, TopologyOptions } from './topology.js';

export function createTopology(options: TopologyOptions): Topology {
  const { target } = options;
  if (target.kind === 'sentinel') return new SentinelTopology(options, target);
  if (target.kind === 'cluster') return new ClusterTopology(options, target);
  const [address] = target.nodes;
  return {
    start: () => undefined,
    masters: target.nodes,
    ownerOf: () => address,
    refresh: () => undefined,
    moved: () => undefined,
    onChange: () => () => undefined,
    close: () => undefined,
  };
}
