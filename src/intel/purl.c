/* See purl.h. The rules of the types are those of purl-spec's PURL-TYPES. */
#include "intel/purl.h"

#include "base/buf.h"

#include <ctype.h>
#include <stdlib.h>

#define PURL_MAX_BYTES (64u << 10)

/* How a type spells its names; types without a row take them as they are. */
static const struct spelling {
        const char *type;
        bool lower_namespace, lower_name, dash_for_underscore, lower_version;
} spellings[] = {
        { "alpm", true, true, false, false },      { "apk", true, true, false, false },
        { "bitbucket", true, true, false, false }, { "bitnami", false, true, false, false },
        { "composer", true, true, false, false },  { "deb", true, true, false, false },
        { "github", true, true, false, false },    { "golang", true, true, false, false },
        { "hex", true, true, false, false },       { "huggingface", false, false, false, true },
        { "luarocks", false, false, false, true }, { "npm", true, true, false, false },
        { "oci", false, true, false, false },      { "otp", false, true, false, false },
        { "pub", false, true, false, false },      { "pypi", false, true, true, false },
        { "qpkg", true, false, false, false },     { "rpm", true, false, false, false },
};

/* Distributions that tools and vendors name in two ways. The right one is the ID of os-release, which we write. */
static const struct {
        const char *type, *other, *ours;
} namespaces[] = {
        { "rpm", "redhat", "rhel" }, { "rpm", "suse", "sles" },      { "rpm", "amazon", "amzn" },
        { "rpm", "oracle", "ol" },   { "rpm", "alma", "almalinux" }, { "rpm", "rockylinux", "rocky" },
};

static struct str lower(struct arena *arena, struct str s)
{
        struct str copy = arena_str(arena, s);
        for (size_t i = 0; i < s.n; i++)
                ((char *)copy.p)[i] = (char)tolower((unsigned char)s.p[i]);
        return copy;
}

/* Percent-decoding (RFC 3986 section 2.1). False for "%" without two hexadecimal digits. */
static bool decode(struct str s, struct arena *arena, struct str *ret)
{
        struct buf b = BUF_INIT(PURL_MAX_BYTES);
        bool good = true;
        for (size_t i = 0; i < s.n && good; i++) {
                uint8_t byte = (uint8_t)s.p[i];
                if (s.p[i] == '%') {
                        good = str_hex(str_upto(str_from(s, i + 1), 2), 1, &byte);
                        i += 2;
                }
                buf_putc(&b, (char)byte);
        }
        *ret = arena_str(arena, buf_str(&b));
        buf_done(&b);
        return good;
}

/* Segments between slashes, decoded one by one; empty ones (and in a subpath "." and "..") do not count. */
static bool decode_path(struct str s, bool is_subpath, struct arena *arena, struct str *ret)
{
        struct buf b = BUF_INIT(PURL_MAX_BYTES);
        bool good = true;
        while (s.p && good) {
                struct str segment;
                good = decode(str_cut(&s, '/'), arena, &segment);
                if (!good || !segment.n || (is_subpath && (str_is(segment, ".") || str_is(segment, ".."))))
                        continue;
                if (b.n)
                        buf_putc(&b, '/');
                buf_add_str(&b, segment);
        }
        *ret = arena_str(arena, buf_str(&b));
        buf_done(&b);
        return good;
}

static bool is_key(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '.' && s.p[i] != '-' && s.p[i] != '_')
                        return false;
        return s.n && !isdigit((unsigned char)s.p[0]);
}

static int by_key(const void *a, const void *b)
{
        return str_cmp(((const struct purl_qualifier *)a)->key, ((const struct purl_qualifier *)b)->key);
}

static bool add_qualifier(struct purl *p, struct str key, struct str value)
{
        if (!value.n)
                return true; /* the same as not being there */
        for (size_t i = 0; i < p->n_qualifiers; i++)
                if (str_eq(p->qualifiers[i].key, key))
                        return false;
        if (p->n_qualifiers == PURL_QUALIFIERS_MAX)
                return false;
        p->qualifiers[p->n_qualifiers++] = (struct purl_qualifier){ key, value };
        return true;
}

static bool parse_qualifiers(struct str s, struct arena *arena, struct purl *p)
{
        while (s.p) {
                struct str value = str_cut(&s, '&'), decoded;
                struct str key = str_cut(&value, '=');
                if (!key.n && !value.n)
                        continue;
                if (!is_key(key) || !decode(value, arena, &decoded) || !add_qualifier(p, lower(arena, key), decoded))
                        return false;
        }
        return true;
}

/* Many writers leave rpm's epoch in the version; the specification has it as a qualifier, and no epoch is epoch 0. */
static bool move_epoch(struct purl *p)
{
        ptrdiff_t colon = str_find_char(p->version, ':');
        uint64_t epoch;
        size_t n = 0;
        if (!str_is(p->type, "rpm"))
                return true;
        if (colon > 0 && str_u64(str_upto(p->version, (size_t)colon), &epoch)) {
                struct str written = purl_qualifier(p, "epoch"), found = str_upto(p->version, (size_t)colon);
                if (written.n && !str_eq(written, found))
                        return false;
                if (!written.n && !add_qualifier(p, STR("epoch"), found))
                        return false;
                p->version = str_from(p->version, (size_t)colon + 1);
        }
        for (size_t i = 0; i < p->n_qualifiers; i++)
                if (!str_is(p->qualifiers[i].key, "epoch") || !str_is(p->qualifiers[i].value, "0"))
                        p->qualifiers[n++] = p->qualifiers[i];
        p->n_qualifiers = n;
        return true;
}

