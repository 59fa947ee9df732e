// macOS: names of Linux that it lacks, and its kqueue as an epoll set. Constants that the system
// never sees have Linux's numbers, which TypeScript has, too; those that it would take for
// something else are no bit of its own.
#pragma once

#include <crt_externs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <sys/mount.h>

#include "octoipc/platform.h"

#define environ (*_NSGetEnviron())

enum : long {
  SYS_gettid = 1,
  SYS_rt_sigprocmask,
  SYS_rt_sigpending,
  SYS_futex,
  SYS_chdir,
  SYS_close,
  SYS_dup3,
  SYS_execve,
  SYS_exit_group,
  SYS_fcntl,
  SYS_getpid,
  SYS_getppid,
  SYS_memfd_create,
  SYS_mq_getsetattr,
  SYS_mq_notify,
  SYS_mq_open,
  SYS_mq_timedreceive,
  SYS_mq_timedsend,
  SYS_mq_unlink,
  SYS_openat,
  SYS_prctl,
  SYS_preadv2,
  SYS_prlimit64,
  SYS_pwritev2,
  SYS_rt_sigaction,
  SYS_rt_sigqueueinfo,
  SYS_rt_sigtimedwait,
  SYS_rt_tgsigqueueinfo,
  SYS_sched_getattr,
  SYS_sched_setattr,
  SYS_set_robust_list,
  SYS_setpgid,
  SYS_setpriority,
  SYS_signalfd4,
  SYS_tgkill,
  SYS_timer_create,
  SYS_timer_delete,
  SYS_timer_settime,
  SYS_waitid,
  SYS_write,
};
#define SYS_pidfd_open 434
#define SYS_pidfd_send_signal 424
#define SYS_sendmsg 28

// Between threads and processes: futex(2), get_robust_list(2).
#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_PRIVATE_FLAG 128
#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129
#define FUTEX_BITSET_MATCH_ANY 0xffffffff
#define FUTEX_WAITERS 0x80000000
#define FUTEX_OWNER_DIED 0x40000000
#define FUTEX_TID_MASK 0x3fffffff

struct robust_list {
  robust_list* next;
};

struct robust_list_head {
  robust_list list;
  long futex_offset;
  robust_list* list_op_pending;
};

// Descriptors.
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#ifndef F_OFD_SETLK
#define F_OFD_SETLK 90
#endif
#ifndef F_OFD_GETLK
#define F_OFD_GETLK 92
#endif
#define F_SEAL_SEAL 1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW 4
#define F_SEAL_WRITE 8
#define MFD_CLOEXEC 1U
#define MFD_ALLOW_SEALING 2U
#define MFD_HUGETLB 4U
#define MFD_HUGE_SHIFT 26
#define O_DIRECT 0x40000000
#define O_PATH 0
/// No flag of open(2) here: a name that is asked for all the same is the folder itself.
#define O_TMPFILE O_DIRECTORY
#define POLLRDHUP 0
#define RWF_NOWAIT 8
#define SPLICE_F_MOVE 1
#define SPLICE_F_NONBLOCK 2
#define SPLICE_F_MORE 4
#define TMPFS_MAGIC 0x01021994

// Memory.
#define MAP_POPULATE 0
#define MREMAP_MAYMOVE 1
#define MREMAP_FIXED 2
#define MADV_HUGEPAGE 1014
#define MADV_NOHUGEPAGE 1015
#define MADV_DONTFORK 1010
#define MADV_DOFORK 1011
#define MADV_DONTDUMP 1016
#define MADV_DODUMP 1017

struct sysinfo {
  unsigned long totalram;
  unsigned long totalswap;
  unsigned int mem_unit;
};

// System V.
#define IPC_INFO 3
#define SHM_HUGETLB 0
#define SHM_LOCK 11
#define SHM_UNLOCK 12
#define SHM_REMAP 040000
#define MSG_EXCEPT 020000
#define MSG_COPY 040000

struct seminfo {
  int semmni, semmns, semmsl, semopm, semvmx;
};

// POSIX queues.
struct mq_attr {
  long mq_flags, mq_maxmsg, mq_msgsize, mq_curmsgs;
};
#define RLIMIT_MSGQUEUE 12
#define AF_NETLINK 16
#define NETLINK_ROUTE 0

// Sockets.
#define SOCK_CLOEXEC 02000000
#define SOCK_NONBLOCK 04000
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0x80000
#endif
#define MSG_CMSG_CLOEXEC 0
#define MSG_WAITFORONE 0
#define SCM_CREDENTIALS 2

struct ucred {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};

struct mmsghdr {
  msghdr msg_hdr;
  unsigned int msg_len;
};

// Signals and timers.
#define SI_KERNEL 0x80
#define SI_TKILL (-6)
#define SIGEV_THREAD_ID 4
#define sigev_notify_thread_id sigev_signo
using __kernel_timer_t = int;

struct itimerspec {
  timespec it_interval, it_value;
};

