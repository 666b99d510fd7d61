/**
 * What one environment variable is: its meaning, its default, what it accepts, how it is read. The parser, the faults
 * and the table of DEPLOYMENT.md all come from these descriptors, so they cannot disagree.
 *
 * Not here: rules between two variables (cross-checks.ts).
 */

export interface ConfigVariable<T> {
  readonly meaning: string;
  /** What a value must be; completes the sentence "expected ...". */
  readonly accepts: string;
  /** The value where the variable is unset. */
  readonly fallback: T;
  /** How people read the fallback. */
  readonly shownFallback: string;
  /** @throws Unacceptable */
  parse(raw: string): T;
  /** A faulty value as it may be shown to whoever reads the log. */
  show(raw: string): string;
}

/** A value that is refused. Carries no part of the value: it could be a secret. */
export class Unacceptable extends Error {
  override readonly name = 'Unacceptable';
  readonly expected: string;

  constructor(expected: string) {
    super(`expected ${expected}`);
    this.expected = expected;
  }
}

/** The ceiling of Node's timers (about 24.8 days); anything longer would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

const MAX_SHOWN = 120;

export function showPlain(raw: string): string {
  return raw.length > MAX_SHOWN ? `${raw.slice(0, MAX_SHOWN)}…` : raw;
}

export function showHidden(): string {
  return '(hidden)';
}

/**
 * An address without what may be secret in it. Works on values that are no URL at all: whatever stands before the last
 * `@` counts as userinfo, and a query may hold a password too.
 */
export function showUrl(raw: string): string {
  const at = raw.lastIndexOf('@');
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(raw)?.[0] ?? '';
  const masked = at < scheme.length ? raw : `${scheme}***${raw.slice(at)}`;
  return showPlain(masked.replace(/[?#].*$/s, '?***'));
}

/** The entries of a comma list, without the spaces around them. Numbered from 1 in faults. */
export function splitList(raw: string): string[] {
  const entries = raw.split(',').map((entry) => entry.trim());
  const empty = entries.indexOf('');
  if (empty >= 0) throw new Unacceptable(`a comma list without empty entries (entry ${empty + 1} is empty)`);
  return entries;
}

interface IntegerOptions<F> {
  readonly meaning: string;
  readonly fallback: F;
  readonly min: number;
  readonly max: number;
  /** 0 is accepted below `min` as well, with a meaning of its own. */
  readonly orZero?: boolean;
}

/** Plain decimal digits only: `1e3`, `0x10`, `1.0`, `007` and ` 5` are likelier a mistake than a number. */
export function integer<F extends number | undefined>(options: IntegerOptions<F>): ConfigVariable<number | F> {
  const { meaning, fallback, min, max, orZero = false } = options;
  const accepts = `${orZero ? '0, or ' : ''}an integer from ${min} to ${max}`;
  return {
    meaning,
    accepts,
    fallback,
    shownFallback: fallback === undefined ? 'unset' : String(fallback),
    parse(raw) {
      if (!/^(0|[1-9]\d{0,15})$/.test(raw)) throw new Unacceptable(accepts);
      const value = Number(raw);
      if (!(orZero && value === 0) && (value < min || value > max)) throw new Unacceptable(accepts);
      return value;
    },
    show: showPlain,
  };
}

/** A duration. Below `min` (100 ms unless named) the fleet would spend its time on housekeeping. */
export function milliseconds(options: {
  readonly meaning: string;
  readonly fallback: number;
  readonly min?: number;
  readonly orZero?: boolean;
}): ConfigVariable<number> {
  return integer({ min: 100, ...options, max: MAX_TIMER_MS });
}

interface TextOptions<T> {
  readonly meaning: string;
  readonly accepts: string;
  readonly shownFallback?: string;
  readonly parse: (raw: string) => T;
  readonly show?: (raw: string) => string;
}

export function text<T extends string>(options: TextOptions<T> & { readonly fallback: T }): ConfigVariable<T> {
  return { shownFallback: options.fallback, show: showPlain, ...options };
}

/** Unset is a value of its own. */
export function optional<T = string>(options: TextOptions<T>): ConfigVariable<T | undefined> {
  return { shownFallback: 'unset', show: showPlain, fallback: undefined, ...options };
}

/** A parser of texts that only judges their form. */
export function matching(form: RegExp, accepts: string): (raw: string) => string {
  return (raw) => {
    if (!form.test(raw)) throw new Unacceptable(accepts);
    return raw;
  };
}