static void spell(struct purl *p, struct arena *arena)
{
        p->type = lower(arena, p->type);
        for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
                const struct spelling *rule = &spellings[i];
                if (!str_is(p->type, rule->type))
                        continue;
                p->namespace = rule->lower_namespace ? lower(arena, p->namespace) : p->namespace;
                p->name = rule->lower_name ? lower(arena, p->name) : p->name;
                p->version = rule->lower_version ? lower(arena, p->version) : p->version;
                for (size_t k = 0; rule->dash_for_underscore && k < p->name.n; k++)
                        if (p->name.p[k] == '_')
                                ((char *)p->name.p)[k] = '-'; /* lower() made it a copy of our own */
        }
        for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
                if (str_is(p->type, namespaces[i].type) && str_is(p->namespace, namespaces[i].other))
                        p->namespace = str_of(namespaces[i].ours);
}

/* Where the version's "@" stands in what comes before "?" and "#": an npm scope's "@" is followed by a slash. */
static ptrdiff_t version_mark(struct str s)
{
        ptrdiff_t at = str_rfind_char(s, '@');
        return at > 0 && str_find_char(str_from(s, (size_t)at), '/') < 0 ? at : -1;
}

bool purl_parse(struct str s, struct arena *arena, struct purl *ret)
{
        struct purl p = { 0 };
        if (!is_purl(s) || s.n > PURL_MAX_BYTES)
                return false;
        s = str_from(s, 4);
        while (str_starts(s, STR("/")))
                s = str_from(s, 1);
        struct str subpath = s;
        s = str_cut(&subpath, '#');
        struct str qualifiers = s;
        s = str_cut(&qualifiers, '?');
        ptrdiff_t at = version_mark(s);
        struct str version = at < 0 ? STR_NONE : str_from(s, (size_t)at + 1);
        s = at < 0 ? s : str_upto(s, (size_t)at);
        p.type = str_cut(&s, '/');
        while (str_ends(s, STR("/")))
                s = str_upto(s, s.n - 1);
        ptrdiff_t slash = str_rfind_char(s, '/');
        struct str name = str_from(s, (size_t)(slash + 1));
        if (!is_key(p.type) || !decode(name, arena, &p.name) || !p.name.n ||
            !decode_path(str_upto(s, slash < 0 ? 0 : (size_t)slash), false, arena, &p.namespace) ||
            !decode(version, arena, &p.version) || !decode_path(subpath, true, arena, &p.subpath) ||
            !parse_qualifiers(qualifiers, arena, &p) || !move_epoch(&p))
                return false;
        spell(&p, arena);
        if (p.n_qualifiers)
                qsort(p.qualifiers, p.n_qualifiers, sizeof(*p.qualifiers), by_key);
        *ret = p;
        return true;
}

struct str purl_qualifier(const struct purl *p, const char *key)
{
        for (size_t i = 0; i < p->n_qualifiers; i++)
                if (str_is(p->qualifiers[i].key, key))
                        return p->qualifiers[i].value;
        return STR_NONE;
}

bool purl_covers(const struct purl *wanted, const struct purl *found)
{
        if (!str_eq(wanted->type, found->type) || !str_eq(wanted->namespace, found->namespace) ||
            !str_eq(wanted->name, found->name))
                return false;
        if ((wanted->version.n && !str_eq(wanted->version, found->version)) ||
            (wanted->subpath.n && !str_eq(wanted->subpath, found->subpath)))
                return false;
        /* A version without an epoch is one of epoch 0; without a version, the epoch is left open too. */
        if (str_is(wanted->type, "rpm") && wanted->version.n && purl_qualifier(found, "epoch").n &&
            !purl_qualifier(wanted, "epoch").n)
                return false;
        for (size_t i = 0, k = 0; i < wanted->n_qualifiers; i++) {
                const struct purl_qualifier *q = &wanted->qualifiers[i];
                while (k < found->n_qualifiers && str_cmp(found->qualifiers[k].key, q->key) < 0)
                        k++;
                if (k == found->n_qualifiers || !str_eq(found->qualifiers[k].key, q->key) ||
                    !str_eq(found->qualifiers[k].value, q->value))
                        return false;
        }
        return true;
}

struct str purl_with_version(struct str s, struct str version, struct arena *arena)
{
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~:";
        size_t end = 0;
        while (end < s.n && s.p[end] != '?' && s.p[end] != '#')
                end++;
        ptrdiff_t at = version_mark(str_upto(s, end));
        struct buf b = BUF_INIT(2 * PURL_MAX_BYTES);
        buf_add_str(&b, str_upto(s, at < 0 ? end : (size_t)at));
        buf_putc(&b, '@');
        for (size_t i = 0; i < version.n; i++)
                if (memchr(plain, version.p[i], sizeof(plain) - 1))
                        buf_putc(&b, version.p[i]);
                else
                        buf_printf(&b, "%%%02X", (unsigned char)version.p[i]);
        buf_add_str(&b, str_from(s, end));
        struct str made = arena_str(arena, buf_str(&b));
        buf_done(&b);
        return made;
}
