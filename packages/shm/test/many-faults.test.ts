// More faults than a process can have mappings (vm.max_map_count is 65,530), in processes of their own, which
// one that nobody answers for would end. The objects are holes: nearly no memory is used.
import { expect, test } from 'vitest';

import { runScript, sharedNode, type Ended } from './scripts.js';

const PRELUDE = `
  const { ftruncateSync, openSync, readFileSync } = require('node:fs');
  const { SharedMemory, SysvSharedMemory } = require('@octoipc/shm');
  const PAGE = 4096;
  const mappings = () => readFileSync('/proc/self/maps', 'latin1').split('\\n').length;
  const anew = (memory, flags) => openSync('/proc/self/fd/' + memory.fd, flags);
  function large(size) {
    const memory = SharedMemory.memfd({ size: PAGE });
    ftruncateSync(memory.fd, size);
    return memory;
  }
  function codeOf(use) {
    try { use(); return 'nothing'; } catch ({ code }) { return code; }
  }
`;

async function said(code: string, node?: string): Promise<unknown> {
  const ended: Ended = await runScript(`${PRELUDE}${code}`, [], node);
  expect(ended, ended.stderr).toMatchObject({ code: 0, signal: null });
  return JSON.parse(ended.stdout);
}

const STORING = `
  const { bytes } = reader;
  const before = mappings();
  for (let i = 0; i < bytes.length; i += PAGE) bytes[i] = 1;
  const grown = mappings() - before;
  const codes = [codeOf(() => reader.bytes), codeOf(() => reader.bytes)];
  // The object's own pages are back.
  memory.bytes[1] = 7;
  const seen = [bytes[0], bytes[1], bytes[bytes.length - PAGE]];
  // And a store is undone again.
  bytes[0] = 1;
  codes.push(codeOf(() => reader.bytes));
  console.log(JSON.stringify([codes, seen, bytes[0], grown < 3000]));
`;

test.each([
  [
    'a memfd',
    `const memory = large(320 * 2 ** 20);
     const reader = SharedMemory.fromFd(anew(memory, 'r'), { readOnly: true });`,
  ],
  [
    'a System V segment',
    `const memory = SysvSharedMemory.open('private', { temporary: true, size: 320 * 2 ** 20 });
     const reader = SysvSharedMemory.fromId(memory.id, { readOnly: true });
     memory.remove();`,
  ],
])(
  'SHM-032: a store into each of 80,000 pages of a read-only mapping of %s is undone',
  { timeout: 60_000 },
  async (_, open) => {
    expect(await said(`${open}${STORING}`)).toEqual([
      ['EACCES', 'nothing', 'EACCES'],
      [0, 7, 0],
      0,
      true,
    ]);
  },
);

test(
  'SHM-032: stores into read-only memory do no harm where no mapping is left',
  { timeout: 60_000 },
  async () => {
    const code = `
    const readers = [];
    const memory = large(16 * 2 ** 20);
    // Every other page, so that none of the mappings are one: each of 40 has some 2000 of them.
    for (let i = 0; i < 40; i++) {
      const reader = SharedMemory.fromFd(anew(memory, 'r'), { readOnly: true });
      readers.push(reader);
      const { bytes } = reader;
      for (let at = 0; at < 1990 * PAGE; at += 2 * PAGE) bytes[at] = 1;
    }
    console.log(JSON.stringify(readers.map((reader) => codeOf(() => reader.bytes))));
  `;
    expect(await said(code)).toEqual(Array(40).fill('EACCES'));
  },
);

