"""Rings of @octoipc/shm for Python: docs/layout.md. Standard library, and libatomic of the C compiler's runtime.

    with Ring.open("/jobs") as ring:
        ring.join_producer()
        ring.send(b"hello")
"""
import ctypes
import errno
import mmap
import os
import socket
import struct
import time

MAGIC, VERSION, ORDER, DATA, SEATS = 0x474E524F, 1, 0x01020304, 4096, 32
TAIL, HEAD, CONSUMER_SLEEP, PRODUCER_SLEEP, LOCK, SEAT = 64, 128, 192, 256, 320, 512
MESSAGE, FILLER = 1, 2
FUTEX, BELL = 1, 2
SLICE = 0.02
U32 = 0xFFFFFFFF
SEQ_CST = 5

_atomic = ctypes.CDLL("libatomic.so.1")
_libc = ctypes.CDLL(None, use_errno=True)
_SYS_FUTEX = {"x86_64": 202, "aarch64": 98}[os.uname().machine]
_P = ctypes.c_void_p


def _function(name, result, *args):
    function = getattr(_atomic, name)
    function.restype, function.argtypes = result, args
    return function


_u32, _u64, _int = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int
_load4 = _function("__atomic_load_4", _u32, _P, _int)
_store4 = _function("__atomic_store_4", None, _P, _u32, _int)
_exchange4 = _function("__atomic_exchange_4", _u32, _P, _u32, _int)
_add4 = _function("__atomic_fetch_add_4", _u32, _P, _u32, _int)
_or4 = _function("__atomic_fetch_or_4", _u32, _P, _u32, _int)
_cas4 = _function("__atomic_compare_exchange_4", ctypes.c_bool, _P, _P, _u32, _int, _int)
_load8 = _function("__atomic_load_8", _u64, _P, _int)
_cas8 = _function("__atomic_compare_exchange_8", ctypes.c_bool, _P, _P, _u64, _int, _int)


class OwnerDied(OSError):
    """A peer died; told once. The ring goes on."""


