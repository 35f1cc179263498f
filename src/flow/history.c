/*
 * See history.h. The parent maps the packs and starts a producer that sends the small files; it parses neither. Every
 * name is opened below the .git directory without following links, so that a repository cannot lead anywhere else.
 */
#include "flow/history.h"

#include "analyze/history.h"
#include "base/fs.h"
#include "base/vec.h"
#include "proc/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_MAX     (64u << 20) /* bytes of a loose object or another small file; larger ones are left out and said */
#define REFS_DEPTH_MAX 32
#define HISTORY_MEMORY (UINT64_C(4) << 30)
#define FACTS_MAX      20000

struct history_job {
        struct artefact *artefact;
        const struct secret_set *set;
        struct arena *arena;
        int git_fd;
        VEC(struct history_pack) packs;
        VEC(struct view_secret) found;
};

/* --- the producer: small files as records --- */

/* One file; what is no regular file, or too large, is left out. */
static int send_file(int git_fd, int out_fd, const char *name)
{
        struct stat st;
        _cleanup_(closep) int fd = open_beneath(git_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > RECORD_MAX)
                return 0;
        _cleanup_(buf_done) struct buf b = BUF_INIT(RECORD_MAX + 1);
        if (read_all(fd, &b) < 0)
                return 0;
        struct history_record r = { .name_bytes = (uint32_t)strlen(name), .bytes = (uint32_t)b.n };
        int e = write_all(out_fd, &r, sizeof(r));
        if (e == 0)
                e = write_all(out_fd, name, r.name_bytes);
        return e == 0 ? write_all(out_fd, b.p, b.n) : e;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The names in a directory, sorted; none if it cannot be read. */
static size_t names_in(int git_fd, const char *directory, char ***ret)
{
        VEC(char *) names = { 0 };
        int fd = open_beneath(git_fd, directory, O_RDONLY | O_DIRECTORY);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        if (!d)
                close_fd(fd);
        for (struct dirent *e; d && (e = readdir(d));)
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        *vec_push(&names) = xstrdup(e->d_name);
        if (d)
                closedir(d);
        if (names.n)
                qsort(names.v, names.n, sizeof(*names.v), by_text);
        *ret = names.v;
        return names.n;
}

static void free_names(char **names, size_t n)
{
        for (size_t i = 0; i < n; i++)
                free(names[i]);
        free(names);
}

/* All files below a directory, to a depth. */
static int send_below(int git_fd, int out_fd, const char *directory, unsigned depth)
{
        char path[HISTORY_NAME_MAX];
        char **names;
        int r = 0;
        size_t n = names_in(git_fd, directory, &names);
        for (size_t i = 0; i < n && r == 0; i++) {
                struct stat st;
                if (snprintf(path, sizeof(path), "%s/%s", directory, names[i]) >= (int)sizeof(path) ||
                    fstatat(git_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                if (S_ISDIR(st.st_mode) && depth)
                        r = send_below(git_fd, out_fd, path, depth - 1);
                else if (S_ISREG(st.st_mode))
                        r = send_file(git_fd, out_fd, path);
        }
        free_names(names, n);
        return r;
}

static int send_records(void *arg, int out_fd, struct error *err)
{
        const struct history_job *j = arg;
        static const char *const first[] = { "config", "HEAD", "packed-refs", "objects/info/alternates" };
        int r = 0;
        for (size_t i = 0; i < ARRAY_SIZE(first) && r == 0; i++)
                r = send_file(j->git_fd, out_fd, first[i]);
        if (r == 0)
                r = send_below(j->git_fd, out_fd, "refs", REFS_DEPTH_MAX);
        for (unsigned i = 0; i < 256 && r == 0; i++) {
                char directory[16];
                snprintf(directory, sizeof(directory), "objects/%02x", i);
                r = send_below(j->git_fd, out_fd, directory, 0);
        }
        return r < 0 && r != -EPIPE ? error_errno(err, r, "sending the repository's files") : 0;
}

/* --- packs, mapped before the fork --- */

static void map_pack(struct history_job *j, const char *name)
{
        char path[HISTORY_NAME_MAX];
        struct stat st;
        struct str shown = arena_printf(j->arena, ".git/objects/pack/%s", name);
        if (!str_ends(str_of(name), STR(".pack")))
                return;
        snprintf(path, sizeof(path), "objects/pack/%s", name);
        _cleanup_(closep) int fd = open_beneath(j->git_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
        if (r == 0 && (!S_ISREG(st.st_mode) || !st.st_size))
                r = -EINVAL;
        void *p = r < 0 ? MAP_FAILED : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (r == 0 && p == MAP_FAILED)
                r = -errno;
        if (r < 0 || j->packs.n >= HISTORY_PACKS_MAX)
                artefact_note(j->artefact, shown, r < 0 ? "denied" : "limit", "this pack was not read: %s",
                              r < 0 ? strerror(-r) : "there are too many");
        else
                *vec_push(&j->packs) = (struct history_pack){ shown, str_span(p, (size_t)st.st_size) };
}

static void map_packs(struct history_job *j)
{
        char **names;
        size_t n = names_in(j->git_fd, "objects/pack", &names);
        for (size_t i = 0; i < n; i++)
                map_pack(j, names[i]);
        free_names(names, n);
}

static void unmap_packs(struct history_job *j)
{
        for (size_t i = 0; i < j->packs.n; i++)
                (void)munmap((void *)(uintptr_t)j->packs.v[i].bytes.p, j->packs.v[i].bytes.n);
        vec_done(&j->packs);
}

/* --- the job --- */

static int open_history(void *arg, int *ret_fd, pid_t *ret_producer, struct error *err)
{
        return producer_start(send_records, arg, ret_fd, ret_producer, err);
}

static int run_history(void *arg, int fd, struct sink *out, struct error *err)
{
        const struct history_job *j = arg;
        struct history_input in = { .packs = j->packs.v, .n_packs = j->packs.n, .records_fd = fd };
        return history_scan(&in, j->set, out, err);
}

static void on_history_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct history_job *j = arg;
        if (kind == FACT_unread) {
                const struct fact_unread *u = fact;
                artefact_note(j->artefact, arena_str(j->arena, u->path), arena_cstr(j->arena, u->code), "%.*s",
                              STR_FMT(u->detail));
        }
        if (kind != FACT_secret || j->found.n >= FACTS_MAX)
                return;
        struct view_secret *s = vec_push(&j->found);
        *s = (struct view_secret){ .layer = NONE, .deleted_by = NONE };
        fact_copy(FACT_secret, j->arena, fact, &s->secret);
}

static void on_history_end(void *arg, int r, const char *why)
{
        struct history_job *j = arg;
        if (r < 0)
                artefact_note(j->artefact, STR("(history)"), "crashed", "the git history was not read to its end: %s",
                              why);
}

int history_of_artefact(struct artefact *a, const struct secret_set *set, struct arena *arena, struct view *to,
                        struct error *err)
{
        struct history_job j = { .artefact = a, .set = set, .arena = arena };
        struct job job = { .name = "history",
                           .open = open_history,
                           .run = run_history,
                           .on_fact = on_history_fact,
                           .on_end = on_history_end,
                           .arg = &j,
                           .memory_max = HISTORY_MEMORY,
                           .stall_seconds = 900 };
        j.git_fd = a->source->open_git ? a->source->open_git(a) : -ENOTDIR;
        if (j.git_fd < 0) {
                artefact_note(a, STR("(history)"), "unsupported", "%s",
                              a->source->open_git ? "its .git directory cannot be opened"
                                                  : "not a repository: give repo:DIRECTORY");
                return 0;
        }
        map_packs(&j);
        int r = workers_run(&job, 1, 1, err);
        unmap_packs(&j);
        close_fd(j.git_fd);
        struct view_secret *all = arena_array(arena, to->n_secrets + j.found.n, sizeof(*all));
        if (to->n_secrets)
                memcpy(all, to->secrets, to->n_secrets * sizeof(*all));
        if (j.found.n)
                memcpy(all + to->n_secrets, j.found.v, j.found.n * sizeof(*all));
        to->secrets = all;
        to->n_secrets += j.found.n;
        vec_done(&j.found);
        return r;
}
