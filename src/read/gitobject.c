/* See gitobject.h. */
#include "read/gitobject.h"

#include "base/arena.h"
#include "read/digest.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const type_names[] = {
        [GIT_COMMIT] = "commit", [GIT_TREE] = "tree", [GIT_BLOB] = "blob", [GIT_TAG] = "tag"
};

size_t git_id_size(enum git_hash h) { return h == GIT_SHA1 ? 20 : 32; }

bool git_id_parse(enum git_hash h, struct str hex, struct git_id *ret)
{
        *ret = (struct git_id){ { 0 } };
        return str_hex(hex, git_id_size(h), ret->bytes);
}

void git_id_text(enum git_hash h, const struct git_id *id, char ret[static 2 * GIT_ID_MAX + 1])
{
        for (size_t i = 0; i < git_id_size(h); i++)
                snprintf(ret + 2 * i, 3, "%02x", id->bytes[i]);
}

void git_id_of(enum git_hash h, enum git_type type, struct str content, struct git_id *ret)
{
        char head[40];
        struct digest d;
        int n = snprintf(head, sizeof(head), "%s %zu", type_names[type], content.n);
        *ret = (struct git_id){ { 0 } };
        digest_init(&d, h == GIT_SHA1 ? DIGEST_SHA1 : DIGEST_SHA256);
        digest_add(&d, head, (size_t)n + 1);
        digest_add(&d, content.p, content.n);
        digest_end(&d, ret->bytes);
        digest_done(&d);
}

/* --- zlib streams --- */

#define INFLATE_STEP (256u << 10)

/* Inflates on until `size` bytes are there, or the stream has ended if size is UINT64_MAX. */
static int inflate_some(struct inflate_state *z, uint64_t size, struct buf *to)
{
        static _Thread_local uint8_t out[INFLATE_STEP];
        while (z->block_state != ISAL_BLOCK_FINISH && to->n < size) {
                uint32_t in_before = z->avail_in;
                z->next_out = out;
                z->avail_out = sizeof(out);
                if (isal_inflate(z) != ISAL_DECOMP_OK)
                        return -EBADMSG;
                size_t n = sizeof(out) - z->avail_out;
                buf_add(to, out, n);
                if (buf_is_full(to))
                        return -EFBIG;
                if (!n && z->avail_in == in_before && z->block_state != ISAL_BLOCK_FINISH)
                        return -EBADMSG; /* it wants more, and there is no more */
        }
        return 0;
}

static void begin_inflate(struct inflate_state *z, struct str stored)
{
        isal_inflate_init(z);
        z->crc_flag = ISAL_ZLIB;
        z->next_in = (uint8_t *)(uintptr_t)stored.p;
        z->avail_in = (uint32_t)MIN(stored.n, (size_t)UINT32_MAX);
}

int git_inflate(struct str stored, uint64_t size, struct buf *to, size_t *ret_used)
{
        struct inflate_state *z = xmalloc(sizeof(*z));
        if (size > GIT_OBJECT_MAX) {
                free(z);
                return -EFBIG;
        }
        *to = (struct buf){ .p = to->p, .size = to->size, .max = (size_t)size + INFLATE_STEP };
        begin_inflate(z, stored);
        int r = inflate_some(z, size, to);
        /* The checksum follows the last byte; an empty or full content may not have been asked for it yet. */
        if (r == 0 && to->n <= size && z->block_state != ISAL_BLOCK_FINISH)
                r = inflate_some(z, size + 1, to);
        bool ended = z->block_state == ISAL_BLOCK_FINISH;
        *ret_used = MIN(stored.n, (size_t)UINT32_MAX) - z->avail_in -
                    (z->read_in_length > 0 ? (size_t)z->read_in_length / 8 : 0);
        free(z);
        if (r == -EFBIG || (r == 0 && (!ended || to->n != size)))
                return -EBADMSG;
        return r;
}

/* "blob 12", a NUL. Returns the length of it, or 0. */
static size_t loose_header(struct str s, enum git_type *ret_type, uint64_t *ret_size)
{
        ptrdiff_t end = str_find_char(str_upto(s, 40), 0);
        if (end < 0)
                return 0;
        struct str rest = str_upto(s, (size_t)end), name = str_cut(&rest, ' ');
        for (int t = GIT_COMMIT; t <= GIT_TAG; t++)
                if (str_is(name, type_names[t])) {
                        *ret_type = (enum git_type)t;
                        return str_u64(rest, ret_size) ? (size_t)end + 1 : 0;
                }
        return 0;
}

