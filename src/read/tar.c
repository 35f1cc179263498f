/*
 * The tar reader: blocks, entries and their content. Header blocks are read in tar-header.c, pax bodies in tar-pax.c,
 * sparse maps in tar-sparse.c.
 *
 * Input: hostile bytes, in pieces. Invariant between calls: t->offset is the place of *t->piece in the archive, and
 * stored_left and padding say what of the current entry is still ahead. Nothing is allocated for an entry; what headers
 * make grow is bounded by TAR_NAME_MAX, TAR_PAX_MAX and TAR_EXTENTS_MAX.
 *
 * Specification: POSIX.1-2001 pax(1), GNU tar manual ("Basic Tar Format"), Go's archive/tar where those leave a choice.
 */
#include "read/tar.h"

#include "base/arena.h"
#include "read/tar-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BUFFER_BYTES (512u << 10)

static const uint8_t zeros[64 << 10];

struct tar *tar_new_pieces(piece_pull pull, void *arg)
{
        struct tar *t = xcalloc(1, sizeof(*t));
        t->pull = pull;
        t->pull_arg = arg;
        t->name = xmalloc(TAR_NAME_MAX);
        t->link = xmalloc(TAR_NAME_MAX);
        t->pax_body = BUF_INIT(TAR_PAX_MAX);
        t->scratch = BUF_INIT(TAR_PAX_MAX);
        t->long_name = BUF_INIT(TAR_NAME_MAX);
        t->long_link = BUF_INIT(TAR_NAME_MAX);
        return t;
}

static ssize_t pull_copy(void *arg, const void **ret_p)
{
        struct tar *t = arg;
        *ret_p = t->buffer;
        return t->copy_pull(t->copy_arg, t->buffer, BUFFER_BYTES);
}

struct tar *tar_new(tar_pull pull, void *arg)
{
        struct tar *t = tar_new_pieces(pull_copy, NULL);
        t->pull_arg = t;
        t->copy_pull = pull;
        t->copy_arg = arg;
        t->buffer = xmalloc(BUFFER_BYTES);
        return t;
}

void tar_free(struct tar *t)
{
        if (!t)
                return;
        buf_done(&t->pax_body);
        buf_done(&t->scratch);
        buf_done(&t->long_name);
        buf_done(&t->long_link);
        vec_done(&t->extents);
        free(t->buffer);
        free(t->name);
        free(t->link);
        free(t);
}

void tar_freep(struct tar **t) { tar_free(*t); }

int tar_malformed(struct tar *t, const char *what)
{
        t->state = TAR_STATE_MALFORMED;
        snprintf(t->where, sizeof(t->where), "%s (header at byte %llu, stopped at byte %llu)", what,
                 (unsigned long long)t->header_offset, (unsigned long long)t->offset);
        return TAR_MALFORMED;
}

const char *tar_where(const struct tar *t) { return t->where; }

uint64_t tar_offset(const struct tar *t) { return t->offset; }

bool tar_ended_cleanly(const struct tar *t) { return t->state == TAR_STATE_ENDED && !t->is_cut; }

/* Has at least one byte in the piece: 1; at the end of the input: 0; < 0: final. */
static inline int have_piece(struct tar *t)
{
        if (t->piece_n > 0)
                return 1;
        const void *p = NULL;
        ssize_t r = t->pull(t->pull_arg, &p);
        if (r < 0) {
                t->state = TAR_STATE_FAILED;
                return t->failed = (int)r;
        }
        t->piece = p;
        t->piece_n = (size_t)r;
        return r > 0;
}

static inline void consume(struct tar *t, size_t n)
{
        t->piece += n;
        t->piece_n -= n;
        t->offset += n;
}

ssize_t tar_rest(struct tar *t, const void **ret_p)
{
        int r = have_piece(t);
        if (r <= 0)
                return r;
        size_t n = t->piece_n;
        *ret_p = t->piece;
        consume(t, n);
        return (ssize_t)n;
}

