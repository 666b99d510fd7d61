/** The protocol revisions served, and what differs between them where the transport cares. */

/** Newest first. */
export const LEGACY_REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const;

export const LATEST_LEGACY_REVISION = LEGACY_REVISIONS[0];

/** The revision without sessions. */
export const MODERN_REVISION = '2026-07-28';

export function isLegacyRevision(value: unknown): boolean {
  return (LEGACY_REVISIONS as readonly unknown[]).includes(value);
}

/** Only this revision has JSON-RPC batches. */
export function hasBatches(revision: string): boolean {
  return revision === '2025-03-26';
}

/** From 2025-11-25 a stream begins with an event that has an id and no data; older clients try to parse the data. */
export function hasPrimingEvent(revision: string): boolean {
  return revision >= '2025-11-25';
}
