import { describe, expect, test } from 'vitest';

import { compileSanitized, sanitizer } from './sanitized.js';
import { run } from './scripts.js';

const programs = [
  { source: 'header-fuzz.c', what: 'the C headers' },
  { source: 'native-fuzz.cc', what: 'the native code' },
] as const;

describe.each(programs)('$what', ({ source }) => {
  test('RING-010: whatever a hostile peer writes, nothing but the memory is touched', async (context) => {
    const program = await compileSanitized(source, 'address,undefined', context);
    const seed = String(Date.now() % 2 ** 31);
    const ended = await run(program, ['10000', seed]);
    expect(ended, `seed ${seed}`).toMatchObject({ code: 0, stderr: '' });
  });
});

test('RING-014: threads over the C headers and the native code have no race, and no torn message', async (context) => {
  for (const source of ['header-threads.c', 'native-threads.cc']) {
    const program = await compileSanitized(source, 'thread', context);
    const ended = await run(program, ['1']);
    expect(ended, source).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout, source).toMatch(/\d/);
  }
});

test('a race is found: the sanitizer is at work', async (context) => {
  const program = await compileSanitized('race.c', 'thread', context);
  expect((await run(program, [])).code).toBe(sanitizer.exitCode);
});
