/* See feed-config.h. */
#include "flow/feed-config.h"

#include "base/fs.h"
#include "source/http.h"

#include <errno.h>

#define MAX_MIB_DEFAULT 2048
#define LIST_MAX_BYTES  (1u << 20)

/* The public feeds. Ecosystems of OSV stand for themselves in the URL. */
static const char default_list[] =
        "# Known exploited vulnerabilities and probabilities of exploitation\n"
        "kev  kev  https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json\n"
        "epss  epss  https://epss.empiricalsecurity.com/epss_scores-current.csv.gz\n"
        "# Distributions\n"
        "debian  debian-tracker  https://security-tracker.debian.org/tracker/data/json\n"
        "alpine-3.20-main  alpine-secdb  https://secdb.alpinelinux.org/v3.20/main.json\n"
        "alpine-3.20-community  alpine-secdb  https://secdb.alpinelinux.org/v3.20/community.json\n"
        "alpine-3.21-main  alpine-secdb  https://secdb.alpinelinux.org/v3.21/main.json\n"
        "alpine-3.21-community  alpine-secdb  https://secdb.alpinelinux.org/v3.21/community.json\n"
        "alpine-3.22-main  alpine-secdb  https://secdb.alpinelinux.org/v3.22/main.json\n"
        "alpine-3.22-community  alpine-secdb  https://secdb.alpinelinux.org/v3.22/community.json\n"
        "alpine-3.23-main  alpine-secdb  https://secdb.alpinelinux.org/v3.23/main.json\n"
        "alpine-3.23-community  alpine-secdb  https://secdb.alpinelinux.org/v3.23/community.json\n"
        "alpine-edge-main  alpine-secdb  https://secdb.alpinelinux.org/edge/main.json\n"
        "alpine-edge-community  alpine-secdb  https://secdb.alpinelinux.org/edge/community.json\n"
        "wolfi  alpine-secdb  https://packages.wolfi.dev/os/security.json\n"
        "osv-ubuntu  osv  https://osv-vulnerabilities.storage.googleapis.com/Ubuntu/all.zip\n"
        "osv-almalinux  osv  https://osv-vulnerabilities.storage.googleapis.com/AlmaLinux/all.zip\n"
        "osv-rocky  osv  https://osv-vulnerabilities.storage.googleapis.com/Rocky%20Linux/all.zip\n"
        "osv-redhat  osv  https://osv-vulnerabilities.storage.googleapis.com/Red%20Hat/all.zip\n"
        "osv-suse  osv  https://osv-vulnerabilities.storage.googleapis.com/SUSE/all.zip\n"
        "osv-opensuse  osv  https://osv-vulnerabilities.storage.googleapis.com/openSUSE/all.zip\n"
        "# Languages\n"
        "osv-crates  osv  https://osv-vulnerabilities.storage.googleapis.com/crates.io/all.zip\n"
        "osv-go  osv  https://osv-vulnerabilities.storage.googleapis.com/Go/all.zip\n"
        "osv-hackage  osv  https://osv-vulnerabilities.storage.googleapis.com/Hackage/all.zip\n"
        "osv-hex  osv  https://osv-vulnerabilities.storage.googleapis.com/Hex/all.zip\n"
        "osv-maven  osv  https://osv-vulnerabilities.storage.googleapis.com/Maven/all.zip\n"
        "osv-npm  osv  https://osv-vulnerabilities.storage.googleapis.com/npm/all.zip\n"
        "osv-nuget  osv  https://osv-vulnerabilities.storage.googleapis.com/NuGet/all.zip\n"
        "osv-packagist  osv  https://osv-vulnerabilities.storage.googleapis.com/Packagist/all.zip\n"
        "osv-pub  osv  https://osv-vulnerabilities.storage.googleapis.com/Pub/all.zip\n"
        "osv-pypi  osv  https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip\n"
        "osv-rubygems  osv  https://osv-vulnerabilities.storage.googleapis.com/RubyGems/all.zip\n"
        "osv-bitnami  osv  https://osv-vulnerabilities.storage.googleapis.com/Bitnami/all.zip\n";

static struct str next_word(struct str *line)
{
        *line = str_trim(*line);
        size_t n = 0;
        while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
                n++;
        struct str word = str_upto(*line, n);
        *line = str_trim(str_from(*line, n));
        return word;
}

