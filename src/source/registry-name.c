/* See registry-name.h. The grammar: https://pkg.go.dev/github.com/distribution/reference, written out by hand. */
#include "source/registry-name.h"

#include "source/digest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

static bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

static bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/* Where the port's colon stands in HOST[:PORT], or -1. The colons of "[::1]" are not it. */
static ptrdiff_t port_colon(struct str host)
{
        ptrdiff_t colon = str_rfind_char(host, ':');
        return colon < str_rfind_char(host, ']') ? -1 : colon;
}

/* Parses all of s as an address of the family into `to`. */
static bool take_address(int family, struct str s, void *to)
{
        char text[INET6_ADDRSTRLEN + 1];
        if (s.n >= sizeof(text) || str_find_char(s, 0) >= 0)
                return false;
        snprintf(text, sizeof(text), "%.*s", STR_FMT(s));
        return inet_pton(family, text, to) == 1;
}

static bool is_bracketed(struct str name) { return name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']'; }

bool host_is_loopback(struct str host)
{
        ptrdiff_t colon = port_colon(host);
        struct str name = colon < 0 ? host : str_upto(host, (size_t)colon);
        struct in_addr v4;
        struct in6_addr v6;
        if (str_eq_nocase(name, STR("localhost")) ||
            (name.n > 10 && str_eq_nocase(str_from(name, name.n - 10), STR(".localhost"))))
                return true;
        if (is_bracketed(name))
                return take_address(AF_INET6, str_span(name.p + 1, name.n - 2), &v6) && IN6_IS_ADDR_LOOPBACK(&v6);
        return take_address(AF_INET, name, &v4) && (ntohl(v4.s_addr) >> 24) == 127;
}

static bool host_name_is_valid(struct str name)
{
        struct in6_addr v6;
        if (is_bracketed(name))
                return take_address(AF_INET6, str_span(name.p + 1, name.n - 2), &v6);
        while (name.p) {
                struct str label = str_cut(&name, '.');
                if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
                        return false;
                for (size_t i = 0; i < label.n; i++)
                        if (!is_letter(label.p[i]) && !is_digit(label.p[i]) && label.p[i] != '-')
                                return false;
        }
        return true;
}

static bool host_is_valid(struct str host)
{
        ptrdiff_t colon = port_colon(host);
        if (colon < 0)
                return host_name_is_valid(host);
        uint64_t port;
        return str_u64(str_from(host, (size_t)colon + 1), &port) && port > 0 && port < 65536 &&
               host_name_is_valid(str_upto(host, (size_t)colon));
}

/* Lower-case letters and digits, joined by one "." or "_", by "__", or by any number of "-". */
static bool component_is_valid(struct str s)
{
        size_t i = 0;
        for (;;) {
                size_t start = i;
                while (i < s.n && (is_lower(s.p[i]) || is_digit(s.p[i])))
                        i++;
                if (i == start)
                        return false;
                if (i == s.n)
                        return true;
                start = i;
                char joint = s.p[i];
                while (i < s.n && s.p[i] == joint)
                        i++;
                if (joint != '-' && !(joint == '.' && i - start == 1) && !(joint == '_' && i - start <= 2))
                        return false;
        }
}

static bool repository_is_valid(struct str s)
{
        if (s.n == 0)
                return false;
        while (s.p)
                if (!component_is_valid(str_cut(&s, '/')))
                        return false;
        return true;
}

static bool tag_is_valid(struct str s)
{
        if (s.n == 0 || s.n > REGISTRY_TAG_MAX || !is_word(s.p[0]))
                return false;
        for (size_t i = 1; i < s.n; i++)
                if (!is_word(s.p[i]) && s.p[i] != '.' && s.p[i] != '-')
                        return false;
        return true;
}

/* The part before the first "/", if it is a host by docker's rule; else empty. */
static struct str leading_host(struct str text)
{
        ptrdiff_t slash = str_find_char(text, '/');
        if (slash <= 0)
                return STR_NONE;
        struct str first = str_upto(text, (size_t)slash);
        bool is_host =
                str_find_char(first, '.') >= 0 || str_find_char(first, ':') >= 0 || str_eq(first, STR("localhost"));
        return is_host ? first : STR_NONE;
}

bool registry_name_has_host(struct str text)
{
        struct str host = leading_host(text);
        return host.n && host_is_valid(host);
}

int registry_name_parse(struct str text, struct registry_name *ret, struct error *err)
{
        struct registry_name ref = { 0 };
        struct str rest = text, digest = STR_NONE, tag = STR_NONE;
        if (text.n > REGISTRY_TEXT_MAX - 1)
                return error_set(err, -EINVAL, "the name of an image has at most %d characters", REGISTRY_TEXT_MAX - 1);
        ptrdiff_t at = str_find_char(rest, '@');
        if (at >= 0) {
                digest = str_from(rest, (size_t)at + 1);
                rest = str_upto(rest, (size_t)at);
                if (!digest_is_valid(digest))
                        return error_set(err, -EINVAL,
                                         "\"%.*s\" is not a digest: it must be sha256: and 64 hex digits in lower case",
                                         STR_FMT(digest));
        }
        struct str host = leading_host(rest);
        if (host.n) {
                if (!host_is_valid(host))
                        return error_set(err, -EINVAL, "\"%.*s\" is not the name of a host, or its port is not one",
                                         STR_FMT(host));
                rest = str_from(rest, host.n + 1);
        }
        ptrdiff_t colon = str_rfind_char(rest, ':');
        if (colon >= 0 && colon > str_rfind_char(rest, '/')) {
                tag = str_from(rest, (size_t)colon + 1);
                rest = str_upto(rest, (size_t)colon);
                if (!tag_is_valid(tag))
                        return error_set(err, -EINVAL,
                                         "\"%.*s\" is not a tag: letters, digits and \"_.-\", at most %d of them",
                                         STR_FMT(tag), REGISTRY_TAG_MAX);
        }
        if (!repository_is_valid(rest))
                return error_set(err, -EINVAL,
                                 "\"%.*s\" is not the name of a repository: lower-case letters and digits, joined by "
                                 "\".\", \"_\", \"-\" and \"/\"",
                                 STR_FMT(rest));
        if (host.n == 0 || str_eq_nocase(host, STR("index.docker.io")))
                host = STR("docker.io");
        bool is_short = str_eq(host, STR("docker.io")) && str_find_char(rest, '/') < 0;
        if (host.n + 1 + (is_short ? strlen("library/") : 0) + rest.n > REGISTRY_NAME_MAX)
                return error_set(err, -EINVAL, "host and repository have more than %d characters", REGISTRY_NAME_MAX);
        if (!tag.n && !digest.n)
                tag = STR("latest");
        snprintf(ref.host, sizeof(ref.host), "%.*s", STR_FMT(host));
        snprintf(ref.repository, sizeof(ref.repository), "%s%.*s", is_short ? "library/" : "", STR_FMT(rest));
        snprintf(ref.tag, sizeof(ref.tag), "%.*s", STR_FMT(tag));
        snprintf(ref.digest, sizeof(ref.digest), "%.*s", STR_FMT(digest));
        *ret = ref;
        return 0;
}

const char *registry_name_print(const struct registry_name *ref, char text[static REGISTRY_TEXT_MAX])
{
        snprintf(text, REGISTRY_TEXT_MAX, "%s/%s%s%s%s%s", ref->host, ref->repository, ref->tag[0] ? ":" : "", ref->tag,
                 ref->digest[0] ? "@" : "", ref->digest);
        return text;
}
