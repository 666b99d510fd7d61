/** The words and tables of PROOF.md. */
import type { Result } from './summary.js';

export function proofPage(results: readonly Result[]): string {
  return `# Proof\n\n${results.length}\n`;
}
