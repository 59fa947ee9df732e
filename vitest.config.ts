import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const packages = join(import.meta.dirname, 'packages');
const tested = readdirSync(packages).filter((name) => existsSync(join(packages, name, 'test')));

// What a test file leaves behind fails it, and what is there after all of them fails the run; not where something else has
// descriptors and threads in the process, as sanitizers and other runtimes do, nor where what is tested leaks on purpose.
const census = (file: string): string[] =>
  process.env['OCTOIPC_CENSUS'] === 'off' ? [] : [join(packages, 'core', 'test', file)];

// Every test of a package runs once; those that wait on descriptors run again with the poller thread
// that stands in for libuv's poll on runtimes without libuv, where what is about large numbers is done
// with smaller ones.
const project = (name: string, root: string, include: string, env: Record<string, string>) => ({
  extends: true as const,
  test: {
    name,
    root,
    include: [include],
    env,
    setupFiles: name.startsWith('conformance') ? [] : census('left-behind.ts'),
  },
});

export default defineConfig({
  // The packages that a test uses are those that Node itself would load: there is one copy of each class.
  ssr: { resolve: { conditions: ['module-sync', 'node'] } },
  test: {
    server: { deps: { external: [/\/packages\/\w+\/dist\//] } },
    globalSetup: census('run-left-behind.ts'),
    pool: 'forks',
    // By default one core is left idle, which is half of a small machine.
    maxWorkers: Math.max(2, availableParallelism()),
    execArgv: ['--expose-gc'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: tested.flatMap((name) => {
      const root = join(packages, name);
      return [
        project(name, root, 'test/**/*.test.ts', {}),
        project(`${name} (thread)`, root, 'test/**/conformance.test.ts', {
          OCTOIPC_READINESS: 'thread',
          OCTOIPC_QUICK: '1',
        }),
      ];
    }),
  },
});
