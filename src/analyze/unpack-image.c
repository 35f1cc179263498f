/*
 * Unpacking of what must be seen whole: file system and disk images, compound documents. See unpack-private.h.
 */
#include "analyze/unpack-private.h"

#include "read/cfb.h"
#include "read/qcow2.h"
#include "read/squashfs.h"

static void say_too_large(struct unpacking *u, const struct feeder *from)
{
        unpack_incomplete(u, from, "too-large", "%s: larger than %u bytes, which is what may lie in memory whole",
                          u->format->name, UNPACK_WHOLE_MAX);
}

/* --- squashfs --- */

static bool add_block(void *arg, struct str bytes) { return member_add(arg, bytes); }

static void read_squashfs(struct unpacking *u, const struct feeder *from, struct squashfs *q)
{
        struct squashfs_file f;
        const char *why;
        int r;
        while ((r = squashfs_next(q, &f, &why)) != SQUASHFS_END) {
                if (r == SQUASHFS_MALFORMED) {
                        unpack_incomplete(u, from, "corrupt", "squashfs: %s", why);
                        continue;
                }
                if (!member_begin(u, f.path, f.size, f.mode)) {
                        if (u->worker->is_over)
                                return;
                        continue;
                }
                r = squashfs_read(q, &f, add_block, u, &why);
                member_end(u, r == SQUASHFS_END && !u->worker->is_over);
                if (r == SQUASHFS_MALFORMED)
                        unpack_incomplete(u, from, "corrupt", "squashfs: %.*s: %s", STR_FMT(f.path), why);
                if (u->worker->is_over)
                        return;
        }
}

void unpack_squashfs(struct unpacking *u, struct feeder *from)
{
        struct whole w;
        struct squashfs *q;
        const char *why;
        if (whole_gather(u, from, &w)) {
                int r = squashfs_open(w.bytes, &q, &why);
                if (r == SQUASHFS_ENTRY) {
                        size_t end = squashfs_bytes(q);
                        read_squashfs(u, from, q);
                        squashfs_free(q);
                        unpack_behind_bytes(u, str_from(w.bytes, end));
                } else {
                        unpack_incomplete(u, from, r == SQUASHFS_UNSUPPORTED ? "unsupported" : "corrupt",
                                          "squashfs: %s", why);
                }
        } else {
                say_too_large(u, from);
        }
        whole_release(u, &w);
}

/* --- qcow2: the guest's disk is one member, without what was never written --- */

static const char *code_of(int outcome)
{
        return outcome == QCOW2_ENCRYPTED ? "encrypted" : outcome == QCOW2_UNSUPPORTED ? "unsupported" : "corrupt";
}

static void read_qcow2(struct unpacking *u, const struct feeder *from, struct qcow2 *q)
{
        struct qcow2_cluster c;
        int r;
        bool wants_more = true, is_damaged = false;
        if (!member_begin(u, STR("disk"), UINT64_MAX, 0))
                return;
        while (wants_more && (r = qcow2_next(q, &c)) != QCOW2_END) {
                if (r == QCOW2_CLUSTER)
                        wants_more = member_add(u, c.bytes);
                else if (!is_damaged)
                        is_damaged = true;
        }
        member_end(u, wants_more);
        if (is_damaged)
                unpack_incomplete(u, from, "corrupt", "qcow2: %s", q->why);
        if (q->has_backing_file)
                unpack_incomplete(u, from, "unsupported", "qcow2: what it takes from its backing file is not here");
}

void unpack_qcow2(struct unpacking *u, struct feeder *from)
{
        struct whole w;
        struct qcow2 q;
        if (whole_gather(u, from, &w)) {
                int r = qcow2_init(&q, w.bytes);
                if (r == QCOW2_CLUSTER) {
                        read_qcow2(u, from, &q);
                        unpack_behind_bytes(u, str_from(w.bytes, (size_t)q.end));
                } else {
                        unpack_incomplete(u, from, code_of(r), "qcow2: %s", q.why);
                }
                qcow2_done(&q);
        } else {
                say_too_large(u, from);
        }
        whole_release(u, &w);
}

/* --- compound files, with the macros in them --- */

static void read_cfb(struct unpacking *u, const struct feeder *from, struct cfb *c)
{
        struct cfb_stream s;
        int r;
        while ((r = cfb_next(c, &s)) != CFB_END && !u->worker->is_over) {
                if (r != CFB_STREAM) {
                        unpack_incomplete(u, from, r == CFB_TOO_LARGE ? "too-large" : "corrupt", "compound file: %s",
                                          c->why);
                        continue;
                }
                if (strcmp(s.name, "EncryptedPackage") == 0)
                        unpack_incomplete(u, from, "encrypted", "Office document: encrypted with a password");
                member_whole(u, str_of(s.name), s.bytes);
                _cleanup_(buf_done) struct buf source = BUF_INIT(UNPACK_WHOLE_MAX / 4);
                if (ovba_inflate(s.bytes, &source))
                        member_whole(u, STR("macros"), buf_str(&source));
        }
}

void unpack_cfb(struct unpacking *u, struct feeder *from)
{
        struct whole w;
        struct cfb c;
        if (whole_gather(u, from, &w)) {
                if (cfb_init(&c, w.bytes) == CFB_STREAM)
                        read_cfb(u, from, &c);
                else
                        unpack_incomplete(u, from, "corrupt", "compound file: %s", c.why);
                cfb_done(&c);
        } else {
                say_too_large(u, from);
        }
        whole_release(u, &w);
}
