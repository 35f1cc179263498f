/* See yaml-page.h. */
#include "analyze/yaml-page.h"

#include <stdarg.h>

bool yaml_page_wants(struct str name)
{
        return str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml")) || str_ends(name, STR(".json"));
}

static struct str without_quote(struct str s)
{
        return str_starts(s, STR("\"")) || str_starts(s, STR("'")) ? str_from(s, 1) : s;
}

/* Whether a key starts here: its name, quoted or not, and a colon. */
static bool is_key(struct str s, struct str key)
{
        s = without_quote(s);
        if (!str_starts(s, key))
                return false;
        s = without_quote(str_from(s, key.n));
        while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
                s = str_from(s, 1);
        return str_starts(s, STR(":"));
}

bool yaml_page_has_key(struct str bytes, const char *key)
{
        struct str k = str_of(key);
        if (str_starts(bytes, STR("\xef\xbb\xbf")))
                bytes = str_from(bytes, 3);
        if (str_starts(str_trim(str_upto(bytes, 100)), STR("{"))) {
                for (ptrdiff_t at; (at = str_find(bytes, k)) >= 0; bytes = str_from(bytes, (size_t)at + k.n))
                        if (is_key(str_from(bytes, (size_t)at), k))
                                return true;
                return false;
        }
        while (bytes.n)
                if (is_key(str_line(&bytes), k))
                        return true;
        return false;
}

/* --- comments --- */

static size_t indent_of(struct str line)
{
        size_t n = 0;
        while (n < line.n && line.p[n] == ' ')
                n++;
        return n;
}

static bool is_item(struct str line, size_t indent)
{
        struct str rest = str_from(line, indent);
        return str_starts(rest, STR("- ")) || str_is(rest, "-");
}

/* The lines that a comment above `rest` holds for: from the first that is none, to the last that belongs to it. */
static void find_block(struct str rest, uint32_t number, uint32_t *ret_from, uint32_t *ret_to)
{
        size_t indent = 0;
        bool owns_items = false; /* a list below a key may stand at the key's own indentation */
        *ret_from = *ret_to = 0;
        while (rest.n) {
                struct str line = str_line(&rest), text = str_trim(line);
                number++;
                if (!text.n || text.p[0] == '#')
                        continue;
                size_t own = indent_of(line);
                if (!*ret_from) {
                        *ret_from = number;
                        indent = own;
                        owns_items = !is_item(line, own);
                } else if (own < indent || (own == indent && !(owns_items && is_item(line, own)))) {
                        return;
                }
                *ret_to = number;
        }
}

static void read_comments(struct check_page *page, struct str bytes)
{
        uint32_t number = 0;
        while (bytes.n) {
                struct str line = str_line(&bytes);
                number++;
                ptrdiff_t mark = str_find(line, STR("sekisho:ignore"));
                ptrdiff_t hash = mark < 0 ? -1 : str_rfind_char(str_upto(line, (size_t)mark), '#');
                bool is_alone = hash >= 0 && str_trim(str_upto(line, (size_t)hash)).n == 0;
                uint32_t from = number, to = number;
                if (hash < 0)
                        continue;
                if (is_alone)
                        find_block(bytes, number, &from, &to);
                (void)check_page_comment(page, str_from(line, (size_t)hash), number, from, to);
        }
}

bool yaml_page_read(struct check_page *page, const struct check_file *file, const struct check *duplicate,
                    struct arena *arena, struct yaml *ret, struct sink *out)
{
        struct error err = ERROR_NONE;
        read_comments(page, file->bytes);
        if (yaml_read(file->bytes, arena, ret, &err) < 0) {
                bool is_template = str_find(file->bytes, STR("{{")) >= 0;
                sink_unread(out, file->path, "corrupt", "%s%s", err.text,
                            is_template ? " (it looks like a template: render it first, with helm template or the like)"
                                        : "");
                return false;
        }
        if (ret->binary)
                sink_unread(out, file->path, "unsupported", "line %u: a text with the tag !!binary is not decoded",
                            ret->binary->line);
        for (size_t i = 0; i < ret->n_duplicates; i++) {
                const struct yaml_duplicate *d = &ret->duplicates[i];
                (void)check_page_add(page, duplicate, d->line, d->column, d->line, "\"%.*s\", which line %u has too%s",
                                     STR_FMT(str_upto(d->key, 100)), d->first_line,
                                     d->is_merged ? ", comes with a merge" : "");
        }
        return true;
}

/* --- nodes and texts --- */

const struct yaml_node *yaml_at(const struct yaml_node *n, ...)
{
        va_list ap;
        va_start(ap, n);
        for (const char *key; n && (key = va_arg(ap, const char *));)
                n = yaml_get(n, key);
        va_end(ap);
        return yaml_is_null(n) ? NULL : n;
}

