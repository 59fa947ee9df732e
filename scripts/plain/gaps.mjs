// What the conformance suites cannot have of a runtime: which failures are known, and why they are the runtime's. A
// failure that is not here fails the run.

const ONE_KILL =
  'a second kill() of a ChildProcess returns false there and sends nothing, so a case cannot stop, continue and end the process that it has sent a signal to';

const GAPS = [
  {
    runtime: 'Bun',
    title: /BIND-011: .*workers/,
    why: /^AssertionError.*: [1-4] threads leaked/,
    reason:
      'after workers have ended Bun keeps threads of its own (HeapHelper, JSCWarmUp and others), with no package loaded too; the case counts threads',
  },
  {
    runtime: 'Bun',
    title: /a handle that is collected unclosed is closed/,
    why: /: 1 of \d+ descriptors stay open/,
    reason:
      'one of the dropped handles stays: JavaScriptCore keeps what an old word of the stack still looks like a reference to; all others are closed',
  },
  {
    runtime: 'Bun',
    title: /(popen\(\)|PosixQueue): bad input > BIND-004/,
    why: /had an effect[\s\S]*-\s+'socket:/,
    reason:
      'Bun closes the sockets of children that have ended some turns later, which the case takes for an effect of the call',
  },
  {
    runtime: 'Deno',
    title: /BIND-011: workers terminated while they block/,
    why: /descriptors leaked/,
    reason:
      'Deno ends a worker that is terminated in a blocking call without the clean-up of its environment: what it had open stays so until the process ends',
  },
  {
    runtime: 'Deno',
    title: /BIND-011: .*workers/,
    why: /descriptors leaked\n\+ actual - expected\n\n\+ \[\n(\+ {3}'(socket:\[\d+\]|anon_inode:\[event(fd|poll)\])',?\n){1,4}\+ \]/,
    reason:
      'after workers have ended up to two sockets, an eventfd and an epoll set stay; the sockets do so with no package loaded too',
  },
  {
    runtime: 'Deno',
    title: /BIND-010: 10000 handles|BIND-018: peers that were killed/,
    why: /descriptors stay open\n\n2 !== 0|: 2 descriptors leaked: \d+ \(socket:\[\d+\]\), \d+ \(socket:\[\d+\]\)\n/,
    reason: 'two more sockets are there after the case, of a pair that Deno opens for itself',
  },
  {
    runtime: 'Deno',
    title: /BIND-003: a synchronous wait survives signals/,
    why: /ENOENT: no such file or directory, open '\/proc\/\d+\/stat'/,
    reason: ONE_KILL,
  },
  {
    runtime: 'Deno',
    title: /BIND-003: .* survives SIGSTOP and SIGCONT/,
    why: /^it did not end/,
    reason: ONE_KILL,
  },
  {
    runtime: 'Deno',
    title: /^popen\(\): /,
    why: /Bad file descriptor \(os error 9\)[\s\S]*closeSync\(program\.handle\.release\(\)\)/,
    reason:
      'the script of the case closes a descriptor by node:fs, whose descriptors are numbers of its own there, not those of the kernel',
  },
];

/**
 * Why a failure is a gap of the runtime.
 *
 * @param runtime - `Bun` or `Deno`
 * @param failure - `{ title, why }`
 * @returns the reason, or undefined where the failure is not known
 */
export function reasonOf(runtime, { title, why }) {
  return GAPS.find((gap) => gap.runtime === runtime && gap.title.test(title) && gap.why.test(why))
    ?.reason;
}