int tar_block(struct tar *t, const uint8_t **ret)
{
        if (t->piece_n >= TAR_BLOCK_BYTES) {
                *ret = t->piece;
                consume(t, TAR_BLOCK_BYTES);
                return TAR_ENTRY;
        }
        size_t have = 0;
        while (have < TAR_BLOCK_BYTES) {
                int r = have_piece(t);
                if (r < 0)
                        return r;
                if (r == 0)
                        return have == 0 ? TAR_END : tar_malformed(t, "truncated in a header");
                size_t n = MIN(TAR_BLOCK_BYTES - have, t->piece_n);
                memcpy(t->block + have, t->piece, n);
                consume(t, n);
                have += n;
        }
        *ret = t->block;
        return TAR_ENTRY;
}

/* Skips n bytes. 1, or 0 if the input ends before, or < 0. */
static int skip(struct tar *t, uint64_t n)
{
        while (n > 0) {
                int r = have_piece(t);
                if (r <= 0)
                        return r;
                size_t now = (size_t)MIN(n, (uint64_t)t->piece_n);
                consume(t, now);
                n -= now;
        }
        return 1;
}

static bool is_zero_block(const uint8_t *block) { return block[0] == 0 && memcmp(block, zeros, TAR_BLOCK_BYTES) == 0; }

/* The next header that is one. TAR_ENTRY, TAR_END, TAR_MALFORMED or < 0. */
static int next_header(struct tar *t, const uint8_t **ret)
{
        const uint8_t *block;
        t->header_offset = t->offset;
        int r = tar_block(t, &block);
        if (r != TAR_ENTRY)
                return r;
        if (is_zero_block(block)) {
                r = tar_block(t, &block);
                if (r != TAR_ENTRY)
                        return r;
                if (!is_zero_block(block))
                        return tar_malformed(t, "data after a single zero block");
                return TAR_END;
        }
        if (!tar_checksum_fits(block))
                return tar_malformed(t, "wrong header checksum");
        *ret = block;
        return TAR_ENTRY;
}

/* Reads the body of an extension header into b. TAR_ENTRY, TAR_MALFORMED or < 0. */
static int read_body(struct tar *t, uint64_t size, struct buf *b)
{
        buf_clear(b);
        if (size > b->max)
                return tar_malformed(t, "extension header that is too long");
        while (b->n < size) {
                int r = have_piece(t);
                if (r < 0)
                        return r;
                if (r == 0)
                        return tar_malformed(t, "truncated in an extension header");
                size_t n = MIN(size - b->n, t->piece_n);
                buf_add(b, t->piece, n);
                consume(t, n);
        }
        int r = skip(t, -size % TAR_BLOCK_BYTES);
        if (r == 0)
                return tar_malformed(t, "truncated in an extension header");
        return r < 0 ? r : TAR_ENTRY;
}

static int read_pax(struct tar *t, uint64_t size, bool is_global)
{
        struct buf *body = is_global ? &t->scratch : &t->pax_body;
        struct tar_pax pax;
        int r = read_body(t, size, body);
        if (r != TAR_ENTRY)
                return r;
        const char *why = tar_pax_read(buf_str(body), &pax, is_global ? NULL : &t->extents);
        if (why)
                return tar_malformed(t, why);
        if (!is_global) {
                t->pax = pax;
                t->has_pax = true;
                return TAR_ENTRY;
        }
        t->global_names = t->global_names || pax.path.n || pax.link.n || pax.has_size || pax.has_sparse;
        /* Times and owners of earlier global headers stay; views into this body do not. */
        struct tar_pax kept = t->global;
        t->global = (struct tar_pax){
                .has_mtime = pax.has_mtime || kept.has_mtime,
                .mtime = pax.has_mtime ? pax.mtime : kept.mtime,
                .has_uid = pax.has_uid || kept.has_uid,
                .uid = pax.has_uid ? pax.uid : kept.uid,
                .has_gid = pax.has_gid || kept.has_gid,
                .gid = pax.has_gid ? pax.gid : kept.gid,
        };
        return TAR_ENTRY;
}

