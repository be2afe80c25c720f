"""Which system calls a program in a box may make: few, none that waits, none that reaches out.

A list of what is allowed, as a classic BPF program for the kernel's seccomp. What is not in it
fails with EPERM. There is no way to make a process or a thread, to signal one, to open a socket, to
write to a file that was not open before, or to wait for anything: what a program does not compute
at once it cannot do at all, so that a limit of processor time ends every program.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping, Sequence
from typing import Final

_FREE_X86_64: Final[Mapping[str, int]] = {
    "read": 0, "write": 1, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "lseek": 8, "mmap": 9,
    "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
    "rt_sigreturn": 15, "pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "access": 21,
    "sched_yield": 24, "mremap": 25, "madvise": 28, "dup": 32, "dup2": 33, "getpid": 39, "exit": 60,
    "uname": 63, "getcwd": 79, "readlink": 89, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98,
    "times": 100, "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110,
    "sigaltstack": 131, "arch_prctl": 158, "gettid": 186, "time": 201, "sched_getaffinity": 204,
    "getdents64": 217, "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229,
    "exit_group": 231, "newfstatat": 262, "readlinkat": 267, "faccessat": 269,
    "set_robust_list": 273, "dup3": 292, "getrandom": 318, "statx": 332, "rseq": 334,
    "close_range": 436, "faccessat2": 439,
}  # fmt: skip
_FREE_AARCH64: Final[Mapping[str, int]] = {
    "getcwd": 17, "dup": 23, "dup3": 24, "faccessat": 48, "close": 57, "getdents64": 61,
    "lseek": 62, "read": 63, "write": 64, "readv": 65, "writev": 66, "pread64": 67, "pwrite64": 68,
    "readlinkat": 78, "newfstatat": 79, "fstat": 80, "exit": 93, "exit_group": 94,
    "set_robust_list": 99, "clock_gettime": 113, "clock_getres": 114, "sched_getaffinity": 123,
    "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134,
    "rt_sigprocmask": 135, "rt_sigreturn": 139, "times": 153, "uname": 160, "getrusage": 165,
    "gettimeofday": 169, "getpid": 172, "getppid": 173, "getuid": 174, "geteuid": 175,
    "getgid": 176, "getegid": 177, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216,
    "mmap": 222, "mprotect": 226, "madvise": 233, "getrandom": 278, "statx": 291, "rseq": 293,
    "close_range": 436, "faccessat2": 439,
}  # fmt: skip

_ARCHITECTURES: Final[Mapping[str, tuple[int, Mapping[str, int], Mapping[str, int]]]] = {
    "x86_64": (
        0xC000003E, _FREE_X86_64,
        {"open": 2, "ioctl": 16, "fcntl": 72, "futex": 202, "openat": 257, "prlimit64": 302},
    ),
    "aarch64": (
        0xC00000B7, _FREE_AARCH64,
        {"fcntl": 25, "ioctl": 29, "openat": 56, "futex": 98, "prlimit64": 261},
    ),
}  # fmt: skip
"""Machine → the kernel's name of it, calls that are free, calls whose arguments are looked at."""

MACHINES: Final = tuple(_ARCHITECTURES)

_LOAD, _EQUAL, _ANY_BIT, _MASK, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_KILL, _ALLOW, _FAIL = 0x80000000, 0x7FFF0000, 0x00050000
_NUMBER, _MACHINE = 0, 4
"""Where a call's number and the kernel's name of the machine stand in what the filter is shown."""

_WRITING: Final = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000000
"""Of `open`'s flags: O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, and what makes O_TMPFILE."""

_DUPLICATING: Final = (0, 1, 2, 3, 1030)
"""Of `fcntl`'s commands: F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC."""

_WAKING: Final = (1, 10)
"""Of `futex`'s operations: FUTEX_WAKE, FUTEX_WAKE_BITSET. To wait is told to try again: who waits
for a thread that cannot be spends processor time at it, and has a limit of that."""

Instruction = tuple[int, int, int, int]


def filter_of(machine: str) -> bytes:
    """The filter for a machine, as the kernel takes it: 8 bytes an instruction.

    Raises
    ------
    KeyError
        If calls of that machine are not known here: `MACHINES` has those that are.
    """
    name, free, guarded = _ARCHITECTURES[machine]
    program: list[Instruction] = [
        (_LOAD, 0, 0, _MACHINE), (_EQUAL, 1, 0, name), _back(_KILL), (_LOAD, 0, 0, _NUMBER),
    ]  # fmt: skip
    for number in sorted(free.values()):
        program += [(_EQUAL, 0, 1, number), _back(_ALLOW)]
    for call, number in guarded.items():
        looked = _GUARDS[call]
        program += [(_EQUAL, 0, len(looked), number), *looked]
    return b"".join(struct.pack("=HBBI", *one) for one in [*program, _fail(errno.EPERM)])


def _back(action: int) -> Instruction:
    return (_RETURN, 0, 0, action)


def _fail(number: int) -> Instruction:
    return _back(_FAIL | number)


def _argument(index: int, half: int = 0) -> Instruction:
    """Load 32 bits of an argument: the lower half, or the upper."""
    return (_LOAD, 0, 0, 16 + 8 * index + 4 * half)


def _reading_only(flags: int) -> Sequence[Instruction]:
    return (
        _argument(flags), (_ANY_BIT, 0, 1, _WRITING), _fail(errno.EROFS), _back(_ALLOW),
    )  # fmt: skip


def _one_of(index: int, mask: int, values: Sequence[int], otherwise: int) -> Sequence[Instruction]:
    tests = [step for value in values for step in ((_EQUAL, 0, 1, value), _back(_ALLOW))]
    return (_argument(index), (_MASK, 0, 0, mask), *tests, _fail(otherwise))


_GUARDS: Final[Mapping[str, Sequence[Instruction]]] = {
    "open": _reading_only(1),
    "openat": _reading_only(2),
    "ioctl": (_fail(errno.ENOTTY),),
    "fcntl": _one_of(1, 0xFFFFFFFF, _DUPLICATING, errno.EPERM),
    "futex": _one_of(1, 0x7F, _WAKING, errno.EAGAIN),
    # Limits are read and not set: of this process, with no new limit.
    "prlimit64": (
        _argument(0), (_EQUAL, 1, 0, 0), _fail(errno.EPERM),
        _argument(2), (_EQUAL, 1, 0, 0), _fail(errno.EPERM),
        _argument(2, 1), (_EQUAL, 1, 0, 0), _fail(errno.EPERM),
        _back(_ALLOW),
    ),
}  # fmt: skip
