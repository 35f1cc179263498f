#!/usr/bin/env python3
# alone: agent
"""What is no attack must be silent: what builds, servers, log rotation, health checks and runtimes do, in real containers of Debian's
packages, in full mode, by our own rules. Nothing of it may raise more than a notice, but what is listed as known to be loud.
"""
import json
import os
import shutil
import subprocess
import sys
import time

import agentlib
import debianlib
import taplib

QUIET = {"Notice", "Informational", "Debug"}
STARTING_SECONDS = 11
BUILD_SECONDS = 150
STORM = 20  # containers, one after the other

tap = taplib.Tap(dict(os.environ))

# (row of the table, what, how): by bash in the container, as root unless another user is given.
CASES = (
    (3, "certificates and the cache of libraries are made anew", "ldconfig; openssl rehash /etc/ssl/certs; true"),
    (6, "nginx starts, reloads, opens its logs anew, ends",
     "nginx; sleep 0.3; nginx -s reload; sleep 0.3; nginx -s reopen; "
     "sleep 0.3; nginx -s quit; sleep 0.3"),
    (8, "a script at the start tells of itself in logs", "echo begun >> /var/log/a.log; echo begun >> /var/log/own.log; echo on >> /var/log/own.log"),
    (7, "logrotate by rename, by copying and truncating, with gzip",
     "printf '/var/log/a.log {\\n rotate 2\\n compress\\n create\\n}\\n/var/log/b.log {\\n rotate 2\\n copytruncate\\n compress\\n}\\n' > /run/lr.conf; "
     "logrotate -f -s /run/lr.state /run/lr.conf; logrotate -f -s /run/lr.state /run/lr.conf"),
    (9, "a health check asks a server of its own container",
     "nginx; for i in 1 2 3; do curl -fs localhost:80/ >/dev/null; done; (exec 3<>/dev/tcp/127.0.0.1/80); nginx -s quit; sleep 0.3"),
    (11, "redis starts, saves in the background, ends",
     "redis-server --save '' --daemonize yes --dir /data --port 6399 >/dev/null; sleep 0.5; redis-cli -p 6399 set a b >/dev/null; "
     "redis-cli -p 6399 bgsave >/dev/null; sleep 0.5; redis-cli -p 6399 shutdown nosave"),
    (14, "Python writes its cache, and works with temporary files",
     "mkdir -p /opt/app; echo 'x = 1' > /opt/app/mod.py; cd /opt/app; python3 -c 'import mod, tempfile, json; tempfile.TemporaryFile().write(b\"x\")'"),
    (16, "an entry point fills in a template, and runs a server",
     "sed 's/80/8080/' /etc/nginx/sites-available/default > /etc/nginx/sites-available/filled; sed -i s/8080/8081/ /etc/nginx/sites-available/filled"),
    (17, "cron runs", "timeout 2 cron -f; true"),
    (21, "a pool of connections is opened to one server",
     "nginx; python3 -c \"import socket; s = [socket.create_connection(('127.0.0.1', 80)) for i in range(100)]\"; nginx -s quit; sleep 0.3"),
    (20, "names are asked for, by UDP",
     "python3 -c \"import socket; s = socket.socket(type=socket.SOCK_DGRAM); [s.connect(('127.0.0.1', 53)) for i in range(100)]\""),
    (23, "a program reads its own environment and the cgroup of the first", "python3 -c \"open('/proc/self/environ').read(); open('/proc/1/cgroup').read()\""),
    (24, "ldd, and the dynamic linker with a program of the image", "ldd /bin/ls >/dev/null; /lib64/ld-linux-x86-64.so.2 /bin/true"),
    (28, "a backup reads everything", "tar cf /data/all.tar /etc /root /var/log 2>/dev/null; find /etc -type f -size -4k | head -300 | xargs sha256sum > /dev/null 2>&1; true"),
    (12, "memory is compiled into and run, by a compiler of its own (a JIT)", "true"),
    (19, "a service reads its token with its own program", "/usr/bin/service /var/run/secrets/kubernetes.io/serviceaccount/token"),
    (8, "a service empties its own log", "/usr/bin/service-log /var/log/service.log"),
    (18, "what manages users reads shadow", "chage -l root >/dev/null; su -c true nobody -s /bin/sh; true"),
)

