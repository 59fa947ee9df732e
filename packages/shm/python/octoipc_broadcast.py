"""Broadcasts of @octoipc/shm for Python: docs/layout.md.

    with Broadcast.open("/prices") as prices:
        prices.join_reader()
        message = prices.receive()
"""
import errno
import os
import struct
import time

from octoipc_shared import (
    ACQUIRE,
    DATA,
    RELAXED,
    RELEASE,
    SEAT,
    SEQ_CST,
    SLICE,
    Mapped,
    OwnerDied,
    damage,
    fence,
    format_header,
    owner_died,
    timed_out,
)

__all__ = ["Broadcast", "OwnerDied", "format"]

MAGIC, BELLS = 0x5443424F, 256
BEGUN, MARKS, LAST, READERS_SLEEP, WANTS = 64, 96, 128, 192, 256
MESSAGE, FILLER = 1, 2
TRIES = 1000
GAP_NONE, GAP_MISSED, GAP_ANY = range(3)


def format(memory, capacity, max_message_size=None, id=None):
    """Makes a broadcast in zeroed memory, a writable buffer."""
    limit = capacity // 4 - 16
    size = limit if max_message_size is None else max_message_size
    if not 64 <= capacity <= 1 << 30 or capacity & (capacity - 1) or size > limit:
        raise ValueError("capacity must be a power of two, and four largest messages must fit")
    format_header(memory, MAGIC, (0, capacity, size, DATA, BELLS), id)


def _size(length):
    return 16 + (length + 7 & ~7)


