/*
 * See walk.h. Small files are digested many at a time (read/digest.h), so their facts wait in a short queue until the
 * batch is done; the queue keeps the archive's order, on which the meaning of duplicates and hard links rests.
 */
#include "analyze/walk.h"

#include "analyze/analyzer.h"
#include "read/digest.h"
#include "read/sniff.h"

#include <errno.h>
#include <stdlib.h>

#define QUEUE_MAX        4096
#define CAPABILITY_MAX   24 /* bytes of the longest vfs_cap_data */
#define HEAD_BYTES       4
#define SHA1_PROBE_BYTES (16u << 20) /* apk announces itself this early, or the layer is not Alpine's */

struct queued {
        struct fact_file f; /* text lives in the walk's arena */
        uint8_t md5[16], sha1[20], sha256[32];
        bool waits; /* for its MD5 */
};

struct walk {
        struct tar *tar;
        const struct walk_options *options;
        struct sink *out;
        struct queued *queue;
        size_t n_queued;
        struct arena arena; /* of the queue; cleared when it is empty */
        struct md5_many *many;
        struct walk_digester digester; /* SHA-256, and MD5 of large files */
        struct tandem own;             /* it, where the options have none */
        struct digest sha1;
        struct content *content; /* NULL: nobody looks into files */
        struct buf captured;
        enum family family;  /* as far as it is known here */
        struct budget holes; /* of sparse files, which cost time and no archive bytes */
};

static void md5_done(void *arg, uint64_t cookie, const uint8_t digest[static MD5_BYTES])
{
        struct walk *w = arg;
        struct queued *q = &w->queue[cookie];
        memcpy(q->md5, digest, 16);
        q->f.md5 = str_span(q->md5, 16);
}

static void queue_flush(struct walk *w)
{
        md5_many_flush(w->many);
        for (size_t i = 0; i < w->n_queued; i++)
                sink_put(w->out, FACT_file, &w->queue[i].f);
        w->n_queued = 0;
        arena_done(&w->arena);
}

/* A place in the queue, with the entry's facts but its content's. */
static struct queued *queue_add(struct walk *w, const struct tar_entry *e)
{
        if (w->n_queued == QUEUE_MAX || w->arena.used_bytes > (4u << 20))
                queue_flush(w);
        struct queued *q = &w->queue[w->n_queued++];
        *q = (struct queued){ .f = { .path = arena_str(&w->arena, e->name),
                                     .link = arena_str(&w->arena, e->link),
                                     .size = e->size,
                                     .mode = e->mode & 07777,
                                     .capability = arena_str(&w->arena, str_upto(e->capability, CAPABILITY_MAX)),
                                     .uid = e->uid,
                                     .gid = e->gid,
                                     .mtime = e->mtime > 0 ? (uint64_t)e->mtime : 0 } };
        return q;
}

static uint64_t file_type_of(enum tar_type t)
{
        switch (t) {
        case TAR_HARDLINK:
                return FILE_HARDLINK;
        case TAR_SYMLINK:
                return FILE_SYMLINK;
        case TAR_CHAR:
                return FILE_CHAR;
        case TAR_BLOCK:
                return FILE_BLOCK;
        case TAR_DIRECTORY:
                return FILE_DIRECTORY;
        case TAR_FIFO:
                return FILE_FIFO;
        default:
                return FILE_REGULAR;
        }
}

/*
 * Whiteouts (OCI image spec): "dir/.wh.x" deletes dir/x, "dir/.wh..wh..opq" hides what lower layers have in dir. Other
 * names with ".wh..wh." are aufs' own bookkeeping, and stay files. False if the entry is not a whiteout.
 */
static bool add_whiteout(struct walk *w, const struct tar_entry *e)
{
        size_t at = (size_t)(str_rfind_char(e->name, '/') + 1);
        struct str directory = str_upto(e->name, at); /* with its slash */
        struct str name = str_from(e->name, at);
        bool is_opaque = str_is(name, ".wh..wh..opq");
        if (!str_starts(name, STR(".wh.")) || (str_starts(name, STR(".wh..wh.")) && !is_opaque))
                return false;
        if (str_is(name, ".wh.") || str_is(name, ".wh..") || str_is(name, ".wh...")) {
                sink_unread(w->out, e->name, "ambiguous", "a whiteout of no file: engines take it in different ways");
                return true;
        }
        struct queued *q = queue_add(w, e);
        q->f.type = is_opaque ? FILE_OPAQUE : FILE_WHITEOUT;
        if (is_opaque)
                q->f.path = arena_str(&w->arena, str_upto(directory, directory.n ? directory.n - 1 : 0));
        else
                q->f.path = arena_printf(&w->arena, "%.*s%.*s", STR_FMT(directory), STR_FMT(str_from(name, 4)));
        return true;
}

