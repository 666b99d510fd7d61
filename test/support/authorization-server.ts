/**
 * An authorization server as far as a resource server sees it: metadata, keys, and tokens signed with them. Keys can be
 * rolled and the server can go away.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface TokenOptions {
  readonly subject?: string;
  readonly client?: string;
  readonly scope?: string;
  readonly issuer?: string;
  readonly audience?: string;
  /** Seconds from now; null: no end. */
  readonly expiresIn?: number | null;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The name of the key in the header; null: none. */
  readonly kid?: string | null;
}

interface SigningKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export class AuthorizationServer {
  readonly port: number;
  readonly issuer: string;
  readonly audience: string;
  /** Paths asked for so far. */
  readonly asked: string[] = [];
  /** False: the connection of every request is cut. */
  up = true;
  readonly #server: Server;
  #keys: SigningKey[] = [];

  private constructor(server: Server, audience: string) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.issuer = `http://127.0.0.1:${this.port}/tenant`;
    this.audience = audience;
    server.on('request', (req, res) => {
      if (!this.up) {
        req.socket.destroy();
        return;
      }
      this.asked.push(req.url ?? '');
      const document = this.#documents()[req.url ?? ''];
      res.writeHead(document ? 200 : 404, { 'Content-Type': 'application/json' });
      res.end(JSON.stringify(document ?? {}));
    });
  }

  static async start(audience: string): Promise<AuthorizationServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const authorization = new AuthorizationServer(server, audience);
    await authorization.addKey('first', 'RS256');
    return authorization;
  }

  async addKey(kid: string, algorithm: string): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' };
    this.#keys = [{ kid, algorithm, privateKey, jwk }, ...this.#keys];
  }

  /** A token signed with the newest key, whether or not it has been published. */
  async token(options: TokenOptions = {}): Promise<string> {
    const {
      subject = 'ada',
      client = 'app',
      issuer = this.issuer,
      audience = this.audience,
      expiresIn = 300,
    } = options;
    const key = this.#keys[0] as SigningKey;
    const kid = options.kid === undefined ? key.kid : options.kid;
    const jwt = new SignJWT({
      client_id: client,
      scope: options.scope ?? 'mcp',
      jti: crypto.randomUUID(),
      ...options.claims,
    })
      .setProtectedHeader({ alg: key.algorithm, typ: 'at+jwt', ...(kid !== null && { kid }) })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt();
    if (subject !== '') jwt.setSubject(subject);
    if (expiresIn !== null) jwt.setExpirationTime(Math.floor(Date.now() / 1000) + expiresIn);
    return jwt.sign(key.privateKey);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #documents(): Record<string, object> {
    return {
      '/.well-known/oauth-authorization-server/tenant': {
        issuer: this.issuer,
        jwks_uri: `http://127.0.0.1:${this.port}/keys`,
      },
      '/keys': { keys: this.#keys.map(({ jwk }) => jwk) },
    };
  }
}

export const bearer = (token: string): { Authorization: string } => ({ Authorization: `Bearer ${token}` });
