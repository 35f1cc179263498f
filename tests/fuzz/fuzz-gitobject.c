/* Git's readers: the first byte chooses one, the rest is its input. What is inflated must be of the size it promised.
 */
#include "read/gitobject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_pack(struct str s, enum git_hash h, struct buf *to)
{
        uint32_t n;
        uint64_t offset = GIT_PACK_HEADER;
        if (git_pack_open(s, h, &n, NULL) < 0)
                return;
        for (uint32_t i = 0; i < n; i++) {
                struct git_packed p;
                size_t used;
                if (!git_packed_at(s, h, offset, &p) || p.size > 1u << 20 ||
                    git_inflate(str_from(s, (size_t)p.data), p.size, to, &used) < 0)
                        return;
                if (to->n != p.size || p.data + used > s.n || (p.type == GIT_OFFSET_DELTA && p.base_offset >= offset))
                        __builtin_trap();
                offset = p.data + used;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct buf to = { 0 };
        struct git_commit commit;
        struct git_entry entry;
        enum git_type type;
        if (size == 0)
                return 0;
        struct str s = str_span(data + 1, size - 1);
        enum git_hash h = data[0] & 1 ? GIT_SHA256 : GIT_SHA1;
        switch (data[0] >> 1 & 3) {
        case 0:
                read_pack(s, h, &to);
                break;
        case 1:
                (void)git_loose(s, &type, &to);
                break;
        case 2:
                (void)git_delta(str_upto(s, s.n / 2), str_from(s, s.n / 2), &to);
                break;
        default:
                (void)git_commit_parse(h, s, &commit);
                for (struct cursor c = cursor_from(s); git_tree_next(h, &c, &entry) > 0;)
                        (void)git_name_is_unsafe(entry.name);
        }
        buf_done(&to);
        return 0;
}