/* A GNU long name or link: a C string. */
static int read_long(struct tar *t, uint64_t size, struct buf *b, bool *ret_has)
{
        int r = read_body(t, size, b);
        if (r == TAR_ENTRY)
                *ret_has = true;
        return r;
}

static struct str long_text(const struct buf *b) { return str_span(b->p, b->p ? strnlen(b->p, b->n) : 0); }

/* The name that the header itself gives, with its prefix; a view into the block or t->raw. */
static struct str header_name(struct tar *t, const uint8_t *block, enum tar_format format)
{
        struct str name = tar_text_field(block, TAR_NAME), prefix = STR_NONE;
        if (format == TAR_FORMAT_USTAR)
                prefix = tar_text_field(block, TAR_PREFIX);
        else if (format == TAR_FORMAT_STAR)
                prefix = tar_text_field(block, TAR_STAR_PREFIX);
        if (prefix.n == 0)
                return name;
        memcpy(t->raw, prefix.p, prefix.n);
        t->raw[prefix.n] = '/';
        memcpy(t->raw + prefix.n + 1, name.p, name.n);
        return str_span(t->raw, prefix.n + 1 + name.n);
}

/* Sets name and link of e. NULL, or what is wrong. */
static const char *set_names(struct tar *t, const uint8_t *block, enum tar_format format, struct tar_entry *e)
{
        const struct tar_pax *p = &t->pax;
        struct str name, link = tar_text_field(block, TAR_LINK);
        if (t->has_long_name && t->long_name.n)
                name = long_text(&t->long_name);
        else if (t->has_pax && p->sparse_name.n)
                name = p->sparse_name;
        else if (t->has_pax && p->path.n)
                name = p->path;
        else
                name = header_name(t, block, format);
        if (t->has_long_link && t->long_link.n)
                link = long_text(&t->long_link);
        else if (t->has_pax && p->link.n)
                link = p->link;
        if (name.n > TAR_NAME_MAX || link.n > TAR_NAME_MAX)
                return "name that is too long";

        if (e->type == TAR_REGULAR && name.n && name.p[name.n - 1] == '/') {
                if (block[TAR_TYPE] == 0)
                        e->type = TAR_DIRECTORY;
                else
                        e->is_ambiguous = true;
        }
        e->is_unsafe = !tar_normalise(name, t->name, &e->name);
        if (e->type == TAR_HARDLINK) {
                e->is_unsafe |= !tar_normalise(link, t->link, &e->link);
        } else if (e->type == TAR_SYMLINK) {
                memcpy(t->link, link.p, link.n);
                e->link = str_span(t->link, link.n);
        }
        return NULL;
}

/* Is this one of the GNU.sparse forms in a pax header? 1.0 has its map before the data. */
static bool is_pax_sparse(const struct tar *t, bool *ret_is_1_0)
{
        const struct tar_pax *p = &t->pax;
        if (!t->has_pax || !p->has_real_size)
                return false;
        *ret_is_1_0 = p->sparse_major == 1 && p->sparse_minor == 0;
        return *ret_is_1_0 || (p->sparse_major == 0 && p->sparse_minor <= 1 && p->has_map);
}