def _process_start(pid):
    """The low 32 bits of the start time; None if it is dead, -1 if that cannot be known."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    except OSError:
        return -1
    return None if fields[0] in (b"Z", b"X") else int(fields[19]) & U32


def _is_dead(identity):
    pid = identity & 0x3FFFFF
    if pid == 0 or identity >> 54 & 1:
        return False
    start = _process_start(pid)
    return start is None or (start >= 0 and start != identity >> 22 & U32)


def _damage(text):
    return OSError(errno.EBADMSG, text)


def format(memory, capacity, max_message_size=None, turns=False, id=None):
    """Makes a ring in zeroed memory, a writable buffer."""
    limit = capacity // 2 - 8
    size = limit if max_message_size is None else max_message_size
    if not 64 <= capacity <= 1 << 30 or capacity & (capacity - 1) or size > limit:
        raise ValueError("capacity must be a power of two, and two largest messages must fit")
    namespace = os.stat("/proc/self/ns/pid").st_ino
    seats = SEATS if turns else 1
    constants = (VERSION, ORDER, int(turns), capacity, size, DATA, seats)
    struct.pack_into("<7I16sQ", memory, 4, *constants, id or os.urandom(16), namespace)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    _store4(base, MAGIC, SEQ_CST)


class Ring:
    """One end of a ring: join as the producer or the consumer. For one thread."""

    def __init__(self, memory):
        self._memory = memory
        self._view = memoryview(memory).cast("B")
        self._anchor = ctypes.c_char.from_buffer(memory)
        self._base = ctypes.addressof(self._anchor)
        self._index = self._socket = None
        self._held = self._death = False
        self._attach()

    @classmethod
    def open(cls, name):
        """Attaches to a ring of this name, which begins with a slash."""
        fd = os.open("/dev/shm" + name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            return cls(mmap.mmap(fd, 0))
        finally:
            os.close(fd)

    def _attach(self):
        if len(self._view) < DATA:
            raise _damage("too short for a ring")
        until = time.monotonic() + 0.5
        while self._load(0) == 0 and time.monotonic() < until:
            time.sleep(0.001)
        magic, version, order, flags, capacity, largest, data, seats = struct.unpack_from("<8I", self._view)
        if (
            (magic, version, order, data) != (MAGIC, VERSION, ORDER, DATA)
            or flags > 1
            or seats != (SEATS if flags else 1)
            or not 64 <= capacity <= 1 << 30
            or capacity & (capacity - 1)
            or largest > capacity // 2 - 8
            or len(self._view) < DATA + capacity
        ):
            raise _damage("no ring of this version")
        self.capacity, self.max_message_size, self._turns, self._seats = capacity, largest, flags, seats
        self._bell = b"\0octoipc-ring-" + bytes(self._view[32:48]).hex().encode()
        (self._namespace,) = struct.unpack_from("<Q", self._view, 48)

    # -- words

    def _load(self, at):
        return _load4(self._base + at, SEQ_CST)

    def _store(self, at, value):
        _store4(self._base + at, value & U32, SEQ_CST)

    def _swap(self, at, expected, value):
        old = _u32(expected)
        return _cas4(self._base + at, ctypes.byref(old), value, SEQ_CST, SEQ_CST)

    def _identity(self, index):
        return _load8(self._base + SEAT + 64 * index, SEQ_CST)

    def _swap_identity(self, index, expected, value):
        old = _u64(expected)
        return _cas8(self._base + SEAT + 64 * index, ctypes.byref(old), value, SEQ_CST, SEQ_CST)

    # -- seats

    def join_producer(self):
        self._join(range(1, self._seats + 1))

    def join_consumer(self):
        self._join(range(1))

    def _join(self, seats):
        foreign = os.stat("/proc/self/ns/pid").st_ino != self._namespace
        own = os.getpid() | _process_start(os.getpid()) << 22 | foreign << 54
        index = next((i for i in seats if self._sit(i, own)), None)
        if index is None:
            raise OSError(errno.EBUSY, "somebody is there already")
        self._index = index
        tail, head = self._load(TAIL), self._load(HEAD)
        self._check_positions(tail, head)
        self._here, self._there = (tail, head) if index else (head, tail)
        self._published = self._here
        self._seen = [self._identity(i) >> 56 for i in range(self._seats + 1)]

    def _sit(self, index, own):
        while True:
            old = self._identity(index)
            taken = old & 0x3FFFFF != 0
            if taken and not _is_dead(old):
                return False
            mine = own | ((old >> 56) + taken & 0xFF) << 56
            if self._swap_identity(index, old, mine):
                break
        self._mine = mine
        generation = _add4(self._base + SEAT + 64 * index + 12, 1, SEQ_CST) + 1
        self._turn = (index | generation << 8) & U32
        return True

    def leave(self):
        if self._index is not None:
            if self._held:
                self._store(LOCK, 0)
            self._swap_identity(self._index, self._mine, self._mine & 0xFF << 56)
            self._index = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self):
        self.leave()
        self._view.release()
        del self._anchor
        self._memory.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _check_peers(self):
        """Buries the dead of the other side; whether there are some that were not told of."""
        told = True
        for i in range(1) if self._index else range(1, self._seats + 1):
            identity = self._identity(i)
            if _is_dead(identity):
                self._swap_identity(i, identity, ((identity >> 56) + 1 & 0xFF) << 56)
                identity = self._identity(i)
            if identity >> 56 != self._seen[i]:
                self._seen[i] = identity >> 56
                told = False
        return not told

    # -- sleep

    def _futex(self, at, operation, value, seconds=None):
        timeout = None
        if seconds is not None:
            timeout = (ctypes.c_long * 2)(int(seconds), int(seconds % 1 * 1e9))
        _libc.syscall(ctypes.c_long(_SYS_FUTEX), _P(self._base + at), operation, _u32(value), timeout, None, 0)

    def _ring(self, index):
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        seat = b"-c" if index == 0 else b"-%d" % (index - 1)
        try:
            self._socket.sendto(b"\0", self._bell + seat)
        except OSError:
            pass

    def _wake(self, at):
        if self._load(at) == 0:
            return
        bits = _exchange4(self._base + at, 0, SEQ_CST)
        if bits & FUTEX:
            self._futex(at, 1, 0x7FFFFFFF)
        if not bits & BELL:
            return
        if at == CONSUMER_SLEEP:
            self._ring(0)
            return
        for i in range(1, self._seats + 1):
            if _exchange4(self._base + SEAT + 64 * i + 8, 0, SEQ_CST):
                self._ring(i)

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
        at = PRODUCER_SLEEP if self._index else CONSUMER_SLEEP
        bits = _or4(self._base + at, FUTEX, SEQ_CST) | FUTEX
        if not ready():
            self._futex(at, 0, bits, seconds)

    def _until(self, attempt, timeout, ready, mend):
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            result = attempt()
            if result is not None:
                return result
            if self._death:
                self._death = False
                raise OwnerDied(errno.EOWNERDEAD, os.strerror(errno.EOWNERDEAD))
            if self._check_peers():
                self._death = True
                continue
            mend()
            left = SLICE if end is None else min(SLICE, end - time.monotonic())
            if left <= 0:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            self._sleep(left, ready)

    # -- producer

    def _check_positions(self, tail, head):
        if (tail - head & U32) > self.capacity or (tail | head) & 7:
            raise _damage("positions that cannot be")

    def _take_turn(self):
        if not self._turns:
            return True
        if not self._swap(LOCK, 0, self._turn):
            return False
        self._held = True
        self._here = self._published = self._load(TAIL)
        self._there = self._load(HEAD)
        self._check_positions(self._here, self._there)
        return True

    def _mend_lock(self):
        held = self._load(LOCK)
        index = held & 0xFF
        if held in (0, self._turn):
            return
        if 0 < index <= self._seats:
            identity = self._identity(index)
            same = self._load(SEAT + 64 * index + 12) & 0xFFFFFF == held >> 8
            if same and identity & 0x3FFFFF and not _is_dead(identity):
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
        if not self._take_turn():
            return False
        record, filler = self._need(len(message))
        if self.capacity - (self._here - self._there & U32) < record + filler:
            self._there = self._load(HEAD)
            self._check_positions(self._here, self._there)
        fits = self.capacity - (self._here - self._there & U32) >= record + filler
        if fits:
            if filler:
                self._header(filler - 8, FILLER)
                self._here = self._here + filler & U32
            at = self._header(len(message), MESSAGE)
            self._view[at : at + len(message)] = message
            self._here = self._here + record & U32
        self._publish()
        return fits

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
                raise _damage("a record that cannot be")
            message = bytes(self._view[DATA + at + 8 : DATA + at + 8 + length])
            self._here = self._here + 8 + (length + 7 & ~7) & U32
            self._publish()
            return message

    def receive(self, timeout=None):
        """Waits for a message, seconds. OwnerDied once for the producers that died."""
        return self._until(self.try_receive, timeout, lambda: self._load(TAIL) != self._here, lambda: None)
