// Memory that a child gets as its descriptor 3: both count in it, and nothing is copied.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { SharedMemory } from '@octoipc/shm';

const memory = SharedMemory.memfd({ size: 4096, name: 'counter' });
memory.seal('shrink', 'grow');
const words = memory.view(Int32Array);

const program = `
  import { SharedMemory } from '@octoipc/shm';
  const memory = SharedMemory.fromFd(3, { requireSeals: ['shrink'] });
  const words = memory.view(Int32Array);
  for (let i = 0; i < 1000; i++) Atomics.add(words, 1, 1);
  Atomics.store(words, 0, 1);
  memory.notify(0);
`;
const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
  stdio: ['ignore', 'inherit', 'inherit', memory.fd],
  cwd: import.meta.dirname,
});
for (let i = 0; i < 1000; i++) Atomics.add(words, 1, 1);
while (Atomics.load(words, 0) === 0) await memory.wait(0, 0);
console.log(Atomics.load(words, 1)); //=> 2000
await once(child, 'exit');
memory.close();
