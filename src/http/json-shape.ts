/**
 * What a JSON text is made of, found out before it is parsed: depth, number of elements, and members of a message that are
 * given twice. One pass over the text; a value of a million empty arrays is refused without having been built.
 *
 * Not here: whether the text is JSON. Of one that is not, anything may be said; the parser has the last word.
 */

export interface ShapeLimits {
  /** Nesting of arrays and objects. */
  readonly maxDepth: number;
  /** Values: members of objects and items of arrays, at any depth. */
  readonly maxElements: number;
}

export type ShapeFault = 'too-deep' | 'too-many';

export interface Shape {
  readonly fault: ShapeFault | undefined;
  /** Members that are written down in the message, or in all messages of a batch together. */
  readonly members: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export function scanJson(text: string, { maxDepth, maxElements }: ShapeLimits): Shape {
  // Members of a message are one level down, and two where the text is a batch.
  const messageDepth = /^\s*\[/.test(text) ? 2 : 1;
  let depth = 0;
  let elements = 0;
  let members = 0;
  const { length } = text;
  for (let i = 0; i < length; i += 1) {
    switch (text.charCodeAt(i)) {
      case QUOTE: {
        // A string: nothing in it counts. The engine finds its end far faster than a loop does.
        i = text.indexOf('"', i + 1);
        while (i !== -1 && isEscaped(text, i)) i = text.indexOf('"', i + 1);
        if (i === -1) return { fault: undefined, members };
        break;
      }
      case 0x2c: // ,
        elements += 1;
        if (elements > maxElements) return { fault: 'too-many', members };
        break;
      case 0x3a: // :
        if (depth === messageDepth) members += 1;
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        elements += 1;
        if (depth > maxDepth) return { fault: 'too-deep', members };
        if (elements > maxElements) return { fault: 'too-many', members };
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
    }
  }
  return { fault: undefined, members };
}

/** Whether the quote at `at` has an odd number of backslashes before it. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === BACKSLASH) before -= 1;
  return (at - before) % 2 === 0;
}

/**
 * Whether a message has as many members as were written down: fewer means that one was given twice, and that whoever
 * else read the text (a proxy, a log) may have seen another one than we do.
 */
export function hasTwice(value: unknown, members: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!Array.isArray(value)) return Object.keys(value).length !== members;
  let found = 0;
  for (const message of value) {
    if (typeof message === 'object' && message !== null && !Array.isArray(message))
      found += Object.keys(message).length;
  }
  return found !== members;
}

/** The same limits for a value that somebody else has parsed. */
export function shapeFaultOf(value: unknown, { maxDepth, maxElements }: ShapeLimits): ShapeFault | undefined {
  let level: unknown[] = [value];
  let elements = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      if (depth >= maxDepth) return 'too-deep';
      for (const child of Object.values(item)) {
        elements += 1;
        if (elements > maxElements) return 'too-many';
        next.push(child);
      }
    }
    level = next;
  }
  return undefined;
}
