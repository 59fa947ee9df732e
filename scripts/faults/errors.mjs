// With which errors a system call may be made to fail.

const ERRORS = ['EINTR', 'EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ENOSPC', 'EPERM', 'ENOSYS'];

/** Of V8, libuv and libc: where these fail the runtime dies, whatever we do; and those that cannot fail. */
const RUNTIME =
  /^(munmap|mprotect|madvise|brk|mremap|epoll_wait|epoll_pwait|rt_sigreturn|exit|exit_group|sched_yield|restart_syscall|gettid|getpid|getppid|clock_nanosleep|nanosleep|rseq|set_robust_list|rt_sigprocmask|gete?[ug]id)$/;

const THREADS = ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'EPERM', 'ENOSYS'];

/** libuv, V8 and libc use these, too, and take no other errors than these for them. */
const SHARED = new Map([
  ['read', ['EINTR', 'EAGAIN']],
  ['write', ['EINTR', 'EAGAIN']],
  ['epoll_ctl', ['ENOSPC', 'ENOMEM']],
  // Only Node's fs makes it, whose readFileSync keeps its descriptor when it fails (Node 20).
  ['statx', []],
  // What close(2) answers changes nothing: the descriptor is gone. A fault keeps it from being closed.
  ['close', []],
  // libuv aborts on any other.
  ['wait4', ['EINTR']],
  // glibc aborts on others. Those of private words are not tried at all.
  ['futex', ['EINTR', 'EAGAIN']],
  // Of shared memory and of stacks of threads.
  ['mmap', ['EAGAIN', 'ENOMEM', 'ENFILE', 'EPERM']],
  ['clone', THREADS],
  ['clone3', THREADS],
  ['vfork', THREADS],
]);

/** libuv makes these to start a child, and calls abort(3), or waits for ever, where they fail. */
const LIBUVS = new Map([['pipe spawnWithPipes', /^(rt_sigaction|read|write)$/]]);

/**
 * What a wait without a timeout rests on: that an eventfd is written to. EAGAIN says that its count is full, and so that
 * whoever polls it wakes: the kernel does not say it of one that is not. Anything else must be an error.
 */
const WAKING = new Map([['popen guarded', new Map([['write', ['EINTR', 'EPERM']]])]]);

/** libuv tries by the first whether a descriptor can be watched; it calls abort(3) where a later one fails. */
const ONCE = new Set(['epoll_ctl']);

/** @returns how many calls of the name are made to fail, one after the other */
export function callsOf(call, most) {
  return ONCE.has(call) ? 1 : most;
}

/** @returns the errors with which a call of a scene is made to fail */
export function errorsOf(call, scene) {
  if (LIBUVS.get(scene)?.test(call)) return [];
  if (RUNTIME.test(call)) return [];
  return WAKING.get(scene)?.get(call) ?? SHARED.get(call) ?? ERRORS;
}

/**
 * Whether a fault tells a falsehood on which a wait may rest: that what was just told of as ready is not. A wait
 * that ends by its timeout is no finding then.
 */
export function isLie({ call, error }) {
  return error === 'EAGAIN' && /^(read|write|recv|send|accept|splice|tee|mq_timed)/.test(call);
}
