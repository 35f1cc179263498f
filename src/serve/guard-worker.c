/*
 * The guard's worker, in its sandbox: one file after the other through the content pass, its verdict back as one
 * message: verdict, digest, what was not looked at, and the most severe finding as a fact. The parent decodes that with
 * bounds; an answer that does not decode is no verdict.
 */
#include "serve/guard-private.h"

#include "analyze/content.h"
#include "read/digest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK      (256u << 10)
#define CODE_MAX   64
#define DETAIL_MAX 512

struct collector {
        struct sink sink;
        struct arena arena;
        bool has_malware, has_unread;
        struct fact_malware malware;
        struct fact_unread unread;
};

static struct {
        struct content *content;
        struct collector collector;
        struct digest md5, sha1, sha256;
} worker;

static unsigned rank(const struct fact_malware *m)
{
        return (str_is(m->confidence, "high") ? 16 : 0) + (unsigned)m->severity;
}

static void collect(struct sink *sink, enum fact_kind kind, const void *fact)
{
        struct collector *c = (struct collector *)sink;
        if (kind == FACT_malware) {
                const struct fact_malware *m = fact;
                if (c->has_malware && rank(&c->malware) >= rank(m))
                        return;
                fact_copy(kind, &c->arena, fact, &c->malware);
                c->has_malware = true;
        } else if (kind == FACT_unread && !c->has_unread) {
                fact_copy(kind, &c->arena, fact, &c->unread);
                c->has_unread = true;
        }
}

void guard_worker_begin(void *arg)
{
        const struct guard_config *config = arg;
        worker.collector.sink.put = collect;
        worker.content = content_new(config->plan, &worker.collector.sink);
        digest_init(&worker.md5, DIGEST_MD5);
        digest_init(&worker.sha1, DIGEST_SHA1);
        digest_init(&worker.sha256, DIGEST_SHA256);
}

struct pass {
        uint8_t md5[DIGEST_MAX], sha1[DIGEST_MAX], sha256[DIGEST_MAX];
        uint64_t bytes;
        int r;
};

static struct content_digests digests_of(const struct pass *p, const struct content_wants *wants)
{
        return (struct content_digests){ .md5 = wants->md5 ? str_span(p->md5, 16) : STR_NONE,
                                         .sha1 = wants->sha1 ? str_span(p->sha1, 20) : STR_NONE,
                                         .sha256 = str_span(p->sha256, 32) };
}

/* All of the file, digested, and shown to the content pass where there is one. The descriptor's position is shared. */
static void pass_over(int fd, const struct content_wants *wants, struct content_open *open, struct pass *p)
{
        static uint8_t chunk[CHUNK];
        ssize_t n;
        *p = (struct pass){ .r = 0 };
        while ((n = pread(fd, chunk, sizeof(chunk), (off_t)p->bytes)) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        p->r = -errno;
                        break;
                }
                p->bytes += (uint64_t)n;
                digest_add(&worker.sha256, chunk, (size_t)n);
                if (wants->md5)
                        digest_add(&worker.md5, chunk, (size_t)n);
                if (wants->sha1)
                        digest_add(&worker.sha1, chunk, (size_t)n);
                if (open)
                        content_add(open, chunk, (size_t)n);
        }
        digest_end(&worker.sha256, p->sha256);
        if (wants->md5)
                digest_end(&worker.md5, p->md5);
        if (wants->sha1)
                digest_end(&worker.sha1, p->sha1);
}

static void scan(const struct guard_config *config, struct str name, int fd, const struct stat *st, struct pass *p)
{
        struct content_wants wants = content_plan_wants(config->plan, UINT64_MAX); /* it may grow meanwhile */
        struct content_file file = { .path = name,
                                     .size = (uint64_t)st->st_size,
                                     .mode = st->st_mode & 07777,
                                     .uid = st->st_uid,
                                     .gid = st->st_gid };
        struct content_open *open = content_begin(worker.content, NULL, &file);
        pass_over(fd, &wants, open, p);
        struct content_digests d = digests_of(p, &wants);
        content_end(open, &d, p->r == 0);
        if (p->r < 0)
                sink_unread(&worker.collector.sink, name, "denied", "it cannot be read: %s", strerror(-p->r));
}

/* Known by its digest alone: content is not looked at. */
static bool is_allowed(const struct guard_config *config, int fd, struct pass *p)
{
        struct content_wants all = { .md5 = true, .sha1 = true, .sha256 = true };
        if (!malware_has_allowed(config->malware))
                return false;
        pass_over(fd, &all, NULL, p);
        struct content_digests d = digests_of(p, &all);
        return p->r == 0 && malware_allows(config->malware, &d, p->bytes);
}

static void put_text(struct buf *b, struct str s, size_t max)
{
        s = str_upto(s, max);
        buf_le32(b, (uint32_t)s.n);
        buf_add_str(b, s);
}

void guard_worker_answer(void *arg, struct str question, const int fds[static MESSAGE_FDS_MAX], struct buf *reply)
{
        const struct guard_config *config = arg;
        struct collector *c = &worker.collector;
        struct stat st = { .st_size = 0 };
        struct pass p;
        (void)fstat(fds[0], &st);
        if (!is_allowed(config, fds[0], &p))
                scan(config, question, fds[0], &st, &p);
        enum verdict verdict = c->has_malware ? VERDICT_MALWARE : c->has_unread ? VERDICT_INCOMPLETE : VERDICT_CLEAN;
        buf_u8(reply, (uint8_t)verdict);
        buf_add(reply, p.sha256, 32);
        put_text(reply, c->has_unread ? c->unread.code : STR_NONE, CODE_MAX);
        put_text(reply, c->has_unread ? c->unread.detail : STR_NONE, DETAIL_MAX);
        if (verdict == VERDICT_MALWARE)
                fact_encode(FACT_malware, &c->malware, reply);
        arena_done(&c->arena);
        c->has_malware = c->has_unread = false;
}

static struct str take_text(struct cursor *c, struct arena *arena, uint32_t max)
{
        uint32_t n = cursor_le32(c);
        return n <= max ? arena_str(arena, cursor_bytes(c, n))
                        : STR_NONE; /* too long: it will not end where it should */
}

bool guard_finding_decode(struct str reply, struct arena *arena, struct guard_finding *ret)
{
        struct cursor c = cursor_from(reply);
        *ret = (struct guard_finding){ .verdict = (enum verdict)cursor_u8(&c) };
        struct str digest = cursor_bytes(&c, 32);
        if (digest.n == 32)
                memcpy(ret->sha256, digest.p, 32);
        ret->code = take_text(&c, arena, CODE_MAX);
        ret->detail = take_text(&c, arena, DETAIL_MAX);
        if (!cursor_ok(&c))
                return false;
        if (ret->verdict == VERDICT_CLEAN || ret->verdict == VERDICT_INCOMPLETE)
                return cursor_at_end(&c);
        struct fact_malware m;
        if (ret->verdict != VERDICT_MALWARE || !fact_decode(FACT_malware, &c, arena, &m) || !cursor_at_end(&c))
                return false;
        fact_copy(FACT_malware, arena, &m, &ret->malware);
        return true;
}
