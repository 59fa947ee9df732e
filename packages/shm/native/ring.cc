// Rings in shared memory, where native code is quicker than JavaScript or the only way:
// docs/layout.md.
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "process_start.h"
#include "region.h"
#include "ring_drain.h"
#include "shm.h"

namespace octoipc {
namespace {

/// A seat that somebody of this environment sits in.
///
/// Lifetime: until JavaScript leaves it, else until the environment ends, a worker for instance
/// that was terminated: its process lives on, so nobody else would ever find the seat empty. It
/// keeps the region, whatever becomes of the handle.
class Seat : public Resource {
 public:
  Seat(std::shared_ptr<Region> region, size_t offset)
      : region_(std::move(region)),
        identity_(reinterpret_cast<std::atomic<uint64_t>*>(region_->data() + offset)),
        mine_(identity_->load()) {}
  ~Seat() override {
    uint64_t mine = mine_;
    identity_->compare_exchange_strong(mine, mine_ & uint64_t{0xff} << 56);
  }

 private:
  const std::shared_ptr<Region> region_;
  std::atomic<uint64_t>* const identity_;
  const uint64_t mine_;
};

/// Makes a seat, which was just taken, be left at the latest with the environment.
int64_t RingSit(Environment& environment, int mapping, int64_t offset) {
  std::shared_ptr<Region> region = RegionAt(environment, mapping);
  if (region == nullptr) return -EBADF;
  const auto size = static_cast<int64_t>(region->length());
  if (offset < 0 || offset % 8 != 0 || offset > size - 8) return -EFAULT;
  return environment.Keep(std::make_unique<Seat>(std::move(region), static_cast<size_t>(offset)));
}

int64_t RingLeave(Environment& environment, int index) {
  environment.Drop(index);
  return 0;
}

/// A name without a file, which goes with its socket: unix(7), abstract.
socklen_t AddressOf(const std::string& name, sockaddr_un* out) {
  out->sun_family = AF_UNIX;
  const size_t length = std::min(name.size(), sizeof out->sun_path - 1);
  std::memcpy(out->sun_path + 1, name.data(), length);
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
}

/// A socket for bells. With a name it is one: if the name is taken, -EADDRINUSE where it must be
/// its own; else it will not be rung, and the memory is looked at from time to time all the same.
int64_t BellOpen(Environment& environment, const std::string& name, bool exclusive) {
  const int type = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const int64_t fd = ValueOrError([&] { return ::socket(AF_UNIX, type, 0); });
  if (fd < 0) return fd;
  UniqueFd socket(static_cast<int>(fd));
  if (!name.empty()) {
    sockaddr_un address{};
    const socklen_t size = AddressOf(name, &address);
    const int64_t bound = ValueOrError(
        [&] { return ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size); });
    if (bound < 0 && exclusive) return bound;
  }
  environment.Own(socket.get());
  return socket.release();
}

int64_t BellRing(int fd, const std::string& name) {
  sockaddr_un address{};
  const socklen_t size = AddressOf(name, &address);
  return Retry([&] {
    return ::sendto(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
                    size);
  });
}

/// Takes the rings that came, by one call. Anybody may ring without end: what is left wakes again.
int64_t BellDrain(int fd) {
  constexpr unsigned int kRings = 16;
  mmsghdr rings[kRings] = {};
  ::recvmmsg(fd, rings, kRings, MSG_DONTWAIT, nullptr);
  return 0;
}

int64_t RingDrain(Bytes data, uint32_t head, uint32_t tail, uint32_t longest, Bytes room,
                  uint32_t used, Integers found) {
  return ring::Drain(data, head, tail, longest, room, used, found);
}

}  // namespace

void ExportRings(Exports& exports) {
  exports.Function<ProcessStart>("processStart")
      .Function<RingSit>("ringSit")
      .Function<RingLeave>("ringLeave")
      .Function<BellOpen>("bellOpen")
      .Function<BellRing>("bellRing")
      .Function<BellDrain>("bellDrain")
      .Function<RingDrain>("ringDrain");
}

}  // namespace octoipc
