// On a system that is not Linux: every package is imported and required, and a call of each mechanism says
// ERR_UNSUPPORTED and names the system. With the name of one as an argument this process passes for it.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [pretended] = process.argv.slice(2);
if (pretended !== undefined) Object.defineProperty(process, 'platform', { value: pretended });
if (process.platform === 'linux') {
  console.error('this is Linux: name a system to pass for, such as win32');
  process.exit(2);
}

/** A call of each mechanism that is the first that a program makes. */
const CALLS = {
  pipe: ({ createPipe }) => createPipe(),
  fifo: ({ mkfifo }) => mkfifo('somewhere'),
  mq: ({ PosixQueue }) => PosixQueue.open('/octoipc', { create: true }),
  sem: ({ PosixSemaphore }) => PosixSemaphore.open('/octoipc', { create: true }),
  shm: ({ SharedMemory }) => SharedMemory.open('/octoipc', { create: true, size: 1 }),
  signal: ({ watch }) => watch(['SIGUSR2']),
  socket: ({ socketPair }) => socketPair(),
  popen: ({ popen }) => popen(['echo']),
};

let wrong = 0;
const require = createRequire(
  join(dirname(import.meta.dirname), 'packages', 'octoipc', 'package.json'),
);
for (const [name, call] of Object.entries(CALLS)) {
  const specifier = `@octoipc/${name}`;
  const cjs = require.resolve(specifier);
  const esm = pathToFileURL(cjs.replace(/\.cjs$/, '.js')).href;
  for (const load of [() => import(esm), () => require(cjs)]) {
    try {
      await call(await load());
      wrong += 1;
      console.log(`${specifier} works on ${process.platform}, which nobody has promised`);
    } catch (error) {
      if (error.code === 'ERR_UNSUPPORTED' && error.message.includes(process.platform)) continue;
      wrong += 1;
      console.log(`${specifier} on ${process.platform}: ${error.stack}`);
    }
  }
}
console.log(
  `${Object.keys(CALLS).length} packages imported and required as on ${process.platform}, ${wrong} wrong`,
);
process.exitCode = wrong === 0 ? 0 : 1;