# A service: a program of the image that is no tool. What it does is in its arguments alone.
SERVICE = r"""
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int argc, char **argv)
{
        char c = 0;
        int cuts = strstr(argv[0], "-log") != NULL;
        int fd = open(argv[1], cuts ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0644);
        void *jit = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fd < 0 || jit == MAP_FAILED)
                perror(fd < 0 ? argv[1] : "memory to write and run");
        if (cuts)
                return write(fd, "begun\n", 6) != 6 || jit == MAP_FAILED;
        return fd < 0 || read(fd, &c, 1) != 1;
}
"""


PG = "/usr/lib/postgresql/15/bin/"
SQL = PG + "psql -qXAt -h /tmp postgres -c "
POSTGRES = {"user": "999:999"}

# The same in a container of the machine's own programs: (row, what it needs, what, how, as whom, the rule that it must raise, and no other above notice).
MACHINE_CASES = (
    (4, PG + "postgres", "PostgreSQL is set up, starts, answers",
     PG + "initdb -D /data/pg -A trust --no-sync >/dev/null && printf '%s\\n' \"listen_addresses = '127.0.0.1'\" \"unix_socket_directories = '/tmp'\" "
     "'fsync = off' 'archive_mode = on' \"archive_command = 'test ! -f /data/%f && cp %p /data/%f'\" >> /data/pg/postgresql.conf && "
     + PG + "pg_ctl -w -s -D /data/pg -l /data/log start || cat /data/log; " + SQL + "'create table t as select generate_series(1, 1000) n' -c 'vacuum analyze t' -c checkpoint",
     POSTGRES, None),
    (5, PG + "postgres", "it archives by a shell", SQL + "'select pg_switch_wal()' >/dev/null && for i in $(seq 300); do ls /data/0* >/dev/null 2>&1 && exit; sleep 0.1; done; exit 1",
     POSTGRES, "Shell run by a database to archive"),
    (5, PG + "postgres", "not so what a client has it run", SQL + "\"copy t to program 'cat >/dev/null'\" && " + SQL + "\"copy t from program 'echo 1'\"", POSTGRES,
     "Shell run by a server"),
    (4, PG + "postgres", "it ends", PG + "pg_ctl -w -s -D /data/pg -m fast stop", POSTGRES, None),
    (22, "/usr/bin/gdb", "a debugger with the right to do so looks at a process, and stops it", "sleep 60 & gdb -nx -batch -p $! -ex bt -ex 'set var $rsp = $rsp' >/dev/null 2>&1; kill $!",
     {"caps": ("CAP_SYS_PTRACE",)}, None),
    (8, "/usr/lib/systemd/systemd-journald", "journald begins anew and removes what is old",
     "mkdir -p /run/systemd/journal; /usr/lib/systemd/systemd-journald & for i in $(seq 100); do [ -S /run/systemd/journal/stdout ] && break; sleep 0.1; done; "
     "pid=$!; journalctl --flush; for i in 1 2 3; do systemd-cat echo line $i; journalctl --rotate; done; journalctl --vacuum-files=1; kill $pid; wait $pid; ls /var/log/journal/*/*.journal >/dev/null", {}, None),
    (27, "/usr/bin/cp", "an image that installs itself when it starts is told of: there is no profile that knows it",
     "cp /usr/bin/true /usr/local/bin/helper && /usr/local/bin/helper", {}, "Dropped program executed"),
)


def make_container(work, name, archive):
    container = debianlib.Container(work, name)
    container.unpack(archive)
    source, program = os.path.join(work, "service.c"), os.path.join(work, "service")
    with open(source, "w") as file:
        file.write(SERVICE)
    subprocess.run(["cc", "-O1", "-static", "-o", program, source], check=True)
    with open(program, "rb") as file:
        text = file.read()
    container.add("usr/bin/service", text, 0o755)
    container.add("usr/bin/service-log", text, 0o755)
    for log in ("a", "b", "service"):
        container.add("var/log/%s.log" % log, "line\n" * 100)
    path = os.path.join(container.volume, "secrets/kubernetes.io/serviceaccount/token")
    os.makedirs(os.path.dirname(path))
    with open(path, "w") as file:
        file.write("none\n")
    return container


