import { execFileSync } from 'node:child_process';

import { describe, expect, test } from 'vitest';

import { broadcast, compileRacingPeers, racingPeer, racingPeers, value } from './racing.js';
import { missing } from './rings.js';
import { linesOf, vectors } from './vectors.js';

compileRacingPeers();

const COUNT = 2000;
const SEED = 3;

const languages = (['C', 'python', 'ours'] as const).filter(
  (name) => !missing(racingPeers[name].tool),
);

describe.each(languages)('%s', (language) => {
  test.each(languages)('sends a broadcast to two readers of %s', async (other) => {
    const { name } = broadcast({ capacity: 2048, maxMessageSize: 300 });
    const readers = await Promise.all(
      [1, 2].map(() => racingPeer(other, 'broadcast', name, 'receive', COUNT, SEED)),
    );
    const sender = await racingPeer(language, 'broadcast', name, 'send', COUNT, SEED);
    expect(await sender.ended).toMatchObject({ code: 0, stderr: '' });
    for (const reader of readers) {
      const { code, stdout, stderr } = await reader.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const [got = 0, missed = 0] = stdout.split('\n')[1]!.split(' ').map(Number);
      expect(got + missed).toBe(COUNT);
    }
  });

  test.each(languages)('sets a value that %s watches', async (other) => {
    const { name } = value({ maxSize: 300 });
    const watcher = await racingPeer(other, 'value', name, 'watch', COUNT, SEED);
    const writer = await racingPeer(language, 'value', name, 'set', COUNT, SEED);
    expect(await writer.ended).toMatchObject({ code: 0, stderr: '' });
    expect(await watcher.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe.each(languages.filter((name) => name !== 'ours'))('%s', (language) => {
  const [file, ...args] = racingPeers[language].command;

  test.each(['broadcast', 'value'] as const)('makes the vectors of a %s', (kind) => {
    expect(vectors[kind].length).toBeGreaterThan(2);
    for (const { script, memory } of vectors[kind]) {
      expect(linesOf(execFileSync(file, [...args, kind, 'dump', ...script]))).toEqual(memory);
    }
  });
});
