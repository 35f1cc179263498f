/*
 * Sets of entries, and their file: a header, and a line for each entry with its members separated by tabs. Backslashes
 * and control characters of names are escaped (base/octal.h). See integrity.h.
 */
#include "base/fs.h"
#include "base/octal.h"
#include "flow/integrity.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define HEADER   "sekisho.integrity/1\t"
#define FILE_MAX ((size_t)512 << 20)
#define COLUMNS  11u
#define TIME_MAX INT64_MAX

void integrity_set_done(struct integrity_set *s)
{
        arena_done(&s->arena);
        vec_done(&s->v);
        map64_done(&s->by_path);
        *s = (struct integrity_set){ 0 };
}

static uint64_t key_of(struct str scope, struct str path) { return hash_str_more(hash_str(scope), path); }

static struct integrity_entry *find(const struct integrity_set *s, struct str scope, struct str path)
{
        const uint64_t *at = map64_get(&s->by_path, key_of(scope, path));
        return at && *at ? &s->v.v[*at - 1] : NULL;
}

const struct integrity_entry *integrity_find(const struct integrity_set *s, struct str scope, struct str path)
{
        return find(s, scope, path);
}

void integrity_put(struct integrity_set *s, const struct integrity_entry *e)
{
        uint64_t *at = map64_put(&s->by_path, key_of(e->scope, e->path), NULL);
        if (!*at) {
                if (s->v.n >= INTEGRITY_ENTRIES_MAX) {
                        s->dropped++;
                        return;
                }
                (void)vec_push(&s->v);
                *at = s->v.n;
        }
        struct integrity_entry *to = &s->v.v[*at - 1];
        *to = *e;
        to->scope = arena_str(&s->arena, e->scope);
        to->path = arena_str(&s->arena, e->path);
        to->content = arena_str(&s->arena, e->content);
        to->xattrs = arena_str(&s->arena, e->xattrs);
}

void integrity_remove(struct integrity_set *s, struct str scope, struct str path)
{
        struct integrity_entry *e = find(s, scope, path);
        if (!e)
                return;
        *map64_put(&s->by_path, key_of(scope, path), NULL) = 0;
        e->path = STR_NONE;
}

/* What stays is put into new memory: containers come and go, and the set would only grow. */
void integrity_remove_scope(struct integrity_set *s, struct str scope)
{
        struct integrity_set kept = { .made = s->made, .unread = s->unread, .dropped = s->dropped };
        for (size_t i = 0; i < s->v.n; i++)
                if (s->v.v[i].path.n && !str_eq(s->v.v[i].scope, scope))
                        integrity_put(&kept, &s->v.v[i]);
        integrity_set_done(s);
        *s = kept;
}

/* ------------------------------------------------------------------------------------------------------- file ---- */

static int by_place(const void *a, const void *b)
{
        const struct integrity_entry *x = *(const struct integrity_entry *const *)a;
        const struct integrity_entry *y = *(const struct integrity_entry *const *)b;
        int r = str_cmp(x->scope, y->scope);
        return r ? r : str_cmp(x->path, y->path);
}

void integrity_entry_print(FILE *to, const struct integrity_entry *e)
{
        octal_print(to, e->scope);
        putc('\t', to);
        octal_print(to, e->path);
        putc('\t', to);
        fprintf(to, "%u\t%u\t%u\t%llu\t%llu\t%llu\t%llu\t", e->mode, e->uid, e->gid, (unsigned long long)e->size,
                (unsigned long long)e->mtime, (unsigned long long)e->ino, (unsigned long long)e->ctime_ns);
        octal_print(to, e->content);
        putc('\t', to);
        octal_print(to, e->xattrs);
        putc('\n', to);
}

int integrity_set_write(const struct integrity_set *s, const char *path, struct error *err)
{
        struct output o;
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        ptrdiff_t slash = str_rfind_char(str_of(path), '/');
        if (slash > 0)
                (void)make_dirs(arena_cstr(&arena, str_upto(str_of(path), (size_t)slash)), 0700);
        int r = output_open(&o, path, err);
        if (r < 0)
                return r;
        const struct integrity_entry **v = arena_array(&arena, s->v.n, sizeof(*v));
        size_t n = 0;
        for (size_t i = 0; i < s->v.n; i++)
                if (s->v.v[i].path.n)
                        v[n++] = &s->v.v[i];
        if (n)
                qsort(v, n, sizeof(*v), by_place);
        fprintf(o.stream, HEADER "%lld\n", (long long)s->made);
        for (size_t i = 0; i < n; i++)
                integrity_entry_print(o.stream, v[i]);
        return output_commit(&o, err);
}

bool integrity_entry_read(struct str line, struct arena *arena, struct integrity_entry *ret)
{
        struct str column[COLUMNS];
        uint64_t n[7];
        size_t have = 0;
        while (line.p && have < COLUMNS)
                column[have++] = str_cut(&line, '\t');
        if (have != COLUMNS || line.p)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(n); i++)
                if (!str_u64(column[2 + i], &n[i]))
                        return false;
        if (n[0] > UINT32_MAX || n[1] > UINT32_MAX || n[2] > UINT32_MAX)
                return false;
        *ret = (struct integrity_entry){ .mode = (uint32_t)n[0],
                                         .uid = (uint32_t)n[1],
                                         .gid = (uint32_t)n[2],
                                         .size = n[3],
                                         .mtime = (int64_t)n[4],
                                         .ino = n[5],
                                         .ctime_ns = (int64_t)n[6] };
        return octal_read(column[0], arena, &ret->scope) && octal_read(column[1], arena, &ret->path) && ret->scope.n &&
               ret->path.n && ret->path.p[0] == '/' && octal_read(column[9], arena, &ret->content) &&
               octal_read(column[10], arena, &ret->xattrs);
}

int integrity_set_parse(struct integrity_set *s, struct str text, struct error *err)
{
        uint64_t made;
        struct str line = str_line(&text);
        *s = (struct integrity_set){ 0 };
        if (!str_starts(line, STR(HEADER)) || !str_u64(str_from(line, strlen(HEADER)), &made) || made > TIME_MAX)
                return error_set(err, -EINVAL, "line 1: not a baseline of sekisho integrity");
        s->made = (int64_t)made;
        for (unsigned number = 2; text.n; number++) {
                _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                struct integrity_entry e;
                if (!integrity_entry_read(str_line(&text), &arena, &e))
                        return error_set(err, -EINVAL, "line %u: not an entry of a baseline", number);
                integrity_put(s, &e);
        }
        return s->dropped ? error_set(err, -E2BIG, "more than %u entries", INTEGRITY_ENTRIES_MAX) : 0;
}

int integrity_set_read(struct integrity_set *s, const char *path, struct error *err)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(FILE_MAX);
        *s = (struct integrity_set){ 0 };
        int r = read_file(path, &text, err);
        if (r == 0) {
                r = integrity_set_parse(s, buf_str(&text), err);
                if (r < 0)
                        r = error_prefix(err, r, "%s", path);
        }
        return r;
}
