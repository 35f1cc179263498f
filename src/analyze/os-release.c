/*
 * What operating system an artefact says it is. etc/os-release is mostly a link to usr/lib/os-release, so both are
 * read where they are files; older systems, and images that had them removed, still have a file of their own:
 * debian_version, alpine-release, lsb-release and the *-release files of the rpm family. Each gives an os fact, and its
 * path tells which file said so: etc/os-release goes before usr/lib/os-release, and both before any other.
 *
 * Follows os-release(5): without ID it is "linux". A rolling release has no VERSION_ID, and then no version here.
 */
#include "analyze/analyzer.h"
#include "read/osrelease.h"

#define FIELDS_MAX  1000u
#define ID_LIKE_MAX 16u

static struct str to_lower(struct arena *arena, struct str s)
{
        char *p = arena_cstr(arena, s);
        for (size_t i = 0; i < s.n; i++)
                if (p[i] >= 'A' && p[i] <= 'Z')
                        p[i] |= 0x20;
        return str_span(p, s.n);
}

static struct str_list split_words(struct arena *arena, struct str s)
{
        struct str_list list = { arena_array(arena, ID_LIKE_MAX, sizeof(struct str)), 0 };
        while (s.p && list.n < ID_LIKE_MAX) {
                struct str word = str_cut(&s, ' ');
                if (word.n)
                        list.v[list.n++] = to_lower(arena, word);
        }
        return list;
}

/* What stands between the first "(" and the ")" after it; empty if nothing does. */
static struct str in_parentheses(struct str s)
{
        (void)str_cut(&s, '(');
        struct str inside = str_cut(&s, ')');
        return s.p ? inside : STR_NONE;
}

/* os-release, or lsb-release with its older names for the same. The last assignment counts, as in a shell. */
static void read_assignments(const struct analyzer_input *in, struct sink *out, struct fact_os *os)
{
        struct osrelease reader = osrelease_from(in->bytes);
        struct str name, value, version = STR_NONE, short_name = STR_NONE;
        unsigned fields = 0, bad = 0;
        uint64_t first_bad = 0;
        int r;
        while (fields++ < FIELDS_MAX && (r = osrelease_next(&reader, in->arena, &name, &value)) != OSRELEASE_END) {
                if (r == OSRELEASE_MALFORMED) {
                        if (bad++ == 0)
                                first_bad = reader.line;
                } else if (str_is(name, "ID") || str_is(name, "DISTRIB_ID")) {
                        os->id = to_lower(in->arena, value);
                } else if (str_is(name, "ID_LIKE")) {
                        os->id_like = split_words(in->arena, value);
                } else if (str_is(name, "VERSION_ID") || str_is(name, "DISTRIB_RELEASE")) {
                        os->version = value;
                } else if (str_is(name, "VERSION_CODENAME") || str_is(name, "DISTRIB_CODENAME")) {
                        os->codename = value;
                } else if (str_is(name, "PRETTY_NAME") || str_is(name, "DISTRIB_DESCRIPTION")) {
                        os->name = value;
                } else if (str_is(name, "CPE_NAME")) {
                        os->cpe = value;
                } else if (str_is(name, "VERSION")) {
                        version = value;
                } else if (str_is(name, "NAME")) {
                        short_name = value;
                }
        }
        if (os->codename.n == 0) /* before VERSION_CODENAME: VERSION="8 (jessie)" */
                os->codename = to_lower(in->arena, in_parentheses(version));
        if (os->name.n == 0)
                os->name = short_name;
        if (os->id.n == 0 && os->name.n)
                os->id = STR("linux");
        if (bad)
                sink_unread(out, in->path, "corrupt", "line %llu: not an assignment; %u such lines",
                            (unsigned long long)first_bad, bad);
}

/* "11.7" of a release; "trixie/sid" while that is being made, which has no version. */
static void read_debian_version(const struct analyzer_input *in, struct fact_os *os)
{
        struct str rest = in->bytes, line = str_trim(str_line(&rest));
        if (line.n == 0)
                return;
        os->id = STR("debian");
        if (line.p[0] >= '0' && line.p[0] <= '9')
                os->version = line;
        else
                os->codename = str_cut(&line, '/');
}

static void read_alpine_release(const struct analyzer_input *in, struct fact_os *os)
{
        struct str rest = in->bytes, line = str_trim(str_line(&rest));
        if (line.n == 0 || line.p[0] < '0' || line.p[0] > '9')
                return;
        os->id = STR("alpine");
        os->version = line;
}

/* "CentOS Linux release 7.9.2009 (Core)", "SUSE Linux Enterprise Server 11 (x86_64)", "VMware Photon OS 3.0". */
static void read_release_line(const struct analyzer_input *in, struct fact_os *os)
{
        static const struct {
                const char *starts, *id;
        } names[] = {
                { "AlmaLinux", "almalinux" },
                { "Amazon Linux", "amzn" },
                { "CBL-Mariner", "mariner" },
                { "CentOS", "centos" },
                { "Fedora", "fedora" },
                { "Microsoft Azure Linux", "azurelinux" },
                { "Oracle Linux", "ol" },
                { "Enterprise Linux Enterprise Linux", "ol" },
                { "Red Hat Enterprise Linux", "rhel" },
                { "Rocky Linux", "rocky" },
                { "Scientific Linux", "scientific" },
                { "SUSE Linux Enterprise Server", "sles" },
                { "VMware Photon", "photon" },
        };
        struct str rest = in->bytes, line = str_trim(str_line(&rest));
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (str_starts(line, str_of(names[i].starts)))
                        os->id = str_of(names[i].id);
        if (os->id.n == 0)
                return;
        os->name = line;
        struct str codename = in_parentheses(line);
        if (!str_is(os->id, "sles")) /* there it is the architecture */
                os->codename = to_lower(in->arena, codename);
        for (struct str words = line; words.p;) {
                struct str word = str_cut(&words, ' ');
                if (word.n && word.p[0] >= '0' && word.p[0] <= '9') {
                        os->version = word;
                        break;
                }
        }
}

static void os_release_run(const struct analyzer_input *in, struct sink *out)
{
        struct fact_os os = { .path = in->path };
        if (str_ends(in->path, STR("/os-release")) || str_is(in->path, "etc/lsb-release"))
                read_assignments(in, out, &os);
        else if (str_is(in->path, "etc/debian_version"))
                read_debian_version(in, &os);
        else if (str_is(in->path, "etc/alpine-release"))
                read_alpine_release(in, &os);
        else
                read_release_line(in, &os);
        if (os.id.n)
                sink_put(out, FACT_os, &os);
        else
                sink_unread(out, in->path, "corrupt", "it names no operating system");
}

static const char *const wants[] = { "etc/os-release",
                                     "usr/lib/os-release",
                                     "etc/debian_version",
                                     "etc/alpine-release",
                                     "etc/lsb-release",
                                     "etc/almalinux-release",
                                     "etc/azurelinux-release",
                                     "etc/centos-release",
                                     "etc/fedora-release",
                                     "etc/mariner-release",
                                     "etc/oracle-release",
                                     "etc/photon-release",
                                     "etc/redhat-release",
                                     "etc/rocky-release",
                                     "etc/system-release",
                                     "etc/SuSE-release",
                                     NULL };

const struct analyzer analyzer_os_release = {
        .name = "os-release",
        .summary = "name and version of the operating system",
        .wants = wants,
        .max_bytes = 64u << 10,
        .run = os_release_run,
};
