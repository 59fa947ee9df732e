// The thread that stands for a JavaScript thread towards the kernel: it owns the locks that
// JavaScript holds, and waits for those that JavaScript wants.
#pragma once

#include <linux/futex.h>
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "octoipc/bell.h"
#include "octoipc/environment.h"
#include "region.h"

namespace octoipc {

/// A lock's word holds the id of its owner's keeper, and has a node on the keeper's list of
/// set_robust_list(2) for as long as its handle is open, held or not: when the keeper ends (by
/// kill -9, or because its worker ends), the kernel walks the list, marks each word that holds the
/// keeper's id with FUTEX_OWNER_DIED, and wakes one who waits. So taking a lock is one
/// compare-and-swap, which JavaScript does, and there is no moment in which a death goes unnoticed.
///
/// Lifetime:
/// 1. One for each environment, begun at the first lock, and never detached: the destructor wakes
///    and joins it.
/// 2. A node's mapping stays until the node is taken off the list, or the thread has ended.
/// 3. An armed word rings the bell once, when it may differ from what was expected, and is
/// disarmed.
///    The keeper never reads memory itself: the kernel does, to which a hole is EFAULT.
class Keeper : public Resource {
 public:
  explicit Keeper(std::shared_ptr<Bell> bell) : bell_(std::move(bell)) {}
  ~Keeper() override;

  /// The thread's id, or -errno.
  int64_t Start();

  /// Puts a word on the list; nothing where it cannot be. -ENOLCK when the list is full.
  int64_t Link(const std::shared_ptr<Mapping>& memory, Word* word);
  void Unlink(Word* word);
  /// Stores a value in a word that is held, and wakes so many: with the word announced to the
  /// kernel, which wakes somebody if this process is killed in between.
  void Release(Word* word, bool linked, uint32_t value, int count);

  void Arm(std::shared_ptr<Mapping> memory, Word* word, uint32_t expected, int32_t who);
  /// Whether it was still armed; if not, it has rung.
  bool Disarm(int32_t who);

 private:
  struct Armed {
    std::shared_ptr<Mapping> memory;
    Word* word;
    uint32_t expected;
    int32_t who;
    uint64_t id;
  };
  struct Linked {
    std::shared_ptr<Mapping> memory;
    Word* word;
    int uses;
  };

  static void* Run(void* self);
  void Loop();
  int64_t Sleep(uint32_t control, const std::vector<Armed>& armed);
  void Settle(const std::vector<Armed>& armed, int64_t woken);
  void Wake();
  void MarkUnlinked();
  robust_list* NodeOf(Word* word) const;

  const std::shared_ptr<Bell> bell_;
  pthread_t thread_{};
  bool started_ = false;
  std::atomic<uint32_t> tid_{0};
  /// Changes whenever the thread is to look at what is armed.
  std::atomic<uint32_t> control_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::vector<Armed> armed_;
  uint64_t next_id_ = 0;
  /// JavaScript's thread changes the list, the kernel reads it.
  robust_list_head head_{};
  std::unordered_map<Word*, Linked> linked_;
  size_t first_ = 0;
};

}  // namespace octoipc
