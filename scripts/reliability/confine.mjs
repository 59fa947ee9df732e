// Runs a program where it can do no harm: namespaces of its own for processes, IPC objects, mounts and the network,
// as nobody, with limits, on a tree that it cannot write. What it leaves ends with the namespaces.
import { spawn, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';

import { root } from '../workspace.mjs';

const NOBODY = 65_534;

/** Where the tree and the folder of this Node's binary are seen from within. */
export const inside = { tree: '/mnt', node: '/media/node' };

/** Mounts, in the new namespaces; $1 the tree, $2 the folder of node's binary, then the program. */
const SETUP = `
set -e
tree=$1 bin=$2; shift 2
mount --make-rprivate /
mount --bind "$tree" /mnt
mount -t tmpfs -o size=1m tmpfs /media
mkdir /media/node && mount --bind "$bin" /media/node
mount -t tmpfs -o size=96m,mode=1777 tmpfs /dev/shm
mount -t tmpfs -o size=64m,mode=1777 tmpfs /tmp
mkdir -p /dev/mqueue && mount -t mqueue mqueue /dev/mqueue && chmod 1777 /dev/mqueue
mount -o remount,bind,ro /mnt
ip link set lo up 2>/dev/null || true
cd /tmp
# Not exec: process 1 stays a shell, which reaps orphans.
setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \\
  prlimit --core=0 --nofile=512 --fsize=67108864 --nproc=600 -- "$@"
exit $?
`;

const UNSHARE = ['--pid', '--fork', '--kill-child', '--mount-proc', '--ipc', '--mount', '--net'];

/** Why it cannot be done here; undefined where it can. */
export function refusal() {
  if (process.platform !== 'linux') return 'there are no namespaces here';
  if (process.getuid() !== 0)
    return 'it takes root to make namespaces and to become nobody in them';
  const tried = spawnSync(
    'unshare',
    [...UNSHARE, 'sh', '-c', SETUP, 'sh', root, dirname(process.execPath), 'true'],
    {
      encoding: 'utf8',
    },
  );
  if (tried.error !== undefined) return `unshare: ${tried.error.message}`;
  return tried.status === 0
    ? undefined
    : `unshare is refused here: ${tried.stderr.trim().split('\n').at(-1)}`;
}

/**
 * Starts a program of this tree by this Node, confined.
 *
 * @param args - of Node; paths are those of {@link inside}
 * @returns the child process of `unshare`, whose end ends all of it
 */
export function confined(args, { stdio, env = {} }) {
  return spawn(
    'unshare',
    [
      ...UNSHARE,
      'sh',
      '-c',
      SETUP,
      'sh',
      root,
      dirname(process.execPath),
      `${inside.node}/node`,
      ...args,
    ],
    {
      stdio,
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        HOME: '/tmp',
        TMPDIR: '/tmp',
        NO_COLOR: '1',
        ...env,
      },
    },
  );
}