def loud(alerts):
    return [a for a in alerts if a["priority"] not in QUIET]


def told(alerts):
    return "\n".join(a["priority"] + " " + a["rule"] + ": " + a["output"] for a in alerts)


def check_cases(agent, container):
    watch = debianlib.Watch(agent, container)
    watch.told()
    for row, what, script in CASES:
        code, words = container.run("/bin/bash", "-c", script)
        alerts = watch.told()
        tap.ok(alerts is not None and not loud(alerts) and code == 0, "%d %s" % (row, what),
               "exit code %d: %s\n%s" % (code, words[-400:], alerts and told(alerts)))
    for i in range(5):  # as kubelet's probes
        container.run("/bin/sh", "-c", "true")
    alerts = watch.told()
    tap.ok(alerts is not None and not loud(alerts), "10, 15 runc comes in through its own copy in memory, without a terminal", alerts and told(alerts))
    packed = subprocess.run(["runc", "exec", container.id, "/bin/tar", "cf", "-", "/etc/nginx"], stdin=subprocess.DEVNULL, capture_output=True)
    subprocess.run(["runc", "exec", container.id, "/bin/tar", "xf", "-", "-C", "/data"], input=packed.stdout, capture_output=True)
    alerts = watch.told()
    tap.ok(alerts is not None and not loud(alerts), "25 files are copied out and in by tar", alerts and told(alerts))


BUILD = """FROM localhost/base:1
RUN apt-get update && apt-get install -y --no-install-recommends jq
RUN cp /bin/true /opt/made && chmod 755 /opt/made && /opt/made && echo 'print(1)' > /opt/s.py && python3 /opt/s.py
RUN echo 'export A=1' >> /root/.bashrc && rm -rf /var/log/apt && echo true | sh
"""
# A package whose installation makes a program and runs it, and one that needs it. npm is the machine's, shown at /usr.
BUILD_NPM = """FROM localhost/base:1
COPY app /app
RUN cd /app && npm install --offline --no-audit --no-fund --install-links && test -x node_modules/dep/made
"""
PACKAGES = {"app": {"name": "app", "version": "1.0.0", "dependencies": {"dep": "file:dep"}, "scripts": {"postinstall": "node -e 'console.log(1)'"}},
            "app/dep": {"name": "dep", "version": "1.0.0", "scripts": {"postinstall": "cp /bin/true made && ./made && node -e 'require(\"fs\").rmSync(\"x\", {force: true})'"}}}


def check_machine(agent, container):
    watch = debianlib.Watch(agent, container)
    watch.n = 3 * 10 ** 6
    watch.told()
    for row, needs, what, script, how, rule in MACHINE_CASES:
        name = "%d %s" % (row, what)
        if not os.path.exists(needs):
            tap.skip(name, needs + " is not installed")
            continue
        code, words = container.run("/bin/bash", "-c", script, **how)
        alerts = watch.told()
        wanted = {rule} if rule else set()
        tap.ok(alerts is not None and {a["rule"] for a in loud(alerts)} <= wanted <= {a["rule"] for a in alerts} and code == 0, name,
               "exit code %d: %s\n%s" % (code, words[-800:], alerts and told(alerts)))


def write_context(place):
    os.makedirs(os.path.join(place, "context/app/dep"))
    for name, text in (("Containerfile", BUILD), ("Containerfile.npm", BUILD_NPM)):
        with open(os.path.join(place, "context", name), "w") as file:
            file.write(text)
    for name, package in PACKAGES.items():
        with open(os.path.join(place, "context", name, "package.json"), "w") as file:
            json.dump(package, file)
    with open(os.path.join(place, "containers.conf"), "w") as file:
        file.write('[containers]\ndefault_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]\n[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\n')


