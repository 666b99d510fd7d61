/** Where Redis is, in one of its three forms, and how it is entered. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** What a TLS connection needs beyond the certificates that Node trusts anyway; all in PEM. */
export interface RedisTls {
  /** Authorities that are trusted instead of the public ones. */
  readonly ca?: string;
  /** The client's certificate and its key: both or none. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must have, where it is not the host of the address. */
  readonly serverName?: string;
}

interface Access {
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
  /** Absent: no TLS. */
  readonly tls?: RedisTls;
}

/** Of the Sentinels themselves, where they ask for it; `username` and `password` of the target are those of Redis. */
export interface SentinelAccess {
  readonly username?: string;
  readonly password?: string;
}

export type RedisTarget = Access &
  (
    | { readonly kind: 'single'; readonly nodes: readonly [RedisAddress] }
    | {
        readonly kind: 'sentinel';
        readonly nodes: readonly RedisAddress[];
        readonly master: string;
        readonly sentinelAccess?: SentinelAccess;
      }
    | { readonly kind: 'cluster'; readonly nodes: readonly RedisAddress[] }
  );
