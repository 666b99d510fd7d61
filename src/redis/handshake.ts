/**
 * The client's `initialize` as it is kept in the session's hash: without what stands in other fields of it already.
 *
 * A hash whose values have 64 bytes at most is stored as one compact list, at half the price; the whole handshake is longer
 * than that and its capabilities alone, with most clients, are not. A handshake of any other form is kept as it is.
 */
interface Handshake {
  readonly initialize: string;
  readonly protocolVersion: string;
  readonly clientInfo: string;
}

/** No JSON begins with it. */
const PACKED = '\u0001';

const frame = ({ protocolVersion, clientInfo }: Omit<Handshake, 'initialize'>): readonly [string, string] => [
  `{"protocolVersion":${JSON.stringify(protocolVersion)},"capabilities":`,
  `,"clientInfo":${clientInfo}}`,
];

export function packInitialize(handshake: Handshake): string {
  const { initialize, clientInfo } = handshake;
  const [head, tail] = frame(handshake);
  const fits =
    clientInfo !== '' &&
    initialize.length >= head.length + tail.length &&
    initialize.startsWith(head) &&
    initialize.endsWith(tail);
  return fits ? PACKED + initialize.slice(head.length, -tail.length) : initialize;
}

export function unpackInitialize(handshake: Handshake): string {
  const { initialize } = handshake;
  if (!initialize.startsWith(PACKED)) return initialize;
  const [head, tail] = frame(handshake);
  return head + initialize.slice(PACKED.length) + tail;
}
