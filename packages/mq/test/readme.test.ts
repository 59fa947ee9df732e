import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

test.each(['examples/sensor.c', 'examples/worker.py', 'examples/c-and-python.mjs'])(
  'README.md shows %s as it is',
  (file) => {
    expect(read('README.md')).toContain(read(file));
  },
);

test.each(['c-and-python', 'one-loop', 'left-behind'])('examples/%s.mjs runs', async (name) => {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const program = Peer.node(new URL(`../examples/${name}.mjs`, import.meta.url), [], { cwd });
  expect(await program.ended).toMatchObject({ code: 0, stderr: '' });
});
