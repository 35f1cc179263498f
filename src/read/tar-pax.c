/*
 * Pax headers (POSIX.1-2001, "pax Extended Header"): records "LENGTH KEY=VALUE\n", where LENGTH counts all of the
 * record. Later records of a key win, except that GNU.sparse 0.0 repeats its offsets and lengths.
 */
#include "read/tar-internal.h"

struct record {
        struct str key, value;
};

/* Cuts one record off the body. NULL, or what is wrong. */
static const char *next_record(struct str *body, struct record *ret)
{
        struct str rest = *body;
        uint64_t length;
        /* The digits of the longest body, TAR_PAX_MAX, and a space. */
        ptrdiff_t space = str_find_char(str_upto(rest, 9), ' ');
        if (space < 0 || !str_u64(str_upto(rest, (size_t)space), &length))
                return "pax record without a length";
        if (length > rest.n || length < (size_t)space + 3)
                return "pax record with a wrong length";
        if (rest.p[length - 1] != '\n')
                return "pax record that does not end in a newline";
        struct str text = str_from(str_upto(rest, length - 1), (size_t)space + 1);
        ptrdiff_t equals = str_find_char(text, '=');
        if (equals <= 0)
                return "pax record without a key";
        ret->key = str_upto(text, (size_t)equals);
        ret->value = str_from(text, (size_t)equals + 1);
        *body = str_from(rest, length);
        return NULL;
}

/* Whole seconds, rounded down, of "-12.5". */
static bool read_time(struct str s, int64_t *ret)
{
        struct str fraction = s, whole = str_cut(&fraction, '.');
        bool negative = str_starts(whole, STR("-"));
        uint64_t seconds;
        if (!str_u64(str_from(whole, negative), &seconds) || seconds > INT64_MAX / 2)
                return false;
        bool is_whole = true;
        for (size_t i = 0; i < fraction.n; i++) {
                if (fraction.p[i] < '0' || fraction.p[i] > '9')
                        return false;
                is_whole = is_whole && fraction.p[i] == '0';
        }
        *ret = negative ? -(int64_t)seconds - !is_whole : (int64_t)seconds;
        return true;
}

static bool read_id(struct str s, uint32_t *ret)
{
        uint64_t v;
        *ret = UINT32_MAX;
        if (str_u64(s, &v) && v < UINT32_MAX)
                *ret = (uint32_t)v;
        return true;
}

/* GNU.sparse.map: "offset,length,offset,length..." */
static const char *read_map(struct str s, struct tar_extents *map)
{
        map->n = 0;
        while (s.n) {
                uint64_t offset, length;
                struct str a = str_cut(&s, ','), b = str_cut(&s, ',');
                if (!str_u64(a, &offset) || !str_u64(b, &length))
                        return "sparse map that is not a list of numbers";
                const char *why = tar_extent_add(map, offset, length);
                if (why)
                        return why;
        }
        return NULL;
}

static const char *sparse_record(struct str key, struct str value, struct tar_pax *p, struct tar_extents *map)
{
        uint64_t v = 0;
        p->has_sparse = true;
        if (!map)
                return NULL;
        if (str_is(key, "name")) {
                p->sparse_name = value;
                return NULL;
        }
        if (str_is(key, "map")) {
                p->has_map = true;
                return read_map(value, map);
        }
        if (!str_u64(value, &v))
                return "sparse record that is not a number";
        if (str_is(key, "major")) {
                p->sparse_major = v;
        } else if (str_is(key, "minor")) {
                p->sparse_minor = v;
        } else if (str_is(key, "size") || str_is(key, "realsize")) {
                p->real_size = v;
                p->has_real_size = true;
        } else if (str_is(key, "offset")) {
                p->has_map = true;
                return tar_extent_add(map, v, 0);
        } else if (str_is(key, "numbytes")) {
                if (map->n == 0)
                        return "sparse length without an offset";
                map->v[map->n - 1].length = v;
        }
        return NULL;
}

const char *tar_pax_read(struct str body, struct tar_pax *ret, struct tar_extents *map)
{
        *ret = (struct tar_pax){ 0 };
        if (map)
                map->n = 0;
        while (body.n) {
                struct record r;
                const char *why = next_record(&body, &r);
                if (why)
                        return why;
                if (str_is(r.key, "path")) {
                        ret->path = r.value;
                } else if (str_is(r.key, "linkpath")) {
                        ret->link = r.value;
                } else if (str_is(r.key, "size")) {
                        ret->has_size = r.value.n > 0;
                        if (r.value.n && !str_u64(r.value, &ret->size))
                                return "pax size that is not a number";
                } else if (str_is(r.key, "mtime")) {
                        ret->has_mtime = read_time(r.value, &ret->mtime);
                } else if (str_is(r.key, "uid")) {
                        ret->has_uid = r.value.n && read_id(r.value, &ret->uid);
                } else if (str_is(r.key, "gid")) {
                        ret->has_gid = r.value.n && read_id(r.value, &ret->gid);
                } else if (str_is(r.key, "SCHILY.xattr.trusted.overlay.opaque")) {
                        ret->opaque = r.value;
                } else if (str_is(r.key, "SCHILY.xattr.security.capability")) {
                        ret->capability = r.value;
                } else if (str_is(r.key, "SEKISHO.unread")) {
                        ret->unread = r.value;
                } else if (str_is(r.key, "SEKISHO.literal")) {
                        ret->is_literal = true;
                } else if (str_starts(r.key, STR("GNU.sparse."))) {
                        why = sparse_record(str_from(r.key, strlen("GNU.sparse.")), r.value, ret, map);
                        if (why)
                                return why;
                }
        }
        return NULL;
}
