import { spawnSync } from 'node:child_process';

import { SharedMemory } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { broadcast, value } from './racing.js';
import { compilePeer, missing, peers, ring } from './rings.js';

compilePeer();

/** Runs a program in a pid namespace of its own, where it sees none of our processes. */
function elsewhere(command: readonly string[]): { stdout: string; stderr: string } {
  const { stdout, stderr } = spawnSync('unshare', ['-p', '-f', '--mount-proc', ...command], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  return { stdout: stdout.trim(), stderr };
}

const works = spawnSync('unshare', ['-p', '-f', '--mount-proc', 'true']).status === 0;
if (!works) console.log('skipped: unshare(1) may not make a pid namespace');

const OURS = `
const { ShmBroadcast, ShmRing } = require('@octoipc/shm');
const [kind, name] = process.argv.slice(-2);
const codeOf = (use) => { try { use(); return 'nothing'; } catch ({ code }) { return code; } };
const made = { ring: ShmRing, broadcast: ShmBroadcast }[kind].attach(name);
const consumer = made.consumer();
const said = [];
for (let i = 0; i < 2; i++) said.push(codeOf(() => consumer.receiveSync({ timeout: 60 })));
said.push(codeOf(() => made.producer()));
console.log(said.join());
made.close();
`;

const making = {
  ring: () => {
    const { ring: made, name } = ring();
    return { made, name };
  },
  broadcast: () => {
    const { broadcast: made, name } = broadcast();
    return { made, name };
  },
};

test.skipIf(!works).each(['ring', 'broadcast'] as const)(
  'who has another pid namespace takes nobody for dead (%s)',
  (kind) => {
    const { made, name } = making[kind]();
    const producer = made.producer();
    const { stdout, stderr } = elsewhere([process.execPath, '-e', OURS, '--', kind, name]);
    expect(stdout, stderr).toBe('ETIMEDOUT,ETIMEDOUT,EBUSY');
    expect(() => made.producer()).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    producer.close();
  },
);

test.skipIf(!works).each((['C', 'python'] as const).filter((name) => !missing(peers[name].tool)))(
  'nor does %s',
  (language) => {
    const { ring: made, name } = ring();
    made.producer();
    const { stdout, stderr } = elsewhere([...peers[language].command, name, 'try']);
    expect(stdout, stderr).toBe('EBUSY');
  },
);

const SETTING = `
const { ShmValue } = require('@octoipc/shm');
try { ShmValue.attach(process.argv.at(-1)).set('new'); console.log('set'); } catch ({ code }) { console.log(code); }
`;

test.skipIf(!works)('who sets a value is waited for by who has another pid namespace', () => {
  const { value: made, name } = value();
  made.set('old');
  const memory = SharedMemory.open(name);
  onTestFinished(() => memory.close());
  // Process 4,000,000, of which that one cannot know whether it is in the middle of it.
  const writer = memory.view(BigUint64Array, 512, 1);
  writer[0] = 4_000_000n;
  const { stdout, stderr } = elsewhere([process.execPath, '-e', SETTING, '--', name]);
  expect(stdout, stderr).toBe('EBUSY');
  expect(writer[0]).toBe(4_000_000n);
  made.set('new');
  expect(String(made.get())).toBe('new');
});