/* The first that shows itself counts: Debian may have rpm installed. */
static void notice_family(struct walk *w, struct str path)
{
        static const struct {
                const char *below;
                enum family family;
        } signs[] = {
                { "etc/debian_version", FAMILY_DPKG },
                { "etc/dpkg", FAMILY_DPKG },
                { "var/lib/dpkg", FAMILY_DPKG },
                { "etc/apk", FAMILY_APK },
                { "lib/apk", FAMILY_APK },
                { "usr/lib/apk", FAMILY_APK },
                { "etc/redhat-release", FAMILY_RPM },
                { "etc/rpm", FAMILY_RPM },
                { "etc/yum.repos.d", FAMILY_RPM },
                { "etc/dnf", FAMILY_RPM },
                { "etc/zypp", FAMILY_RPM },
                { "var/lib/rpm", FAMILY_RPM },
                { "usr/lib/sysimage/rpm", FAMILY_RPM },
        };
        for (size_t i = 0; w->family == FAMILY_UNKNOWN && i < ARRAY_SIZE(signs); i++)
                if (str_starts(path, str_of(signs[i].below)))
                        w->family = signs[i].family;
}

enum family family_of(const struct fact_os *os)
{
        static const struct {
                const char *id;
                enum family family;
        } ids[] = {
                { "debian", FAMILY_DPKG },    { "ubuntu", FAMILY_DPKG },    { "alpine", FAMILY_APK },
                { "wolfi", FAMILY_APK },      { "chainguard", FAMILY_APK }, { "rhel", FAMILY_RPM },
                { "fedora", FAMILY_RPM },     { "centos", FAMILY_RPM },     { "suse", FAMILY_RPM },
                { "sles", FAMILY_RPM },       { "amzn", FAMILY_RPM },       { "mariner", FAMILY_RPM },
                { "azurelinux", FAMILY_RPM }, { "photon", FAMILY_RPM },     { "ol", FAMILY_RPM },
                { "rocky", FAMILY_RPM },      { "almalinux", FAMILY_RPM },
        };
        for (size_t k = 0; k <= os->id_like.n; k++) {
                struct str id = k ? os->id_like.v[k - 1] : os->id;
                for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
                        if (str_eq_nocase(id, str_of(ids[i].id)))
                                return ids[i].family;
        }
        return FAMILY_UNKNOWN;
}

static bool wants_md5(const struct walk *w) { return w->family == FAMILY_UNKNOWN || w->family == FAMILY_DPKG; }

static bool wants_sha1(const struct walk *w)
{
        return w->family == FAMILY_APK || (w->family == FAMILY_UNKNOWN && tar_offset(w->tar) < SHA1_PROBE_BYTES);
}

/* Where packages put what can be executed; what lies elsewhere came another way. */
static bool is_where_packages_install(struct str path)
{
        static const char *const below[] = { "bin/",    "sbin/",      "lib",        "usr/bin/", "usr/sbin/",
                                             "usr/lib", "usr/share/", "usr/games/", "etc/",     "var/lib/" };
        for (size_t i = 0; i < ARRAY_SIZE(below); i++)
                if (str_starts(path, str_of(below[i])))
                        return true;
        return false;
}

static bool wants_sha256(const struct walk *w, const struct fact_file *f, const struct content_wants *wants)
{
        if (w->family == FAMILY_UNKNOWN || w->family == FAMILY_RPM)
                return true;
        bool executable =
                f->format == FORMAT_ELF || f->format == FORMAT_SCRIPT || f->format == FORMAT_PE || (f->mode & 0111);
        return executable && (wants->programs || !is_where_packages_install(f->path));
}

static enum file_format format_of(struct str first)
{
        switch (sniff(first)) {
        case SNIFFED_ELF:
                return FORMAT_ELF;
        case SNIFFED_SCRIPT:
                return FORMAT_SCRIPT;
        case SNIFFED_PE:
                return FORMAT_PE;
        case SNIFFED_EMPTY:
                return FORMAT_EMPTY;
        default:
                return FORMAT_OTHER;
        }
}