/* Safe as a file name, and as it is in a table. */
static bool is_name(struct str s)
{
        bool ok = s.n > 0 && s.n <= 64 && s.p[0] != '.' && s.p[0] != '-';
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                ok &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("._-", c);
        }
        return ok;
}

static int take_option(struct str word, struct feed_config *f, struct error *err)
{
        uint64_t mib;
        if (str_is(word, "plain-http")) {
                f->plain_http = true;
                return 0;
        }
        if (str_starts(word, STR("max-mib=")) && str_u64(str_from(word, 8), &mib) && mib && mib <= (1u << 20)) {
                f->max_bytes = mib << 20;
                return 0;
        }
        return error_set(err, -EINVAL, "\"%.*s\" is neither max-mib=N nor plain-http", STR_FMT(word));
}

static int take_line(struct str line, struct feed_list *l, struct error *err)
{
        struct str name = next_word(&line), kind = next_word(&line), url = next_word(&line);
        struct feed_config f = { .max_bytes = (uint64_t)MAX_MIB_DEFAULT << 20 };
        if (!url.n)
                return error_set(err, -EINVAL, "a feed is NAME KIND URL");
        if (!is_name(name))
                return error_set(err, -EINVAL, "\"%.*s\" is not a name of letters, digits, \".\", \"_\" and \"-\"",
                                 STR_FMT(name));
        for (size_t i = 0; i < l->feeds.n; i++)
                if (str_is(name, l->feeds.v[i].name))
                        return error_set(err, -EINVAL, "the name %.*s occurs twice", STR_FMT(name));
        f.name = arena_cstr(&l->arena, name);
        f.url = arena_cstr(&l->arena, url);
        f.importer = importer_find(arena_cstr(&l->arena, kind));
        if (!f.importer)
                return error_set(err, -EINVAL, "no kind of feed \"%.*s\"; sekisho help feeds lists them",
                                 STR_FMT(kind));
        while (line.n) {
                int r = take_option(next_word(&line), &f, err);
                if (r < 0)
                        return r;
        }
        if (!http_url_is(f.url, "https") && !http_url_is(f.url, "http"))
                return error_set(err, -EINVAL, "%s is not an https URL", f.url);
        if (l->feeds.n == FEEDS_MAX)
                return error_set(err, -EINVAL, "more than %d feeds", FEEDS_MAX);
        *vec_push(&l->feeds) = f;
        return 0;
}

int feed_list_parse(struct str text, const char *path, struct feed_list *ret, struct error *err)
{
        struct feed_list l = { 0 };
        for (unsigned number = 1; text.n; number++) {
                struct str line = str_trim(str_line(&text));
                if (!line.n || line.p[0] == '#')
                        continue;
                int r = take_line(line, &l, err);
                if (r < 0) {
                        feed_list_done(&l);
                        return error_prefix(err, r, "%s, line %u", path, number);
                }
        }
        *ret = l;
        return 0;
}

int feed_list_read(const char *path, struct feed_list *ret, struct error *err)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(LIST_MAX_BYTES);
        int r = read_file(path, &text, err);
        return r < 0 ? r : feed_list_parse(buf_str(&text), path, ret, err);
}

void feed_list_default(struct feed_list *ret)
{
        struct error err = ERROR_NONE;
        if (feed_list_parse(str_of(default_list), "the compiled-in list", ret, &err) < 0)
                *ret = (struct feed_list){ 0 };
}

void feed_list_done(struct feed_list *l)
{
        arena_done(&l->arena);
        vec_done(&l->feeds);
}

void feed_list_print(const struct feed_list *l, FILE *to)
{
        for (size_t i = 0; i < l->feeds.n; i++) {
                const struct feed_config *f = &l->feeds.v[i];
                fprintf(to, "%-22s %-14s %s", f->name, f->importer->name, f->url);
                if (f->max_bytes != (uint64_t)MAX_MIB_DEFAULT << 20)
                        fprintf(to, " max-mib=%llu", (unsigned long long)(f->max_bytes >> 20));
                fprintf(to, "%s\n", f->plain_http ? " plain-http" : "");
        }
}
