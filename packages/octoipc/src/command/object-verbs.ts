import type { Command } from 'commander';

import { duration } from './duration.js';
import { addFilters, whole } from './filters.js';
import type { LsOptions } from './ls.js';
import type { RmOptions } from './rm.js';
import { addVerb, runVerb } from './verb.js';
import type { WatchOptions } from './watch.js';

const URLS = `
An object's URL:
  mq:/x  sem:/x  shm:/x  mutex:/x  rwlock:/x  condition:/x  barrier:/x
  sysv-mq:0x1234  sysv-sem:0x1234  sysv-shm:0x1234, or by id: sysv-mq:id=5
  fifo:/path  unix:/path  unix:@abstract
  pipe:[N]  memfd:[N]  unix:[N]  shm:[N]  what has no name, by its inode
  %XX stands for a byte that cannot be printed`;

/** A look takes some time itself, in milliseconds. */
const SHORTEST = 20;

/** Adds the verbs for the objects of this machine: ls, inspect, watch, rm, reap. */
export function addObjectVerbs(octoipc: Command): void {
  addLs(octoipc);
  addInspect(octoipc);
  addWatch(octoipc);
  addRm(octoipc);
  addReap(octoipc);
}

function addLs(octoipc: Command): void {
  const verb = addVerb(octoipc, 'ls', {
    summary: 'List the IPC objects of this machine, of every kind.',
    examples: [
      ['octoipc ls', 'everything'],
      ["octoipc ls 'mq:/jobs*'", 'what is called so'],
      ['octoipc ls --kind sysv-shm,sysv-sem --orphaned', 'what nobody who lives has'],
      ['octoipc ls --pid 1234 --json', 'what a process has, for programs'],
    ],
    statuses: [['0', 'done, be there objects or not']],
  })
    .argument('[pattern]', 'what the URL or the name is like; * and ? as in a shell')
    .option('-u, --urls', 'print URLs only, one a line');
  addFilters(verb).action((pattern: string | undefined, options: LsOptions) =>
    runVerb('ls', async () => (await import('./ls.js')).ls(pattern, options)),
  );
}

function addInspect(octoipc: Command): void {
  addVerb(octoipc, 'inspect', {
    summary: 'Show all that can be known of one object, and change nothing.',
    examples: [
      ['octoipc inspect mq:/jobs', 'attributes, who has it open, who is notified'],
      ['octoipc inspect sysv-mq:0x1234', 'who used it last, and its first message'],
      ['octoipc inspect mutex:/config --json', 'who holds it, and how many wait'],
    ],
    statuses: [['1', 'there is no such object']],
  })
    .argument('<url>', 'of the object')
    .addHelpText('after', URLS)
    .action((url: string, options: { json?: boolean }) =>
      runVerb('inspect', async () => (await import('./inspect.js')).inspect(url, options)),
    );
}

function addWatch(octoipc: Command): void {
  const verb = addVerb(octoipc, 'watch', {
    summary: 'Show objects again and again, with what changes a second.',
    examples: [
      ['octoipc watch mq:/jobs', 'one queue, in place on a terminal'],
      ['octoipc watch --kind ring --interval 500', 'all rings, twice a second'],
      ["octoipc watch 'shm:*' --count 3 --json", 'three looks, a line of JSON each'],
    ],
    statuses: [['0', 'has looked --count times, or nobody reads its output any more']],
  })
    .argument('[what]', 'a URL, or what URLs are like')
    .option(
      '-i, --interval <time>',
      'between two looks: milliseconds, or like 2s',
      (value) => duration(value, SHORTEST),
      1000,
    )
    .option('-n, --count <n>', 'how often; until it is interrupted, if left out', (value) =>
      whole(value),
    );
  addFilters(verb).action((what: string | undefined, options: WatchOptions) =>
    runVerb('watch', async () => (await import('./watch.js')).watch(what, options)),
  );
}

function addRm(octoipc: Command): void {
  addVerb(octoipc, 'rm', {
    summary: 'Remove objects. Who has one open goes on with it, where the mechanism lets him.',
    examples: [
      ['octoipc rm mq:/jobs sysv-shm:id=32', 'both'],
      ['octoipc ls -u -k sysv-sem -o | xargs -r octoipc rm', 'all orphaned sets'],
      ['octoipc rm --force unix:/run/x.sock', 'a path where a server listens'],
    ],
    statuses: [
      ['1', 'one of them was not removed: it is not there, or is not yours'],
      ['2', 'wrong usage: nothing was removed'],
    ],
  })
    .argument('<url...>', 'of the objects')
    .option('-f, --force', 'a Unix socket whose server lives, too')
    .addHelpText('after', URLS)
    .action((urls: string[], options: RmOptions) =>
      runVerb('rm', async () => (await import('./rm.js')).rm(urls, options)),
    );
}

function addReap(octoipc: Command): void {
  addVerb(octoipc, 'reap', {
    summary: 'Remove the temporary names of dead owners, and say why of each.',
    examples: [
      ['octoipc reap --dry-run', 'what would go, what stays, and why'],
      ['octoipc reap', 'remove it'],
    ],
    statuses: [['0', 'done, be there names or not']],
  })
    .option('-n, --dry-run', 'remove nothing')
    .action((options: { dryRun?: boolean; json?: boolean }) =>
      runVerb('reap', async () => (await import('./reap.js')).reap(options)),
    );
}
