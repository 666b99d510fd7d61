// Serves the handshake; what comes with a context of its own after that finds a factory that throws.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

let built = 0;

export default ({ era }) => {
  built += 1;
  // The handshake and the notification behind it, in the legacy era alone.
  if (era === 'legacy' && built > 2) throw new Error('no more servers');
  return new McpServer({ name: 'breaking', version: '1.0.0' }, { capabilities: { tools: {} } });
};
