// npm run soak -- mq [COUNT] [--quick]: a million messages through a System V queue, whose sends and receives are
// aborted at random; none may be lost, none come twice, and no empty one may go astray.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const asked = process.argv.find((arg) => /^\d+$/.test(arg));
const count = Number(asked ?? (process.argv.includes('--quick') ? 20_000 : 1_000_000));
const seed = Date.now() % 1000;
const program = fileURLToPath(new URL('fixtures/abort-soak.mjs', import.meta.url));
const begun = performance.now();
const child = spawn(process.execPath, [program, String(count), String(seed)], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [output, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
const report = JSON.parse(output);
const { sent, received, twice, left, empties, emptiesReceived } = report;
const seconds = Math.round((performance.now() - begun) / 1000);
console.log(`System V, seed ${seed}, ${seconds} s: ${output.trim()}`);
const whole = sent === count && received === count && twice === 0 && left === 0;
if (status !== 0 || !whole || empties !== emptiesReceived) {
  console.error(`System V: of ${count} messages not each came once`);
  process.exitCode = 1;
}
