/*
 * See integrity-diff.h. An answer is a byte for the outcome and the diff. Compared is what the files hold, shown a copy
 * of as many lines in which each secret stands as what may be said of it.
 */
#include "flow/integrity-diff.h"

#include "base/diff.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MEMORY_MAX (UINT64_C(256) << 20)
#define KEY_WORDS  "PRIVATE KEY-----"

enum outcome { SHOWN, CUT, TOO_LARGE, NO_TEXT, SECRET, TOO_MANY_SECRETS, OUTCOMES };

#define WHY_SECRET "the file is secret by nature"

static const char *const whys[OUTCOMES] = {
        [TOO_LARGE] = "the file is larger than 64 KiB",
        [NO_TEXT] = "the file is no text",
        [SECRET] = WHY_SECRET,
        [TOO_MANY_SECRETS] = "the file has more secrets than are looked for",
};

/* ------------------------------------------------------------------------------------------------- the servant ---- */

static struct secret_texts *texts; /* of the servant's process */

struct range { /* of a secret */
        size_t offset, length;
        struct str shown;
};

VEC_TYPE(range_vec, struct range);

struct collector {
        struct sink sink;
        struct arena *arena;
        struct range_vec v;
};

static void collect(struct sink *sink, enum fact_kind kind, const void *fact)
{
        struct collector *c = (struct collector *)sink;
        const struct fact_secret *f = fact;
        if (kind == FACT_secret)
                *vec_push(&c->v) =
                        (struct range){ (size_t)f->offset, (size_t)f->length, arena_str(c->arena, f->redacted) };
}

static int by_offset(const void *a, const void *b)
{
        const struct range *x = a, *y = b;
        return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The text with its secrets redacted, in as many lines. False: it may have more of them. */
static bool redact(struct str path, struct str text, struct arena *arena, struct str *ret)
{
        struct collector c = { .sink = { .put = collect }, .arena = arena };
        _cleanup_(buf_done) struct buf b = BUF_INIT(4 * (size_t)INTEGRITY_TEXT_MAX);
        bool is_all = secret_texts_look(texts, path, text, &c.sink);
        size_t at = 0;
        if (c.v.n)
                qsort(c.v.v, c.v.n, sizeof(*c.v.v), by_offset);
        for (size_t i = 0; i < c.v.n; i++) {
                const struct range *r = &c.v.v[i];
                size_t end = r->offset + MIN(r->length, SIZE_MAX - r->offset);
                if (end <= at)
                        continue;
                if (r->offset >= at)
                        buf_add_str(&b, str_upto(str_from(text, at), r->offset - at));
                buf_printf(&b, "<%.*s>", STR_FMT(r->shown));
                for (at = MAX(at, r->offset); at < end && at < text.n; at++)
                        if (text.p[at] == '\n')
                                buf_putc(&b, '\n');
        }
        buf_add_str(&b, str_from(text, at));
        vec_done(&c.v);
        *ret = arena_str(arena, buf_str(&b));
        return is_all && !buf_is_full(&b);
}

static enum outcome read_text(int fd, struct str path, struct arena *arena, struct diff_text *ret)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(INTEGRITY_TEXT_MAX);
        int r = read_all(fd, &b);
        if (r < 0)
                return r == -EFBIG ? TOO_LARGE : NO_TEXT;
        ret->text = arena_str(arena, buf_str(&b));
        if (str_find_char(ret->text, '\0') >= 0)
                return NO_TEXT;
        if (str_find(ret->text, STR(KEY_WORDS)) >= 0)
                return SECRET;
        return redact(path, ret->text, arena, &ret->shown) ? SHOWN : TOO_MANY_SECRETS;
}

void integrity_diff_begin(void *arg) { texts = secret_texts_new(arg); }

