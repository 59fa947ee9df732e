import { Argument, type Command } from 'commander';

import { SHELLS, type Shell } from './completion.js';
import type { Program } from './main.js';
import { addVerb, runVerb } from './verb.js';

/** Adds the verbs for this machine: doctor, bench, completion. */
export function addMachineVerbs(octoipc: Command, self: Program): void {
  addDoctor(octoipc);
  addBench(octoipc, self);
  addCompletion(octoipc);
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
    summary: 'Measure the mechanisms against C and against Node; in a checkout of the repository.',
    examples: [
      ['octoipc bench pipe --quick', 'one suite, shorter'],
      ['octoipc bench --json > figures.json', 'all of them, every sample'],
    ],
    statuses: [['1', 'a run failed, or the repository is not there']],
  })
    .argument('[suite...]', 'which suites; all if left out')
    .option('--quick', 'fewer and shorter samples')
    .option('--rows <id,…>', 'rows whose ids begin so')
    .action(
      (suites: string[], options: { json?: boolean; quick?: boolean; rows?: string }) =>
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
