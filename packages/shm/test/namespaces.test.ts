// What takes a setting of the whole system, in a namespace of its own.
import { join } from 'node:path';

import { expect, test, type TestContext } from 'vitest';

import { freshKey } from './memories.js';
import { folder, run } from './scripts.js';

/** Runs a program with some namespaces of its own, after a preparation; skips where that is not allowed. */
async function apart(
  context: TestContext,
  { flags, prepare }: { flags: readonly string[]; prepare: string },
  program: readonly string[],
): Promise<string> {
  const allowed = await run('unshare', [...flags, 'sh', '-c', prepare]).catch(String);
  if (typeof allowed === 'string' || allowed.code !== 0) {
    context.skip(`unshare ${flags.join(' ')} and ${prepare}: not allowed here`);
  }
  const line = [...flags, 'sh', '-c', `${prepare} && exec "$@"`, 'sh', ...program];
  const ended = await run('unshare', line);
  expect(ended, ended.stderr).toMatchObject({ code: 0, signal: null });
  return ended.stdout.trim();
}

const node = (code: string): string[] => [
  process.execPath,
  '--input-type=commonjs',
  '--eval',
  `const { SharedMemory, SysvSharedMemory } = require('@octoipc/shm');
   const codeOf = (use) => { try { use(); return 'nothing'; } catch ({ code }) { return code; } };
   ${code}`,
];

test('SVSHM-003: a segment over kernel.shmmax is EINVAL', async (context) => {
  const prepare = 'echo 65536 > /proc/sys/kernel/shmmax';
  const code = `
    const open = (size) => SysvSharedMemory.open('private', { temporary: true, size });
    open(65536).close();
    console.log(codeOf(() => open(65537)));
  `;
  expect(await apart(context, { flags: ['-i'], prepare }, node(code))).toBe('EINVAL');
});

test('SVSHM-022: with kernel.shm_rmid_forced a segment goes with the last who has it, without it stays', async (context) => {
  const key = freshKey();
  const make = `SysvSharedMemory.open(${key}, { create: true, size: 64 })`;
  // In a process of its own, at whose end it is detached at the latest.
  const code = `
    require('node:child_process').execFileSync(process.execPath, ['--input-type=commonjs', '--eval',
      "require('@octoipc/shm').${make}.close()"], { stdio: 'inherit' });
    console.log(codeOf(() => SysvSharedMemory.open(${key}).close()));
  `;
  const with_ = (forced: number) => ({
    flags: ['-i'],
    prepare: `echo ${forced} > /proc/sys/kernel/shm_rmid_forced`,
  });
  expect(await apart(context, with_(1), node(code))).toBe('ENOENT');
  expect(await apart(context, with_(0), node(code))).toBe('nothing');
});

test('MEMFD-017: where vm.memfd_noexec is 2, memfds that can be executed are EACCES, and ours work', async (context) => {
  const how = {
    flags: ['-p', '-f', '--mount-proc'],
    prepare: 'echo 2 > /proc/sys/vm/memfd_noexec',
  };
  // MFD_EXEC; what asks for neither is refused before Linux 6.6, and not executable since.
  const python = [
    'python3',
    '-c',
    'import os\ntry: print(os.memfd_create("x", 0x10))\nexcept OSError as e: print(e.errno)',
  ];
  expect(await apart(context, how, python)).toBe('13');
  const code = `
    for (const sealable of [true, false]) {
      const memory = SharedMemory.memfd({ size: 64, sealable });
      memory.bytes[0] = 1;
      memory.close();
    }
    console.log('made');
  `;
  expect(await apart(context, how, node(code))).toBe('made');
});

test('SHM-020: pages for which a full file system has no room are zeroes and then ENOMEM, however many', async (context) => {
  const path = folder();
  const how = { flags: ['-m'], prepare: `mount -t tmpfs -o size=8m octoipc ${path}` };
  const code = `
    const { openSync, ftruncateSync } = require('node:fs');
    const fd = openSync(${JSON.stringify(join(path, 'holes'))}, 'w+');
    ftruncateSync(fd, 600 * 2 ** 20);
    const memory = SharedMemory.fromFd(fd);
    const { bytes } = memory;
    for (let at = 0; at < bytes.length; at += 8192) bytes[at] = 1;
    const last = bytes[bytes.length - 1];
    console.log(bytes[0], last, codeOf(() => memory.bytes), codeOf(() => memory.bytes));
  `;
  expect(await apart(context, how, node(code))).toBe('1 0 ENOMEM ENOMEM');
}, 60_000);
