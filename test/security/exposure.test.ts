/** A node that nobody protects is reached from nowhere else, unless somebody said so. */
import { expect } from 'chai';
import { createNode } from '../../src/index.js';
import { runToExit, startNode } from '../support/node-process.js';

const bare = () => ({ connect: async () => {}, close: async () => {} });

describe('a node that listens beyond loopback', () => {
  it('does not start without authentication, and says what to set, before it listens', async () => {
    const { code, raw } = await runToExit({ HOST: '0.0.0.0' });
    expect(code).to.equal(78);
    expect(raw.join('\n')).to.include('AUTH_ANONYMOUS=true').and.not.include('"listening"');
  });

  it('starts with tokens, and without them where that is said', async () => {
    for (const env of [{ AUTH_TOKENS: 'ada:0123456789abcdef' }, { AUTH_ANONYMOUS: 'true' }]) {
      const node = await startNode({ HOST: '0.0.0.0', ...env });
      expect((await node.stop()).code).to.equal(0);
    }
  });

  it('is refused by the library in the same way, also when the address comes late', async () => {
    const node = await createNode({ server: bare, drainDelayMs: 0 });
    const refused = await node.listen(0, '0.0.0.0').then(
      () => undefined,
      (error: Error) => error,
    );
    expect(refused).to.be.instanceOf(TypeError).with.property('message').that.includes('authAnonymous');
    await node.close();
    const allowed = await createNode({
      server: bare,
      authTokens: new Map([['0123456789abcdef', 'ada']]),
      drainDelayMs: 0,
    });
    expect((await allowed.listen(0, '0.0.0.0')).port).to.be.a('number');
    await allowed.close();
  });
});
