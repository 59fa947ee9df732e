"""What rings, broadcasts and values of @octoipc/shm have in common, for Python: docs/layout.md. Standard library, and
libatomic of the C compiler's runtime.
"""
import ctypes
import errno
import mmap
import os
import socket
import struct
import time

VERSION, ORDER, DATA = 1, 0x01020304, 4096
SEAT = 512
FUTEX, BELL = 1, 2
SLICE = 0.02
U32 = 0xFFFFFFFF
RELAXED, ACQUIRE, RELEASE, SEQ_CST = 0, 2, 3, 5

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
_store8 = _function("__atomic_store_8", None, _P, _u64, _int)
_cas8 = _function("__atomic_compare_exchange_8", ctypes.c_bool, _P, _P, _u64, _int, _int)
fence = _function("atomic_thread_fence", None, _int)


class OwnerDied(OSError):
    """A peer died; told once. What it was at goes on."""


def exists(pid):
    """Whether there is such a process, which /proc may hide (hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def start_offset():
    """How many clock ticks later this process sees others start than the first time namespace does."""
    try:
        with open("/proc/self/timens_offsets") as file:
            offsets = dict((name, (int(s), int(ns))) for name, s, ns in map(str.split, file))
    except OSError:
        return 0
    ticks = os.sysconf("SC_CLK_TCK")
    seconds, nanoseconds = offsets.get("boottime", (0, 0))
    return seconds * ticks + nanoseconds // (1_000_000_000 // ticks)


def process_start(pid):
    """The low 32 bits of the start time; None if it is dead, -1 if that cannot be known. A zombie is dead, unless it is but
    its first thread that has ended. By the first thread's file: an emulator (qemu-user) makes up a process's own, with
    another start time."""
    try:
        with open(f"/proc/{pid}/task/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return -1 if exists(pid) else None
    ended = fields[0] in (b"Z", b"X") and int(fields[17]) <= 1
    return None if ended else int(fields[19]) - start_offset() & U32


def damage(text):
    return OSError(errno.EBADMSG, text)


def timed_out():
    return TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def owner_died():
    return OwnerDied(errno.EOWNERDEAD, os.strerror(errno.EOWNERDEAD))


def format_header(memory, magic, own, id):
    """Makes a header in zeroed memory; own: flags and four words."""
    namespace = os.stat("/proc/self/ns/pid").st_ino
    struct.pack_into("<7I16sQ", memory, 4, VERSION, ORDER, *own, id or os.urandom(16), namespace)
    _store4(ctypes.addressof(ctypes.c_char.from_buffer(memory)), magic, SEQ_CST)


class Mapped:
    """Memory with a header, its words, and who sits in it."""

    MAGIC = 0

    def __init__(self, memory):
        self._memory = memory
        self._view = memoryview(memory).cast("B")
        self._anchor = ctypes.c_char.from_buffer(memory)
        self._base = ctypes.addressof(self._anchor)
        self._socket = None
        if len(self._view) < DATA:
            raise damage("too short")
        until = time.monotonic() + 0.5
        while self._load(0) == 0 and time.monotonic() < until:
            time.sleep(0.001)
        magic, version, order, *own = struct.unpack_from("<8I", self._view)
        if (magic, version, order) != (self.MAGIC, VERSION, ORDER) or not self._constants(*own):
            raise damage("not of this kind and version")
        self._id = bytes(self._view[32:48]).hex().encode()
        (namespace,) = struct.unpack_from("<Q", self._view, 48)
        self._foreign = os.stat("/proc/self/ns/pid").st_ino != namespace

    @classmethod
    def open(cls, name):
        """Attaches to what has this name, which begins with a slash."""
        fd = os.open("/dev/shm" + name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            return cls(mmap.mmap(fd, 0))
        finally:
            os.close(fd)

    def _constants(self, flags, size, longest, data, last):
        """Takes the constants; whether they can be."""
        raise NotImplementedError

    def leave(self):
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

    # -- words

    def _load(self, at):
        return _load4(self._base + at, SEQ_CST)

    def _store(self, at, value):
        _store4(self._base + at, value & U32, SEQ_CST)

    def _swap(self, at, expected, value):
        old = _u32(expected)
        return _cas4(self._base + at, ctypes.byref(old), value, SEQ_CST, SEQ_CST)

    def _add(self, at, value):
        return _add4(self._base + at, value, SEQ_CST)

    def _exchange(self, at, value):
        return _exchange4(self._base + at, value, SEQ_CST)

    def _load64(self, at, order=SEQ_CST):
        return _load8(self._base + at, order)

    def _store64(self, at, value, order=SEQ_CST):
        _store8(self._base + at, value, order)

    def _copy_in(self, at, data):
        """To bytes that others read meanwhile."""
        words = struct.unpack(f"<{(len(data) + 7) // 8}Q", data + bytes(-len(data) % 8))
        for i, word in enumerate(words):
            self._store64(at + 8 * i, word, RELAXED)

    def _copy_out(self, at, length):
        """From bytes that others write meanwhile."""
        count = (length + 7) // 8
        words = (self._load64(at + 8 * i, RELAXED) for i in range(count))
        return struct.pack(f"<{count}Q", *words)[:length]

    # -- who is there

    def _own_identity(self):
        return os.getpid() | process_start(os.getpid()) << 22 | self._foreign << 54

    def _is_dead(self, identity):
        """Of another pid namespace nothing is known, nor does who is in another know of anybody."""
        pid = identity & 0x3FFFFF
        if pid == 0 or self._foreign or identity >> 54 & 1:
            return False
        start = process_start(pid)
        return start is None or (start >= 0 and start != identity >> 22 & U32)

    def _identity(self, index=0):
        return self._load64(SEAT + 64 * index)

    def _swap_identity(self, index, expected, value):
        old = _u64(expected)
        return _cas8(self._base + SEAT + 64 * index, ctypes.byref(old), value, SEQ_CST, SEQ_CST)

    def _sit(self, index, own):
        """What is in the seat then; None if somebody lives there."""
        while True:
            old = self._identity(index)
            taken = old & 0x3FFFFF != 0
            if taken and not self._is_dead(old):
                return None
            mine = own | ((old >> 56) + taken & 0xFF) << 56
            if self._swap_identity(index, old, mine):
                return mine

    def _unsit(self, index, mine):
        self._swap_identity(index, mine, mine & 0xFF << 56)

    def _deaths(self, index=0):
        """How many died in a seat; who is dead there is buried first."""
        identity = self._identity(index)
        if self._is_dead(identity):
            self._swap_identity(index, identity, ((identity >> 56) + 1 & 0xFF) << 56)
            identity = self._identity(index)
        return identity >> 56

    # -- sleep

    def _futex(self, at, operation, value, seconds=None):
        timeout = None
        if seconds is not None:
            timeout = (ctypes.c_long * 2)(int(seconds), int(seconds % 1 * 1e9))
        _libc.syscall(ctypes.c_long(_SYS_FUTEX), _P(self._base + at), operation, _u32(value), timeout, None, 0)

    def _lie_down(self, at, seconds, ready):
        """Sleeps on a word, unless it is ready by now."""
        bits = _or4(self._base + at, FUTEX, SEQ_CST) | FUTEX
        if not ready():
            self._futex(at, 0, bits, seconds)

    def _take_sleepers(self, at):
        """Wakes who sleeps in futex(2); whether others wait for bells."""
        fence(SEQ_CST)
        if self._load(at) == 0:
            return False
        bits = self._exchange(at, 0)
        if bits & FUTEX:
            self._futex(at, 1, 0x7FFFFFFF)
        return bits & BELL != 0

    def _ring_bell(self, kind, which):
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.setblocking(False)
            self._socket.sendto(b"\0", b"\0octoipc-%s-%s-%s" % (kind, self._id, which))
        except OSError:
            pass
