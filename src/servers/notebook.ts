/**
 * A notebook that belongs to one session, to show state that follows a client from node to node.
 *
 * Every note has a key of its own, numbered by an atomic increment: two notes added on two nodes at the same moment are
 * both kept, where one list under one key would lose one. A node that dies between number and note leaves a gap, which
 * is skipped when reading.
 */
import type { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { ServerContext, SessionState } from '../index.js';
import { ADDS, failure, READS, text } from './reply.js';

const MAX_NOTES = 100;
const COUNT_KEY = 'notes';
const noteKey = (number: number) => `note:${number}`;

const NO_SESSION =
  'There is no notebook here: this request belongs to no session (protocol revision 2026-07-28 has none).';

const noteInput = z.object({ text: z.string().min(1).max(500).describe('What to remember') });
const noInput = z.object({});

export function registerNotebook(server: McpServer, { session }: ServerContext): void {
  server.registerTool(
    'note_add',
    {
      title: 'Add a note',
      description: "Writes a note into this session's notebook; it is there whichever node answers next.",
      inputSchema: noteInput,
      annotations: ADDS,
    },
    async (note) => {
      if (!session) return failure(NO_SESSION);
      const number = await session.increment(COUNT_KEY);
      if (number > MAX_NOTES) return failure(`The notebook is full: it holds ${MAX_NOTES} notes.`);
      await session.set(noteKey(number), note.text);
      return text(`Noted as number ${number}.`);
    },
  );

  server.registerTool(
    'note_list',
    {
      title: 'List the notes',
      description: 'Reads all notes of this session, oldest first.',
      inputSchema: noInput,
      annotations: READS,
    },
    async () => {
      if (!session) return failure(NO_SESSION);
      const notes = await readNotes(session);
      return text(notes.length > 0 ? notes.join('\n') : 'No notes yet.');
    },
  );
}

async function readNotes(session: SessionState): Promise<string[]> {
  const count = Math.min((await session.get<number>(COUNT_KEY)) ?? 0, MAX_NOTES);
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const notes = await Promise.all(numbers.map((number) => session.get<string>(noteKey(number))));
  return notes.flatMap((note, index) => (note === undefined ? [] : [`${index + 1}. ${note}`]));
}
