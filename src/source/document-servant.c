/*
 * See document-servant.h. A question is a byte for the kind and the id that is looked for; an answer a byte for the
 * outcome and, of what was found, the fact in its wire form.
 */
#include "source/document-servant.h"

#include "base/fs.h"
#include "read/store.h"

#include <errno.h>

#define MEMORY_MAX (UINT64_C(512) << 20)

enum outcome { FOUND, MISSING, ILLEGIBLE, TOO_LONG, OUTCOMES };

static const int errors[OUTCOMES] = { 0, -ENOENT, -EBADMSG, -EMSGSIZE };

/* ------------------------------------------------------------------------------------------------- the servant ---- */

struct search {
        struct sink sink;
        struct str id;
        struct buf *reply;
        size_t n; /* entries that fit */
};

static void take(struct sink *sink, enum fact_kind kind, const void *fact)
{
        struct search *s = (struct search *)sink;
        const struct fact_stored *entry = fact;
        if (kind == FACT_stored && (s->id.n == 0 || str_eq(entry->id, s->id)) && s->n++ == 0)
                fact_encode(kind, fact, s->reply);
}

void document_answer(void *arg, struct str question, const int fds[static MESSAGE_FDS_MAX], struct buf *reply)
{
        struct cursor c = cursor_from(question);
        enum document_kind kind = (enum document_kind)cursor_u8(&c);
        struct search s = { .sink = { .put = take }, .id = cursor_bytes(&c, cursor_left(&c)), .reply = reply };
        _cleanup_(buf_done) struct buf bytes = BUF_INIT(STORE_DOCUMENT_MAX);
        (void)arg;
        buf_u8(reply, FOUND);
        bool is_legible = kind >= DOCUMENT_PODMAN_IMAGES && kind <= DOCUMENT_BUNDLE && read_all(fds[0], &bytes) == 0 &&
                          document_parse(kind, buf_str(&bytes), &s.sink, NULL) == 0;
        enum outcome outcome = !is_legible                        ? ILLEGIBLE
                               : buf_is_full(reply)               ? TOO_LONG
                               : s.n == 0 || (!s.id.n && s.n > 1) ? MISSING
                                                                  : FOUND;
        if (outcome == FOUND)
                return;
        buf_clear(reply);
        buf_u8(reply, (uint8_t)outcome);
}

/* -------------------------------------------------------------------------------------------------- who asks it ----
 */

int document_servant_start(struct document_servant *s, struct error *err)
{
        static const struct servant_work work = { .answer = document_answer, .memory_max = MEMORY_MAX };
        if (s->servant.pid)
                return 0;
        json_prepare();
        s->asked = 0;
        return servant_start(&work, &s->servant, err);
}

void document_servant_end(struct document_servant *s)
{
        char words[SERVANT_WORDS_MAX];
        servant_end(&s->servant, words);
}

static int decode(struct str reply, struct arena *arena, struct fact_stored *ret)
{
        struct cursor c = cursor_from(reply);
        struct fact_stored fact;
        uint8_t outcome = cursor_u8(&c);
        if (!cursor_ok(&c) || outcome >= OUTCOMES)
                return -EPIPE;
        if (outcome != FOUND)
                return cursor_at_end(&c) ? errors[outcome] : -EPIPE;
        if (!fact_decode(FACT_stored, &c, arena, &fact) || !cursor_at_end(&c))
                return -EPIPE;
        fact_copy(FACT_stored, arena, &fact, ret); /* its texts are views into the reply */
        return 0;
}

int document_ask(struct document_servant *s, enum document_kind kind, struct str id, int fd, struct arena *arena,
                 struct fact_stored *ret)
{
        _cleanup_(buf_done) struct buf question = BUF_INIT(MESSAGE_MAX), reply = BUF_INIT(MESSAGE_MAX);
        if (s->asked++ >= DOCUMENT_SERVANT_ASKS)
                document_servant_end(s);
        if (document_servant_start(s, NULL) < 0)
                return -EPIPE;
        buf_u8(&question, (uint8_t)kind);
        buf_add_str(&question, id);
        int r = buf_is_full(&question) ? -ENOENT : servant_ask(&s->servant, buf_str(&question), &fd, 1);
        if (r == 0)
                r = servant_wait(&s->servant, DOCUMENT_ANSWER_MS, &reply);
        if (r == 0)
                r = decode(buf_str(&reply), arena, ret);
        if (r == -EPIPE || r == -ETIMEDOUT)
                document_servant_end(s);
        return r;
}
