"""What an attacker's Python does, in a container of the tests: system calls by number, so that no library stands between. Harmless: files
and processes are the test's own, and what may be refused is done all the same."""
import ctypes
import mmap
import os
import platform
import socket
import struct
import time

libc = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"
AT_FDCWD = -100
NUMBERS = {  # x86-64, arm64
    "truncate": (76, 45), "fallocate": (285, 47), "fchmodat2": (452, 452), "mount": (165, 40), "fsopen": (430, 430), "open_tree": (428, 428),
    "move_mount": (429, 429), "ptrace": (101, 117), "process_vm_writev": (311, 271), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "setns": (308, 268), "unshare": (272, 97), "memfd_create": (319, 279),
    "setuid": (105, 146), "setresuid": (117, 147), "open_by_handle_at": (304, 265), "clone3": (435, 435), "openat2": (437, 437),
    "init_module": (175, 105), "renameat2": (316, 276), "clone": (56, 220), "pidfd_getfd": (438, 438)}


def call(name, *args):
    """The result, or minus the error's number."""
    held = [a if isinstance(a, int) else ctypes.c_char_p(a.encode() if isinstance(a, str) else a) for a in args]
    result = libc.syscall(ctypes.c_long(NUMBERS[name][not X86]), *[ctypes.c_long(a) if isinstance(a, int) else a for a in held])
    return -ctypes.get_errno() if result == -1 else result


def write(path, text, flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o644):
    fd = os.open(path, flags, mode)
    os.write(fd, text.encode())
    os.close(fd)


def try_connect(host, port, kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_INET, kind)
    s.setblocking(False)
    s.connect_ex((host, port))
    return s


def try_unix(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect_ex(path)