/* Sets the sizes of e and the state of its content. TAR_ENTRY, TAR_MALFORMED or < 0. */
static int set_content(struct tar *t, const uint8_t *block, enum tar_format format, uint64_t stored,
                       struct tar_entry *e)
{
        bool has_content = e->type == TAR_REGULAR || e->type == TAR_OTHER, is_1_0 = false,
             is_old = block[TAR_TYPE] == 'S';
        int r = TAR_ENTRY;
        if (!has_content && stored > 0) {
                e->is_ambiguous = true;
                stored = 0;
        }
        t->padding = (unsigned)(-stored % TAR_BLOCK_BYTES);
        uint64_t real_size = stored;
        if (is_old) {
                if (format != TAR_FORMAT_GNU)
                        return tar_malformed(t, "GNU sparse file without GNU's magic");
                r = tar_sparse_old(t, block, &real_size);
        } else if (has_content && is_pax_sparse(t, &is_1_0)) {
                real_size = t->pax.real_size;
                if (is_1_0)
                        r = tar_sparse_1_0(t, &stored);
                e->is_sparse = true;
        }
        if (r != TAR_ENTRY)
                return r;
        e->is_sparse |= is_old;
        if (e->is_sparse) {
                const char *why = tar_sparse_check(t, real_size, stored);
                if (why)
                        return tar_malformed(t, why);
        }
        e->size = real_size;
        e->stored = stored;
        e->offset = t->offset;
        t->size = real_size;
        t->stored_left = stored;
        t->is_sparse = e->is_sparse;
        return TAR_ENTRY;
}

static int make_entry(struct tar *t, const uint8_t *block, uint64_t size, struct tar_entry *ret)
{
        const struct tar_pax *p = &t->pax, *g = &t->global;
        enum tar_format format = tar_format_of(block);
        struct tar_entry e = {
                .type = tar_type_of((char)block[TAR_TYPE]),
                .mode = tar_small_number(tar_field(block, TAR_MODE)),
                .uid = p->has_uid   ? p->uid
                       : g->has_uid ? g->uid
                                    : tar_small_number(tar_field(block, TAR_UID)),
                .gid = p->has_gid   ? p->gid
                       : g->has_gid ? g->gid
                                    : tar_small_number(tar_field(block, TAR_GID)),
                .mtime = p->has_mtime ? p->mtime : g->mtime,
                .is_ambiguous = t->global_names,
                .opaque_xattr = p->opaque,
                .capability = p->capability,
                .unread = p->unread,
                .is_literal = p->is_literal,
        };
        if (e.mode != UINT32_MAX)
                e.mode &= 07777;
        if (!p->has_mtime && !g->has_mtime && !tar_number(tar_field(block, TAR_MTIME), &e.mtime))
                e.mtime = 0;
        if (e.type == TAR_CHAR || e.type == TAR_BLOCK) {
                e.dev_major = format == TAR_FORMAT_V7 ? 0 : tar_small_number(tar_field(block, TAR_MAJOR));
                e.dev_minor = format == TAR_FORMAT_V7 ? 0 : tar_small_number(tar_field(block, TAR_MINOR));
        }
        const char *why = set_names(t, block, format, &e);
        if (why)
                return tar_malformed(t, why);
        int r = set_content(t, block, format, size, &e);
        if (r == TAR_ENTRY)
                *ret = e;
        return r;
}

/* Goes behind what is left of the current entry. 1, TAR_MALFORMED, or < 0. */
static int finish_entry(struct tar *t)
{
        int r = skip(t, t->stored_left);
        if (r < 0)
                return r;
        if (r == 0)
                return tar_malformed(t, "truncated in the content of an entry");
        r = skip(t, t->padding);
        if (r < 0)
                return r;
        /* Some programs leave the last padding out. The content is whole, so the entry counts. */
        t->is_cut = r == 0;
        t->stored_left = t->padding = 0;
        t->size = t->position = 0;
        t->extent = 0;
        t->is_sparse = false;
        t->extents.n = 0;
        t->has_pax = t->has_long_name = t->has_long_link = false;
        t->pax = (struct tar_pax){ 0 };
        return 1;
}

static bool is_extension(char type) { return type == 'x' || type == 'g' || type == 'L' || type == 'K'; }

