/** Who is told of a change and reads at once, anywhere, reads what changed. */
import { expect } from 'chai';
import { size } from '../streams/scale.js';
import { listen } from './listening.js';
import { answer, callTool } from './modern-client.js';
import type { ModernSuite } from './modern-suite.js';

const PAGE = 'page://shared';
const CHANGES = size(15, 150);

export const freshReadings: ModernSuite = (fleet) => {
  it(`is there for every reader on every node, ${CHANGES} times`, async () => {
    const filter = { resourceSubscriptions: [PAGE], toolsListChanged: true };
    const streams = await Promise.all([0, 1, 2].map((node) => listen(fleet(), filter, { node })));
    for (let change = 0; change < CHANGES; change += 1) {
      const value = `page-${change}`;
      const written = callTool(fleet(), 'write', { value }, { node: change % 3 });
      await Promise.all(
        streams.map(async (stream, node) => {
          await stream.waitForMany(({ params }) => params?.uri === PAGE, change + 1, `change ${change}`);
          const { result } = await answer(fleet(), 'resources/read', { uri: PAGE }, { node: (node + 1) % 3 });
          expect(result.contents[0].text).to.equal(value);
          await stream.waitForMany(({ method }) => method?.endsWith('list_changed') === true, change + 1, 'the list');
          const { result: list } = await answer(fleet(), 'tools/list', {}, { node: (node + 2) % 3 });
          expect(list.tools.map(({ name }: { name: string }) => name)).to.include(value);
        }),
      );
      await written;
    }
    for (const stream of streams) stream.close();
  });

  it('is the same for all, however they came to it', async () => {
    const texts = new Set<string>();
    for (const node of [0, 1, 2]) {
      const { result } = await answer(fleet(), 'tools/list', {}, { node });
      texts.add(JSON.stringify(result));
    }
    expect(texts.size).to.equal(1);
  });
};
