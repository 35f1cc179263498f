/*
 * What rules ask of a call that sets the attributes of a file, as chattr does: whether the file can be changed or
 * removed from then on. The flags stand where the process put them, and it may have changed them since; how the call
 * went is asked of its result. ioctl_fsattr(2), file_setattr(2) (6.17).
 */
#include "serve/record-private.h"

#include <linux/fs.h>

struct attribute_bits {
        uint64_t immutable, append;
};

static const struct attribute_bits by_flags = { FS_IMMUTABLE_FL, FS_APPEND_FL },
                                   by_xflags = { FS_XFLAG_IMMUTABLE, FS_XFLAG_APPEND };

/* Which bits the call speaks of, and how many bytes of them it takes; NULL: it sets no attributes. */
static const struct attribute_bits *bits_of(const struct observe_call *c, size_t *ret_size)
{
        uint32_t request = (uint32_t)c->args[1];
        *ret_size = c->call == CALL_file_setattr ? sizeof(uint64_t) : sizeof(uint32_t);
        if (c->call == CALL_file_setattr || (c->call == CALL_ioctl && request == (uint32_t)FS_IOC_FSSETXATTR))
                return &by_xflags;
        bool sets_flags = request == (uint32_t)FS_IOC_SETFLAGS || request == (uint32_t)FS_IOC32_SETFLAGS;
        return c->call == CALL_ioctl && sets_flags ? &by_flags : NULL;
}

void get_attributes(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct observe_call *c = call_of(r);
        size_t size = 0;
        const struct attribute_bits *bits = c ? bits_of(c, &size) : NULL;
        uint64_t set = 0;
        (void)ref;
        if (!bits || r->event->data.n < size)
                return;
        memcpy(&set, r->event->data.p, size);
        bool is_immutable = set & bits->immutable, is_append = set & bits->append;
        *ret = value_string(is_immutable && is_append ? STR("immutable append")
                            : is_immutable            ? STR("immutable")
                            : is_append               ? STR("append")
                                                      : STR("none"));
}
