import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { command, octoipc } from './command.js';
import { folder, lacks } from './objects.js';

describe('octoipc rm', () => {
  it('leaves a file that has come where a socket was', () => {
    const path = join(folder(), 'x');
    const code = `
import os, socket, subprocess, sys
for kind in socket.SOCK_DGRAM, socket.SOCK_STREAM:
    path = sys.argv[1] + str(kind.value)
    bound = socket.socket(socket.AF_UNIX, kind)
    bound.bind(path)
    if kind == socket.SOCK_STREAM: bound.listen()
    os.unlink(path)
    open(path, 'w').write('mine')
    said = subprocess.run(sys.argv[2:] + ['rm', '--force', 'unix:' + path], capture_output=True)
    print(said.returncode, 'EINVAL' in said.stderr.decode(), open(path).read(), flush=True)
`.trim();
    const said = execFileSync('python3', ['-c', code, path, process.execPath, command]);
    expect(String(said)).toBe('1 True mine\n'.repeat(2));
  });

  const why = process.getuid?.() === 0 ? lacks('unshare') : 'it takes root';
  if (why !== undefined) console.log(`no other mount namespace is tried: ${why}`);
  it.skipIf(why !== undefined)(
    'leaves a file alone that has the path of a FIFO in another mount namespace, which is not listed (as root, with unshare)',
    async () => {
      const path = folder();
      const file = join(path, 'x');
      writeFileSync(file, 'mine');
      const script =
        'mount -t tmpfs none "$0" && mkfifo "$0/x" && exec 3<>"$0/x" && echo ready && read _';
      const child = spawn('unshare', ['--mount', 'sh', '-c', script, path], { stdio: 'pipe' });
      onTestFinished(async () => {
        if (child.exitCode !== null) return;
        child.stdin.end();
        await once(child, 'exit');
      });
      const said = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
      if (String(said[0]) !== 'ready\n')
        return console.log('mount namespaces are not allowed here');
      const listed = await octoipc('ls', '--json', '--pid', String(child.pid), '--kind', 'fifo');
      expect(listed).toMatchObject({ status: 0, stdout: '[]\n' });
      expect((await octoipc('rm', `fifo:${file}`)).status).toBe(1);
      expect(readFileSync(file, 'utf8')).toBe('mine');
    },
  );
});