struct signalfd_siginfo {
  uint32_t ssi_signo;
  int32_t ssi_code;
  uint32_t ssi_pid, ssi_uid;
  int32_t ssi_status;
  uint64_t ssi_ptr;
};
#define SFD_CLOEXEC O_CLOEXEC
#define SFD_NONBLOCK O_NONBLOCK

// Processes.
#define CLONE_VM 0x100
#define CLONE_VFORK 0x4000
#define CLONE_PIDFD 0x1000
#define PR_SET_PDEATHSIG 1

// epoll(7), by kqueue(2): two filters for each descriptor.
#define EPOLL_CLOEXEC O_CLOEXEC
#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3
#define EPOLLIN 0x001U
#define EPOLLPRI 0x002U
#define EPOLLOUT 0x004U
#define EPOLLERR 0x008U
#define EPOLLHUP 0x010U
#define EPOLLRDHUP 0x2000U
#define EPOLLET 0x80000000U
#define EFD_CLOEXEC O_CLOEXEC
#define EFD_NONBLOCK O_NONBLOCK

struct epoll_event {
  uint32_t events;
  union {
    uint32_t u32;
    uint64_t u64;
  } data;
};

inline int epoll_create1(int) {
  const int queue = ::kqueue();
  if (queue >= 0) ::fcntl(queue, F_SETFD, FD_CLOEXEC);
  return queue;
}

/// No EPOLL_CTL_MOD: it is asked for only where a second number of a descriptor is to stand in, and
/// a queue forgets a number with what it stood for.
inline int epoll_ctl(int queue, int operation, int fd, epoll_event* event) {
  if (operation == EPOLL_CTL_MOD) {
    errno = EINVAL;
    return -1;
  }
  const uint16_t flags = operation == EPOLL_CTL_ADD ? EV_ADD | EV_CLEAR : EV_DELETE;
  auto* data = event == nullptr ? nullptr : reinterpret_cast<void*>(event->data.u64);
  int watched = 0;
  // A descriptor that cannot be written has no filter for that.
  const int16_t filters[] = {EVFILT_READ, EVFILT_WRITE};
  for (const int16_t filter : filters) {
    struct kevent change;
    EV_SET(&change, static_cast<uintptr_t>(fd), filter, flags, 0, 0, data);
    if (::kevent(queue, &change, 1, nullptr, 0, nullptr) == 0) ++watched;
  }
  return watched > 0 ? 0 : -1;
}

/// Without waiting, which is how it is called.
inline int epoll_wait(int queue, epoll_event* events, int room, int) {
  constexpr int kMost = 64;
  struct kevent ready[kMost];
  const timespec now = {0, 0};
  const int count = ::kevent(queue, nullptr, 0, ready, room < kMost ? room : kMost, &now);
  for (int i = 0; i < count; ++i) {
    const bool reads = ready[i].filter == EVFILT_READ;
    const bool ended = (ready[i].flags & EV_EOF) != 0;
    events[i].data.u64 = reinterpret_cast<uintptr_t>(ready[i].udata);
    events[i].events = reads ? EPOLLIN : EPOLLOUT;
    if (ended) events[i].events |= reads ? EPOLLHUP | EPOLLRDHUP : EPOLLERR;
  }
  return count;
}

/// eventfd(2), by a FIFO that has no name any more: what was written can be read by whoever wrote.
inline int eventfd(unsigned int, int flags) {
  char folder[] = "/tmp/octoipc-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return -1;
  char path[sizeof folder + 5];
  ::snprintf(path, sizeof path, "%s/bell", folder);
  int fd = -1;
  if (::mkfifo(path, 0600) == 0) {
    fd = ::open(path, O_RDWR | flags);
    ::unlink(path);
  }
  ::rmdir(folder);
  return fd;
}

namespace octoipc::elsewhere {

/// socket(2) and socketpair(2) know no flags.
inline int Prepared(int fd, int type) {
  if (fd < 0) return fd;
  if ((type & SOCK_CLOEXEC) != 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  if ((type & SOCK_NONBLOCK) != 0) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

inline int Socket(int domain, int type, int protocol) {
  return Prepared(::socket(domain, type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK), protocol), type);
}

inline int SocketPair(int domain, int type, int protocol, int* ends) {
  const int made = ::socketpair(domain, type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK), protocol, ends);
  for (int i = 0; i < 2 && made == 0; ++i) Prepared(ends[i], type);
  return made;
}

inline int SystemInformation(struct sysinfo*) {
  errno = kNotOnThisSystem;
  return -1;
}

}  // namespace octoipc::elsewhere

#define socket octoipc_socket
#define socketpair octoipc_socketpair
inline constexpr auto octoipc_socket = octoipc::elsewhere::Socket;
inline constexpr auto octoipc_socketpair = octoipc::elsewhere::SocketPair;
inline int sysinfo(struct sysinfo* out) { return octoipc::elsewhere::SystemInformation(out); }
