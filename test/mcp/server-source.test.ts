/** A factory that never answers does not hold a request for ever. */
import { expect } from 'chai';
import type { ServerContext } from '../../src/core/server-context.js';
import type { ServerFactory } from '../../src/mcp/server-module.js';
import { ServerSource } from '../../src/mcp/server-source.js';

const server = { connect: async () => {}, close: async () => {} };
const sourceOf = (factory: ServerFactory) =>
  new ServerSource(
    { name: 'test', factory, reusable: false, quiet: false, fixedLists: false },
    { nodeId: 'n', notify: {} as never },
    50,
  );
const context = () => ({}) as ServerContext;

describe('a server factory', () => {
  it('is waited for no longer than its time', async () => {
    const failure = await sourceOf(() => new Promise(() => {}))
      .build(context)
      .catch((error: Error) => error.message);
    expect(failure).to.equal('the server factory did not answer in 0.05 s');
  });

  it('may answer at once or later, and fail either way', async () => {
    expect(await sourceOf(() => server).build(context)).to.equal(server);
    expect(await sourceOf(async () => server).build(context)).to.equal(server);
    for (const factory of [
      () => Promise.reject(new Error('its own fault')),
      () => {
        throw new Error('its own fault');
      },
    ]) {
      const failure = await sourceOf(factory)
        .build(context)
        .catch((error: Error) => error.message);
      expect(failure).to.equal('its own fault');
    }
  });
});
