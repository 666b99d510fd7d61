/** The bars of a run as SVG. Its colours hold on light and on dark ground; the texts follow the reader's scheme. */
import { contestant } from '../contestants/index.js';
import type { Result } from '../peers.js';

const WIDTH = 760;
const LABELS = 250;
const BAR = 18;
const GAP = 6;
const TITLE = 34;
const OURS = '#2f81f7';
const THEIRS = '#9a8c7a';
const LIMIT = '#5f9e6e';

export function toChart(results: readonly Result[], workloads: readonly string[]): string {
  const parts: string[] = [];
  let y = 12;
  for (const id of workloads) {
    const result = results.find(({ workload }) => workload.id === id);
    if (!result) continue;
    parts.push(text(12, y + 16, result.workload.title.replaceAll('`', ''), 'title'));
    y += TITLE;
    const longest = Math.max(...result.figures.map(({ cpu }) => cpu));
    for (const { id: name, cpu } of result.figures) {
      const width = Math.max(2, ((WIDTH - LABELS - 90) * cpu) / longest);
      const colour = name.startsWith('anynode') ? OURS : name.startsWith('limit') ? LIMIT : THEIRS;
      parts.push(text(LABELS - 10, y + 13, contestant(name).label, 'label'));
      parts.push(`<rect x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2" fill="${colour}"/>`);
      parts.push(text(LABELS + width + 8, y + 13, `${cpu.toFixed(3)} ms`, 'figure'));
      y += BAR + GAP;
    }
    y += 12;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="Processor time per request, side by side">
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 13px; }
.label { text-anchor: end; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } }
</style>
${parts.join('\n')}
</svg>
`;
}

function text(x: number, y: number, words: string, kind: string): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" class="${kind}">${escaped}</text>`;
}