/* What is done with a file's bytes as they pass. */
struct pass {
        struct queued *q;
        bool md5, sha1, sha256, capture;
        bool own_md5, own_sha1, own_sha256; /* for the file's fact, and not only for content engines */
        bool md5_at_end;                    /* for these: a small file's cannot wait for the others */
        struct content_open *open;          /* NULL: nobody looks into it */
        uint8_t *small; /* with md5: a small file's content, whole, in the room of md5_many; NULL: a large one */
        size_t n_small;
        uint8_t head[HEAD_BYTES]; /* of a content that comes in crumbs: kept until it can be told what it is */
        size_t n_head;
};

static void own_add(void *arg, unsigned digests, const void *p, size_t n) { tandem_add_alone(arg, digests, p, n); }

static void own_end(void *arg, unsigned digests, uint8_t *ret_md5, uint8_t *ret_sha256)
{
        tandem_end_part(arg, digests, ret_md5, ret_sha256);
}

/* Those that the digester makes. */
static unsigned digests_of(const struct pass *p)
{
        return (p->md5 && !p->small ? TANDEM_MD5 : 0u) | (p->sha256 ? TANDEM_SHA256 : 0u);
}

static void pass_bytes(struct walk *w, struct pass *p, const void *bytes, size_t n)
{
        if (p->small) {
                memcpy(p->small + p->n_small, bytes, n);
                p->n_small += n;
        } else {
                if (p->sha1)
                        digest_add(&w->sha1, bytes, n);
        }
        /* Digests wait for themselves, not for memory: who comes after them finds the bytes in the cache. */
        if (digests_of(p))
                w->digester.add(w->digester.arg, digests_of(p), bytes, n);
        if (p->open && !p->small)
                content_add(p->open, bytes, n);
        if (p->capture)
                buf_add(&w->captured, bytes, n);
}

/* The bytes of a hole, all zero: only digests, and those who want the file whole, must have each of them. */
static void pass_hole(struct walk *w, struct pass *p, uint64_t n)
{
        static const uint8_t zeros[64 << 10];
        bool is_read = digests_of(p) || p->sha1 || p->capture;
        if (p->open)
                content_add_hole(p->open, n);
        for (uint64_t left = is_read ? n : 0; left;) {
                size_t part = (size_t)MIN(left, (uint64_t)sizeof(zeros));
                if (p->sha1)
                        digest_add(&w->sha1, zeros, part);
                if (digests_of(p))
                        w->digester.add(w->digester.arg, digests_of(p), zeros, part);
                if (p->capture)
                        buf_add(&w->captured, zeros, part);
                left -= part;
        }
}

static void pass_begin(struct walk *w, struct pass *p, const struct tar_entry *e, struct str first)
{
        p->q->f.format = format_of(e->size ? first : STR_NONE);
        struct content_wants wants = content_plan_wants(w->options->content, e->size);
        bool is_hollow = e->size - MIN(e->stored, e->size) > WALK_HOLES_KNOWN;
        p->own_md5 = wants_md5(w) && !is_hollow;
        p->md5 = p->own_md5 || wants.md5;
        p->small = p->md5 && e->size <= MD5_MANY_FILE_MAX ? md5_many_room(w->many, (size_t)e->size) : NULL;
        p->own_sha1 = wants_sha1(w) && !is_hollow;
        p->own_sha256 = wants_sha256(w, &p->q->f, &wants);
        p->sha1 = p->own_sha1 || wants.sha1;
        p->sha256 = p->own_sha256 || wants.sha256;
        p->md5_at_end = wants.md5;
        struct content_file file = {
                .path = p->q->f.path, .size = e->size, .mode = e->mode, .uid = e->uid, .gid = e->gid
        };
        p->open = w->content ? content_begin(w->content, NULL, &file) : NULL;
}

/* What the content engines may know of the digests at the end of a file. */
static void end_content(struct walk *w, struct pass *p, bool is_whole)
{
        uint8_t md5[MD5_BYTES];
        if (!p->open)
                return;
        struct content_digests d = { .sha1 = p->q->f.sha1, .sha256 = p->q->f.sha256 };
        if (is_whole && p->md5_at_end) {
                if (p->small)
                        digest_of(DIGEST_MD5, str_span(p->small, p->n_small), md5);
                d.md5 = p->small ? str_span(md5, sizeof(md5)) : p->q->f.md5;
        }
        content_end(p->open, &d, is_whole);
}

