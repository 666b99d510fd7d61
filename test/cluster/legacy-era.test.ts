/** The legacy era over three nodes, with servers of both SDK lines: one fleet for each, for all the suites. */
import type { Fleet } from '../support/fleet.js';
import { answers } from './answers.js';
import { callStreams } from './call-streams.js';
import { cancellation } from './cancellation.js';
import { changes, standaloneStream } from './changes.js';
import { type ClusterSuite, PROBES, startProbeFleet } from './probe-fleet.js';
import { progressAndLogs } from './progress-and-logs.js';
import { sessions } from './sessions.js';
import { sseTransport } from './sse-transport.js';

const SUITES: Record<string, ClusterSuite> = {
  sessions,
  'answers to the server': answers,
  'progress and log lines': progressAndLogs,
  'streams of calls': callStreams,
  'a cancellation': cancellation,
  'changes of lists and resources': changes,
  'the standalone stream': standaloneStream,
  'HTTP+SSE': sseTransport,
};

for (const [line, MCP_SERVER] of Object.entries(PROBES)) {
  describe(`three nodes with ${line}`, () => {
    let fleet: Fleet;
    before(async () => {
      fleet = await startProbeFleet({ env: { MCP_SERVER } });
    });
    after(() => fleet?.stop());
    for (const [name, suite] of Object.entries(SUITES)) describe(name, () => suite(() => fleet));
  });
}
