import { Argument, Option, type Command } from 'commander';

import { KEPT_OUT, SURVIVALS } from '../choose/need.js';
import type { ChooseOptions } from './choose.js';
import { SHELLS, type Shell } from './completion.js';
import { whole } from './filters.js';
import type { Program } from './main.js';
import { addVerb, runVerb } from './verb.js';

/** Adds the verbs for this machine: choose, doctor, bench, completion. */
export function addMachineVerbs(octoipc: Command, self: Program): void {
  addChoose(octoipc, self);
  addDoctor(octoipc);
  addBench(octoipc, self);
  addCompletion(octoipc);
}

function addChoose(octoipc: Command, self: Program): void {
  addVerb(octoipc, 'choose', {
    summary:
      'Recommend a mechanism: asks what is needed, and measures what can do it, here and now.',
    examples: [
      ['octoipc choose', 'asks, on a terminal'],
      ['octoipc choose --size 65536 --rate 5000 --related', 'asks for the rest'],
      ['octoipc choose --usual --survive crash --json', 'asks nothing: the rest is as usual'],
    ],
  })
    .option('--size <bytes>', 'of a message', (value) => whole(value))
    .option('--rate <n>', 'messages a second', (value) => whole(value))
    .option('--processes <n>', 'how many take part', (value) => whole(value, 2))
    .option('--related', 'one of them starts the others')
    .option('--no-related', 'they have nothing in common')
    .option('--same-machine', 'all are on one machine')
    .option('--no-same-machine', 'they are on several machines')
    .addOption(
      new Option('--survive <what>', 'what messages must survive on their way').choices(SURVIVALS),
    )
    .addOption(
      new Option(
        '--keep-out <whom>',
        'who must not get in: other users; other processes of this user',
      ).choices(KEPT_OUT),
    )
    .option('--usual', 'ask nothing: what is not said is as usual')
    .option('--quick', 'measure a quarter as long')
    .action((options: Omit<ChooseOptions, 'program'>) =>
      runVerb('choose', async () =>
        (await import('./choose.js')).choose({ ...options, program: self.program }),
      ),
    );
}

function addDoctor(octoipc: Command): void {
  addVerb(octoipc, 'doctor', {
    summary: 'Look for what is in the way of IPC on this machine, and say what helps.',
    examples: [
      ['octoipc doctor', 'findings, each with its remedy'],
      ['octoipc doctor --json', 'all of them, for programs'],
    ],
    statuses: [
      ['0', 'nothing is broken; there may be warnings'],
      ['1', 'something is broken: a mechanism does not work here'],
    ],
  })
    .option('-a, --all', 'what is as it should be, too')
    .action((options: { json?: boolean; all?: boolean }) =>
      runVerb('doctor', async () => (await import('./doctor.js')).doctor(options)),
    );
}

function addBench(octoipc: Command, self: Program): void {
  addVerb(octoipc, 'bench', {
    summary: 'Measure the mechanisms against C (cc compiles it), Node and packages of npm.',
    examples: [
      ['octoipc bench pipe --quick', 'one suite, shorter'],
      ['octoipc bench --json > figures.json', 'all of them, every sample'],
    ],
    statuses: [['1', 'a row could not be measured, or the runner is not there']],
  })
    .argument('[suite...]', 'which suites; all if left out')
    .option('--quick', 'fewer and shorter samples')
    .option('--rows <id,…>', 'rows whose ids begin so')
    .action((suites: string[], options: { json?: boolean; quick?: boolean; rows?: string }) =>
      runVerb('bench', async () =>
        (await import('./bench.js')).bench(suites, { ...options, program: self.program }),
      ),
    );
}

function addCompletion(octoipc: Command): void {
  addVerb(octoipc, 'completion', {
    summary: 'Print a script by which a shell completes verbs, options and URLs.',
    examples: [
      ['source <(octoipc completion bash)', 'in ~/.bashrc'],
      ['source <(octoipc completion zsh)', 'in ~/.zshrc, after compinit'],
      ['octoipc completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
  })
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action((shell: Shell, options: { json?: boolean }) =>
      runVerb('completion', async () =>
        (await import('./completion.js')).completion(octoipc, shell, options),
      ),
    );
}
