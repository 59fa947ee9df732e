// The thread that stands for a JavaScript thread towards the kernel, and owns the locks that
// JavaScript holds.
#pragma once

#include <linux/futex.h>
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "octoipc/environment.h"
#include "region.h"

namespace octoipc {

/// A lock's word holds the id of its owner's keeper, and has a node on the keeper's list of
/// set_robust_list(2) for as long as its handle is open, held or not: when the keeper ends (by
/// kill -9, or because its worker ends), the kernel walks the list, marks each word that holds the
/// keeper's id with FUTEX_OWNER_DIED, and wakes one who waits. So taking a lock is one
/// compare-and-swap, which JavaScript does, and there is no moment in which a death goes unnoticed.
///
/// The thread does nothing but to end, and to look after a JavaScript thread that sleeps on a word
/// without a timer: a wake may have gone to somebody who was killed before he could use it.
///
/// Lifetime:
/// 1. One for each environment, begun at the first lock, and never detached: the destructor wakes
///    and joins it.
/// 2. A node's mapping stays until the node is taken off the list, or the thread has ended.
class Keeper : public Resource {
 public:
  Keeper() = default;
  ~Keeper() override;

  /// The thread's id, or -errno.
  int64_t Start();

  /// Puts a word on the list; nothing where it cannot be. -ENOLCK when the list is full.
  int64_t Link(const std::shared_ptr<Mapping>& memory, Word* word);
  void Unlink(Word* word);
  /// Stores a value in a word that is held, and wakes so many: with the word announced to the
  /// kernel, which wakes somebody if this process is killed in between.
  void Release(Word* word, bool linked, uint32_t value, int count);
  /// Sleeps while the word has this value, for as long as it takes; as `FutexWait`.
  int64_t Sleep(Word* word, uint32_t expected);

 private:
  /// What the thread does: it sleeps, it looks now and then, or it ends.
  enum Duty : uint32_t { kRest, kLook, kEnd };

  struct Linked {
    std::shared_ptr<Mapping> memory;
    Word* word;
    int uses;
  };

  static void* Run(void* self);
  void Loop();
  void Look();
  void MarkUnlinked();
  robust_list* NodeOf(Word* word) const;

  pthread_t thread_{};
  bool started_ = false;
  std::atomic<uint32_t> tid_{0};
  std::atomic<uint32_t> duty_{kRest};
  /// Odd while JavaScript's thread sleeps on a word; changes with each sleep.
  std::atomic<uint32_t> sleeps_{0};
  std::atomic<Word*> word_{nullptr};
  std::atomic<uint32_t> expected_{0};
  /// Of the keeper's thread: `sleeps_` at its last look.
  uint32_t seen_ = 0;
  /// JavaScript's thread changes the list, the kernel reads it.
  robust_list_head head_{};
  std::unordered_map<Word*, Linked> linked_;
};

}  // namespace octoipc
