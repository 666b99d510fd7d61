/**
 * Resources of the conformance suite: text, binary, one to watch, and a template.
 *
 * The readable ones are listed first, since some scenarios read whatever comes first. An unknown URI needs no code: the
 * SDK answers it with -32602 and the URI.
 */
import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { PNG_BASE64 } from './samples.js';

export function registerResources(server: McpServer): void {
  server.registerResource(
    'static-text',
    'test://static-text',
    { title: 'Static text', description: 'A text that never changes', mimeType: 'text/plain' },
    ({ href }) => ({
      contents: [{ uri: href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
    }),
  );
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { title: 'Static binary', description: 'A picture that never changes', mimeType: 'image/png' },
    ({ href }) => ({ contents: [{ uri: href, mimeType: 'image/png', blob: PNG_BASE64 }] }),
  );
  server.registerResource(
    'watched-resource',
    'test://watched-resource',
    {
      title: 'Watched resource',
      description: 'A resource to subscribe to; `touch` announces it',
      mimeType: 'text/plain',
    },
    ({ href }) => ({ contents: [{ uri: href, mimeType: 'text/plain', text: 'Watched resource content' }] }),
  );
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', {
      list: undefined,
      complete: { id: (typed) => ['123', '124', '200'].filter((id) => id.startsWith(typed)) },
    }),
    { title: 'Template', description: 'Data by id', mimeType: 'application/json' },
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        },
      ],
    }),
  );
  acceptSubscriptions(server);
}

/**
 * McpServer leaves these two methods to its user even where `subscribe` is declared. A server that lives for one request
 * has nowhere to keep a subscription: the node does that, and all the server has to do is agree.
 */
function acceptSubscriptions({ server }: McpServer): void {
  server.setRequestHandler('resources/subscribe', () => ({}));
  server.setRequestHandler('resources/unsubscribe', () => ({}));
}
