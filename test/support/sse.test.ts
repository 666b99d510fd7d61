/** The parser every stream test trusts: it has to read what is right and to refuse what only looks right. */
import { expect } from 'chai';
import { type SseEvent, SseParser } from './sse.js';

function parse(text: string, chunkBytes = 1): SseEvent[] {
  const events: SseEvent[] = [];
  const parser = new SseParser((event) => events.push(event));
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += chunkBytes) parser.push(bytes.subarray(i, i + chunkBytes));
  parser.end();
  return events;
}

const nothing = { id: undefined, event: undefined, data: undefined, retry: undefined, comments: [] };

describe('the SSE parser of the tests', () => {
  it('reads every field, whatever the line ends and however the bytes are cut', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = [
        ': hello',
        'id: 1-0',
        'event: message',
        'data: {"ä":',
        'data:"\u{1F600}"}',
        'retry: 20',
        '',
        '',
      ].join(end);
      for (const chunkBytes of [1, 2, 3, 7, 1000]) {
        expect(parse(text, chunkBytes), JSON.stringify([end, chunkBytes])).to.deep.equal([
          { id: '1-0', event: 'message', data: '{"ä":\n"\u{1F600}"}', retry: 20, comments: ['hello'] },
        ]);
      }
    }
  });

  it('tells an event without data from one with empty data', () => {
    const events = parse('id: 1\ndata:\n\nid: 2\n\n: keep-alive\n\n');
    expect(events).to.deep.equal([
      { ...nothing, id: '1', data: '' },
      { ...nothing, id: '2' },
      { ...nothing, comments: ['keep-alive'] },
    ]);
  });

  it('refuses unknown fields, odd values, broken text and a stream cut within an event', () => {
    for (const wrong of ['date: 1\n\n', '{"data":1}\n\n', 'retry: soon\n\n', 'id: a\0b\n\n', 'data: 1\n', 'data: 1']) {
      expect(() => parse(wrong), JSON.stringify(wrong)).to.throw();
    }
    const parser = new SseParser(() => {});
    expect(() => parser.push(Buffer.from([0x64, 0xff]))).to.throw();
  });
});
