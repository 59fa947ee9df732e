import { spawnSync } from 'node:child_process';

import { expect, test } from 'vitest';

import { home } from './command.js';

const BLOCKED = `
import { mq, signal } from 'octoipc';
const queue = mq.SysvQueue.open('private', { temporary: true });
const codes = [];
const wait = () => {
  try {
    queue.receiveSync({ timeout: 20 });
  } catch (error) {
    codes.push(error.code);
  }
};
wait();
for (let number = signal.SIGRTMIN; number <= signal.SIGRTMAX; number++) {
  try {
    signal.block(number);
  } catch {}
}
wait();
queue.close();
console.log(codes.join());
`;

test('a blocking wait for a System V queue ends in time, whichever signals were blocked meanwhile', () => {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', BLOCKED], {
    cwd: home,
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  expect(stdout.trim()).toBe('ETIMEDOUT,ETIMEDOUT');
});