void integrity_diff_answer(void *arg, struct str path, const int fds[static MESSAGE_FDS_MAX], struct buf *reply)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(buf_done) struct buf diff = BUF_INIT(INTEGRITY_DIFF_MAX);
        struct diff_text before = { 0 }, after = { 0 };
        (void)arg;
        enum outcome outcome = read_text(fds[0], path, &arena, &before);
        if (outcome == SHOWN)
                outcome = read_text(fds[1], path, &arena, &after);
        if (outcome == SHOWN && !diff_unified(before, after, &diff))
                outcome = CUT;
        buf_u8(reply, (uint8_t)outcome);
        buf_add_str(reply, buf_str(&diff));
}

/* -------------------------------------------------------------------------------------------------- who asks it ----
 */

int integrity_differ_start(struct integrity_differ *d, struct error *err)
{
        if (d->servant.pid)
                return 0;
        if (!d->secrets)
                d->secrets = secret_set_new(NULL);
        d->asked = 0;
        const struct servant_work work = { .begin = integrity_diff_begin,
                                           .answer = integrity_diff_answer,
                                           .arg = d->secrets,
                                           .memory_max = MEMORY_MAX };
        return servant_start(&work, &d->servant, err); /* which copies what it needs by forking */
}

static void end_servant(struct integrity_differ *d)
{
        char words[SERVANT_WORDS_MAX];
        servant_end(&d->servant, words);
}

void integrity_differ_end(struct integrity_differ *d)
{
        end_servant(d);
        if (d->secrets)
                secret_set_free(d->secrets);
        d->secrets = NULL;
}

/* Its answer, which may be a lie: text of a bounded length, and nothing else. */
static void decode(struct str reply, struct arena *arena, struct str *ret_diff, const char **ret_why)
{
        uint8_t outcome = reply.n ? (uint8_t)reply.p[0] : OUTCOMES;
        struct str diff = str_upto(str_from(reply, 1), INTEGRITY_DIFF_MAX);
        if (outcome >= OUTCOMES || whys[outcome])
                *ret_why = outcome >= OUTCOMES ? "it could not be made" : whys[outcome];
        else if (outcome == CUT)
                *ret_diff = arena_printf(arena, "%.*s[cut: there is more]\n", STR_FMT(diff));
        else
                *ret_diff = arena_str(arena, diff);
}

static void ask(struct integrity_differ *d, struct str path, const int fds[2], struct arena *arena,
                struct str *ret_diff, const char **ret_why)
{
        _cleanup_(buf_done) struct buf reply = BUF_INIT(MESSAGE_MAX);
        if (d->asked++ >= INTEGRITY_DIFF_ASKS)
                end_servant(d);
        int r = integrity_differ_start(d, NULL);
        if (r == 0)
                r = servant_ask(&d->servant, path, fds, 2);
        if (r == 0)
                r = servant_wait(&d->servant, INTEGRITY_DIFF_MS, &reply);
        if (r == 0) {
                decode(buf_str(&reply), arena, ret_diff, ret_why);
                return;
        }
        *ret_why = r == -ETIMEDOUT ? "it took too long" : "it could not be made";
        end_servant(d);
}

static bool is_file_with_content(const struct integrity_entry *e) { return S_ISREG(e->mode) && e->content.n > 0; }

void integrity_diff(struct integrity_differ *d, const struct integrity_contents *c, int root_fd,
                    const struct integrity_entry *before, const struct integrity_entry *after, struct arena *arena,
                    struct str *ret_diff, const char **ret_why)
{
        *ret_diff = STR_NONE;
        *ret_why = NULL;
        if (!is_file_with_content(before) || !is_file_with_content(after) || str_eq(before->content, after->content))
                return;
        if (integrity_is_secret(after->path)) {
                *ret_why = WHY_SECRET;
                return;
        }
        _cleanup_(closep) int was = integrity_contents_find(c, before->content);
        _cleanup_(closep) int is =
                open_in_root(root_fd, arena_cstr(arena, after->path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (was < 0 || is < 0)
                *ret_why = is < 0                              ? "the file cannot be read"
                           : before->size > INTEGRITY_TEXT_MAX ? whys[TOO_LARGE]
                                                               : "what it held before was not kept";
        else
                ask(d, after->path, (int[]){ was, is }, arena, ret_diff, ret_why);
}