static void pass_end(struct walk *w, struct pass *p)
{
        struct queued *q = p->q;
        if (p->small && p->open)
                content_add(p->open, p->small, p->n_small);
        if (p->small && p->sha1)
                digest_add(&w->sha1, p->small, p->n_small);
        if (p->sha1) {
                digest_end(&w->sha1, q->sha1);
                q->f.sha1 = str_span(q->sha1, sizeof(q->sha1));
        }
        w->digester.end(w->digester.arg, digests_of(p), q->md5, q->sha256);
        if (p->sha256)
                q->f.sha256 = str_span(q->sha256, sizeof(q->sha256));
        if (p->md5 && !p->small)
                q->f.md5 = str_span(q->md5, sizeof(q->md5));
        end_content(w, p, true);
        if (p->small && p->own_md5)
                md5_many_put(w->many, (uint64_t)(q - w->queue), p->n_small);
        if (!p->own_md5)
                q->f.md5 = STR_NONE;
        if (!p->own_sha1)
                q->f.sha1 = STR_NONE;
        if (!p->own_sha256)
                q->f.sha256 = STR_NONE;
}

/* Begins once the first bytes are there: pieces may be of any length. False while more are needed. */
static bool pass_head(struct walk *w, struct pass *p, const struct tar_entry *e, const void *bytes, size_t n)
{
        if (p->n_head + n < MIN(e->size, (uint64_t)HEAD_BYTES)) {
                memcpy(p->head + p->n_head, bytes, n);
                p->n_head += n;
                return false;
        }
        if (!p->n_head) {
                pass_begin(w, p, e, str_span(bytes, n));
                return true;
        }
        uint8_t first[HEAD_BYTES];
        memcpy(first, p->head, p->n_head);
        memcpy(first + p->n_head, bytes, MIN(n, HEAD_BYTES - p->n_head));
        pass_begin(w, p, e, str_span(first, MIN(e->size, (uint64_t)HEAD_BYTES)));
        pass_bytes(w, p, p->head, p->n_head);
        return true;
}

/* An archive that broke off in a file leaves its digests begun. */
static void pass_abandon(struct walk *w)
{
        uint8_t ignored[2][DIGEST_MAX];
        w->digester.end(w->digester.arg, TANDEM_MD5 | TANDEM_SHA256, ignored[0], ignored[1]);
        digest_end(&w->sha1, ignored[0]);
}

static uint64_t largest_limit(uint64_t wanted_by)
{
        uint64_t largest = 0;
        for (unsigned i = 0; i < 64 && analyzers[i]; i++)
                if (wanted_by & (UINT64_C(1) << i))
                        largest = MAX(largest, analyzers[i]->max_bytes);
        return largest;
}

static void analyse(struct walk *w, uint64_t wanted_by, struct str path)
{
        for (unsigned i = 0; i < 64 && analyzers[i]; i++) {
                const struct analyzer *a = analyzers[i];
                if (!(wanted_by & (UINT64_C(1) << i)))
                        continue;
                if (w->captured.n > a->max_bytes) {
                        sink_unread(w->out, path, "too-large", "%zu bytes; %s reads at most %llu", w->captured.n,
                                    a->summary, (unsigned long long)a->max_bytes);
                        continue;
                }
                struct arena arena = ARENA_INIT;
                struct analyzer_input in = { .path = path, .bytes = buf_str(&w->captured), .arena = &arena };
                if (!in.bytes.p)
                        in.bytes.p = "";
                a->run(&in, w->out);
                arena_done(&arena);
        }
}

/* A regular file: 0, TAR_MALFORMED if the archive ends in it, or < 0 from the pull. */
static int walk_content(struct walk *w, const struct tar_entry *e)
{
        struct pass p = { .q = queue_add(w, e) };
        struct str path = p.q->f.path;
        uint64_t wanted_by = analyzers_for(path), limit = largest_limit(wanted_by), done = 0;
        p.capture = wanted_by && e->size <= limit;
        w->captured.max = (size_t)limit;
        buf_clear(&w->captured);
        if (wanted_by && !p.capture)
                sink_unread(w->out, path, "too-large", "%llu bytes; at most %llu of such a file are read",
                            (unsigned long long)e->size, (unsigned long long)limit);
        if (e->stored > WALK_DIGEST_MAX || !budget_bytes(&w->holes, e->size - MIN(e->stored, e->size))) {
                sink_unread(w->out, path, "too-large", "%llu bytes (%llu stored): its content was not read",
                            (unsigned long long)e->size, (unsigned long long)e->stored);
                if (w->content)
                        content_skipped(w->content);
                return 0;
        }
        bool began = !e->size;
        if (began)
                pass_begin(w, &p, e, STR_NONE);
        while (done < e->size) {
                const void *bytes;
                uint64_t hole = began ? tar_pass_hole(w->tar, WALK_HOLE_MIN) : 0;
                if (hole) {
                        pass_hole(w, &p, hole);
                        done += hole;
                        continue;
                }
                ssize_t n = tar_peek(w->tar, &bytes);
                if (n <= 0) {
                        w->n_queued--; /* half a file: it is not what the layer was to bring */
                        pass_abandon(w);
                        end_content(w, &p, false);
                        if (n < 0 && n != -EBADMSG)
                                return (int)n;
                        sink_unread(w->out, path, "truncated", "ends after %llu of %llu bytes: %s",
                                    (unsigned long long)done, (unsigned long long)e->size, tar_where(w->tar));
                        return TAR_MALFORMED;
                }
                done += (uint64_t)n;
                if (!began && !(began = pass_head(w, &p, e, bytes, (size_t)n)))
                        continue;
                pass_bytes(w, &p, bytes, (size_t)n);
        }
        pass_end(w, &p);
        if (p.capture)
                analyse(w, wanted_by, path);
        return 0;
}

