// Throws arguments, good and bad, at everything that this package has, in an order that a seed decides. Whatever it
// throws must be an IpcError or an argument error; whatever happens to the objects meanwhile, the process lives.
import { randomFill } from 'node:crypto';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SharedMemory, SysvSharedMemory, ftok } from '@octoipc/shm';

const [seconds = '10', seed = '1'] = process.argv.slice(2);

/** A generator of numbers below 1 that a seed decides. */
let state = Number(seed) >>> 0;
function random() {
  state = (Math.imul(state ^ (state >>> 15), state | 1) + 0x6d2b79f5) >>> 0;
  return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
}
const below = (count) => Math.floor(random() * count);
const one = (list) => list[below(list.length)];

const ODD = [undefined, null, -1, 1.5, NaN, Infinity, 2 ** 31, 2 ** 53, 'x', '', {}, [], true, 1n];
const NO_ID = [undefined, null, -1, 1.5, NaN, 2 ** 31, 'x', {}];
const odd = (good) => (random() < 0.3 ? one(ODD) : good());
/** Not 2 GiB, which is no mistake, but takes its time. */
const size = () => {
  const large = random() < 0.02;
  const value = odd(() =>
    large ? 1 + below(1 << 23) : one([1, 4, 100, 4096, 4097, 65536, 1 << 18]),
  );
  return value === 2 ** 31 ? 2 ** 31 - 0.5 : value;
};
const offset = () => odd(() => one([0, 1, 4, 8, 100, 4092, 4096, 65532]));
const HUGE = [false, false, false, false, true, '2MB', '1GB', 'bogus'];
const VIEWS = [Uint8Array, Int32Array, Float64Array, BigInt64Array, DataView, Array, undefined];
const SEALS = ['shrink', 'grow', 'write', 'future-write', 'seal', 'bogus'];
const ADVICE = ['normal', 'random', 'sequential', 'willneed', 'dontneed', 'dontfork', 'bogus'];

