import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { broadcast, value } from './racing.js';
import { missing, ring } from './rings.js';
import { runScript } from './scripts.js';

const NO_DESCRIPTOR = `
const { openSync } = require('node:fs');
const { ShmBroadcast, ShmRing, ShmValue } = require('@octoipc/shm');
const [kind, name] = process.argv.slice(-2);
const send = {
  ring: () => { const end = ShmRing.attach(name).producer(); return () => end.trySend('sent'); },
  broadcast: () => { const end = ShmBroadcast.attach(name).producer(); return () => end.send('sent'); },
  value: () => { const value = ShmValue.attach(name); return () => value.set('sent'); },
}[kind]();
try { for (;;) openSync('/dev/null'); } catch ({ code }) { console.log(code); }
send();
console.log('sent');
`;

const PYTHON = `
import resource, sys
sys.path.insert(0, ${JSON.stringify(fileURLToPath(new URL('../python', import.meta.url)))})
import octoipc_broadcast, octoipc_ring, octoipc_value
kind, name = sys.argv[1:]
if kind == "ring":
    end = octoipc_ring.Ring.open(name)
    end.join_producer()
    send = end.send
elif kind == "broadcast":
    end = octoipc_broadcast.Broadcast.open(name)
    end.join_producer()
    send = end.send
else:
    end = octoipc_value.Value.open(name)
    send = end.set
    end._own_identity = lambda own=end._own_identity(): own
resource.setrlimit(resource.RLIMIT_NOFILE, (0, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
send(b"sent")
print("EMFILE")
print("sent")
`;

/** Who waits on his event loop, so that a bell is to be rung; and how he gets what was sent. */
const waiting: Record<string, () => { name: string; got: Promise<unknown> }> = {
  ring: () => {
    const { ring: made, name } = ring();
    return { name, got: made.consumer().receive().then(String) };
  },
  broadcast: () => {
    const { broadcast: made, name } = broadcast();
    return { name, got: made.consumer().receive().then(String) };
  },
  value: () => {
    const { value: made, name } = value();
    return { name, got: made.changed(0).then(() => String(made.get())) };
  },
};

const languages = ['ours', ...(missing('python3') ? [] : ['python'])];

test.each(Object.keys(waiting).flatMap((kind) => languages.map((language) => [kind, language])))(
  'what goes to a %s is sent where no bell can be rung, since no descriptor is left (%s)',
  async (kind, language) => {
    const { name, got } = waiting[kind!]!();
    const { stdout, stderr } =
      language === 'ours'
        ? await runScript(NO_DESCRIPTOR, [], process.execPath, [kind!, name])
        : spawnSync('python3', ['-c', PYTHON, kind!, name], { encoding: 'utf8' });
    expect(stdout, stderr).toBe('EMFILE\nsent\n');
    expect(await got).toBe('sent');
  },
);
