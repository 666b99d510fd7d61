/** The HTTP contract, line by line: the same sentences over one node and over a fleet. */
import { gates } from './gates.js';
import { messages } from './messages.js';
import { methods } from './methods.js';
import { negotiation } from './negotiation.js';
import { operations } from './operations.js';
import { sessions } from './sessions.js';
import { sseTransport } from './sse-transport.js';
import { streams } from './streams.js';
import { HTTP_TARGETS, type HttpTarget } from './target.js';

for (const { title, start } of HTTP_TARGETS) {
  describe(`HTTP of ${title}`, () => {
    let target: HttpTarget;
    before(async () => {
      target = await start();
    });
    after(() => target?.stop());

    const suites = { negotiation, messages, gates, methods, sessions, streams, sseTransport, operations };
    for (const [name, suite] of Object.entries(suites)) describe(name, () => suite(() => target));
  });
}
