// System V semaphore sets: semget(2), semop(2), semctl(2).
#include "sysv.h"

#include <sys/ipc.h>
#include <sys/sem.h>
#include <time.h>

#include <algorithm>
#include <string>
#include <vector>

#include "octoipc/ipc_owner.h"
#include "octoipc/retry.h"
#include "sem.h"

namespace octoipc {

OperationList::OperationList(Integers numbers, int flags)
    : size_(numbers.size() / kNumbersPerOperation) {
  if (size_ > few_.size()) many_.resize(size_);
  sembuf* operation = data();
  for (size_t i = 0; i < size_; ++i) {
    const int32_t* one = numbers.data() + i * kNumbersPerOperation;
    operation[i].sem_num = static_cast<unsigned short>(one[0]);
    operation[i].sem_op = static_cast<short>(one[1]);
    operation[i].sem_flg = static_cast<short>(one[2] | flags);
  }
}

namespace {

/// semctl(2) wants this union from its caller.
union Argument4 {
  int val;
  semid_ds* buf;
  unsigned short* array;
  seminfo* info;
};

int64_t SetGet(int32_t key, int32_t count, bool create, bool exclusive, uint32_t mode) {
  const int flags = (create ? IPC_CREAT : 0) | (exclusive ? IPC_EXCL : 0);
  return Retry([&] { return ::semget(key, count, flags | static_cast<int>(mode)); });
}

/// From now on operations are told in this array: to be passed one takes a tenth of a small call.
int64_t SetTell(Environment& environment, Integers told) {
  SemEnvironment::Of(environment).told = told;
  return 0;
}

/// The first so many operations of those that were told.
Integers ToldBy(Environment& environment, int32_t count) {
  const Integers told = SemEnvironment::Of(environment).told;
  const size_t length = count < 0 ? 0 : static_cast<size_t>(count) * kNumbersPerOperation;
  return told.first(std::min(length, told.size()));
}

/// semtimedop(2) for up to so many milliseconds on the calling thread; negative: for as long as it
/// takes.
int64_t SetOperate(Environment& environment, int id, int32_t count, int64_t milliseconds) {
  OperationList operations(ToldBy(environment, count));
  const timespec time = {milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  return ValueOrError([&] {
    return ::semtimedop(id, operations.data(), operations.size(),
                        milliseconds < 0 ? nullptr : &time);
  });
}

/// semop(2), none of whose operations waits.
int64_t SetTry(Environment& environment, int id, int32_t count) {
  OperationList operations(ToldBy(environment, count), IPC_NOWAIT);
  return ValueOrError([&] { return ::semop(id, operations.data(), operations.size()); });
}

int64_t SetControl(int id, int32_t index, int32_t command, int32_t value) {
  Argument4 argument{};
  argument.val = value;
  return Retry([&] { return ::semctl(id, index, command, argument); });
}

/// How many semaphores a set has: GETALL and SETALL do not ask how long the array is.
int64_t CountOf(int id) {
  semid_ds status{};
  Argument4 argument{};
  argument.buf = &status;
  const int64_t result = Retry([&] { return ::semctl(id, 0, IPC_STAT, argument); });
  return result < 0 ? result : static_cast<int64_t>(status.sem_nsems);
}

int64_t SetValues(int id, Integers out) {
  const int64_t count = CountOf(id);
  if (count < 0) return count;
  if (static_cast<size_t>(count) != out.size()) return -EFAULT;
  std::vector<unsigned short> values(out.size());
  Argument4 argument{};
  argument.array = values.data();
  const int64_t result = Retry([&] { return ::semctl(id, 0, GETALL, argument); });
  if (result < 0) return result;
  std::copy(values.begin(), values.end(), out.begin());
  return 0;
}

int64_t SetAllValues(int id, Integers from) {
  const int64_t count = CountOf(id);
  // A set that may only be written: its creator knows.
  if (count != -EACCES && count < 0) return count;
  if (count != -EACCES && static_cast<size_t>(count) != from.size()) return -EFAULT;
  std::vector<unsigned short> values(from.begin(), from.end());
  Argument4 argument{};
  argument.array = values.data();
  return Retry([&] { return ::semctl(id, 0, SETALL, argument); });
}

/// semctl(IPC_STAT), in the order of sysv-status.ts.
int64_t SetStat(int id, Numbers out) {
  if (out.size() < 9) return -EFAULT;
  semid_ds status{};
  Argument4 argument{};
  argument.buf = &status;
  const int64_t result = Retry([&] { return ::semctl(id, 0, IPC_STAT, argument); });
  if (result < 0) return result;
  const ipc_perm& owner = status.sem_perm;
  const double values[] = {
      static_cast<double>(KeyOf(owner)),     static_cast<double>(owner.mode & 0777),
      static_cast<double>(owner.uid),        static_cast<double>(owner.gid),
      static_cast<double>(owner.cuid),       static_cast<double>(owner.cgid),
      static_cast<double>(status.sem_nsems), static_cast<double>(status.sem_otime),
      static_cast<double>(status.sem_ctime)};
  std::copy(std::begin(values), std::end(values), out.begin());
  return 0;
}

/// semctl(IPC_SET); what is negative stays as it is.
int64_t SetChange(int id, int64_t mode, int64_t uid, int64_t gid) {
  semid_ds status{};
  Argument4 argument{};
  argument.buf = &status;
  const int64_t result = Retry([&] { return ::semctl(id, 0, IPC_STAT, argument); });
  if (result < 0) return result;
  if (mode >= 0) status.sem_perm.mode = static_cast<decltype(status.sem_perm.mode)>(mode);
  if (uid >= 0) status.sem_perm.uid = static_cast<uid_t>(uid);
  if (gid >= 0) status.sem_perm.gid = static_cast<gid_t>(gid);
  return Retry([&] { return ::semctl(id, 0, IPC_SET, argument); });
}

/// semctl(IPC_INFO): semmni, semmns, semmsl, semopm, semvmx.
int64_t SetLimits(Numbers out) {
  if (out.size() < 5) return -EFAULT;
  seminfo info{};
  Argument4 argument{};
  argument.info = &info;
  const int64_t result = Retry([&] { return ::semctl(0, 0, IPC_INFO, argument); });
  if (result < 0) return result;
  const double values[] = {static_cast<double>(info.semmni), static_cast<double>(info.semmns),
                           static_cast<double>(info.semmsl), static_cast<double>(info.semopm),
                           static_cast<double>(info.semvmx)};
  std::copy(std::begin(values), std::end(values), out.begin());
  return 0;
}

int64_t Ftok(const std::string& path, int project, Integers out) {
  if (out.empty()) return -EFAULT;
  errno = 0;
  const key_t key = ::ftok(path.c_str(), project);
  const int error = errno;
  if (key == -1 && error != 0) return -error;
  out[0] = key;
  return 0;
}

}  // namespace

void ExportSysv(Exports& exports) {
  exports.Function<SetGet>("setGet")
      .Function<SetTell>("setTell")
      .Function<SetOperate>("setOperate")
      .Function<SetTry>("setTry")
      .Function<SetControl>("setControl")
      .Function<SetValues>("setValues")
      .Function<SetAllValues>("setAllValues")
      .Function<SetStat>("setStat")
      .Function<SetChange>("setChange")
      .Function<SetLimits>("setLimits")
      .Function<Ftok>("ftok")
      .Number("GETVAL", GETVAL)
      .Number("SETVAL", SETVAL)
      .Number("GETPID", GETPID)
      .Number("GETNCNT", GETNCNT)
      .Number("GETZCNT", GETZCNT)
      .Number("IPC_RMID", IPC_RMID)
      .Number("IPC_NOWAIT", IPC_NOWAIT)
      .Number("SEM_UNDO", SEM_UNDO);
}

}  // namespace octoipc
