/** The twenty tools that every contestant serves, told once; v1-server and v2-server register them with either SDK line. */
import { z } from 'zod';

export const SERVER_INFO = { name: 'bench', version: '1.0.0' };

export const INPUT = z.object({
  city: z.string().min(1).describe('Name of the city'),
  days: z.number().int().min(1).max(14).default(3).describe('How many days'),
  units: z.enum(['metric', 'imperial']).default('metric'),
});

export type Input = z.infer<typeof INPUT>;

/** What the first eighteen do: a little text, so that the frame is measured and not the work. */
export function forecast({ city, days, units }: Input): { content: { type: 'text'; text: string }[] } {
  return reply(`${city}: ${days} days of sun, ${units}`);
}

export const PLAIN_TOOLS = Array.from({ length: 18 }, (_, i) => ({
  name: `forecast-${i + 1}`,
  description: `Forecast number ${i + 1} of a city, for some days, in the units that were asked for.`,
}));

export const STEPS = 10;

export function reply(text: string): { content: { type: 'text'; text: string }[] } {
  return { content: [{ type: 'text', text }] };
}

/** A burnt microsecond is one of the processor: to see the guard fail. Read by the bench's own servers only. */
const BURN_MICROSECONDS = Number(process.env.BENCH_BURN_US ?? 0);

export function burn(): void {
  if (BURN_MICROSECONDS === 0) return;
  const end = performance.now() + BURN_MICROSECONDS / 1000;
  while (performance.now() < end);
}

/** The clock that all processes of a machine share. */
export const now = (): string => String(process.hrtime.bigint());

export const QUESTION = {
  mode: 'form' as const,
  message: 'Which city?',
  requestedSchema: { type: 'object' as const, properties: { city: { type: 'string' as const } } },
};
