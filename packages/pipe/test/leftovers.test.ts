import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

const tree = fileURLToPath(new URL('../../..', import.meta.url));
const script = fileURLToPath(new URL('fixtures/lifecycle.mjs', import.meta.url));

/** In namespaces of their own, so that what is left can only be what the scene left. */
const NAMESPACES = ['--ipc', '--net', '--mount'];
const apart = spawnSync('unshare', [...NAMESPACES, 'true']).status === 0;
if (!apart)
  console.log('skipped: namespaces cannot be made here, so leftovers cannot be told apart');

test.skipIf(!apart)(
  'BIND-018: everything used once leaves no name, no socket and no file',
  async () => {
    const commands = [
      // This tree may itself be in /tmp.
      'mount --bind "$2" /mnt && cd /mnt',
      'mount -t tmpfs none /dev/shm && mount -t tmpfs none /tmp',
      '"$0" --expose-gc "$1" everything </dev/null',
      'echo left:',
      'ipcs -q -m -s | grep -c "^0x"',
      'ls -A /dev/shm /tmp | grep -c "[a-z]$" ',
      'tail -n +2 /proc/net/unix',
    ];
    const inside = join('/mnt', relative(tree, script));
    const command = ['sh', '-c', commands.join('\n'), process.execPath, inside, tree];
    const args = [...NAMESPACES, ...command];
    const { stdout, stderr } = await Peer.start('unshare', args).ended;
    expect({ stdout, stderr }).toEqual({
      stdout: 'through cat\n"ERR_CLOSED"\nleft:\n0\n0\n'.replaceAll('"', ''),
      stderr: '',
    });
  },
);

test('BIND-018: no process is left of one that died with everything pending', async () => {
  const peer = Peer.node(new URL('fixtures/lifecycle.mjs', import.meta.url), ['exit'], {
    detached: true,
  });
  await peer.ended;
  // Its children have its process group; the scene kills what it has started itself.
  const members = readdirSync('/proc').filter((name) => {
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'latin1').split(') ')[1]?.split(' ');
      return fields?.[2] === String(peer.pid) && fields[0] !== 'Z';
    } catch {
      return false;
    }
  });
  expect(members).toEqual([]);
});