bool yaml_has_text(const struct yaml_node *sequence, const char *text)
{
        for (size_t i = 0; sequence && sequence->kind == YAML_SEQUENCE && i < sequence->n; i++)
                if (str_is(yaml_text(sequence->items[i]), text))
                        return true;
        return false;
}

static char upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c; }

/* Whether the words of a name (FOO_BAR, foo-bar, fooBar) end in these words; the name comes in upper case. */
static bool ends_in(struct str name, const char *words)
{
        struct str w = str_of(words);
        if (!str_ends(name, w))
                return false;
        return name.n == w.n || name.p[name.n - w.n - 1] == '_';
}

#define NAME_MAX_LENGTH 128

/* DB_PASSWORD of db-password, dbPassword and DB.PASSWORD. */
static struct str normalised(struct str name, char to[static NAME_MAX_LENGTH])
{
        size_t n = 0;
        for (size_t i = 0; i < name.n && n + 2 < NAME_MAX_LENGTH; i++) {
                char c = name.p[i];
                bool is_hump = i && c >= 'A' && c <= 'Z' && name.p[i - 1] >= 'a' && name.p[i - 1] <= 'z';
                if (is_hump)
                        to[n++] = '_';
                to[n++] = c == '-' || c == '.' ? '_' : upper(c);
        }
        return str_span(to, n);
}

bool yaml_looks_secret(struct str name, struct str value)
{
        static const char *const secret[] = {
                "PASSWORD",    "PASSWD",         "PASS",        "PASSPHRASE", "PWD",        "SECRET",
                "SECRET_KEY",  "TOKEN",          "API_KEY",     "APIKEY",     "ACCESS_KEY", "PRIVATE_KEY",
                "CREDENTIALS", "ENCRYPTION_KEY", "SIGNING_KEY", "AUTH_KEY",
        };
        char text[NAME_MAX_LENGTH];
        struct str n = normalised(name, text), v = str_trim(value);
        bool yes = false, is_switch = str_eq_nocase(v, STR("true")) || str_eq_nocase(v, STR("false")) ||
                                      str_eq_nocase(v, STR("yes")) || str_eq_nocase(v, STR("no"));
        for (size_t i = 0; i < ARRAY_SIZE(secret); i++)
                yes = yes || ends_in(n, secret[i]);
        if (str_find(v, STR("PRIVATE KEY-----")) >= 0)
                return true;
        if (!yes || str_is(n, "PWD") || str_is(n, "OLDPWD") || v.n == 0 || is_switch)
                return false;
        return v.p[0] != '$' && v.p[0] != '/' && v.p[0] != '<' && !str_starts(v, STR("{{"));
}

/* Behind the last "/": a tag's colon is there, a registry's port is not. */
static struct str last_part(struct str image)
{
        ptrdiff_t slash = str_rfind_char(image, '/');
        return str_from(image, (size_t)(slash + 1));
}

bool yaml_image_is_pinned(struct str image) { return str_find(image, STR("@sha256:")) >= 0; }

bool yaml_image_moves(struct str image)
{
        struct str last = last_part(image);
        ptrdiff_t colon = str_find_char(last, ':');
        if (!image.n || str_find_char(image, '@') >= 0 || str_find_char(image, '$') >= 0)
                return false;
        return colon < 0 || str_is(str_from(last, (size_t)colon + 1), "latest");
}

const struct host_path *yaml_host_path(struct str path)
{
        static const struct host_path paths[] = {
                { "/var/run/docker.sock", true, false },
                { "/run/docker.sock", true, false },
                { "/run/containerd/containerd.sock", true, false },
                { "/var/run/containerd/containerd.sock", true, false },
                { "/run/crio/crio.sock", true, false },
                { "/var/run/crio/crio.sock", true, false },
                { "/run/podman/podman.sock", true, false },
                { "/var/run/podman/podman.sock", true, false },
                { "/", false, false },
                { "/boot", false, true },
                { "/dev", false, false },
                { "/etc", false, false },
                { "/etc/kubernetes", false, true },
                { "/etc/shadow", false, false },
                { "/etc/ssh", false, true },
                { "/home", false, false },
                { "/lib", false, false },
                { "/proc", false, false },
                { "/root", false, true },
                { "/run", false, false },
                { "/sys", false, false },
                { "/usr", false, false },
                { "/var", false, false },
                { "/var/lib", false, false },
                { "/var/lib/containerd", false, true },
                { "/var/lib/docker", false, true },
                { "/var/lib/kubelet", false, false },
                { "/var/run", false, false },
        };
        while (path.n > 1 && path.p[path.n - 1] == '/')
                path.n--;
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                struct str p = str_of(paths[i].path);
                bool is_below = paths[i].is_below && str_starts(path, p) && path.n > p.n && path.p[p.n] == '/';
                if (str_eq(path, p) || is_below)
                        return &paths[i];
        }
        return NULL;
}
