/**
 * The Lua scripts, read once at start. A file is named `<verb><Noun>-<number of keys, n for any>.lua` and opens with its purpose,
 * keys, arguments and answer.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha1: string;
}

function load(file: string): Script {
  const source = readFileSync(new URL(`./lua/${file}.lua`, import.meta.url), 'utf8');
  return { name: file.replace(/-(\d+|n)$/, ''), source, sha1: createHash('sha1').update(source).digest('hex') };
}

export const scripts = {
  createSession: load('createSession-2'),
  admitSession: load('admitSession-1'),
  touchSession: load('touchSession-3'),
  sessionLives: load('sessionLives-n'),
  updateSession: load('updateSession-1'),
  addSubscription: load('addSubscription-1'),
  readSubscriptions: load('readSubscriptions-1'),
  deleteSession: load('deleteSession-3'),
  setState: load('setState-2'),
  deleteState: load('deleteState-2'),
  incrementState: load('incrementState-2'),
  appendEvents: load('appendEvents-6'),
  renewStreams: load('renewStreams-2'),
  readEvents: load('readEvents-2'),
  attachTail: load('attachTail-3'),
  recordDelivered: load('recordDelivered-2'),
  handOverTail: load('handOverTail-2'),
  detachTail: load('detachTail-2'),
  appendChange: load('appendChange-2'),
  readChanges: load('readChanges-2'),
  enterCall: load('enterCall-4'),
  dropCall: load('dropCall-2'),
  claimCall: load('claimCall-2'),
  leaveCall: load('leaveCall-2'),
  postLetter: load('postLetter-2'),
  renewLease: load('renewLease-1'),
  releaseLease: load('releaseLease-1'),
  sharedSecret: load('sharedSecret-1'),
  acquireSlot: load('acquireSlot-1'),
  renewSlots: load('renewSlots-1'),
  takePermits: load('takePermits-1'),
  touchNode: load('touchNode-1'),
  buryNode: load('buryNode-4'),
  staleNodes: load('staleNodes-1'),
  checkPermissions: load('checkPermissions-0'),
} as const;

/** Names of the commands that the scripts send; what a user of Redis must be allowed to do follows from them. */
export const scriptCommands: readonly string[] = [
  ...new Set(
    Object.values(scripts).flatMap(({ source }) =>
      [...source.matchAll(/redis\.p?call\('([A-Z]+)'/g)].map(([, command]) => command as string),
    ),
  ),
];