const memories = [];
const name = `/octoipc-fuzz-${process.pid}`;
/** Keys that nobody has: whatever is made under them is this program's. */
const held = new Set(SysvSharedMemory.list({ holders: false }).map(({ key }) => key));
const keys = Array.from(
  { length: 8 },
  (_, i) => 0x4f000000 + (process.pid % 0xffff) * 256 + i,
).filter((key) => !held.has(key));
// Of its own: what is opened to read may be opened anew to write, and cut.
const folder = mkdtempSync(join(tmpdir(), 'octoipc-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
// A path may be odd, too.
process.chdir(folder);
const file = join(folder, 'file');
writeFileSync(file, Buffer.alloc(5000));

const opening = [
  () =>
    SharedMemory.memfd({
      size: size(),
      name: odd(() => 'fuzz'),
      sealable: odd(() => random() < 0.9),
      hugePages: odd(() => one(HUGE)),
    }),
  () =>
    SharedMemory.open(name, { temporary: true, size: size(), readOnly: odd(() => random() < 0.2) }),
  () => SharedMemory.open(odd(() => name)),
  () => SysvSharedMemory.open('private', { temporary: true, size: size() }),
  () =>
    SysvSharedMemory.open(one(keys), { temporary: true, size: size(), exclusive: random() < 0.3 }),
  () =>
    SysvSharedMemory.open(
      odd(() => one(keys)),
      { readOnly: odd(() => random() < 0.3) },
    ),
  () =>
    SysvSharedMemory.fromId(
      odd(() => one(memories)?.id ?? -1),
      { readOnly: random() < 0.3 },
    ),
  () =>
    SharedMemory.file(
      odd(() => file),
      { readOnly: true },
    ),
  () =>
    SharedMemory.file(
      odd(() => join(folder, String(below(3)))),
      { create: odd(() => true), size: size() },
    ),
  () => {
    const fd = openSync(`/proc/self/fd/${one(memories).fd}`, one(['r', 'r+']));
    try {
      return SharedMemory.fromFd(fd, {
        readOnly: one([undefined, true, false]),
        requireSeals: odd(() => Array.from({ length: below(2) }, () => one(SEALS))),
      });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  },
];

function touch(memory) {
  const bytes = memory.bytes;
  for (let i = 0; i < 20; i++) bytes[below(bytes.length)] = i;
  if (random() < 0.2) bytes.fill(i8());
  if (random() < 0.1) randomFill(bytes, () => {});
  if (bytes.length >= 8) Atomics.add(memory.view(Int32Array, 0, 1), 0, 1);
}
const i8 = () => below(256);

/** One byte a page: more pages than are mended one by one, where it is large. */
function touchPages(memory) {
  const { bytes } = memory;
  const step = 4096 * (1 + below(2));
  for (let i = 0; i < bytes.length; i += step) bytes[i] = 1;
}

function copy(memory) {
  const count = memory.byteLength;
  const at = below(count);
  const bytes = memory.read(at, below(count - at));
  if (!memory.readOnly) memory.write(at, bytes);
}

const using = [
  touch,
  touch,
  touchPages,
  copy,
  (memory) => memory.read(offset(), odd(offset)),
  (memory) =>
    memory.write(
      offset(),
      odd(() => Buffer.alloc(below(5000), 1)),
    ),
  (memory) => ftruncateSync(memory.fd, one([1, 4096, 5000, 100_000])),
  (memory) =>
    memory.view(
      one(VIEWS),
      offset(),
      odd(() => below(10)),
    ),
  (memory) => memory.wait(offset(), odd(i8), { timeout: odd(() => below(3)) }).catch(expected),
  (memory) => memory.wait(offset(), 0, { signal: AbortSignal.timeout(below(5)) }).catch(expected),
  (memory) => memory.waitSync(offset(), odd(i8), { timeout: one([0, 1, -1, NaN, 'x', null]) }),
  (memory) =>
    memory.notify(
      offset(),
      odd(() => below(5)),
    ),
  (memory) => memory.resize(size()),
  (memory) => memory.seal(...Array.from({ length: below(3) }, () => one(SEALS))),
  (memory) => memory.seals,
  (memory) => memory.sync({ byteOffset: offset(), length: offset() }),
  (memory) => memory.advise(one(ADVICE), { byteOffset: offset(), length: offset() }),
  (memory) => memory.lockInMemory(),
  (memory) => memory.unlockFromMemory(),
  (memory) => memory.ref(),
  (memory) => memory.unref(),
  (memory) => memory.stat(),
  (memory) => memory.setStat({ mode: odd(() => 0o600) }),
  (memory) => memory.remove(),
  (memory) => [memory.buffer, memory.byteLength, memory.shared, memory.readOnly, memory.closed],
  () => random() < 0.01 && SharedMemory.list({ kinds: odd(() => ['posix', 'memfd', 'file']) }),
  () =>
    ftok(
      odd(() => '/etc'),
      odd(() => 65),
    ),
  () => SharedMemory.unlink(odd(() => name)),
  // Never an id of somebody else's: ids of this program's own, or no id at all.
  (memory) => SysvSharedMemory.remove(random() < 0.3 ? one(NO_ID) : memory.id),
  () => random() < 0.01 && SysvSharedMemory.list(odd(() => ({ holders: random() < 0.5 }))),
  (memory) => memory.close(),
  (memory) => memory.close(),
];

/** What may be thrown: errors of the system and of arguments, and what Node's own fs says. */
function expected(error) {
  if (typeof error?.code === 'string' || error?.name === 'TimeoutError') return;
  // A kind of memory that lacks a method, and there being none to use.
  if (error instanceof TypeError && /is not a function|of undefined/.test(error.message)) return;
  throw error;
}

const end = performance.now() + Number(seconds) * 1000;
let calls = 0;
while (performance.now() < end) {
  for (let i = 0; i < 200; i++) {
    calls += 1;
    try {
      if (memories.length < 12 && random() < 0.3) {
        memories.push(one(opening)());
      } else if (memories.length > 0) {
        const at = below(memories.length);
        const memory = memories[at];
        one(using)(memory);
        if (memory.closed) memories.splice(at, 1);
      }
    } catch (error) {
      expected(error);
    }
  }
  if (random() < 0.05) globalThis.gc?.();
  await new Promise((resolve) => setImmediate(resolve));
}
for (const memory of memories) memory.close();
console.log(`fuzz: ${calls} calls, seed ${seed}, no finding`);
