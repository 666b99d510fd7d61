/**
 * Tools that answer at once: one for every kind of content a result may hold, and every way a call may fail.
 *
 * Names and contents are those the official conformance suite looks for.
 */
import type { CallToolResult, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { failure, READS, text } from '../reply.js';
import { PNG_BASE64, WAV_BASE64 } from './samples.js';

const noInput = z.object({});
const weatherOutput = z.object({ city: z.string(), celsius: z.number(), sunny: z.boolean() });

export function registerContentTools(server: McpServer): void {
  registerConstant(server, 'test_simple_text', 'Answers with one line of text', text(SIMPLE_TEXT));
  registerConstant(server, 'test_image_content', 'Answers with a picture', {
    content: [{ type: 'image', data: PNG_BASE64, mimeType: 'image/png' }],
  });
  registerConstant(server, 'test_audio_content', 'Answers with a sound', {
    content: [{ type: 'audio', data: WAV_BASE64, mimeType: 'audio/wav' }],
  });
  registerConstant(server, 'test_embedded_resource', 'Answers with a resource inside the result', {
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  });
  registerConstant(server, 'test_multiple_content_types', 'Answers with text, a picture and a resource', {
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      { type: 'image', data: PNG_BASE64, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: JSON.stringify({ test: 'data', value: 123 }),
        },
      },
    ],
  });
  registerConstant(
    server,
    'test_error_handling',
    'Answers with an error of the tool',
    failure('This tool intentionally returns an error for testing'),
  );
  registerConstant(server, 'fail_tool', 'Answers with an error of the tool', failure('fail_tool fails, as it should.'));
  registerCrash(server);
  registerStructured(server);
}

const SIMPLE_TEXT = 'This is a simple text response for testing.';

function registerConstant(server: McpServer, name: string, description: string, result: CallToolResult): void {
  server.registerTool(name, { description, inputSchema: noInput, annotations: READS }, () => result);
}

function registerCrash(server: McpServer): void {
  server.registerTool(
    'crash_tool',
    { description: 'Throws, as a handler with a bug would', inputSchema: noInput, annotations: READS },
    () => {
      throw new Error('crash_tool threw, as it should.');
    },
  );
}

function registerStructured(server: McpServer): void {
  server.registerTool(
    'struct_obj',
    {
      description: 'Answers with structured content that has a schema, and with the same as text',
      inputSchema: noInput,
      outputSchema: weatherOutput,
      annotations: READS,
    },
    () => {
      const weather: z.infer<typeof weatherOutput> = { city: 'Lisbon', celsius: 21.5, sunny: true };
      return { ...text(JSON.stringify(weather)), structuredContent: weather };
    },
  );
}