class Readable(Mapped):
    """What any number of readers sleep at."""

    def _wake_readers(self):
        if not self._take_sleepers(READERS_SLEEP):
            return
        for i in range(BELLS // 32):
            wanted = self._exchange(WANTS + 4 * i, 0)
            for bit in range(32):
                if wanted >> bit & 1:
                    self._ring_bell(b"bell", b"%d" % (32 * i + bit))

    def _sleep_reader(self, seen, seconds):
        self._lie_down(READERS_SLEEP, seconds, lambda: self._load64(LAST) != seen)


class Broadcast(Readable):
    """One end of a broadcast: join as the producer, or as a reader. For one thread."""

    MAGIC = MAGIC

    def __init__(self, memory):
        self._mine = None
        self._gap, self._death = GAP_NONE, False
        self.missed = 0
        super().__init__(memory)

    def _constants(self, flags, capacity, longest, data, bells):
        self.capacity, self.max_message_size = capacity, longest
        return (
            (flags, data, bells) == (0, DATA, BELLS)
            and 64 <= capacity <= 1 << 30
            and not capacity & (capacity - 1)
            and longest <= capacity // 4 - 16
            and len(self._view) >= DATA + capacity
        )

    # -- records

    def _begun(self):
        fence(ACQUIRE)
        return self._load64(BEGUN, RELAXED)

    def _header(self, at):
        first = self._load64(DATA + at, RELAXED)
        number = self._load64(DATA + at + 8, RELAXED) if self.capacity - at >= 16 else 0
        return first & 0xFFFFFFFF, first >> 32, number

    def _is_message(self, length, kind, rest):
        return kind == MESSAGE and length <= self.max_message_size and _size(length) <= rest

    def _go_to_end(self):
        for _ in range(TRIES):
            last = self._load64(LAST)
            if last == 0:
                self._here, self._number, self._begun_here = self.capacity, 0, self._begun()
                if self._begun_here > 2 * self.capacity:
                    raise damage("positions that cannot be")
                return
            if last & 7 or last < self.capacity:
                raise damage("positions that cannot be")
            at = last & self.capacity - 1
            length, kind, number = self._header(at)
            begun = self._begun()
            if self._load64(LAST) != last:
                continue
            end = last + _size(length)
            whole = begun >= end and begun - last <= self.capacity
            if not whole or not self._is_message(length, kind, self.capacity - at):
                raise damage("a record that cannot be")
            self._here, self._number, self._begun_here = end, number + 1, begun
            return
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def _go_to_mark(self, forward):
        """Whether it is there; if not, the producer has just moved on."""
        quarter = self.capacity // 4
        last = self._load64(LAST)
        newest = last // quarter
        if last < self.capacity:
            raise damage("positions that cannot be")
        begun = self._begun()
        for k in range(max(newest - 1, 4), newest + 1):
            mark = self._load64(MARKS + (k & 3) * 8)
            if mark // quarter > k and self._load64(LAST) != last:
                return False
            if mark // quarter != k or mark & 7:
                raise damage("a mark that cannot be")
            if k < newest and begun - mark > 3 * quarter:
                continue
            if forward and mark <= self._here:
                raise damage("nothing was lost")
            self._here = mark
            return True
        raise damage("marks that cannot be")

    # -- producer

    def join_producer(self):
        self._mine = self._sit(0, self._own_identity())
        if self._mine is None:
            raise OSError(errno.EBUSY, "there is a producer already")
        self._add(SEAT + 12, 1)
        self._go_to_end()

    def leave(self):
        if self._mine is not None:
            self._unsit(0, self._mine)
            self._mine = None
        super().leave()

    def _mark(self, position):
        k = position // (self.capacity // 4)
        at = MARKS + (k & 3) * 8
        if self._load64(at, RELAXED) // (self.capacity // 4) != k:
            self._store64(at, position, RELEASE)

    def send(self, message):
        """Never waits: it overwrites the oldest."""
        if len(message) > self.max_message_size:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        size = _size(len(message))
        at = self._here & self.capacity - 1
        rest = self.capacity - at
        filler = rest if size > rest else 0
        start = self._here + filler
        self._begun_here = max(self._begun_here, start + size)
        self._store64(BEGUN, self._begun_here, RELAXED)
        fence(RELEASE)
        if filler:
            self._mark(self._here)
            self._store64(DATA + at, filler - 8 | FILLER << 32, RELAXED)
            at = 0
        self._mark(start)
        self._copy_in(DATA + at, struct.pack("<2IQ", len(message), MESSAGE, self._number) + message)
        self._store64(LAST, start, RELEASE)
        self._here, self._number = start + size, self._number + 1
        self._wake_readers()

    # -- reader

    def join_reader(self, oldest=False):
        """With the next message, or with old ones first, as far as they are there still."""
        self._seen = self._identity() >> 56
        self._go_to_end()
        if not oldest or self._number == 0:
            return
        self._gap = GAP_ANY
        while not self._go_to_mark(False):
            pass

    def try_receive(self):
        """The next message, or None; `missed` counts what was overwritten before."""
        for _ in range(TRIES):
            if self._load64(LAST) < self._here:
                return None
            at = self._here & self.capacity - 1
            rest = self.capacity - at
            length, kind, number = self._header(at)
            good = self._is_message(length, kind, rest)
            message = self._copy_out(DATA + at + 16, length) if good else None
            if not 0 <= self._begun() - self._here <= self.capacity:
                if self._go_to_mark(True) and self._gap == GAP_NONE:
                    self._gap = GAP_MISSED
                continue
            if kind == FILLER and length == rest - 8 and at:
                self._here += rest
                continue
            if (
                not good
                or (self._gap == GAP_NONE and number != self._number)
                or (self._gap == GAP_MISSED and number < self._number)
            ):
                raise damage("a record that cannot be")
            if self._gap == GAP_MISSED:
                self.missed += number - self._number
            self._gap = GAP_NONE
            self._here, self._number = self._here + _size(length), number + 1
            return message
        return None

    def receive(self, timeout=None):
        """Waits for a message, seconds. OwnerDied once when the producer died."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            seen = self._load64(LAST)
            message = self.try_receive()
            if message is not None:
                return message
            if self._death:
                self._death = False
                raise owner_died()
            deaths = self._deaths()
            if deaths != self._seen:
                self._seen, self._death = deaths, True
                continue
            left = SLICE if end is None else min(SLICE, end - time.monotonic())
            if left <= 0:
                raise timed_out()
            self._sleep_reader(seen, left)
