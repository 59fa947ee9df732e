import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { run } from './scripts.js';

test(
  'whatever is thrown at the surface is an error or nothing, for some seconds',
  { timeout: 120_000 },
  async () => {
    const program = fileURLToPath(new URL('fuzz/shm.mjs', import.meta.url));
    const seed = String(Date.now() % 2 ** 31);
    const ended = await run(process.execPath, ['--expose-gc', program, '3', seed]);
    expect(ended, `seed ${seed}: ${ended.stderr}`).toMatchObject({ code: 0, signal: null });
  },
);
