/*
 * The process table out of /proc (proc(5)): stat, status, cmdline, exe, cwd, cgroup and loginuid of each process. A
 * process that ends while it is read is left out; what cannot be read of one stays empty. Names and arguments are the
 * processes'.
 */
#include "base/fs.h"
#include "sense/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROC_FILE_MAX ((size_t)64 << 10)
#define TICK_NS       (UINT64_C(1000000000) / 100) /* USER_HZ of every Linux */

struct reading {
        int dir; /* of the process */
        struct arena arena;
};

/* A file of the process, or as much of it as fits; empty if it cannot be read. */
static struct str read_text(struct reading *r, const char *name, size_t max)
{
        _cleanup_(closep) int fd = openat(r->dir, name, O_RDONLY | O_CLOEXEC);
        char *p = arena_alloc(&r->arena, max);
        size_t n = 0;
        for (ssize_t got = 1; fd >= 0 && n < max && got > 0; n += got > 0 ? (size_t)got : 0)
                got = read(fd, p + n, max - n);
        return str_span(p, n);
}

static struct str read_link(struct reading *r, const char *name)
{
        char *p = arena_alloc(&r->arena, PATH_MAX);
        ssize_t n = readlinkat(r->dir, name, p, PATH_MAX);
        return str_span(p, n > 0 ? (size_t)n : 0);
}

static uint64_t number(struct str s)
{
        uint64_t n = 0;
        return str_u64(str_trim(s), &n) ? n : 0;
}

/* stat: "PID (comm) S ppid pgrp session tty_nr ..."; the name may hold blanks and parentheses, so the last one counts.
 */
static bool parse_stat(struct str stat, struct process *p)
{
        ptrdiff_t open = str_find_char(stat, '('), close = str_rfind_char(stat, ')');
        if (open < 0 || close < open)
                return false;
        struct str comm = str_from(str_upto(stat, (size_t)close), (size_t)open + 1);
        memset(p->comm, 0, sizeof(p->comm));
        memcpy(p->comm, comm.p, MIN(comm.n, sizeof(p->comm) - 1));
        struct str rest = str_trim(str_from(stat, (size_t)close + 1)), word[20];
        for (size_t i = 0; i < ARRAY_SIZE(word); i++)
                word[i] = str_cut(&rest, ' ');
        if (str_is(word[0], "Z") || str_is(word[0], "X"))
                return false;
        p->ppid = (uint32_t)number(word[1]);
        p->pgid = (uint32_t)number(word[2]);
        p->sid = (uint32_t)number(word[3]);
        uint64_t tty = number(word[4]);
        p->tty = (uint32_t)(tty & 0xffff); /* major << 8 | minor, for minors below 256 */
        p->started_ns = number(word[19]) * TICK_NS;
        return true;
}

/* The nth word behind a name of status: "Uid:\t0\t0\t0\t0". n == SIZE_MAX: the last one. */
static uint64_t status_number(struct str status, const char *name, size_t n)
{
        while (status.n) {
                struct str line = str_line(&status), word = STR_NONE;
                if (!str_starts(line, str_of(name)))
                        continue;
                str_cut(&line, '\t');
                for (size_t i = 0; line.p && (i <= n); i++)
                        word = str_cut(&line, '\t');
                return number(word);
        }
        return 0;
}

/* The same of a set of capabilities: "CapEff:\t00000000a80425fb". */
static uint64_t status_set(struct str status, const char *name)
{
        while (status.n) {
                struct str line = str_line(&status);
                uint8_t bytes[8];
                uint64_t set = 0;
                if (!str_starts(line, str_of(name)))
                        continue;
                str_cut(&line, '\t');
                if (str_hex(line, sizeof(bytes), bytes))
                        for (size_t i = 0; i < sizeof(bytes); i++)
                                set = set << 8 | bytes[i];
                return set;
        }
        return 0;
}

uint64_t process_status_number(struct str status, const char *name)
{
        while (status.n) {
                struct str line = str_line(&status);
                if (!str_starts(line, str_of(name)))
                        continue;
                str_cut(&line, '\t');
                line = str_trim(line);
                return number(str_cut(&line, ' '));
        }
        return 0;
}