test(
  'SHM-017: a truncation while every other of 180,000 pages is touched does no harm, before and after close()',
  { timeout: 60_000 },
  async (context) => {
    const cut = (close: string): string => `
    const size = 700 * 2 ** 20;
    const memory = large(size);
    const other = anew(memory, 'r+');
    memory.resize(size);
    const { bytes } = memory;
    ${close}
    ftruncateSync(other, 1);
    const before = mappings();
    for (let i = 2 * PAGE; i < bytes.length; i += 2 * PAGE) bytes[i] = 1;
    console.log(JSON.stringify([bytes.length, bytes[2 * PAGE], bytes[size - 1], mappings() - before < 100]));
  `;
    const size = 700 * 2 ** 20;
    expect(await said(cut(''))).toEqual([size, 1, 0, true]);
    const node = await sharedNode(context);
    expect(await said(cut('memory.close();'), node)).toEqual([size, 1, 0, true]);
  },
);

test(
  'a seal against writing that fails leaves the handle writable, whoever stores meanwhile',
  { timeout: 60_000 },
  async () => {
    const code = `
    const { randomFill } = require('node:crypto');
    (async () => {
      const codes = new Set();
      let refused = 0;
      for (let i = 0; i < 60; i++) {
        const memory = SharedMemory.memfd({ size: 1 << 20 });
        const other = SharedMemory.fromFd(anew(memory, 'r+'));
        const filled = new Promise((resolve) => randomFill(memory.bytes, resolve));
        for (let k = 0; k < 100; k++) codes.add(codeOf(() => memory.seal('write')));
        await filled;
        codes.add(codeOf(() => memory.bytes));
        memory.bytes[0] = 7;
        if (memory.readOnly || other.read(0, 1)[0] !== 7) codes.add('lost');
        other.close();
        memory.seal('write');
        memory.bytes[0] = 8;
        codes.add(codeOf(() => memory.bytes));
        if (!memory.readOnly || memory.bytes[0] !== 7) codes.add('written');
        memory.close();
      }
      console.log(JSON.stringify([...codes].sort()));
    })();
  `;
    expect(await said(code)).toEqual(['EACCES', 'EBUSY', 'nothing']);
  },
);

test(
  '100,000 memories are opened, used and closed without a turn of the event loop',
  { timeout: 120_000 },
  async (context) => {
    const code = `
    for (let i = 0; i < 100_000; i++) {
      const memory = SharedMemory.memfd({ size: PAGE });
      memory.bytes[0] = 1;
      memory.close();
    }
    console.log(JSON.stringify(mappings() < 60_000));
  `;
    const nodes = new Set([process.execPath, await sharedNode(context)]);
    for (const node of nodes) expect(await said(code, node)).toBe(true);
  },
);

test('memory of a worker that has ended is not mapped anew from what has its descriptor’s number now', async (context) => {
  const code = `
    const { writeFileSync, unlinkSync } = require('node:fs');
    const { Worker } = require('node:worker_threads');
    const worker = new Worker(
      \`
        const { SharedMemory } = require('@octoipc/shm');
        const { parentPort } = require('node:worker_threads');
        const memory = SharedMemory.memfd({ size: 2000 * 4096 });
        memory.bytes.fill(65);
        const { openSync } = require('node:fs');
        const reader = SharedMemory.fromFd(openSync('/proc/self/fd/' + memory.fd, 'r'), { readOnly: true });
        parentPort.postMessage([reader.buffer, reader.fd]);
        setInterval(() => [memory, reader], 1000);
      \`,
      { eval: true },
    );
    worker.once('message', async ([buffer, fd]) => {
      await worker.terminate();
      const path = '/dev/shm/octoipc-test-other-' + process.pid;
      writeFileSync(path, Buffer.alloc(2000 * PAGE, 66));
      let number;
      do number = openSync(path, 'r'); while (number < fd);
      unlinkSync(path);
      const bytes = new Uint8Array(buffer);
      for (let i = 0; i < 1500; i++) bytes[i * PAGE] = 1;
      console.log(JSON.stringify([number === fd, [...new Set(bytes.subarray(1600 * PAGE))]]));
    });
  `;
  expect(await said(code, await sharedNode(context))).toEqual([true, [65]]);
});
