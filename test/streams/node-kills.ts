/**
 * The node that runs a call is killed at a moment chosen by chance, and another one started in its place: the call ends
 * all the same, soon, once, and without anything done twice that must not be.
 *
 * Each kill strikes several calls at once, of both kinds. Not here: clients that drop (resumption.ts).
 */
import { expect } from 'chai';
import type { Fleet } from '../support/fleet.js';
import { textOf } from '../support/json-rpc.js';
import type { NodeProcess } from '../support/node-process.js';
import { RawSession } from '../support/raw-client.js';
import { type Chance, withChance } from './chance.js';
import { expectGrowing, ResumingCall } from './resuming-call.js';
import { counted, quantile, size, tell } from './scale.js';
import { type StreamSuite, upTo } from './stream-suite.js';

const KILLS = size(1, 60);
const CALLS_OF_A_KIND = 4;
const STEPS = 16;
const DURATION_MS = 800;

/** Times the answers took after the kill, beyond what the tool itself takes. */
interface Waits {
  readonly rerun: number[];
  readonly refused: number[];
}

export const nodeKills =
  (leaseMs: number): StreamSuite =>
  (fleet) => {
    const strike = async (chance: Chance, waits: Waits): Promise<void> => {
      const victim = chance.pick(fleet().nodes);
      const calls = await Promise.all(
        upTo(2 * CALLS_OF_A_KIND).map(async (i) => {
          const call = new ResumingCall(await RawSession.open(fleet()));
          return { call, tool: i % 2 === 0 ? 'slow' : 'slow_count' };
        }),
      );
      await Promise.all(calls.map(({ call, tool }) => call.start(victim.url, tool, { ms: DURATION_MS, steps: STEPS })));
      await Promise.all(calls.map(({ call }) => call.reaches(1)));
      await chance.pick(calls).call.reaches(chance.between(1, 2 * STEPS));
      await fleet().kill(victim);
      const killedAt = performance.now();
      const replacement = fleet().addNode();
      const survivors = fleet().nodes.map(({ url }) => url);
      const ends = calls.map(async ({ call, tool }) => {
        expect(await call.connection.ended, 'the connection ends').to.equal(call.answers.length > 0);
        if (call.answers.length === 0) await resumeAndJudge(call, tool, chance.pick(survivors));
      });
      const resumeAndJudge = async (call: ResumingCall, tool: string, nodeUrl: string): Promise<void> => {
        await call.resume(nodeUrl);
        const answer = await call.answer();
        const waitedMs = (call.events.at(-1)?.at ?? 0) - killedAt;
        if (answer.error) {
          expect(tool).to.equal('slow_count');
          expect(answer.error.data).to.deep.include({ retryable: true });
          waits.refused.push(waitedMs);
        } else {
          const text = textOf(answer);
          expect(text).to.equal(tool === 'slow' ? `slow: ${STEPS} steps done` : '1');
          waits.rerun.push(waitedMs - DURATION_MS);
        }
      };
      await Promise.all(ends);
      for (const { call, tool } of calls) {
        expect(call.answers, 'answers').to.have.lengthOf(1);
        expectGrowing(call.progress);
        call.expectNoRepetition();
        if (tool === 'slow') expect(call.progress.at(-1)).to.equal(STEPS);
        else expect(textOf(await call.session.callTool('count')), 'done once, then counted').to.equal('2');
      }
      await replacement;
    };

    it(`end within one and a half leases, once, over ${counted(KILLS, 'kill')} with ${2 * CALLS_OF_A_KIND} calls each`, () =>
      withChance(async (chance) => {
        const waits: Waits = { rerun: [], refused: [] };
        for (let kill = 0; kill < KILLS; kill += 1) await strike(chance, waits);
        const show = (name: string, times: number[]): string =>
          `${name}: ${times.length}, p50 ${Math.round(quantile(times, 0.5))} ms, most ${Math.round(Math.max(...times))} ms`;
        tell(
          `beyond the tool, lease ${leaseMs} ms: ${show('run again', waits.rerun)}; ${show('refused', waits.refused)}`,
        );
        expect(Math.max(...waits.rerun, ...waits.refused)).to.be.below(1.5 * leaseMs);
      })).timeout(600_000);

    it('stay with the survivors when two of three nodes are killed at once', () =>
      withChance(async (chance) => {
        const [first, second, survivor] = fleet().nodes as [NodeProcess, NodeProcess, NodeProcess];
        const calls = await Promise.all(
          [first, second].map(async (node) => {
            const call = new ResumingCall(await RawSession.open(fleet()));
            await call.start(node.url, 'slow', { ms: DURATION_MS, steps: STEPS });
            await call.reaches(chance.between(1, STEPS));
            return call;
          }),
        );
        await killAll(fleet(), [first, second]);
        for (const call of calls) {
          await call.resume(survivor.url);
          expect(textOf(await call.answer())).to.equal(`slow: ${STEPS} steps done`);
          expectGrowing(call.progress);
        }
        await Promise.all([fleet().addNode(), fleet().addNode()]);
      }));
  };

const killAll = async (fleet: Fleet, nodes: readonly NodeProcess[]): Promise<void> => {
  await Promise.all(nodes.map((node) => fleet.kill(node)));
};
