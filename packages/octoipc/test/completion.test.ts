import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { command, octoipc } from './command.js';
import { folder, ipcmk, lacks } from './objects.js';

describe('octoipc completion', () => {
  const script = async (shell: string): Promise<string> => {
    const { status, stdout, stderr } = await octoipc('completion', shell);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };
  const itself = `octoipc() { "${process.execPath}" "${command}" "$@"; }`;

  it('completes verbs, options, values and URLs in bash', async () => {
    const id = ipcmk('-Q');
    const { stdout } = await octoipc('ls', '--json', '--kind', 'sysv-mq');
    const { url } = (JSON.parse(stdout) as { id: number; url: string }[]).find(
      (each) => each.id === id,
    )!;
    const lines = [
      'octoipc insp',
      'octoipc ls --ki',
      'octoipc ls -k sysv-s',
      'octoipc completion ',
      `octoipc rm ${url.slice(0, -1)}`,
    ];
    const ask = lines
      .map(
        (line) =>
          `COMP_LINE='${line}' COMP_POINT=${line.length}; _octoipc; echo "\${COMPREPLY[*]}"`,
      )
      .join('\n');
    const said = execFileSync('bash', ['-c', `${itself}\n${await script('bash')}\n${ask}`], {
      encoding: 'utf8',
    });
    expect(said.split('\n').map((line) => line.trim())).toEqual([
      'inspect',
      '--kind',
      'sysv-sem sysv-shm',
      'bash zsh fish',
      // Behind the colon, at which readline parts words.
      expect.stringContaining(url.slice('sysv-mq:'.length)) as string,
      '',
    ]);
  });

  it('runs nothing that others have called an object, in bash', async () => {
    const path = folder();
    const name = '$(touch run)`touch run`;"\'x y';
    execFileSync('mkfifo', [join(path, name)]);
    const open = openSync(join(path, name), constants.O_RDWR);
    onTestFinished(() => closeSync(open));
    const line = `octoipc inspect fifo:${path}/`;
    const said = execFileSync(
      'bash',
      [
        '-c',
        `${itself}
${await script('bash')}
COMP_LINE=$1 COMP_POINT=\${#COMP_LINE}; _octoipc
eval "typed=(\${COMPREPLY[0]})"; printf '%s\n' "\${#COMPREPLY[@]}" "\${typed[@]}"`,
        'bash',
        line,
      ],
      { encoding: 'utf8', cwd: path },
    );
    // What is completed is one word, and means the URL: blanks stand as %XX there.
    expect(said).toBe(`1\n${path}/${name.replaceAll(' ', '%20')}\n`);
    expect(readdirSync(path)).toEqual([name]);
  });

  it.skipIf(lacks('fish') !== undefined)(
    'completes in fish (skipped where it is missing)',
    async () => {
      const file = join(folder(), 'octoipc.fish');
      writeFileSync(file, await script('fish'));
      const ask = `source ${file}; complete -C 'octoipc insp'; complete -C 'octoipc ls -k sysv-s'; complete -C 'octoipc completion z'`;
      const said = spawnSync('fish', ['--no-config', '-c', ask], { encoding: 'utf8' });
      const words = said.stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t')[0]);
      expect(words, said.stderr).toEqual(['inspect', 'sysv-sem', 'sysv-shm', 'zsh']);
    },
  );

  it.skipIf(lacks('zsh') !== undefined)(
    'is a script that zsh loads (skipped where it is missing)',
    async () => {
      const ask = `autoload -Uz compinit; compinit -D; ${await script('zsh')}; print $_comps[octoipc]`;
      const said = spawnSync('zsh', ['-f', '-c', ask], { encoding: 'utf8' });
      expect(said).toMatchObject({ stdout: '_octoipc\n', stderr: '' });
    },
  );
});