struct str process_read(const struct process *p, const char *name, size_t max, struct arena *arena)
{
        char path[64];
        struct process now = { 0 };
        snprintf(path, sizeof(path), "/proc/%u", p->pid);
        struct reading r = { .dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) };
        struct str text = STR_NONE;
        if (r.dir >= 0 && parse_stat(read_text(&r, "stat", 4096), &now) &&
            process_is_same_start(now.started_ns, p->started_ns))
                text = arena_str(arena, read_text(&r, name, max));
        close_fd(r.dir);
        arena_done(&r.arena);
        return text;
}

/* The v2 cgroup: its path stands behind "0::", its id is the inode of its directory. */
static void read_cgroup(struct reading *r, const struct process_source *from, struct process *p)
{
        for (struct str text = read_text(r, "cgroup", PROC_FILE_MAX); text.n && from->cgroups;) {
                struct str line = str_line(&text);
                struct stat st;
                if (!str_starts(line, STR("0::/")))
                        continue;
                line = str_from(line, 3);
                if (stat(arena_printf(&r->arena, "%s%.*s", from->cgroups, STR_FMT(line)).p, &st) < 0)
                        return;
                p->cgroup_id = st.st_ino;
                if (from->on_cgroup)
                        from->on_cgroup(from->arg, st.st_ino, line);
                return;
        }
}

static void read_program(struct reading *r, struct process *p)
{
        struct program program = { .exe_path = read_link(r, "exe"),
                                   .cwd = read_link(r, "cwd"),
                                   .args = read_text(r, "cmdline", OBSERVE_ARGS_MAX) };
        struct str gone = STR(" (deleted)");
        program.is_known = program.exe_path.n > 0;
        if (str_ends(program.exe_path, gone)) {
                program.is_deleted = true;
                program.exe_path.n -= gone.n;
        }
        if (str_starts(program.exe_path, STR("/memfd:"))) {
                program.layer = EXE_LAYER_MEMFD;
                program.exe_path = str_from(program.exe_path, 1);
        } else {
                program.layer = EXE_LAYERS; /* only the kernel can say */
        }
        process_set_program(p, &program);
}

static void read_process(struct process_table *t, const struct process_source *from, struct reading *r, uint32_t pid)
{
        struct process seen = { 0 };
        if (!parse_stat(read_text(r, "stat", 4096), &seen))
                return;
        struct process *p = process_find(t, pid);
        if (p && p->program->is_known && p->started_ns / TICK_NS == seen.started_ns / TICK_NS) {
                p->ppid = seen.ppid; /* the one thing that changes without an event: its parent ended */
                p->round = t->round;
                return;
        }
        if (!p)
                p = process_get(t, pid);
        if (!p)
                return;
        struct str status = read_text(r, "status", PROC_FILE_MAX);
        p->ppid = seen.ppid;
        p->pgid = seen.pgid;
        p->sid = seen.sid;
        p->tty = seen.tty;
        p->started_ns = seen.started_ns;
        memcpy(p->comm, seen.comm, sizeof(p->comm));
        p->uid = (uint32_t)status_number(status, "Uid:", 0);
        p->euid = (uint32_t)status_number(status, "Uid:", 1);
        p->gid = (uint32_t)status_number(status, "Gid:", 0);
        p->vpid = (uint32_t)status_number(status, "NSpid:", SIZE_MAX - 1);
        p->vpgid = (uint32_t)status_number(status, "NSpgid:", SIZE_MAX - 1);
        p->cap_effective = status_set(status, "CapEff:");
        p->cap_permitted = status_set(status, "CapPrm:");
        p->cap_inheritable = status_set(status, "CapInh:");
        struct str loginuid = read_text(r, "loginuid", 32);
        p->loginuid = loginuid.n ? (uint32_t)number(loginuid) : UINT32_MAX;
        p->round = t->round;
        read_cgroup(r, from, p);
        read_program(r, p);
}

size_t process_fill(struct process_table *t, const struct process_source *from)
{
        DIR *dir = opendir(from->proc);
        size_t n = 0;
        t->round++;
        for (struct dirent *d; dir && (d = readdir(dir));) {
                uint64_t pid;
                if (!str_u64(str_of(d->d_name), &pid) || pid == 0 || pid > INT32_MAX)
                        continue;
                struct reading r = { .dir = openat(dirfd(dir), d->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC) };
                if (r.dir >= 0)
                        read_process(t, from, &r, (uint32_t)pid);
                n++;
                close_fd(r.dir);
                arena_done(&r.arena);
        }
        if (dir) {
                closedir(dir);
                process_forget_unseen(t);
        }
        return n;
}
