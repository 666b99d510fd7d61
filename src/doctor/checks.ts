/** All checks, in the order in which they run: each may use what those before it have found out. */
import { errors, routes } from './checks/errors.js';
import { eventStreams } from './checks/event-streams.js';
import { handshake } from './checks/handshake.js';
import { idleStreams } from './checks/idle.js';
import { idleConnections } from './checks/idle-connections.js';
import { ops } from './checks/ops.js';
import { redis } from './checks/redis.js';
import { requestHeaders } from './checks/request-headers.js';
import { retries } from './checks/retries.js';
import { sharing } from './checks/sharing.js';
import { sizes } from './checks/sizes.js';
import { spread } from './checks/spread.js';
import { sseTransport } from './checks/sse-transport.js';
import { tlsCheck } from './checks/tls.js';
import type { Check } from './visit.js';

/** What the rest stands on. */
export const FIRST: readonly Check[] = [tlsCheck, handshake, ops, redis, spread, sharing];

export const REST: readonly Check[] = [
  idleStreams,
  idleConnections,
  requestHeaders,
  errors,
  routes,
  eventStreams,
  sseTransport,
  retries,
  sizes,
];