int git_loose(struct str stored, enum git_type *ret_type, struct buf *to)
{
        struct inflate_state *z = xmalloc(sizeof(*z));
        uint64_t size = 0;
        *to = (struct buf){ .p = to->p, .size = to->size, .max = GIT_OBJECT_MAX + INFLATE_STEP + 40 };
        begin_inflate(z, stored);
        int r = inflate_some(z, UINT64_MAX, to);
        free(z);
        if (r < 0)
                return r;
        size_t head = loose_header(buf_str(to), ret_type, &size);
        if (!head || size != to->n - head)
                return -EBADMSG;
        memmove(to->p, to->p + head, to->n - head);
        to->n -= head;
        return size > GIT_OBJECT_MAX ? -EFBIG : 0;
}

/* --- packs --- */

int git_pack_open(struct str pack, enum git_hash h, uint32_t *ret_objects, struct error *err)
{
        struct cursor c = cursor_from(pack);
        struct str magic = cursor_bytes(&c, 4);
        uint32_t version = cursor_be32(&c), n = cursor_be32(&c);
        if (!cursor_ok(&c) || !str_is(magic, "PACK"))
                return error_set(err, -EBADMSG, "not a pack");
        if (version != 2 && version != 3)
                return error_set(err, -EBADMSG, "a pack of version %u; 2 and 3 are known", version);
        if (pack.n < GIT_PACK_HEADER + git_id_size(h))
                return error_set(err, -EBADMSG, "a pack without its end");
        *ret_objects = n;
        return 0;
}

bool git_pack_is_whole(struct str pack, enum git_hash h)
{
        uint8_t sum[DIGEST_MAX];
        size_t n = git_id_size(h);
        if (pack.n < n)
                return false;
        digest_of(h == GIT_SHA1 ? DIGEST_SHA1 : DIGEST_SHA256, str_upto(pack, pack.n - n), sum);
        return memcmp(sum, pack.p + pack.n - n, n) == 0;
}

/* "offset encoding" of gitformat-pack(5): each further byte adds one to what came before. */
static uint64_t back_offset(struct cursor *c)
{
        uint8_t b = cursor_u8(c);
        uint64_t v = b & 127;
        while (b & 128 && cursor_ok(c)) {
                b = cursor_u8(c);
                if (v >> 56)
                        return 0;
                v = (v + 1) << 7 | (b & 127);
        }
        return v;
}

bool git_packed_at(struct str pack, enum git_hash h, uint64_t offset, struct git_packed *ret)
{
        *ret = (struct git_packed){ 0 };
        size_t end = pack.n - MIN(pack.n, git_id_size(h)); /* the digest at the end is no object */
        if (offset < GIT_PACK_HEADER || offset >= end)
                return false;
        struct cursor c = cursor_from(str_upto(pack, end));
        cursor_skip(&c, (size_t)offset);
        uint8_t b = cursor_u8(&c);
        ret->type = (enum git_type)(b >> 4 & 7);
        ret->size = b & 15;
        for (unsigned shift = 4; b & 128 && cursor_ok(&c); shift += 7) {
                b = cursor_u8(&c);
                if (shift > 56)
                        return false;
                ret->size |= (uint64_t)(b & 127) << shift;
        }
        if (ret->type == GIT_OFFSET_DELTA) {
                uint64_t back = back_offset(&c);
                if (!back || back > offset - GIT_PACK_HEADER)
                        return false;
                ret->base_offset = offset - back;
        } else if (ret->type == GIT_ID_DELTA) {
                struct str id = cursor_bytes(&c, git_id_size(h));
                if (id.n)
                        memcpy(ret->base.bytes, id.p, id.n);
        } else if (ret->type < GIT_COMMIT || ret->type > GIT_TAG) {
                return false;
        }
        ret->data = cursor_where(&c);
        return cursor_ok(&c);
}

/* --- deltas (gitformat-pack(5), "Deltified representation") --- */

