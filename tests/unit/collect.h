/* A sink that keeps what it is given, and an analyzer run over text: for the tests of analyzers. */
#ifndef SEKISHO_TESTS_COLLECT_H
#define SEKISHO_TESTS_COLLECT_H

#include "analyze/analyzer.h"
#include "base/vec.h"

struct collect {
        struct sink sink; /* first: put casts back */
        struct arena arena;
        VEC(struct fact_os) os;
        VEC(struct fact_package) packages;
        VEC(struct fact_owned) owned;
        VEC(struct fact_unread) unread;
};

static void collect_put(struct sink *s, enum fact_kind kind, const void *fact)
{
        struct collect *c = (struct collect *)s;
        if (kind == FACT_os)
                fact_copy(kind, &c->arena, fact, vec_push(&c->os));
        else if (kind == FACT_package)
                fact_copy(kind, &c->arena, fact, vec_push(&c->packages));
        else if (kind == FACT_owned)
                fact_copy(kind, &c->arena, fact, vec_push(&c->owned));
        else if (kind == FACT_unread)
                fact_copy(kind, &c->arena, fact, vec_push(&c->unread));
}

/* The bytes are given in a heap copy of their exact size, so that a sanitizer sees a read past their end. */
static void collect_run(struct collect *c, const struct analyzer *a, const char *path, struct str bytes)
{
        struct arena arena = ARENA_INIT;
        char *copy = xmalloc(bytes.n ? bytes.n : 1);
        if (bytes.n)
                memcpy(copy, bytes.p, bytes.n);
        c->sink.put = collect_put;
        struct analyzer_input in = { .path = str_of(path), .bytes = str_span(copy, bytes.n), .arena = &arena };
        a->run(&in, &c->sink);
        arena_done(&arena);
        free(copy);
}

static void collect_done(struct collect *c)
{
        vec_done(&c->os);
        vec_done(&c->packages);
        vec_done(&c->owned);
        vec_done(&c->unread);
        arena_done(&c->arena);
}

/* Every prefix, and every single bit turned over: no crash, no hang, no read outside. */
_unused_ static void collect_torture(const struct analyzer *a, const char *path, struct str bytes)
{
        char *copy = xmalloc(bytes.n);
        for (size_t n = 0; n <= bytes.n; n++) {
                struct collect c = { 0 };
                collect_run(&c, a, path, str_upto(bytes, n));
                collect_done(&c);
        }
        for (size_t bit = 0; bit < bytes.n * 8; bit++) {
                struct collect c = { 0 };
                memcpy(copy, bytes.p, bytes.n);
                copy[bit / 8] ^= (char)(1 << bit % 8);
                collect_run(&c, a, path, str_span(copy, bytes.n));
                collect_done(&c);
        }
        free(copy);
}

#define assert_str(s, text)                                                                                            \
        do {                                                                                                           \
                struct str _s = (s);                                                                                   \
                if (!str_is(_s, (text)))                                                                               \
                        fail_msg("\"%.*s\" is not \"%s\"", STR_FMT(_s), (text));                                       \
        } while (0)

#endif
