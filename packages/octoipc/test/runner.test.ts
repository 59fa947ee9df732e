import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { inspectPayload } from '../src/tour/payload.js';
import { pipeTour } from '../src/tour/pipe.js';
import type { Outcome, RowResult, Stage } from '../src/tour/row.js';
import { runTour, type TourOptions } from '../src/tour/tour.js';
import { command, file } from './command.js';

const fixture = (name: string): string => join(import.meta.dirname, 'fixtures', name);

/** Runs the rows of pipe against this program in place of the command. */
async function tour(program: string, options?: Partial<TourOptions>): Promise<RowResult[]> {
  const payload = await inspectPayload(file('x'.repeat(300_000)));
  return await runTour({ mechanisms: [pipeTour], payload, program, ...options });
}

/** Runs one row that does this. */
async function row(run: (stage: Stage) => Promise<Outcome>): Promise<RowResult> {
  const mechanism = {
    name: 'test',
    purpose: '',
    rows: [{ name: 'row', what: 'a test', run, peer }],
  };
  return (await tour(command, { mechanisms: [mechanism], patience: 300 }))[0]!;
}

const peer = (): Promise<never> => Promise.reject(new Error('this test has no peer'));

describe('runTour()', () => {
  it('verifies what the command receives, and leaves no descriptor open', async () => {
    await tour(command);
    const before = readdirSync('/proc/self/fd').length;
    for (const result of await tour(command)) {
      expect(result).toMatchObject({ bytes: 300_000, verified: true });
      expect(result).not.toHaveProperty('error');
    }
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });

  it.each([
    ['lies about the SHA-256', 'digest'],
    ['received too little', 'bytes'],
    ['reports that it failed', 'error'],
    ['ends without a word', 'silence'],
    ['ends while it is sent to', 'death'],
    ['is killed', 'kill'],
    ['says what nobody understands', 'noise'],
  ])('verifies nothing when the peer %s', async (_, how) => {
    process.env['OCTOIPC_TEST_PEER'] = how;
    for (const result of await tour(fixture('false-peer.mjs'))) {
      expect(result.verified).toBe(false);
      expect(result.error).toMatch(/\S/);
    }
  });

  it('verifies nothing, and leaves no descriptor open, when the peer never answers', async () => {
    process.env['OCTOIPC_TEST_PEER'] = 'patience';
    await tour(fixture('false-peer.mjs'), { patience: 300 });
    const before = readdirSync('/proc/self/fd').length;
    const results = await tour(fixture('false-peer.mjs'), { patience: 300 });
    expect(results).toMatchObject([{ verified: false }, { verified: false }]);
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });

  it('reports a row that throws, and goes on with the next', async () => {
    const fails = { name: 'a', what: 'a', run: peer, peer };
    const holds = { ...fails, run: () => Promise.resolve({ messages: 1, held: true }) };
    const mechanisms = [{ name: 'test', purpose: '', rows: [fails, holds] }];
    const results = await tour(command, { mechanisms });
    expect(results.map(({ verified }) => verified)).toEqual([false, true]);
    expect(results[0]!.error).toBe('this test has no peer');
  });

  it('ends a row that waits for ever, whether it heeds its signal or not', async () => {
    const { verified, error } = await row(() => new Promise(() => undefined));
    expect(verified).toBe(false);
    expect(error).toMatch(/\S/);
  });

  it('lets a row take its time as long as it makes progress', async () => {
    const { verified } = await row(async (stage) => {
      for (let step = 0; step < 6; step++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        stage.progress(1);
      }
      return { messages: 6, held: true };
    });
    expect(verified).toBe(true);
  });

  it('takes the word of a row that moves no bytes', async () => {
    const results = [
      await row(async () => ({ messages: 3, held: true })),
      await row(async () => ({ messages: 3, held: false })),
    ];
    expect(results).toMatchObject([
      { bytes: 0, messages: 3, megabytesPerSecond: 0, verified: true },
      { bytes: 0, messages: 3, megabytesPerSecond: 0, verified: false, error: /\S/ },
    ]);
  });

  it("rejects with the signal's reason when it is interrupted", async () => {
    process.env['OCTOIPC_TEST_PEER'] = 'patience';
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(tour(fixture('false-peer.mjs'), { signal })).rejects.toBe(reason);
    const controller = new AbortController();
    const watcher = {
      start: () => setImmediate(() => controller.abort(reason)),
      progress() {},
      end() {},
    };
    const interrupted = tour(fixture('false-peer.mjs'), { signal: controller.signal, watcher });
    await expect(interrupted).rejects.toBe(reason);
  });
});
