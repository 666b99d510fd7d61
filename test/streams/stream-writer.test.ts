/** What the writer of a call's stream does before the call can be found by others. */
import { expect } from 'chai';
import { type EventLog, START } from '../../src/core/ports/event-log.js';
import { StoreUnavailable } from '../../src/core/ports/store.js';
import { StreamWriter } from '../../src/core/stream-writer.js';

describe('the writer of a stream that opens a call', () => {
  it('lists the call anew before each try to open it, and not after that', async () => {
    const sent: string[] = [];
    const log: Partial<EventLog> = {
      async append(_session, _stream, events, options) {
        sent.push(`append ${options?.call?.open ? 'and open' : 'on'}`);
        if (sent.length < 4) throw new StoreUnavailable('away');
        const entries = events.map(({ data }) => ({ position: '1-0', data, end: false }));
        return { outcome: 'appended', previous: START, entries, holder: undefined };
      },
    };
    const writer = new StreamWriter({
      log: log as EventLog,
      sessionId: 'session',
      streamId: 'call',
      call: {
        callId: 'call',
        owner: 'node',
        open: { holder: undefined, journal: '{}' },
        list: () => void sent.push('list'),
      },
      patienceMs: 5000,
      onStored: () => {},
    });
    await writer.append('');
    await writer.append('{}');
    expect(sent).to.deep.equal(['list', 'append and open', 'list', 'append and open', 'append on']);
  });
});
