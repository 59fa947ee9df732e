import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

test('README.md shows examples/python.mjs as it is', () => {
  expect(read('README.md')).toContain(read('examples/python.mjs'));
});

test.each(['python', 'owner-killed'])('examples/%s.mjs runs', async (name) => {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const program = Peer.node(new URL(`../examples/${name}.mjs`, import.meta.url), [], { cwd });
  expect(await program.ended).toMatchObject({ code: 0, stderr: '' });
});
