import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

test(
  '5,000 connections at once on one server exchange, and leave no descriptor',
  { timeout: 120_000 },
  async () => {
    const child = Peer.node(new URL('./fixtures/many.mjs', import.meta.url));
    const report = await child.report<{
      connections: number;
      answered: number;
      kilobytesEach: number;
      left: string[];
    }>();
    expect(report).toMatchObject({ connections: 5000, answered: 5000, left: [] });
    expect(report.kilobytesEach).toBeLessThan(16);
    expect(await child.ended).toMatchObject({ code: 0 });
  },
);