int tar_next(struct tar *t, struct tar_entry *ret)
{
        if (t->state == TAR_STATE_ENDED)
                return TAR_END;
        if (t->state == TAR_STATE_MALFORMED)
                return TAR_MALFORMED;
        if (t->state == TAR_STATE_FAILED)
                return t->failed;
        int r = finish_entry(t);
        if (r != 1)
                return r;
        for (;;) {
                const uint8_t *block = NULL;
                uint64_t size;
                r = next_header(t, &block);
                if (r == TAR_END) {
                        if (t->has_pax || t->has_long_name || t->has_long_link)
                                return tar_malformed(t, "extension header without an entry");
                        t->state = TAR_STATE_ENDED;
                }
                if (r != TAR_ENTRY)
                        return r;
                if (t->has_pax && t->pax.has_size && !is_extension((char)block[TAR_TYPE]))
                        size = t->pax.size;
                else if (!tar_header_size(block, &size))
                        return tar_malformed(t, "size that is not a number");
                if (size > TAR_SIZE_MAX)
                        return tar_malformed(t, "size that is too large");
                switch (block[TAR_TYPE]) {
                case 'x':
                        r = read_pax(t, size, false);
                        break;
                case 'g':
                        r = read_pax(t, size, true);
                        break;
                case 'L':
                        r = read_long(t, size, &t->long_name, &t->has_long_name);
                        break;
                case 'K':
                        r = read_long(t, size, &t->long_link, &t->has_long_link);
                        break;
                default:
                        return make_entry(t, block, size, ret);
                }
                if (r != TAR_ENTRY)
                        return r;
        }
}

/* How much of a sparse file stands at the position: a hole (0 stored), or data. */
static uint64_t sparse_run(struct tar *t, bool *ret_is_hole)
{
        while (t->extent < t->extents.n) {
                const struct tar_extent *e = &t->extents.v[t->extent];
                if (t->position < e->offset) {
                        *ret_is_hole = true;
                        return e->offset - t->position;
                }
                if (t->position - e->offset < e->length) {
                        *ret_is_hole = false;
                        return e->length - (t->position - e->offset);
                }
                t->extent++;
        }
        *ret_is_hole = true;
        return t->size - t->position;
}

/* The next part of the content, at most max bytes of it. */
static ssize_t content(struct tar *t, size_t max, const void **ret_p)
{
        if (t->state == TAR_STATE_FAILED)
                return t->failed;
        if (t->state == TAR_STATE_MALFORMED)
                return -EBADMSG;
        if (t->position >= t->size || max == 0)
                return 0;
        bool is_hole = false;
        uint64_t run = t->is_sparse ? sparse_run(t, &is_hole) : t->size - t->position;
        size_t n;
        if (is_hole) {
                n = MIN((size_t)MIN(run, (uint64_t)sizeof(zeros)), max);
                *ret_p = zeros;
        } else {
                int r = have_piece(t);
                if (r < 0)
                        return r;
                if (r == 0) {
                        tar_malformed(t, "truncated in the content of an entry");
                        return -EBADMSG;
                }
                n = MIN((size_t)MIN(run, (uint64_t)t->piece_n), max);
                *ret_p = t->piece;
                consume(t, n);
                t->stored_left -= n;
        }
        t->position += n;
        return (ssize_t)n;
}

ssize_t tar_peek(struct tar *t, const void **ret_p) { return content(t, SIZE_MAX, ret_p); }

uint64_t tar_pass_hole(struct tar *t, uint64_t least)
{
        bool is_hole = false;
        if (!t->is_sparse || t->state != TAR_STATE_ENTRIES || t->position >= t->size)
                return 0;
        uint64_t run = sparse_run(t, &is_hole);
        if (!is_hole || run < least)
                return 0;
        t->position += run;
        return run;
}

ssize_t tar_read(struct tar *t, void *p, size_t n)
{
        const void *from = NULL;
        ssize_t r = content(t, n, &from);
        if (r > 0)
                memcpy(p, from, (size_t)r);
        return r;
}
