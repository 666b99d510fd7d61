/** Dashboard, alerts and metrics: what operators look at is what nodes really say. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { metricOf, returned, startProbeFleet } from '../cluster/probe-fleet.js';
import { callTool } from '../modern/modern-client.js';
import { eventually } from '../support/eventually.js';
import type { Fleet } from '../support/fleet.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';
import { type RedisServer, startRedis } from '../support/redis.js';

const pathOf = (file: string): string => fileURLToPath(new URL(`../../deploy/${file}`, import.meta.url));
const read = (file: string): string => readFileSync(pathOf(file), 'utf8');

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { query: string } }[];
  };
}
interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const dashboard = JSON.parse(read('grafana/anynode.json')) as Dashboard;
const alerts = (parse(read('prometheus/alerts.yml')) as Rules).groups.flatMap(({ rules }) => rules);
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const EXPRESSIONS: readonly (readonly [string, string])[] = [
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [`panel ${title}`, expr] as const)),
  ...dashboard.annotations.list.map(({ expr }) => ['annotation', expr] as const),
  ...alerts.map(({ alert, expr }) => [`alert ${alert}`, expr] as const),
];

/** Words of PromQL that are no metrics. */
const WORDS = new Set(['sum', 'min', 'max', 'count', 'rate', 'increase', 'histogram_quantile', 'by', 'and', 'or']);
/** Added by Prometheus when it scrapes. */
const OF_THE_SCRAPE = new Set(['job', 'instance', 'le']);

interface Use {
  readonly metric: string;
  readonly labels: readonly string[];
  readonly rated: boolean;
}

