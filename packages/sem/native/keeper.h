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

/// A lock's word holds the id of its owner's keeper. From before it is taken until after it is let
/// go, the kernel knows it by set_robust_list(2): when the keeper ends (by kill -9, or because its
/// worker ends), the kernel marks each word that it knows and that holds the keeper's id with
/// FUTEX_OWNER_DIED, and wakes one who waits. So there is no moment in which a death goes
/// unnoticed.
///
/// JavaScript announces the word that it is about to take in `list_op_pending`, and it stays
/// announced while it is held: that is one store. Only when a second one is taken meanwhile the
/// first goes on the list. What is not held is known to nobody: the kernel stops its walk at the
/// first word that it cannot read, and to it a thread of another pid namespace may have our id.
///
/// The thread does nothing but to end, and to look after a JavaScript thread that sleeps on a word
/// without a timer: a wake may have gone to somebody who was killed before he could use it.
///
/// Lifetime:
/// 1. One for each environment, begun at the first lock, and never detached: the destructor wakes
///    and joins it.
/// 2. The mapping of a word that may be held stays until the word is removed, or the thread has
///    ended.
class Keeper : public Resource {
 public:
  Keeper() = default;
  ~Keeper() override;

  /// The thread's id, or -errno; also where the kernel has no such lists: then no death would be
  /// told.
  int64_t Start();

  /// Where a word is announced: an 8-byte pointer to its node.
  robust_list** announced() { return &head_.list_op_pending; }

  /// A word that may be held from now on; `node` gets what announces it, nullptr where the kernel
  /// does not. -ENOLCK when there are as many as the kernel walks.
  int64_t Add(const std::shared_ptr<Mapping>& memory, Word* word, robust_list** node);
  void Remove(Word* word);
  /// Puts what is announced on the list, so that another one can be announced.
  void ListAnnounced();
  void Unlist(Word* word);
  /// Stores a value in a word that is held, and wakes so many: with the word announced to the
  /// kernel, which wakes somebody if this process is killed in between. Then nothing is announced.
  /// Whether it was held by this thread; if not, it stays as it is.
  bool Release(Word* word, bool tracked, uint32_t value, int count);
  /// Sleeps while the word has this value, for as long as it takes; as `FutexWait`.
  int64_t Sleep(Word* word, uint32_t expected);

 private:
  /// What the thread does: it sleeps, it looks now and then, or it ends.
  enum Duty : uint32_t { kRest, kLook, kEnd };

  struct Known {
    std::shared_ptr<Mapping> memory;
    int uses;
  };

  static void* Run(void* self);
  void Loop();
  void Look();
  void MarkUntracked();
  robust_list* NodeOf(Word* word) const;
  void Unlist(robust_list* node);

  pthread_t thread_{};
  bool started_ = false;
  /// Why the kernel was not told of the list; written before `tid_`.
  int untold_ = 0;
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
  std::unordered_map<Word*, Known> known_;
};

}  // namespace octoipc
