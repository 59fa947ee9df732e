"""Values of @octoipc/shm for Python: docs/layout.md.

    with Value.open("/config") as config:
        config.set(b"hello")
        config.get()
"""
import errno
import os
import time

from octoipc_broadcast import BEGUN, BELLS, LAST as NEWEST, Readable
from octoipc_shared import ACQUIRE, DATA, RELAXED, RELEASE, SLICE, damage, fence, format_header, timed_out

__all__ = ["Value", "format"]

MAGIC, KIND = 0x4C41564F, 1
LARGEST = (1 << 30) - 64
TRIES = 100
PATIENCE = 0.1


def _slot(longest):
    return 8 + longest + 63 & ~63


def format(memory, max_size, id=None):
    """Makes a value in zeroed memory, a writable buffer."""
    if not 0 <= max_size <= LARGEST:
        raise ValueError("too large")
    format_header(memory, MAGIC, (0, _slot(max_size), max_size, DATA, BELLS), id)


class Value(Readable):
    """A value that any process may set, and all read. For one thread."""

    MAGIC = MAGIC

    def _constants(self, flags, slot, longest, data, bells):
        self.max_size, self._slot = longest, slot
        return (
            (flags, data, bells) == (0, DATA, BELLS)
            and longest <= LARGEST
            and slot == _slot(longest)
            and len(self._view) >= DATA + 2 * slot
        )

    def _lock(self):
        end = time.monotonic() + PATIENCE
        while True:
            mine = self._sit(0, self._own_identity())
            if mine is not None:
                return mine
            if time.monotonic() > end:
                raise OSError(errno.EBUSY, "somebody stands still in the middle of setting it")
            os.sched_yield()

    def set(self, data):
        if len(data) > self.max_size:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        mine = self._lock()
        version = self._load64(NEWEST) + 1
        self._store64(BEGUN, version, RELEASE)
        fence(RELEASE)
        at = DATA + version % 2 * self._slot
        self._store64(at, len(data) | KIND << 32, RELAXED)
        self._copy_in(at + 8, data)
        self._store64(NEWEST, version, RELEASE)
        self._unsit(0, mine)
        self._wake_readers()

    def _copy(self, version):
        at = DATA + version % 2 * self._slot
        header = self._load64(at, RELAXED)
        length = header & 0xFFFFFFFF
        if header >> 32 != KIND or length > self.max_size:
            return None
        return self._copy_out(at + 8, length)

    def get(self):
        """The latest state; None if it was never set."""
        overtaken = None
        for _ in range(TRIES):
            version = self.version
            if version == 0:
                return None
            if version == overtaken:
                raise damage("a version that cannot be")
            data = self._copy(version)
            fence(ACQUIRE)
            if self._load64(BEGUN) - version in (0, 1):
                break
            overtaken = version
        else:
            mine = self._lock()
            data = self._copy(self.version)
            self._unsit(0, mine)
        if data is None:
            raise damage("a state that cannot be")
        return data

    @property
    def version(self):
        return self._load64(NEWEST)

    def changed(self, since, timeout=None):
        """Waits for another version, seconds; which it is then."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.version == since:
            left = SLICE if end is None else min(SLICE, end - time.monotonic())
            if left <= 0:
                raise timed_out()
            self._sleep_reader(since, left)
        return self.version