def check_builds(agent, work, container, archive):
    """Builds by podman: packages are installed, what was made is run."""
    builds = (("1, 2, 3 an image is built: packages are installed, what was made is run", "Containerfile", ("--network", "host"), None),
              ("2 npm installs a package, which makes a program and runs it", "Containerfile.npm", ("--network", "none", "-v", "/usr:/usr:ro"), "npm"))
    place = os.path.join(work, "podman")
    write_context(place)
    environment = dict(os.environ, CONTAINERS_CONF=os.path.join(place, "containers.conf"), TMPDIR=place, HOME=place)
    podman = ["podman", "--root", os.path.join(place, "store"), "--runroot", os.path.join(place, "run")]

    def run(*command):
        try:
            done = subprocess.run([*podman, *command], env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS)
        except subprocess.TimeoutExpired:
            return "podman does not end in time"
        return "podman cannot build here: " + (done.stdout + done.stderr).strip()[-300:] if done.returncode else None

    watch = debianlib.Watch(agent, container)
    watch.n = 2 * 10 ** 6
    try:
        reason = run("import", "-q", archive, "localhost/base:1") if shutil.which("podman") else "podman is not installed"
        for what, name, options, needs in builds:
            before = len(agent.alerts())
            why = reason or (needs and not shutil.which(needs) and needs + " is not installed")
            why = why or run("build", *options, "--runtime", "runc", "-f", os.path.join(place, "context", name), os.path.join(place, "context"))
            if why:
                tap.skip(what, why)
                continue
            over = watch.told() is not None
            alerts = [a for a in agent.alerts()[before:] if str(a["output_fields"].get("container.name")).startswith("buildah-")]
            tap.ok(over and not loud(alerts), what, told(alerts))
    finally:
        subprocess.run([*podman, "system", "reset", "-f"], env=environment, capture_output=True)
        with open("/proc/self/mounts") as file:
            for point in sorted((line.split()[1] for line in file if line.split()[1].startswith(place + "/")), reverse=True):
                subprocess.run(["umount", "-l", point], capture_output=True)


def check_storm(agent, work, container):
    """Many short containers: each is told apart, none of them is loud. An entry point that manages users is a notice."""
    bundle = os.path.join(work, "storm")
    os.makedirs(bundle)
    with open(os.path.join(container.work, "config.json")) as file:
        config = json.load(file)
    config["process"]["args"] = ["/bin/sh", "-c", "/usr/sbin/useradd -D >/dev/null; exit 0"]
    config["root"] = {"path": container.image, "readonly": True}
    with open(os.path.join(bundle, "config.json"), "w") as file:
        json.dump(config, file)
    names = ["sekisho-storm-%d-%d" % (os.getpid(), i) for i in range(STORM)]
    codes = [subprocess.run(["runc", "run", "-b", bundle, n], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            timeout=agentlib.WAIT_SECONDS).returncode for n in names]
    watch = debianlib.Watch(agent, container)
    watch.n = 10 ** 6
    alerts = watch.told()
    mine = [a for a in agent.alerts() if a["output_fields"].get("container.name") in names]
    tap.ok(alerts is not None and not any(codes) and not loud(mine), "26 %d short containers" % STORM, "%s\n%s" % (codes, told(mine)))
    tap.ok({a["output_fields"]["container.name"] for a in mine if a["rule"] == "Users managed at the start"} == set(names), "and what their entry points do is told", told(mine))


def run(work, archive, is_lean):
    container, machine = make_container(work, "benign", archive), debianlib.Machine(work, "machine")
    machine.prepare()
    agent = None
    try:
        agent = debianlib.start_agent(work, "benign", is_lean)
        tap.ok(agent.is_watching, "the agent starts with its own rules, " + debianlib.MODES[is_lean], agent.log())
        reason = container.start() or machine.start()
        if reason or not agent.is_watching:
            tap.skip("benign behaviour in a container", reason or "no agent")
            return
        time.sleep(STARTING_SECONDS)  # not for something to happen: so that no rule holds back because the container is starting
        check_cases(agent, container)
        check_machine(agent, machine)
        check_storm(agent, work, container)
        check_builds(agent, work, container, archive)
        code = agent.end()
        tap.ok(code == 0 and "0 records malformed" in agent.log(), "it ended", "%d\n%s" % (code, agent.log()))
        agent = None
    finally:
        if agent:
            agent.end()
        container.end()
        machine.end()


def main():
    agentlib.need_sensor("runc", "mount", "cc")
    debianlib.in_each_mode(tap, run)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
