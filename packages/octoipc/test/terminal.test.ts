import { execFileSync, spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it, onTestFinished } from 'vitest';

import { command, home } from './command.js';
import { ipcmk, lacks, uniqueName } from './objects.js';

/** A real terminal of 100 columns and so many lines, as tmux draws it. */
class Terminal {
  readonly #name = uniqueName();

  constructor(program: string, rows = 20, env = '') {
    const size = ['-x', '100', '-y', String(rows)];
    const clean = 'unset CI NO_COLOR FORCE_COLOR;';
    const keep = '; echo "status $?"; read end';
    const line = `${clean} ${env} ${program}${keep}`;
    this.#tmux('new-session', '-d', '-s', this.#name, ...size, '-c', home, 'bash', '-c', line);
    onTestFinished(() => void spawnSync('tmux', ['-L', this.#name, 'kill-server']));
  }

  /** The screen, with colours as escapes if asked for. */
  screen(...options: string[]): string {
    return this.#tmux('capture-pane', '-p', ...options, '-t', this.#name);
  }

  keys(...keys: string[]): void {
    this.#tmux('send-keys', '-t', this.#name, ...keys);
  }

  /** Waits until the screen shows this; the test's watchdog bounds it. */
  async shows(what: RegExp): Promise<string> {
    for (;;) {
      const screen = this.screen();
      if (what.test(screen)) return screen;
      await delay(20);
    }
  }

  /** A server of its own, which nobody's configuration changes. */
  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-L', this.#name, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
    });
  }
}

const octoipc = `'${process.execPath}' '${command}'`;

describe.skipIf(lacks('tmux') !== undefined)(
  'in a terminal (skipped where tmux is missing)',
  () => {
    it('ls has colours, and none with NO_COLOR', async () => {
      const id = ipcmk('-Q');
      const program = `${octoipc} ls --kind sysv-mq`;
      const coloured = new Terminal(program, 40);
      expect(await coloured.shows(/status 0/)).toMatch(new RegExp(`sysv-mq +\\S+ +${id} +0644`));
      // tmux may set its default background, too, before the text.
      expect(coloured.screen('-e')).toMatch(/\u001b\[36m(?:\u001b\[49m)?sysv-mq/);
      const plain = new Terminal(program, 40, 'export NO_COLOR=1;');
      await plain.shows(/status 0/);
      expect(plain.screen('-e')).not.toContain('\u001b[');
    });

    it('watch redraws in place, within the height of the terminal, and ends with ^C', async () => {
      ipcmk('-S', '1');
      ipcmk('-M', '1');
      const terminal = new Terminal(`${octoipc} watch --interval 100`, 8);
      const first = (await terminal.shows(/^\d{4}-\S+Z {2}\d+ objects/m)).split('\n')[0]!;
      expect(first).toMatch(/more below/);
      await terminal.shows(new RegExp(`^(?!${first.slice(0, 24)})\\d{4}-\\S+Z`, 'm'));
      const screen = terminal.screen();
      // One heading, however often it was drawn.
      expect(screen.match(/^\d{4}-\S+Z/gm)).toHaveLength(1);
      expect(screen.split('\n')[0]).toMatch(/^\d{4}-/);
      terminal.keys('C-c');
      await terminal.shows(/status 130/);
    });

    it('choose asks, and asks again for what it does not understand', async () => {
      const terminal = new Terminal(`${octoipc} choose --quick`, 60);
      await terminal.shows(/Bytes of a message\? \[256\]$/m);
      terminal.keys('many', 'Enter');
      await terminal.shows(/many\nBytes of a message\? \[256\]/);
      terminal.keys('1000', 'Enter');
      for (const question of [/Messages a second/, /Processes that take part/]) {
        await terminal.shows(question);
        terminal.keys('Enter');
      }
      await terminal.shows(/All on one machine, yes or no\?/);
      terminal.keys('no', 'Enter');
      await terminal.shows(/survive on their way: nothing, crash, restart\?/);
      terminal.keys('Enter');
      await terminal.shows(/kept out: nobody, users, processes\?/);
      terminal.keys('Enter');
      const screen = await terminal.shows(/status 0/);
      expect(screen).toMatch(/^pipe .* it does not leave the machine$/m);
      expect(screen).toMatch(/^tcp .* µs .* recommended$/m);
      expect(screen).toMatch(/Use tcp: /);
      expect(screen).toMatch(/openReceiver\('tcp:/);
    });

    it('choose says in a line that ^D answers nothing', async () => {
      const terminal = new Terminal(`${octoipc} choose --quick`);
      await terminal.shows(/Bytes of a message\? \[256\]$/m);
      terminal.keys('C-d');
      const screen = await terminal.shows(/status 1/);
      expect(screen).toContain('octoipc choose: not everything was answered');
      expect(screen).not.toMatch(/^ +at /m);
    });

    it('recv escapes what would play with the terminal', async () => {
      const url = `sysv-mq:id=${ipcmk('-Q')}`;
      const sent = spawnSync(process.execPath, [command, 'send', url], { input: 'a\u001b[31mb\n' });
      expect(sent.status).toBe(0);
      const terminal = new Terminal(`${octoipc} recv --count 1 ${url}`);
      expect(await terminal.shows(/status 0/)).toContain(String.raw`a\x1b[31mb`);
    });

    it.skipIf(lacks('zsh') !== undefined)(
      'zsh completes a verb (skipped where it is missing)',
      async () => {
        const functions = `octoipc() { ${octoipc} "$@"; }; autoload -Uz compinit; compinit -D; source <(octoipc completion zsh); PS1='> '`;
        const terminal = new Terminal('ZDOTDIR=/nonexistent zsh -f');
        await terminal.shows(/[%#]$/m);
        terminal.keys(functions, 'Enter');
        await terminal.shows(/^>$/m);
        terminal.keys('octoipc insp', 'Tab');
        await terminal.shows(/^> octoipc inspect$/m);
      },
    );
  },
);
