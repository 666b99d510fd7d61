// anynode inside an express app that has other things to do.
//
//   npm run build && PORT=3000 node examples/express-app.mjs
//
// Started twice, on two ports and with the same REDIS_URL, both processes serve the same sessions.
import { pathToFileURL } from 'node:url';
import { createNode } from 'anynode';
import express from 'express';
import factory from './v2-server.mjs';

export async function startApp(port) {
  // Every setting of the program is an option here; the library reads no environment by itself.
  const node = await createNode({ server: factory, redisUrl: process.env.REDIS_URL });

  const app = express();
  app.get('/', (_request, response) => response.send(`A shop, and its MCP server at /mcp (${node.nodeId}).`));
  // Takes /mcp, /sse, /messages and the health routes, and passes on whatever else is asked for. Put no body parser in
  // front of it: the node reads bodies itself, to bound their size and to answer malformed ones as the protocol says.
  app.use(node.handler);

  // From here on the node is known to the fleet; before, a request to it would find no store.
  await node.start();
  const listener = await new Promise((resolve, reject) => {
    const opened = app.listen(port, '127.0.0.1', (error) => (error ? reject(error) : resolve(opened)));
  });

  return {
    port: listener.address().port,
    // The node first: it ends its streams, for which the listener would otherwise wait for ever.
    async stop() {
      await node.close();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

// Only when it is run, not when it is imported.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { port, stop } = await startApp(Number(process.env.PORT ?? 3000));
  console.log(`http://127.0.0.1:${port}/`);
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop);
}
