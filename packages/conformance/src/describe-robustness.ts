import { badInputSuite, type BadInputAdapter } from './bad-input.js';
import { crashSafetySuite, type CrashSafetyAdapter } from './crash-safety.js';
import { lifecycleSuite, type LifecycleAdapter } from './lifecycle.js';
import { register } from './register.js';
import { resourcesSuite, type ResourcesAdapter } from './resources.js';

/**
 * Registers the tests of crashes: what the survivor sees when the process at the other end is killed
 * with SIGKILL, stopped and continued, and what is left behind.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js no-run
 * import { describeCrashSafety } from '@octoipc/conformance';
 * import { spawnWithPipes } from '@octoipc/pipe';
 *
 * const start = (args, end) =>
 *   spawnWithPipes(process.execPath, args, { stdio: 'pipe', pipes: { 3: end } });
 * describeCrashSafety({
 *   name: 'spawnWithPipes()',
 *   mechanism: 'PIPE',
 *   script: new URL('./fixtures/roles.mjs', import.meta.url),
 *   lacks: { messages: 'a pipe carries bytes', persistent: 'a pipe goes with its ends' },
 *   async startWriter(args) {
 *     const { child, pipes } = start(args, 'write');
 *     return { child, reader: pipes[3] };
 *   },
 *   async startReader(args) {
 *     const { child, pipes } = start(args, 'read');
 *     return { child, writer: pipes[3] };
 *   },
 * });
 * ```
 */
export function describeCrashSafety(adapter: CrashSafetyAdapter): void {
  register(crashSafetySuite, adapter);
}

/**
 * Registers the tests of resources: descriptors, threads and mappings after many rounds and after
 * failures, close-on-exec, dropped handles, the last free descriptor. They need `--expose-gc`, and
 * nothing else that opens or closes descriptors at the same time.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js no-run
 * import { describeResources } from '@octoipc/conformance';
 * import { createPipe, PipeReader } from '@octoipc/pipe';
 *
 * describeResources({
 *   name: 'createPipe()',
 *   mechanism: 'PIPE',
 *   script: new URL('./fixtures/roles.mjs', import.meta.url),
 *   open() {
 *     const { reader, writer } = createPipe();
 *     return {
 *       handles: [reader, writer],
 *       async use() {
 *         const read = reader.read();
 *         await writer.write('x');
 *         await read;
 *       },
 *     };
 *   },
 *   failures: { 'no pipe': () => PipeReader.fromFd(2 ** 31 - 1) },
 * });
 * ```
 */
export function describeResources(adapter: ResourcesAdapter): void {
  register(resourcesSuite, adapter);
}

/**
 * Registers the tests of bad input: numbers that are none, options, data and names of wrong types,
 * detached memory, a wrong `this`. Each must be refused with Node's codes, before any effect.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js no-run
 * import { describeBadInput } from '@octoipc/conformance';
 * import { createPipe } from '@octoipc/pipe';
 *
 * describeBadInput({
 *   name: 'createPipe()',
 *   mechanism: 'PIPE',
 *   lacks: { names: 'a pipe has none' },
 *   open() {
 *     const pipe = createPipe();
 *     return {
 *       numbers: { 'createPipe({ capacity })': (capacity) => createPipe({ capacity }) },
 *       options: { 'createPipe(options)': (options) => createPipe(options) },
 *       data: { 'write(data)': (data) => pipe.writer.write(data) },
 *       methods: [{ of: pipe.reader, names: ['read', 'tryRead', 'close', 'fd'] }],
 *       state: () => pipe.reader.available,
 *       close: () => pipe.close(),
 *     };
 *   },
 * });
 * ```
 */
export function describeBadInput(adapter: BadInputAdapter): void {
  register(badInputSuite, adapter);
}

/**
 * Registers the tests of a handle's life: what keeps a process alive, exits and exceptions during a
 * wait, workers that are terminated during one. `OCTOIPC_QUICK` makes it 8 workers instead of 50.
 *
 * @param adapter - the mechanism under test
 * @example
 * ```js no-run
 * import { describeLifecycle } from '@octoipc/conformance';
 *
 * describeLifecycle({
 *   name: 'PipeReader',
 *   mechanism: 'PIPE',
 *   script: new URL('./fixtures/roles.mjs', import.meta.url),
 * });
 * ```
 */
export function describeLifecycle(adapter: LifecycleAdapter): void {
  register(lifecycleSuite, adapter);
}
