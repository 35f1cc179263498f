/* See fact.h. The wire form: each field in the table's order; numbers as LEB128, text as length and bytes. */
#include "fact/fact.h"

#define KIND(kind, doc)              static const struct fact_field fields_##kind[] = {
#define FIELD(kind, type, name, doc) { #name, doc, TYPE_##type, offsetof(struct fact_##kind, name) },
#define END(kind)                                                                                                      \
        }                                                                                                              \
        ;
#include "fact/kinds.def"
#undef KIND
#undef FIELD
#undef END

#define KIND(kind, doc)                                                                                                \
        [FACT_##kind] = { #kind, doc, sizeof(struct fact_##kind), fields_##kind, ARRAY_SIZE(fields_##kind) },
#define FIELD(kind, type, name, doc)
#define END(kind)
const struct fact_info fact_infos[FACT_KINDS] = {
#include "fact/kinds.def"
};
#undef KIND
#undef FIELD
#undef END

static const char *const severity_names[] = { "unknown", "none", "low", "medium", "high", "critical" };

const char *severity_name(enum severity s)
{
        return (size_t)s < ARRAY_SIZE(severity_names) ? severity_names[s] : severity_names[0];
}

bool severity_parse(struct str s, enum severity *ret)
{
        static const struct {
                const char *word;
                enum severity severity;
        } also[] = {
                { "negligible", SEVERITY_LOW },
                { "unimportant", SEVERITY_LOW },
                { "moderate", SEVERITY_MEDIUM },
                { "important", SEVERITY_HIGH },
        };
        for (size_t i = 0; i < ARRAY_SIZE(severity_names); i++)
                if (str_eq_nocase(s, str_of(severity_names[i]))) {
                        *ret = (enum severity)i;
                        return true;
                }
        for (size_t i = 0; i < ARRAY_SIZE(also); i++)
                if (str_eq_nocase(s, str_of(also[i].word))) {
                        *ret = also[i].severity;
                        return true;
                }
        return false;
}

static void encode_text(struct str s, struct buf *to)
{
        buf_varint(to, s.n);
        buf_add_str(to, s);
}

static struct str decode_text(struct cursor *from)
{
        uint64_t n = cursor_varint(from);
        return cursor_bytes(from, n > SIZE_MAX ? SIZE_MAX : (size_t)n);
}

void fact_encode(enum fact_kind kind, const void *fact, struct buf *to)
{
        const struct fact_info *info = &fact_infos[kind];
        for (size_t i = 0; i < info->n_fields; i++) {
                const void *at = (const char *)fact + info->fields[i].offset;
                switch (info->fields[i].type) {
                case TYPE_STR:
                case TYPE_VERSION:
                case TYPE_BYTES:
                        encode_text(*(const struct str *)at, to);
                        break;
                case TYPE_NUM:
                        buf_varint(to, *(const uint64_t *)at);
                        break;
                case TYPE_TIME:
                        buf_varint(to, (uint64_t) * (const int64_t *)at);
                        break;
                case TYPE_FLAG:
                        buf_u8(to, *(const bool *)at);
                        break;
                case TYPE_SEVERITY:
                        buf_u8(to, (uint8_t) * (const enum severity *)at);
                        break;
                case TYPE_LIST: {
                        const struct str_list *list = at;
                        to->full = to->full || list->n > FACT_LIST_MAX;
                        buf_varint(to, list->n);
                        for (size_t k = 0; k < list->n; k++)
                                encode_text(list->v[k], to);
                        break;
                }
                }
        }
}

static bool decode_list(struct cursor *from, struct arena *arena, struct str_list *ret)
{
        uint64_t n = cursor_varint(from);
        if (n > cursor_left(from) || n > FACT_LIST_MAX) /* each element takes a byte at least */
                return false;
        ret->n = (size_t)n;
        ret->v = n ? arena_array(arena, (size_t)n, sizeof(*ret->v)) : NULL;
        for (size_t k = 0; k < ret->n; k++)
                ret->v[k] = decode_text(from);
        return true;
}

bool fact_decode(enum fact_kind kind, struct cursor *from, struct arena *arena, void *ret)
{
        const struct fact_info *info = &fact_infos[kind];
        memset(ret, 0, info->size);
        for (size_t i = 0; i < info->n_fields; i++) {
                void *at = (char *)ret + info->fields[i].offset;
                switch (info->fields[i].type) {
                case TYPE_STR:
                case TYPE_VERSION:
                case TYPE_BYTES:
                        *(struct str *)at = decode_text(from);
                        break;
                case TYPE_NUM:
                        *(uint64_t *)at = cursor_varint(from);
                        break;
                case TYPE_TIME:
                        *(int64_t *)at = (int64_t)cursor_varint(from);
                        break;
                case TYPE_FLAG:
                        *(bool *)at = cursor_u8(from) != 0;
                        break;
                case TYPE_SEVERITY: {
                        uint8_t s = cursor_u8(from);
                        if (s > SEVERITY_CRITICAL)
                                return false;
                        *(enum severity *)at = (enum severity)s;
                        break;
                }
                case TYPE_LIST:
                        if (!decode_list(from, arena, at))
                                return false;
                        break;
                }
        }
        return cursor_ok(from);
}

void fact_copy(enum fact_kind kind, struct arena *arena, const void *fact, void *ret)
{
        const struct fact_info *info = &fact_infos[kind];
        memmove(ret, fact, info->size);
        for (size_t i = 0; i < info->n_fields; i++) {
                void *at = (char *)ret + info->fields[i].offset;
                enum fact_type type = info->fields[i].type;
                if (type == TYPE_STR || type == TYPE_VERSION || type == TYPE_BYTES) {
                        *(struct str *)at = arena_str(arena, *(struct str *)at);
                } else if (type == TYPE_LIST) {
                        struct str_list *list = at;
                        struct str *copy = arena_array(arena, list->n, sizeof(*copy));
                        for (size_t k = 0; k < list->n; k++)
                                copy[k] = arena_str(arena, list->v[k]);
                        list->v = copy;
                }
        }
}
