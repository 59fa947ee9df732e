import type { Command } from 'commander';

import type { Program } from './main.js';
import { addVerb, runVerb } from './verb.js';

/** Adds the verbs for this machine: doctor, bench, choose, completion. */
export function addMachineVerbs(octoipc: Command, self: Program): void {
  addDoctor(octoipc);
  void self;
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
