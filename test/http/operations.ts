/** What operators ask a node: probes and metrics. */
import { expect } from 'chai';
import supertest from 'supertest';
import { eventually } from '../support/eventually.js';
import { RawSession } from '../support/raw-client.js';
import type { HttpSuite } from './target.js';

/** Name and type as CONTRACT fixes them. */
const METRICS = {
  mcp_sessions_active: 'gauge',
  mcp_sessions_created_total: 'counter',
  mcp_sessions_ended_total: 'counter',
  mcp_requests_total: 'counter',
  mcp_request_duration_seconds: 'histogram',
  mcp_transport_restorations_total: 'counter',
  mcp_streams_open: 'gauge',
  mcp_relayed_messages_total: 'counter',
  mcp_calls_recovered_total: 'counter',
  redis_up: 'gauge',
  redis_command_duration_seconds: 'histogram',
};

export const operations: HttpSuite = (target) => {
  const activeSessions = async (): Promise<number> => {
    const response = await supertest(target().url).get('/health').expect(200);
    return response.body.activeSessions as number;
  };

  it('tells balancers that it takes traffic', async () => {
    for (const path of ['/health', '/readyz']) {
      const { body } = await supertest(target().url).get(path).expect(200).expect('Content-Type', /json/);
      expect(body.status).to.equal('healthy');
      expect(body.nodeId).to.be.a('string').and.not.empty;
      expect(body.activeSessions).to.be.a('number');
      expect(body.timestamp).to.equal(new Date(body.timestamp).toISOString());
      expect(Math.abs(Date.now() - Date.parse(body.timestamp))).to.be.lessThan(60_000);
    }
    await supertest(target().url).get('/livez').expect(200);
  });

  it('counts the sessions that are alive', async () => {
    const before = await activeSessions();
    const opened = await Promise.all(Array.from({ length: 3 }, () => RawSession.open(target())));
    await eventually(async () => expect(await activeSessions()).to.equal(before + 3));
    await Promise.all(opened.map(async (session) => (await session.delete()).text()));
    await eventually(async () => expect(await activeSessions()).to.equal(before));
  });

  it('offers every metric of the contract, by name and type', async () => {
    for (const url of target().nodeUrls) {
      const { text } = await supertest(url)
        .get('/metrics')
        .expect(200)
        .expect('Content-Type', /^text\/plain/);
      for (const [name, type] of Object.entries(METRICS)) expect(text).to.include(`# TYPE ${name} ${type}`);
    }
  });

  it('counts requests by era, method and outcome, and never by what a client can invent', async () => {
    const session = await RawSession.open(target());
    const invented = 'invented/by-a-client-7f3a';
    for (const _ of target().nodeUrls) {
      await session.request('tools/list');
      await session.request(invented);
      await session.callTool('no-such-tool-7f3a');
    }
    const counted: string[] = [];
    for (const url of target().nodeUrls) {
      const { text } = await supertest(url).get('/metrics').expect(200);
      for (const secret of [invented, 'no-such-tool-7f3a', session.id]) expect(text).to.not.include(secret);
      counted.push(...(text.match(/^mcp_requests_total\{.*$/gm) ?? []));
    }
    const lists = counted.filter((line) => line.includes('method="tools/list"') && line.includes('era="legacy"'));
    expect(lists, counted.join('\n')).to.not.be.empty;
    for (const line of lists) expect(line).to.match(/outcome="\w+"/);
  });
};
