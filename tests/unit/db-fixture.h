/* Builds small databases out of OSV records, for the tests of the database. */
#ifndef TESTS_DB_FIXTURE_H
#define TESTS_DB_FIXTURE_H

#include "base/fs.h"
#include "intel/db-build.h"
#include "intel/import.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct fixture {
        char *bytes; /* of the database */
        size_t size;
        struct db *db;
        struct arena arena;
        struct fact_feed feed; /* of the last import; its texts are copies in the arena */
        size_t unread;
        char last_unread[1024];
        /* what the last query found */
        struct fact_vulnerability found[64];
        int n;
};

struct fixture_sink {
        struct sink sink;
        struct fixture *f;
        struct sink *to;
};

static inline void fixture_put(struct sink *s, enum fact_kind kind, const void *fact)
{
        struct fixture_sink *fs = (struct fixture_sink *)s;
        if (kind == FACT_feed)
                fact_copy(kind, &fs->f->arena, fact, &fs->f->feed);
        if (kind == FACT_unread) {
                const struct fact_unread *u = fact;
                fs->f->unread++;
                snprintf(fs->f->last_unread, sizeof(fs->f->last_unread), "%.*s: %.*s", STR_FMT(u->path),
                         STR_FMT(u->detail));
        }
        sink_put(fs->to, kind, fact);
}

static inline int fixture_memfd(struct str bytes)
{
        int fd = memfd_create("feed", MFD_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write_all(fd, bytes.p, bytes.n), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return fd;
}

/* Imports bytes as one more feed. Returns what import_run does. */
static inline int fixture_import(struct fixture *f, struct db_builder *b, const char *kind, const char *name,
                                 struct str bytes, struct error *err)
{
        struct fixture_sink sink = { { fixture_put }, f, db_builder_sink(b) };
        struct db_feed feed = { .name = str_of(name), .source = STR("test") };
        _cleanup_(closep) int fd = fixture_memfd(bytes);
        db_builder_feed(b, &feed);
        return import_run(kind ? importer_find(kind) : NULL, fd, name, &sink.sink, err);
}

static inline void fixture_open(struct fixture *f, struct db_builder *b)
{
        struct error err = ERROR_NONE;
        FILE *to = open_memstream(&f->bytes, &f->size);
        assert_non_null(to);
        if (db_builder_write(b, to, &err) < 0)
                fail_msg("%s", err.text);
        fclose(to);
        if (db_open_memory(str_span(f->bytes, f->size), &f->db, &err) < 0 || db_verify(f->db, &err) < 0)
                fail_msg("%s", err.text);
}

/* A database of one feed of OSV records, one a line. */
static inline void fixture_init(struct fixture *f, const char *records)
{
        struct error err = ERROR_NONE;
        *f = (struct fixture){ 0 };
        _cleanup_(db_builder_freep) struct db_builder *b = db_builder_new(true);
        if (fixture_import(f, b, "osv", "test", str_of(records), &err) < 0)
                fail_msg("%s", err.text);
        fixture_open(f, b);
}

static inline void fixture_done(struct fixture *f)
{
        db_close(f->db);
        arena_done(&f->arena);
        free(f->bytes);
        *f = (struct fixture){ 0 };
}

static inline void fixture_found(void *arg, const struct fact_vulnerability *v)
{
        struct fixture *f = arg;
        assert_true((size_t)f->n < ARRAY_SIZE(f->found));
        f->found[f->n++] = *v;
}

static inline int fixture_match(struct fixture *f, const char *ecosystem, const char *name, const char *version)
{
        struct db_query q = { str_of(ecosystem), str_of(name), str_of(version) };
        f->n = 0;
        int r = db_match(f->db, &q, &f->arena, fixture_found, f);
        assert_int_equal(r, f->n);
        return r;
}

static inline int fixture_lookup(struct fixture *f, const char *id)
{
        f->n = 0;
        int r = db_lookup(f->db, str_of(id), &f->arena, fixture_found, f);
        assert_int_equal(r, f->n);
        return r;
}

static inline void assert_str(struct str s, const char *expected)
{
        if (!str_is(s, expected))
                fail_msg("\"%.*s\" instead of \"%s\"", STR_FMT(s), expected);
}

#endif
