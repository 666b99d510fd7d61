/** PROOF.md says what the results say, and nothing else. */
import { expect } from 'chai';
import { PLANTS } from '../../chaos/plants.js';
import { proofPage } from '../../chaos/report/page.js';
import { readProof, readResults } from '../../chaos/report/proof.js';

describe('PROOF.md', () => {
  it('is what the kept results give', async () => {
    expect(await readProof()).to.equal(proofPage(await readResults()));
  });

  it('has every planted fault found, and no violation in any run', async () => {
    const results = await readResults();
    const found = results.flatMap((result) => (result.kind === 'plant' && result.found ? [result.name] : []));
    expect(found).to.have.members(Object.keys(PLANTS));
    const runs = results.flatMap((result) => (result.kind === 'run' ? [result] : []));
    expect(runs).to.not.deep.equal([]);
    for (const { seed, violations } of runs) expect(violations, `seed ${seed}`).to.deep.equal({});
  });
});
