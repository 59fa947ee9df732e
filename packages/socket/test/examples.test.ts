import { tmpdir } from 'node:os';

import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

test.each([
  ['pass-descriptors', 'the first line: {\n'],
  ['restart', 'old: who?\ntrue\n'],
  ['sd-notify', 'READY=1 true\nWATCHDOG=1\n'],
  ['syslog', '<14>example[PID]: hello\n'],
  ['peer-check', 'true true\ntrue\n'],
])('examples/%s.mjs runs, and prints what it says', async (name, stdout) => {
  const example = new URL(`../examples/${name}.mjs`, import.meta.url);
  const program = Peer.node(example, [], { cwd: tmpdir() });
  expect(await program.ended).toMatchObject({ code: 0, stderr: '', stdout });
});
