/** Planted faults fit into the product as it is compiled now; whether they are found, `npm run chaos -- --plant all` says. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { PLANTS, plantBuild } from '../../chaos/plants.js';

describe('a planted fault', () => {
  for (const [name, plant] of Object.entries(PLANTS)) {
    it(`is in a copy of the product: ${name}`, async () => {
      const build = await plantBuild(plant);
      for (const { file, to } of plant.patches) expect(await readFile(join(build.dist, file), 'utf8')).to.include(to);
      await build.remove();
      expect(existsSync(build.dist)).to.equal(false);
    });
  }

  it('that does not fit is refused, and not taken for found', async () => {
    const misfit = { what: '', breaks: [], faults: [], patches: [{ file: 'main.js', from: 'no such text', to: '' }] };
    const outcome = await plantBuild(misfit).then(
      () => 'planted',
      (error: Error) => error.message,
    );
    expect(outcome).to.match(/does not fit/);
  });
});
