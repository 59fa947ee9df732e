// What systems name differently in the structures of svipc(7).
#pragma once

#include <sys/ipc.h>
#include <sys/msg.h>

namespace octoipc {

#ifdef __APPLE__
inline key_t KeyOf(const ipc_perm& owner) { return owner._key; }
inline int SequenceOf(const ipc_perm& owner) { return owner._seq; }
inline unsigned long BytesIn(const msqid_ds& queue) { return queue.msg_cbytes; }
#else
inline key_t KeyOf(const ipc_perm& owner) { return owner.__key; }
inline int SequenceOf(const ipc_perm& owner) { return owner.__seq; }
inline unsigned long BytesIn(const msqid_ds& queue) { return queue.__msg_cbytes; }
#endif

}  // namespace octoipc
