import { open } from 'node:fs/promises';

import { pipe, popen } from '../index.js';
import { chunks } from './payload.js';
import { Tally } from './peer.js';
import type { Mechanism, Report, Row } from './row.js';

/** How much is spliced before the progress line moves. */
const PART = 4 * 1024 * 1024;

const CHUNK = 1024 * 1024;

/** The other process is a program that knows nothing of us, so there is no second one of ours. */
const peer = (): Promise<Report> => Promise.reject(new Error('the peer is a program of its own'));

/** Into a program inside the kernel, and its answer back. */
const sha256sum: Row = {
  name: 'sha256sum',
  what: 'hashed by sha256sum',

  async run({ payload, signal, begin, progress }) {
    const options = { signal, check: true, dieWithParent: true };
    const program = popen.popen(['sha256sum'], 'r+', options);
    begin();
    const answer = program.text();
    const file = await open(payload.path);
    let left = payload.size;
    try {
      while (left > 0) {
        const length = Math.min(left, PART);
        const moved = await pipe.splice(file.fd, program.stdin, { length, signal });
        progress(moved);
        if (moved < length) break;
        left -= moved;
      }
    } finally {
      await file.close();
      await program.end();
    }
    const digest = (await answer).slice(0, 64);
    return { bytes: payload.size, messages: 0, digest };
  },

  peer,
};

/** Through two programs and back, in both directions at once. */
const cat: Row = {
  name: 'cat',
  what: 'through cat | cat',

  async run({ payload, signal, begin, progress }) {
    const options = { signal, check: true, dieWithParent: true };
    const line = popen.pipeline([['cat'], ['cat']], 'r+', options);
    begin();
    const feed = async (): Promise<void> => {
      for await (const chunk of chunks(payload, CHUNK, signal)) await line.write(chunk, { signal });
      await line.end();
    };
    const drain = async (): Promise<Tally> => {
      const tally = new Tally();
      for await (const chunk of line) {
        tally.add(chunk);
        progress(chunk.length);
      }
      return tally;
    };
    const [tally] = await Promise.all([drain(), feed()]);
    return tally.ofBytes();
  },

  peer,
};

/** Programs that are started and spoken to: what goes in comes out as they make it. */
export const popenTour: Mechanism = {
  name: 'popen',
  purpose: 'a program at the other end of a pipe, with its output and its status',
  rows: [sha256sum, cat],
};