static uint64_t little_bits(struct cursor *c, uint8_t which, unsigned bytes)
{
        uint64_t v = 0;
        for (unsigned i = 0; i < bytes; i++)
                if (which >> i & 1)
                        v |= (uint64_t)cursor_u8(c) << (8 * i);
        return v;
}

int git_delta(struct str base, struct str delta, struct buf *to)
{
        struct cursor c = cursor_from(delta);
        uint64_t base_size = cursor_varint(&c), size = cursor_varint(&c);
        if (!cursor_ok(&c) || base_size != base.n)
                return -EBADMSG;
        if (size > GIT_OBJECT_MAX)
                return -EFBIG;
        *to = (struct buf){ .p = to->p, .size = to->size, .max = (size_t)size + 1 };
        while (!cursor_at_end(&c) && cursor_ok(&c)) {
                uint8_t op = cursor_u8(&c);
                struct str piece;
                if (op & 0x80) {
                        uint64_t at = little_bits(&c, op & 15, 4), n = little_bits(&c, op >> 4 & 7, 3);
                        n = n ? n : 0x10000;
                        if (at > base.n || n > base.n - at)
                                return -EBADMSG;
                        piece = str_upto(str_from(base, (size_t)at), (size_t)n);
                } else if (op) {
                        piece = cursor_bytes(&c, op);
                } else {
                        return -EBADMSG; /* reserved */
                }
                buf_add_str(to, piece);
                if (to->n > size || buf_is_full(to))
                        return -EBADMSG;
        }
        return cursor_ok(&c) && to->n == size ? 0 : -EBADMSG;
}

/* --- commits and trees --- */

/* "Name <mail> 1700000000 +0100": the number. */
static int64_t time_of(struct str line)
{
        uint64_t v;
        ptrdiff_t at = str_rfind_char(line, '>');
        struct str rest = str_trim(str_from(line, (size_t)(at + 1)));
        return at >= 0 && str_u64(str_cut(&rest, ' '), &v) && v <= INT64_MAX ? (int64_t)v : 0;
}

bool git_commit_parse(enum git_hash h, struct str content, struct git_commit *ret)
{
        *ret = (struct git_commit){ 0 };
        bool has_tree = false;
        while (content.n) {
                struct str line = str_line(&content);
                if (!line.n)
                        break; /* the message follows */
                struct str rest = line, word = str_cut(&rest, ' ');
                if (str_is(word, "tree"))
                        has_tree = git_id_parse(h, rest, &ret->tree);
                else if (str_is(word, "parent") && ret->n_parents < GIT_PARENTS_MAX &&
                         git_id_parse(h, rest, &ret->parents[ret->n_parents]))
                        ret->n_parents++;
                else if (str_is(word, "author"))
                        ret->authored = time_of(line);
                else if (str_is(word, "committer"))
                        ret->committed = time_of(line);
        }
        return has_tree;
}

int git_tree_next(enum git_hash h, struct cursor *tree, struct git_entry *ret)
{
        if (cursor_at_end(tree))
                return 0;
        struct str rest = str_span(tree->at, cursor_left(tree));
        ptrdiff_t space = str_find_char(str_upto(rest, 8), ' ');
        ptrdiff_t end = str_find_char(rest, 0);
        if (space < 1 || end <= space)
                return -EBADMSG;
        *ret = (struct git_entry){ .name = str_upto(str_from(rest, (size_t)space + 1), (size_t)(end - space - 1)) };
        for (ptrdiff_t i = 0; i < space; i++) {
                if (rest.p[i] < '0' || rest.p[i] > '7')
                        return -EBADMSG;
                ret->mode = ret->mode << 3 | (uint32_t)(rest.p[i] - '0');
        }
        cursor_skip(tree, (size_t)end + 1);
        struct str id = cursor_bytes(tree, git_id_size(h));
        if (!cursor_ok(tree))
                return -EBADMSG;
        memcpy(ret->id.bytes, id.p, id.n);
        return 1;
}

bool git_name_is_unsafe(struct str name)
{
        return !name.n || str_is(name, ".") || str_is(name, "..") || str_eq_nocase(name, STR(".git")) ||
               str_find_char(name, '/') >= 0 || str_find_char(name, 0) >= 0;
}
