"""Rings of @octoipc/shm for Python: docs/layout.md.

    with Ring.open("/jobs") as ring:
        ring.join_producer()
        ring.send(b"hello")
"""
import errno
import os
import struct
import time

from octoipc_shared import DATA, SEAT, SLICE, U32, Mapped, OwnerDied, damage, format_header, owner_died, timed_out

__all__ = ["OwnerDied", "Ring", "format"]

MAGIC, SEATS = 0x474E524F, 32
TAIL, HEAD, CONSUMER_SLEEP, PRODUCER_SLEEP, LOCK = 64, 128, 192, 256, 320
MESSAGE, FILLER = 1, 2


def format(memory, capacity, max_message_size=None, turns=False, id=None):
    """Makes a ring in zeroed memory, a writable buffer."""
    limit = capacity // 2 - 8
    size = limit if max_message_size is None else max_message_size
    if not 64 <= capacity <= 1 << 30 or capacity & (capacity - 1) or size > limit:
        raise ValueError("capacity must be a power of two, and two largest messages must fit")
    format_header(memory, MAGIC, (int(turns), capacity, size, DATA, SEATS if turns else 1), id)


class Ring(Mapped):
    """One end of a ring: join as the producer or the consumer. For one thread."""

    MAGIC = MAGIC

    def __init__(self, memory):
        self._index = None
        self._held = self._death = self._full = False
        self._looked = 0.0
        super().__init__(memory)

    def _constants(self, flags, capacity, largest, data, seats):
        self.capacity, self.max_message_size, self._turns, self._seats = capacity, largest, flags, seats
        return (
            flags <= 1
            and data == DATA
            and seats == (SEATS if flags else 1)
            and 64 <= capacity <= 1 << 30
            and not capacity & (capacity - 1)
            and largest <= capacity // 2 - 8
            and len(self._view) >= DATA + capacity
        )

    # -- seats

    def join_producer(self):
        self._join(range(1, self._seats + 1))

    def join_consumer(self):
        self._join(range(1))

    def _join(self, seats):
        own = self._own_identity()
        index = next((i for i in seats if self._take(i, own)), None)
        if index is None:
            raise OSError(errno.EBUSY, "somebody is there already")
        self._index = index
        tail, head = self._load(TAIL), self._load(HEAD)
        self._check_positions(tail, head)
        self._here, self._there = (tail, head) if index else (head, tail)
        self._published = self._here
        self._seen = [self._identity(i) >> 56 for i in range(self._seats + 1)]

    def _take(self, index, own):
        mine = self._sit(index, own)
        if mine is None:
            return False
        self._mine = mine
        generation = self._add(SEAT + 64 * index + 12, 1) + 1
        self._turn = (index | generation << 8) & U32
        return True

    def leave(self):
        if self._index is not None:
            if self._held:
                self._store(LOCK, 0)
            self._unsit(self._index, self._mine)
            self._index = None
        super().leave()

    def _check_peers(self):
        """Buries the dead of the other side; whether there are some that were not told of."""
        told = True
        for i in range(1) if self._index else range(1, self._seats + 1):
            deaths = self._deaths(i)
            if deaths != self._seen[i]:
                self._seen[i] = deaths
                told = False
        return not told

    # -- sleep

    def _wake(self, at):
        if not self._take_sleepers(at):
            return
        if at == CONSUMER_SLEEP:
            self._ring_bell(b"ring", b"c")
            return
        for i in range(1, self._seats + 1):
            if self._exchange(SEAT + 64 * i + 8, 0):
                self._ring_bell(b"ring", b"%d" % (i - 1))

    def _publish(self):
        producer = self._index > 0
        if self._here != self._published:
            self._store(TAIL if producer else HEAD, self._here)
            self._published = self._here
            self._wake(CONSUMER_SLEEP if producer else PRODUCER_SLEEP)
        if self._held:
            self._held = False
            self._store(LOCK, 0)
            self._wake(PRODUCER_SLEEP)

    def _sleep(self, seconds, ready):
        self._lie_down(PRODUCER_SLEEP if self._index else CONSUMER_SLEEP, seconds, ready)

    def _until(self, attempt, timeout, ready, mend):
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            result = attempt()
            if result is not None:
                return result
            if self._death:
                self._death = False
                raise owner_died()
            if self._check_peers():
                self._death = True
                continue
            mend()
            left = SLICE if end is None else min(SLICE, end - time.monotonic())
            if left <= 0:
                raise timed_out()
            self._sleep(left, ready)

    # -- producer

    def _check_positions(self, tail, head):
        if (tail - head & U32) > self.capacity or (tail | head) & 7:
            raise damage("positions that cannot be")

    def _is_full(self, length):
        """Whether there is no room for sure, by a look without the turn. Who takes it in vain wakes the others when he
        gives it back, who would do the same: they would go round for as long as the ring is full."""
        # In this order: the tail can only be further by now, and then there is no more room.
        self._here = self._published = self._load(TAIL)
        self._there = self._load(HEAD)
        used = self._here - self._there & U32
        return used <= self.capacity and self.capacity - used < sum(self._need(length))

    def _take_turn(self, length):
        if not self._turns:
            return True
        if self._full and self._is_full(length):
            return False
        if not self._swap(LOCK, 0, self._turn) and not self._take_from_dead():
            return False
        self._held = True
        self._here = self._published = self._load(TAIL)
        self._there = self._load(HEAD)
        self._check_positions(self._here, self._there)
        return True

    def _take_from_dead(self):
        now = time.monotonic()
        if now - self._looked < 0.01:
            return False
        self._looked = now
        self._mend_lock()
        return self._swap(LOCK, 0, self._turn)

    def _mend_lock(self):
        held = self._load(LOCK)
        index = held & 0xFF
        if held in (0, self._turn):
            return
        if 0 < index <= self._seats:
            identity = self._identity(index)
            same = self._load(SEAT + 64 * index + 12) & 0xFFFFFF == held >> 8
            if same and identity & 0x3FFFFF and not self._is_dead(identity):
                return
        self._swap(LOCK, held, 0)

    def _need(self, length):
        record = 8 + (length + 7 & ~7)
        rest = self.capacity - (self._here & self.capacity - 1)
        return record, rest if record > rest else 0

    def try_send(self, message):
        """Whether it was sent."""
        if len(message) > self.max_message_size:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        if not self._take_turn(len(message)):
            return False
        record, filler = self._need(len(message))
        if self.capacity - (self._here - self._there & U32) < record + filler:
            self._there = self._load(HEAD)
            self._check_positions(self._here, self._there)
        self._full = self.capacity - (self._here - self._there & U32) < record + filler
        if not self._full:
            if filler:
                self._header(filler - 8, FILLER)
                self._here = self._here + filler & U32
            at = self._header(len(message), MESSAGE)
            self._view[at : at + len(message)] = message
            self._here = self._here + record & U32
        self._publish()
        return not self._full

    def _header(self, length, kind):
        at = DATA + (self._here & self.capacity - 1)
        struct.pack_into("<2I", self._view, at, length, kind)
        return at + 8

    def send(self, message, timeout=None):
        """Waits for room, seconds. OwnerDied, and nothing sent, once after the consumer died."""

        def ready():
            used = self._load(TAIL) - self._load(HEAD) & U32
            return self._load(LOCK) == 0 and self.capacity - used >= sum(self._need(len(message)))

        self._until(lambda: self.try_send(message) or None, timeout, ready, self._mend_lock)

    # -- consumer

    def try_receive(self):
        """The next message, or None."""
        while True:
            if self._here == self._there:
                self._there = self._load(TAIL)
            used = self._there - self._here & U32
            if used == 0:
                self._publish()
                return None
            self._check_positions(self._there, self._here)
            at = self._here & self.capacity - 1
            rest = self.capacity - at
            length, kind = struct.unpack_from("<2I", self._view, DATA + at)
            room = min(used, rest) - 8
            if kind == FILLER and length == rest - 8 <= room:
                self._here = self._here + rest & U32
                continue
            if kind != MESSAGE or length > self.max_message_size or (length + 7 & ~7) > room:
                raise damage("a record that cannot be")
            message = bytes(self._view[DATA + at + 8 : DATA + at + 8 + length])
            self._here = self._here + 8 + (length + 7 & ~7) & U32
            self._publish()
            return message

    def receive(self, timeout=None):
        """Waits for a message, seconds. OwnerDied once for the producers that died."""
        return self._until(self.try_receive, timeout, lambda: self._load(TAIL) != self._here, lambda: None)
