import type { Options } from '../options.js';
export async function runScale(_options: Options): Promise<void> {}
