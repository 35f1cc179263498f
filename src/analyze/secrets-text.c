/*
 * What is told of a find, and the search in texts that are no files; see secrets.h. Here a find becomes a fact:
 * redacted, with what its path and mode say about it.
 */
#include "analyze/secrets.h"

#include "base/vec.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const tags[] = { "NIST-800-190:4.1.4", "T1552.001" };

struct fact_secret secret_fact(const struct secret_found *found, struct str path, struct str members, uint32_t mode,
                               struct secret_words *words)
{
        static struct str tag_list[ARRAY_SIZE(tags)];
        enum secret_confidence c = found->confidence;
        bool is_proven = found->validity == VALIDITY_VALID && found->rule->flags & SECRET_PROVES;
        bool is_open = found->rule->flags & SECRET_PRIVATE && mode & 0004;
        if (secret_path_doubt(path) && c > CONFIDENCE_LOW && !is_proven)
                c = found->rule->flags & SECRET_PASSWORD ? CONFIDENCE_LOW : c - 1;
        for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
                tag_list[i] = str_of(tags[i]);
        secret_redact(found->rule, found->value, words->redacted);
        snprintf(words->detail, sizeof(words->detail), "%s%s%s", found->detail, *found->detail && is_open ? "; " : "",
                 is_open ? "readable by every user" : "");
        return (struct fact_secret){ .rule = str_of(found->rule->id),
                                     .title = str_of(found->rule->title),
                                     .severity = found->severity,
                                     .confidence = str_of(secret_confidence_name(c)),
                                     .validity = str_of(secret_validity_name(found->validity)),
                                     .path = path,
                                     .members = members,
                                     .offset = found->offset,
                                     .line = found->line,
                                     .column = found->column,
                                     .redacted = str_of(words->redacted),
                                     .length = found->value.n,
                                     .fingerprint = str_of(found->fingerprint),
                                     .detail = str_of(words->detail),
                                     .public_key = found->public_key,
                                     .tags = { tag_list, ARRAY_SIZE(tag_list) } };
}

/* --- texts --- */

struct secret_texts {
        const struct secret_set *set;
        struct secret_scanner *scanner;
        struct literals *literals;
        VEC(struct content_hit) hits;
};

struct text_find {
        struct str path;
        struct sink *out;
};

struct secret_texts *secret_texts_new(const struct secret_set *s)
{
        struct secret_texts *t = xcalloc(1, sizeof(*t));
        t->set = s;
        t->scanner = secret_scanner_new(s);
        if (literals_new(s->literals, s->n_literals, &t->literals, NULL) < 0)
                abort(); /* the plan of the content pass took the same */
        return t;
}

void secret_texts_free(struct secret_texts *t)
{
        if (!t)
                return;
        secret_scanner_free(t->scanner);
        literals_free(t->literals);
        vec_done(&t->hits);
        free(t);
}

static void on_literal(void *arg, uint32_t index, size_t start)
{
        struct secret_texts *t = arg;
        if (t->hits.n < CONTENT_HITS_MAX)
                *vec_push(&t->hits) = (struct content_hit){ index, (uint32_t)start };
}

static int by_start(const void *a, const void *b)
{
        const struct content_hit *x = a, *y = b;
        if (x->start != y->start)
                return x->start < y->start ? -1 : 1;
        return (x->literal > y->literal) - (x->literal < y->literal);
}

static void on_text_found(void *arg, const struct secret_found *found)
{
        const struct text_find *f = arg;
        struct secret_words words;
        struct fact_secret fact = secret_fact(found, f->path, STR_NONE, 0, &words);
        sink_put(f->out, FACT_secret, &fact);
}

bool secret_texts_look(struct secret_texts *t, struct str path, struct str text, struct sink *out)
{
        struct secret_file file = { .path = path };
        struct text_find find = { path, out };
        vec_clear(&t->hits);
        literals_scan(t->literals, text, 0, text.n, on_literal, t);
        if (t->hits.n)
                qsort(t->hits.v, t->hits.n, sizeof(*t->hits.v), by_start);
        struct content_window w = {
                .bytes = text, .is_first = true, .is_last = true, .hits = t->hits.v, .n_hits = t->hits.n
        };
        secrets_scan(t->scanner, &file, &w, on_text_found, &find);
        return !file.has_given_up && file.found < SECRETS_FILE_MAX && t->hits.n < CONTENT_HITS_MAX;
}