static void note_unread(struct walk *w, const struct tar_entry *e)
{
        struct str detail = e->unread;
        struct str code = str_cut(&detail, ' ');
        char word[32];
        size_t n = MIN(code.n, sizeof(word) - 1);
        memcpy(word, code.p, n);
        word[n] = 0;
        sink_unread(w->out, e->name, word, "%.*s", STR_FMT(detail));
}

static int walk_entry(struct walk *w, const struct tar_entry *e)
{
        if (e->is_unsafe) {
                sink_unread(w->out, e->name, "unsafe-path",
                            "an entry's name or link leaves the layer: it is not taken as a file");
                return 0;
        }
        if (e->is_ambiguous)
                sink_unread(w->out, e->name.n ? e->name : STR("(root)"), "ambiguous",
                            "other readers may see another name, type or size for this entry");
        if (w->options->is_packed && e->unread.n) {
                note_unread(w, e);
                return 0;
        }
        if (e->type == TAR_OTHER) {
                sink_unread(w->out, e->name, "unsupported", "an entry of a type that the tar reader does not know");
                return 0;
        }
        if (e->name.n == 0) /* the root directory itself */
                return 0;
        if (!e->is_literal && add_whiteout(w, e))
                return 0;
        if (e->type == TAR_REGULAR) {
                notice_family(w, e->name);
                return walk_content(w, e);
        }
        if (e->type == TAR_DIRECTORY)
                notice_family(w, e->name);
        queue_add(w, e)->f.type = file_type_of(e->type);
        return 0;
}

static int walk_entries(struct walk *w, struct walk_totals *totals)
{
        for (;;) {
                struct tar_entry e;
                int r = tar_next(w->tar, &e);
                if (r == TAR_END) {
                        totals->complete = true;
                        totals->no_end_mark = !tar_ended_cleanly(w->tar);
                        return 0;
                }
                if (r == TAR_MALFORMED) {
                        sink_unread(w->out, STR("(layer)"), "corrupt", "%s: what follows was not read",
                                    tar_where(w->tar));
                        return 0;
                }
                if (r < 0)
                        return r;
                if (++totals->entries > WALK_ENTRIES_MAX) {
                        sink_unread(w->out, STR("(layer)"), "limit",
                                    "more than %llu entries: what follows was not read",
                                    (unsigned long long)WALK_ENTRIES_MAX);
                        return 0;
                }
                r = walk_entry(w, &e);
                if (r == TAR_MALFORMED)
                        return 0;
                if (r < 0)
                        return r;
        }
}

int walk_layer(struct tar *t, const struct walk_options *o, struct sink *out, struct walk_totals *ret,
               struct error *err)
{
        struct walk w = { .tar = t,
                          .options = o,
                          .family = o->family,
                          .out = out,
                          .holes = { .bytes = WALK_HOLES_MAX },
                          .queue = xcalloc(QUEUE_MAX, sizeof(*w.queue)) };
        tandem_init(&w.own);
        w.digester = o->digester ? *o->digester : (struct walk_digester){ own_add, own_end, &w.own };
        digest_init(&w.sha1, DIGEST_SHA1);
        w.many = md5_many_new(md5_done, &w);
        w.content = o->content ? content_new(o->content, out) : NULL;
        *ret = (struct walk_totals){ 0 };
        int r = walk_entries(&w, ret);
        queue_flush(&w);
        if (w.content)
                ret->content = content_totals(w.content);
        content_free(w.content);
        md5_many_free(w.many);
        tandem_done(&w.own);
        digest_done(&w.sha1);
        buf_done(&w.captured);
        free(w.queue);
        if (r < 0)
                return error_prefix(err, r, "reading a layer");
        return 0;
}
