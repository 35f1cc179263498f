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
    "init_module": (175, 105), "renameat2": (316, 276), "clone": (56, 220), "pidfd_getfd": (438, 438), "file_setattr": (469, 469)}


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


# What a tunnel asks: names as long as DNS takes them.
LONG = ".".join(("x" * 50,) * 4) + ".example.org"


MINING = '{"params": [], "id": 1, "method": "mining.subscribe"}\n'


def question(name, kind=16):
    """A question to DNS for the text of a name, or for what else (RFC 1035, 4)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", os.getpid() & 0xffff, 0x100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, kind, 1)


def ask(host, text, port=53):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(text, (host, port))


def tunnel(send, host, times=150):
    """A resolver, and who asks it for long names by send(socket, question, resolver)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    resolver = socket.socket(family, socket.SOCK_DGRAM)
    resolver.bind((host, 53))
    for i in range(times):
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            send(s, question("%03d%s" % (i, LONG[3:])), (host, 53))
            answer, who = resolver.recvfrom(512)
            resolver.sendto(answer[:2] + b"\x81" + answer[3:], who)


def send_many(s, text, n=8):
    """By one sendmmsg."""
    buffers = [ctypes.create_string_buffer(text, len(text)) for _ in range(n)]
    vectors = [struct.pack("PL", ctypes.addressof(b), len(text)) for b in buffers]
    held = [ctypes.create_string_buffer(v, len(v)) for v in vectors]
    heads = b"".join(struct.pack("PI4xPLPLi4xI4x", 0, 0, ctypes.addressof(v), 1, 0, 0, 0, 0) for v in held)
    assert libc.sendmmsg(s.fileno(), ctypes.create_string_buffer(heads, len(heads)), n, 0) == n, os.strerror(ctypes.get_errno())


def in_a_child(s, text, to):
    pid = os.fork()
    if pid == 0:
        s.sendto(text, to)
        os._exit(0)
    os.waitpid(pid, 0)


def greet(text, host="127.0.0.1", shell=None):
    """A line to a server of its own, which takes it."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
        server.bind((host, 0))
        server.listen(1)
        port = server.getsockname()[1]
        if shell:
            pid = os.spawnlp(os.P_NOWAIT, shell, shell, "-c", "echo '%s' >/dev/tcp/%s/%d" % (text.strip(), host, port))
            server.accept()[0].recv(512)
            os.waitpid(pid, 0)
        else:
            with socket.create_connection((host, port)) as s:
                s.sendall(text.encode())
                server.accept()[0].recv(512)


def attach(program):
    """A program on a terminal, and that on a connection: as reverse shells that are meant to be used."""
    import pty
    server = socket.create_server(("127.0.0.1", 0))
    pid = os.fork()
    if pid == 0:
        s = socket.create_connection(server.getsockname())
        for fd in range(3):
            os.dup2(s.fileno(), fd)
        pty.spawn([program, "-c", "true"])
        os._exit(0)
    server.accept()[0].recv(512)
    os.waitpid(pid, 0)


def relay(program):
    """The same with nothing of the connection in the program's hands: what comes is written to its terminal."""
    import pty
    server = socket.create_server(("127.0.0.1", 0))
    s = socket.create_connection(server.getsockname())
    server.accept()[0].sendall(b"exit\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(program, [program])
    os.write(terminal, s.recv(512))
    os.waitpid(pid, 0)
