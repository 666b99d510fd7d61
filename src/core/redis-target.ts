/** Where Redis is, in one of its three forms. */
interface Host {
  readonly host: string;
  readonly port: number;
}

export type RedisTarget =
  | { readonly kind: 'single'; readonly url: string }
  | {
      readonly kind: 'sentinel';
      readonly nodes: readonly Host[];
      readonly master: string;
      readonly username?: string;
      readonly password?: string;
      readonly database?: number;
    }
  | {
      readonly kind: 'cluster';
      readonly nodes: readonly Host[];
      readonly username?: string;
      readonly password?: string;
    };