/** The series that an expression uses: name, labels it matches, and whether it is taken as a counter. */
function usesOf(expression: string): Use[] {
  const uses: Use[] = [];
  const bare = expression.replace(/\bby\s*\([^)]*\)|\[[^\]]*\]/g, ' ');
  for (const [, before = '', metric = '', matchers = ''] of bare.matchAll(
    /(\w+\(\s*)?\b([a-z_]\w*)\b(?!\s*\()(?:\{([^}]*)\})?/g,
  )) {
    if (WORDS.has(metric) || !/_|^up$/.test(metric)) continue;
    const labels = [...matchers.replace(/"[^"]*"/g, '""').matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(
      ([, name]) => `${name}`,
    );
    uses.push({ metric, labels, rated: /^(rate|increase)\(/.test(before) });
  }
  return uses;
}

/** Types and labels by name of series, as Prometheus reads them. */
function seriesOf(text: string): { types: Map<string, string>; labels: Map<string, Set<string>>; helpless: string[] } {
  const types = new Map<string, string>();
  const labels = new Map<string, Set<string>>();
  const helped = new Set([...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => `${name}`));
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  for (const [, name = '', type = ''] of families) {
    types.set(name, type);
    if (type === 'histogram') for (const part of ['bucket', 'sum', 'count']) types.set(`${name}_${part}`, 'counter');
  }
  for (const [, name = '', list = ''] of text.matchAll(/^([a-z_]\w*)(?:\{(.*)\})? \S+$/gm)) {
    const known = labels.get(name) ?? new Set();
    for (const [, label] of list.matchAll(/(\w+)="/g)) known.add(`${label}`);
    labels.set(name, known);
  }
  return { types, labels, helpless: families.map(([, name]) => `${name}`).filter((name) => !helped.has(name)) };
}

describe('what operators see', function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let fleet: Fleet;
  let node: NodeProcess;
  before(async () => {
    redis = await startRedis();
    fleet = await startProbeFleet({ nodes: 2, redis, env: { NODE_LEASE_MS: '3000' } });
    node = fleet.nodes[0] as NodeProcess;
  });
  after(async () => {
    await fleet?.stop();
    await redis?.stop();
  });
  const scrape = async (): Promise<string> => (await fetch(`${node.url}/metrics`)).text();
  const value = async (name: string): Promise<number> => {
    const line = (await scrape()).split('\n').find((one) => one.startsWith(`${name} `) || one.startsWith(`${name}{`));
    return Number(line?.slice(line.lastIndexOf(' ')));
  };

  it('uses metrics that nodes have, with labels that they have, counters as counters', async () => {
    const session = await RawSession.open(fleet, { node: 0 });
    await session.callTool('report', { steps: 1 }, { node: 0 });
    const { types, labels, helpless } = seriesOf(await scrape());
    expect(helpless).to.deep.equal([]);
    expect(EXPRESSIONS.length).to.be.greaterThan(40);
    for (const [where, expression] of EXPRESSIONS) {
      const uses = usesOf(expression);
      expect(uses, `${where}: ${expression}`).to.not.be.empty;
      for (const { metric, labels: used, rated } of uses) {
        if (metric === 'up') continue;
        expect(types.has(metric), `${where}: ${metric}`).to.equal(true);
        expect(types.get(metric) === 'counter', `${where}: ${metric} as a counter`).to.equal(rated);
        const unknown = used.filter((label) => !OF_THE_SCRAPE.has(label) && !labels.get(metric)?.has(label));
        expect(unknown, `${where}: labels of ${metric}`).to.deep.equal([]);
      }
    }
  });

  it('has a dashboard whose panels have a title, a query, and a place of their own', () => {
    expect(panels.length).to.be.greaterThan(20);
    const places = new Set<string>();
    for (const panel of dashboard.panels as readonly (Panel & { gridPos: { x: number; y: number }; id: number })[]) {
      expect(panel.title).to.not.equal('');
      if (panel.type !== 'row') expect(panel.targets, panel.title).to.not.be.empty;
      places.add(`${panel.gridPos.x},${panel.gridPos.y}`).add(`id ${panel.id}`);
    }
    expect(places.size).to.equal(dashboard.panels.length * 2);
    expect(dashboard.templating.list.map(({ name }) => name)).to.deep.equal(['datasource', 'job', 'instance']);
  });

  it('has rules that promtool accepts, and that answer to what they should', function () {
    const run = (...args: string[]) => spawnSync('promtool', args, { cwd: pathOf('prometheus'), encoding: 'utf8' });
    if (run('--version').error && process.env.CI !== 'true') {
      console.log('      promtool is not on PATH (Debian: prometheus): the alert rules were not run');
      this.skip();
    }
    for (const args of [
      ['check', 'rules', 'alerts.yml'],
      ['test', 'rules', 'alerts.test.yml'],
    ]) {
      const { status, stdout, stderr } = run(...args);
      expect(status, `promtool (Debian: prometheus) ${args.join(' ')}:\n${stdout}\n${stderr}`).to.equal(0);
    }
  });

  it('has every alert in the tests of the rules', () => {
    const tested = read('prometheus/alerts.test.yml');
    for (const { alert } of alerts) expect(tested, alert).to.include(alert);
  });

  it('counts running calls, connections, stored events and their bytes', async () => {
    const session = await RawSession.open(fleet, { node: 0 });
    const [events, bytes] = [await value('mcp_stream_events_total'), await value('mcp_stream_bytes_total')];
    const call = await session.startTool('wait_for', { key: 'counted' }, { node: 0 });
    await call.response.waitForEvent(({ id }) => id !== undefined, 'an event with an id');
    const running = async (): Promise<number> => metricOf(fleet, 'mcp_calls_running', 'era="legacy"');
    await eventually(async () => expect(await running()).to.equal(1));
    expect(await value('mcp_http_connections_open')).to.be.greaterThan(0);
    await session.callTool('remember', { key: 'counted', value: 'x'.repeat(1000) }, { node: 1 });
    expect(returned(await call.answer()).value).to.have.length(1000);
    await eventually(async () => expect(await running()).to.equal(0));
    expect(await value('mcp_stream_events_total')).to.equal(events + 2);
    expect((await value('mcp_stream_bytes_total')) - bytes).to.be.within(1000, 2000);
    await callTool(fleet, 'self');
  });

  it('shows letters that wait, and the age of the lease, which heartbeats keep young', async () => {
    expect(await value('mcp_inbox_depth')).to.equal(0);
    expect(await value('mcp_node_lease_seconds')).to.equal(3);
    expect(await value('mcp_node_lease_age_seconds')).to.be.within(0, 3);
    expect(await value('mcp_node_draining')).to.equal(0);
    expect(await scrape()).to.include('mcp_node_info{store="redis"} 1');
  });

  it('never makes a scrape wait or fail while Redis is away, and shows that it is', async () => {
    process.kill(redis.pid, 'SIGSTOP');
    try {
      await eventually(async () => {
        const response = await fetch(`${node.url}/metrics`);
        expect(response.status).to.equal(200);
        expect(await response.text()).to.match(/^redis_up 0$/m);
      });
      expect(await value('redis_breaker_opened_total')).to.equal(1);
      const age = await value('mcp_node_lease_age_seconds');
      await eventually(async () => expect(await value('mcp_node_lease_age_seconds')).to.be.greaterThan(age));
      expect(await value('mcp_inbox_depth')).to.equal(0);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
    await eventually(async () => expect(await value('redis_up')).to.equal(1));
  });
});
