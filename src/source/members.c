/* See members.h. */
#include "source/members.h"

#include "proc/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void members_done(struct members *m)
{
        vec_done(&m->v);
        map_str_done(&m->by_name);
        set64_done(&m->twice);
}

bool members_add(struct members *m, struct arena *arena, const struct fact_member *f)
{
        m->text_bytes += f->name.n + f->link.n + f->content.n;
        if (m->v.n == MEMBERS_MAX || m->text_bytes > MEMBERS_TEXT_MAX)
                return false;
        struct fact_member *own = vec_push(&m->v);
        fact_copy(FACT_member, arena, f, own);
        bool is_new;
        void **at = map_str_put(&m->by_name, own->name, &is_new);
        if (is_new)
                *at = (void *)(uintptr_t)m->v.n;
        else
                set64_add(&m->twice, hash_str(own->name));
        return true;
}

int members_find(const struct members *m, struct str name, const struct fact_member **ret, struct error *err)
{
        struct str asked = str_upto(name, 200);
        for (int links = 0; links <= MEMBERS_LINKS_MAX; links++) {
                while (str_starts(name, STR("./")))
                        name = str_from(name, 2);
                uintptr_t i = (uintptr_t)map_str_get(&m->by_name, name);
                if (!i)
                        return error_set(err, -ENOENT, "the archive has no member %.*s%s%s", STR_FMT(asked),
                                         m->incomplete.text[0] ? ": " : "", m->incomplete.text);
                if (set64_has(&m->twice, hash_str(name)))
                        return error_set(err, -EBADMSG, "the archive has more than one member %.*s", STR_FMT(asked));
                const struct fact_member *f = &m->v.v[i - 1];
                if (!f->link.n) {
                        *ret = f;
                        return 0;
                }
                name = f->link;
        }
        return error_set(err, -ELOOP, "member %.*s is a link that leads to links, more than %d", STR_FMT(asked),
                         MEMBERS_LINKS_MAX);
}

/* --- what an entry is --- */

/* "a/b/layer.tar" and "../c/layer.tar" make "a/c/layer.tar". False if that leaves the archive. */
static bool join_link(struct str name, struct str link, struct arena *arena, struct str *ret)
{
        if (!link.n || link.p[0] == '/')
                return false;
        char *out = arena_alloc(arena, name.n + link.n + 2);
        ptrdiff_t slash = str_rfind_char(name, '/');
        size_t n = slash < 0 ? 0 : (size_t)slash;
        if (n)
                memcpy(out, name.p, n);
        while (link.p) {
                struct str part = str_cut(&link, '/');
                if (!part.n || str_is(part, "."))
                        continue;
                if (str_is(part, "..")) {
                        if (!n)
                                return false;
                        ptrdiff_t up = str_rfind_char(str_span(out, n), '/');
                        n = up < 0 ? 0 : (size_t)up;
                        continue;
                }
                if (n)
                        out[n++] = '/';
                memcpy(out + n, part.p, part.n);
                n += part.n;
        }
        *ret = str_span(out, n);
        return n > 0;
}

bool member_from_entry(const struct tar_entry *e, struct arena *arena, struct fact_member *ret)
{
        *ret = (struct fact_member){ .name = e->name, .offset = e->offset, .size = e->size };
        if (e->is_unsafe || !e->name.n)
                return false;
        switch (e->type) {
        case TAR_REGULAR:
                return !e->is_sparse;
        case TAR_HARDLINK:
                ret->link = e->link;
                return e->link.n > 0;
        case TAR_SYMLINK:
                return join_link(e->name, e->link, arena, &ret->link);
        default:
                return false;
        }
}

/* --- the worker --- */

struct walk {
        int fd;
        uint64_t at, size;
        uint64_t skip_to; /* up to here nobody looks at the bytes: they need not be read */
        char chunk[16 << 10];
};

static const char zeros[1 << 20];

static ssize_t pull(void *arg, const void **ret_p)
{
        struct walk *w = arg;
        if (w->at < w->skip_to) {
                size_t n = (size_t)MIN(w->skip_to - w->at, sizeof(zeros));
                w->at += n;
                *ret_p = zeros;
                return (ssize_t)n;
        }
        ssize_t n;
        do
                n = pread(w->fd, w->chunk, sizeof(w->chunk), (off_t)w->at);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        w->at += (uint64_t)n;
        *ret_p = w->chunk;
        return n;
}

static int walk_archive(struct walk *w, struct sink *out, struct error *err)
{
        _cleanup_(tar_freep) struct tar *tar = tar_new_pieces(pull, w);
        struct tar_entry e;
        for (;;) {
                int r = tar_next(tar, &e);
                if (r < 0)
                        return error_errno(err, r, "cannot read the archive");
                if (r == TAR_MALFORMED)
                        return error_set(err, -EBADMSG, "the archive is corrupt: %s", tar_where(tar));
                if (r == TAR_END)
                        return tar_ended_cleanly(tar) ? 0 : error_set(err, -EBADMSG, "the archive is cut short");
                struct arena arena = ARENA_INIT;
                struct fact_member f;
                if (member_from_entry(&e, &arena, &f))
                        sink_put(out, FACT_member, &f);
                arena_done(&arena);
                if (e.offset > w->size || e.stored > w->size - e.offset)
                        return error_set(err, -EBADMSG, "the archive is cut short in member %.*s",
                                         STR_FMT(str_upto(e.name, 200)));
                w->skip_to = e.offset + e.stored;
        }
}

struct indexing {
        int fd;
        uint64_t size;
        struct arena *arena;
        struct members *members;
        bool is_over;
        int r;
};

static int open_archive(void *arg, int *ret_fd, pid_t *ret_producer, struct error *err)
{
        const struct indexing *i = arg;
        *ret_fd = fcntl(i->fd, F_DUPFD_CLOEXEC, 3);
        return *ret_fd < 0 ? error_errno(err, -errno, "cannot duplicate a descriptor") : 0;
}

static int run(void *arg, int fd, struct sink *out, struct error *err)
{
        const struct indexing *i = arg;
        struct walk w = { .fd = fd, .size = i->size };
        return walk_archive(&w, out, err);
}

static void on_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct indexing *i = arg;
        if (kind == FACT_member && !i->is_over)
                i->is_over = !members_add(i->members, i->arena, fact);
}

static void on_end(void *arg, int r, const char *why)
{
        struct indexing *i = arg;
        i->r = r;
        if (r < 0)
                (void)error_set(&i->members->incomplete, r, "%s", why);
}

int members_index(int fd, uint64_t size, struct arena *arena, struct members *ret, struct error *err)
{
        struct indexing i = { .fd = fd, .size = size, .arena = arena, .members = ret };
        struct job job = { .name = "archive",
                           .open = open_archive,
                           .run = run,
                           .on_fact = on_fact,
                           .on_end = on_end,
                           .arg = &i,
                           .memory_max = 128u << 20 };
        *ret = (struct members){ 0 };
        int r = workers_run(&job, 1, 1, err);
        if (r < 0)
                return r;
        if (i.is_over)
                (void)error_set(&ret->incomplete, -EFBIG, "it has more than %u members, or names of more than %u bytes",
                                MEMBERS_MAX, MEMBERS_TEXT_MAX);
        return 0;
}
