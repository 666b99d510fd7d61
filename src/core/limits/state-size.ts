/** How much a session's own state may hold. */

export interface StateLimits {
  readonly stateMaxBytes: number;
  readonly stateMaxKeys: number;
}

/** A handler wanted to store more than a session may. Nothing was written; what was there before is as it was. */
export class StateTooLarge extends Error {
  override readonly name = 'StateTooLarge';
  readonly of: 'bytes' | 'keys';

  constructor(of: 'bytes' | 'keys', { stateMaxBytes, stateMaxKeys }: StateLimits) {
    super(
      of === 'bytes'
        ? `the state of a session may have ${stateMaxBytes} bytes, keys and values together (MAX_STATE_BYTES)`
        : `the state of a session may have ${stateMaxKeys} keys (MAX_STATE_KEYS)`,
    );
    this.of = of;
  }
}

export function bytesOf(state: Iterable<readonly [key: string, json: string]>): number {
  let bytes = 0;
  for (const [key, json] of state) bytes += Buffer.byteLength(key) + Buffer.byteLength(json);
  return bytes;
}

/** What is wrong with writing a value into a state that is at hand; a state too large already may be made smaller. */
export function stateFault(
  state: ReadonlyMap<string, string>,
  key: string,
  json: string,
  limits: StateLimits,
): StateTooLarge | undefined {
  const { stateMaxBytes, stateMaxKeys } = limits;
  const old = state.get(key);
  if (old === undefined && stateMaxKeys > 0 && state.size >= stateMaxKeys) return new StateTooLarge('keys', limits);
  const added = Buffer.byteLength(json) + (old === undefined ? Buffer.byteLength(key) : -Buffer.byteLength(old));
  if (stateMaxBytes > 0 && added > 0 && bytesOf(state) + added > stateMaxBytes) {
    return new StateTooLarge('bytes', limits);
  }
  return undefined;
}
