/**
 * The limits: what no server of this kind can be cheaper than. `node:http`, a body parsed, an answer written as JSON;
 * with `REDIS_URL` one round trip between the two, a script that reads a hash and renews its life.
 */
import { createServer } from 'node:http';
import { createClient, defineScript } from 'redis';
import { listenAndTell } from './ready.js';
import { forecast, INPUT } from './tools.js';

const touch = defineScript({
  NUMBER_OF_KEYS: 1,
  SCRIPT: `
    local values = redis.call('HMGET', KEYS[1], 'a', 'b', 'c')
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    return values`,
  parseCommand(parser, key: string) {
    parser.pushKey(key);
    parser.push('1800000');
  },
  transformReply: (reply: unknown) => reply,
});

const { REDIS_URL } = process.env;
const redis = REDIS_URL === undefined ? undefined : createClient({ url: REDIS_URL, scripts: { touch } });
await redis?.connect();
await redis?.hSet('limit:session', { a: '1', b: '2', c: '3' });

listenAndTell(
  createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', async () => {
      const message = JSON.parse(Buffer.concat(chunks).toString());
      if (redis && (await redis.touch('limit:session')) === null) throw new Error('no session');
      const result = forecast(INPUT.parse(message.params.arguments));
      const body = JSON.stringify({ jsonrpc: '2.0', id: message.id, result });
      res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
      res.end(body);
    });
  }),
);
