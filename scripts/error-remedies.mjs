// What helps against each code of docs/errors.md, and what it means where the system's own words mislead.

/** By code: `remedy`, and `meaning` where core's text is not the one for people. */
export const REMEDIES = {
  E2BIG: {
    remedy:
      'ask for less: a smaller message, fewer operations at once, shorter arguments; with `truncate` the rest of a message is dropped.',
  },
  EACCES: {
    remedy:
      'look at mode and owner with `octoipc inspect URL`; open it with less access, or let its creator choose another `mode`.',
  },
  EADDRINUSE: {
    remedy:
      'another server lives there, or died and left its path: `reclaim: true` takes over a dead one, `octoipc inspect unix:/path` shows which it is.',
  },
  EAFNOSUPPORT: { remedy: 'this kernel was built, or started, without that family of addresses.' },
  EAGAIN: {
    remedy:
      'wait, by the form of the call that waits, or try again later; where a limit is used up, `hint` names it.',
  },
  EBADF: {
    remedy:
      'the descriptor is closed, or the handle was opened for the other direction: open it with the `access` that is needed.',
  },
  EBADMSG: {
    remedy:
      'what is there is not what it is opened as, or is damaged: look at it with `octoipc inspect URL`, remove it, and let it be made anew.',
  },
  EBUSY: {
    remedy:
      'somebody else has what there is only one of: await what waits on this handle, or let the other one leave; `octoipc inspect URL` shows who it is.',
  },
  ECANCELED: {
    meaning: 'the operation was cancelled, after it had handed over `bytesWritten` bytes',
    remedy:
      'the reason is its `cause`; go on behind what was written, or begin anew with the peer.',
  },
  ECHILD: { remedy: 'it is no child of this process, or somebody else has waited for it.' },
  ECONNREFUSED: {
    remedy: 'nobody listens there: start the server, or wait for it; a path alone is no server.',
  },
  ECONNRESET: {
    remedy: 'the other side has gone without reading everything: connect anew, and send again.',
  },
  EDEADLK: {
    remedy:
      'this thread has what it waits for: await the asynchronous form, which queues, or release it first.',
  },
  EEXIST: {
    remedy: 'open what exists, without `exclusive`; or remove it first: `octoipc rm URL`.',
  },
  EFAULT: {
    remedy: 'the memory went away while it was in use: keep it open until the call has returned.',
  },
  EFBIG: { remedy: 'use an index that the set has, or a size that the file system takes.' },
  EIDRM: {
    remedy: 'somebody removed it: open it again with `create`, and find out who (`octoipc ls`).',
  },
  EINTR: { remedy: 'a signal came in between: call it again.' },
  EINVAL: {
    remedy:
      'what exists is of another kind or size, or a limit is lower than what was asked for: `hint` says which, and which knob raises it.',
  },
  EIO: { remedy: 'the device or file system fails: see dmesg(1).' },
  EISCONN: { remedy: 'it is connected already: make another socket.' },
  EISDIR: { remedy: 'it is a directory: name a file.' },
  ELOOP: {
    remedy:
      'a symbolic link has the name, and is not followed: it may be somebody else’s trap. Remove it, or use the real path.',
  },
  EMFILE: {
    remedy:
      'close handles (a leak shows as `IpcLeakWarning`), or raise RLIMIT_NOFILE; for queues it may be RLIMIT_MSGQUEUE: `hint` says which.',
  },
  EMSGSIZE: {
    remedy:
      'send less at once, or raise `maxMessageSize` on both ends; of a queue it is fixed when it is created.',
  },
  ENAMETOOLONG: {
    remedy: 'shorten the name; a path of a socket may go through a shorter directory.',
  },
  ENFILE: { remedy: 'the whole system has no file left: raise fs.file-max, or find who leaks.' },
  ENOBUFS: {
    remedy: 'the kernel has no buffers left: send less at once, or wait until some was read.',
  },
  ENOENT: {
    remedy:
      'make it, with `create: true`, or start whoever makes it; `octoipc ls` shows what there is.',
  },
  ENOLCK: { remedy: 'close locks that are not needed in this thread.' },
  ENOMEM: {
    remedy:
      'ask for less memory; `octoipc doctor` shows the limits of the cgroup and RLIMIT_MEMLOCK.',
  },
  ENOPROTOOPT: { remedy: 'this kind of socket, or this kernel, has no such option.' },
  ENOSPC: {
    remedy:
      'remove what nobody needs (`octoipc ls --orphaned`, `octoipc reap`), or raise the limit that `hint` names; for /dev/shm: mount it larger.',
  },
  ENOSYS: {
    remedy: 'the kernel was built without it, or a container forbids it: see `octoipc doctor`.',
  },
  ENOTCONN: { remedy: 'connect first, or name the destination of each message.' },
  ENOTDIR: { remedy: 'a part of the path is no directory: correct the path.' },
  ENOTFOUND: {
    meaning: 'the host has no address',
    remedy: 'look at the name, /etc/hosts and the resolver.',
  },
  ENOTRECOVERABLE: {
    remedy:
      'repair what the lock protects, then call `Mutex.reset(name)` or `RwLock.reset(name)`; `octoipc inspect URL` shows who died.',
  },
  ENOTSOCK: { remedy: 'the descriptor is of something else: hand over a socket.' },
  ENOTSUP: { remedy: 'this kind of object cannot do that: use one that can.' },
  EOPNOTSUPP: { remedy: 'this kind of object cannot do that: use one that can.' },
  EOVERFLOW: { remedy: 'release fewer permits: the value would pass SEM_VALUE_MAX.' },
  EOWNERDEAD: {
    remedy:
      'a process at the other end has died; what it had published was delivered. Go on with the next one that comes, or clean up.',
  },
  EPERM: {
    remedy:
      'it belongs to somebody else, or is sealed: its owner, or root, may do it; `octoipc inspect URL` shows whose it is.',
  },
  EPIPE: { remedy: 'nobody reads any more: stop sending, or wait for the next reader.' },
  EPROTO: { remedy: 'the other side does not speak the protocol: look at both versions.' },
  EPROTONOSUPPORT: { remedy: 'this kernel has no such protocol.' },
  EPROTOTYPE: {
    remedy: 'the socket there is of another type: give the same `type` on both sides.',
  },
  ERANGE: { remedy: 'a value would leave its range: look at it before you change it.' },
  EROFS: { remedy: 'the file system is mounted read-only: use another place.' },
  ERR_CLOSED: {
    remedy: 'do not use a handle after `close()`; pending waits end with this code too.',
  },
  ERR_FDS_TRUNCATED: {
    remedy: 'ask for more: `maxFds`. Those that were not asked for are closed.',
  },
  ERR_INVALID_ARG_TYPE: {
    meaning: 'an argument is of a wrong type',
    remedy: 'the message names the argument and what it must be.',
  },
  ERR_INVALID_ARG_VALUE: {
    meaning: 'an argument cannot be used',
    remedy: 'the message names the argument and why.',
  },
  ERR_OUT_OF_RANGE: {
    meaning: 'a number is outside of what is allowed',
    remedy: 'the message names the argument and its range.',
  },
  ERR_PROCESS_FAILED: {
    meaning: 'a program has failed, and `check` was asked for',
    remedy: '`status` says how it ended, and the message has the end of its stderr.',
  },
  ERR_TRUNCATED: {
    remedy:
      'the other side died, or lost count, inside a message; or somebody made the memory smaller: open it anew.',
  },
  ERR_UNSUPPORTED: {
    remedy:
      'this system, kernel or build has no such thing: `octoipc doctor` says what is missing.',
  },
  ESOCKTNOSUPPORT: { remedy: 'this family of addresses has no such type of socket.' },
  ESRCH: { remedy: 'the process has ended: hold an `openProcess()` handle instead of its pid.' },
  ETIMEDOUT: {
    remedy: 'nothing was taken or sent: wait again, longer, or find out who keeps you waiting.',
  },
};
