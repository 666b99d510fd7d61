/** The report, for people. */
import type { Examination } from './examine.js';
import type { Advice, Finding, Level } from './finding.js';

const MARKS: Readonly<Record<Level, string>> = { ok: 'ok', warning: 'WARNING', problem: 'PROBLEM', skipped: '-' };
const NAMES: Readonly<Record<keyof Advice, string>> = {
  nginx: 'nginx',
  alb: 'ALB',
  ingress: 'ingress-nginx',
  anynode: 'anynode',
  redis: 'Redis',
};

export function renderReport(address: string, { findings, leftBehind }: Examination): string {
  const lines = [`anynode doctor ${address}`, ''];
  for (const finding of findings) lines.push(...renderFinding(finding));
  lines.push('', summaryOf(findings));
  if (leftBehind > 0)
    lines.push(`${leftBehind} session(s) could not be ended; they end after SESSION_TTL_MS without use.`);
  return `${lines.join('\n')}\n`;
}

function renderFinding({ check, level, seen, change = {} }: Finding): string[] {
  const lines = [`  ${MARKS[level].padEnd(8)} ${check.padEnd(17)} ${seen}`];
  for (const [key, name] of Object.entries(NAMES) as [keyof Advice, string][]) {
    if (change[key] !== undefined) lines.push(`${' '.repeat(29)}${name.padEnd(14)} ${change[key]}`);
  }
  return lines;
}

export const countOf = (findings: readonly Finding[], level: Level): number =>
  findings.filter((finding) => finding.level === level).length;

function summaryOf(findings: readonly Finding[]): string {
  const counts = (['problem', 'warning', 'ok', 'skipped'] as const).map((level) => [level, countOf(findings, level)]);
  return counts
    .map(([level, count]) => `${count} ${level === 'ok' || level === 'skipped' ? level : `${level}(s)`}`)
    .join(', ');
}
