/*
 * Which files Debian's packages claim: var/lib/dpkg/info/NAME[:ARCH].list (paths; directories stand there like files)
 * and .md5sums ("digest  path"), and status.d/NAME.md5sums of distroless images. The package's name is the file's.
 *
 * Follows deb-md5sums(5). Bad lines are counted and told once a file.
 */
#include "analyze/claim.h"

#define PATHS_MAX 1000000u /* of one file */

struct claims {
        const struct analyzer_input *in;
        struct sink *out;
        struct fact_owned fact;
        uint64_t line, bad, first_bad;
};

/* "var/lib/dpkg/info/libc6:amd64.list" is libc6's. */
static struct str package_of(struct str path, struct str extension)
{
        struct str name = str_from(path, (size_t)(str_rfind_char(path, '/') + 1));
        name = str_upto(name, name.n - extension.n);
        return str_cut(&name, ':');
}

static bool read_list_line(struct claims *c, struct str line)
{
        if (str_is(line, "/."))
                return true;
        if (!claim_path(line, &c->fact.path))
                return false;
        sink_put(c->out, FACT_owned, &c->fact);
        return true;
}

/* 32 digits, then two blanks, or a blank and the "*" of md5sum's binary mode, then the path. */
static bool read_md5_line(struct claims *c, struct str line)
{
        uint8_t md5[16];
        struct str gap = str_upto(str_from(line, 32), 2);
        if (!str_hex(str_upto(line, 32), sizeof(md5), md5) || !(str_is(gap, "  ") || str_is(gap, " *")) ||
            !claim_path(str_from(line, 34), &c->fact.path))
                return false;
        c->fact.algorithm = STR("md5");
        c->fact.digest = str_span(md5, sizeof(md5));
        sink_put(c->out, FACT_owned, &c->fact);
        return true;
}

static void dpkg_files_run(const struct analyzer_input *in, struct sink *out)
{
        bool is_list = str_ends(in->path, STR(".list"));
        struct claims c = { .in = in, .out = out, .fact.database = in->path };
        c.fact.package = package_of(in->path, is_list ? STR(".list") : STR(".md5sums"));
        for (struct str rest = in->bytes; rest.n;) {
                struct str line = str_line(&rest);
                if (++c.line > PATHS_MAX) {
                        sink_unread(out, in->path, "limit", "more than %u lines", PATHS_MAX);
                        break;
                }
                if (line.n == 0 || (is_list ? read_list_line(&c, line) : read_md5_line(&c, line)))
                        continue;
                if (c.bad++ == 0)
                        c.first_bad = c.line;
        }
        if (c.bad)
                sink_unread(out, in->path, "corrupt", "line %llu: not %s; %llu such lines",
                            (unsigned long long)c.first_bad, is_list ? "a path" : "a digest and a path",
                            (unsigned long long)c.bad);
}

static const char *const wants[] = { "var/lib/dpkg/info/*.list", "var/lib/dpkg/info/*.md5sums",
                                     "var/lib/dpkg/status.d/*.md5sums", NULL };

const struct analyzer analyzer_dpkg_files = {
        .name = "dpkg-files",
        .summary = "files that Debian's packages claim, with their MD5 digests",
        .wants = wants,
        .max_bytes = 32u << 20,
        .run = dpkg_files_run,
};
