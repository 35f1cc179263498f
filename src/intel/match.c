/*
 * See match.h. The names are those of the OSV schema ("defined ecosystems") and, where it has none (Oracle Linux,
 * Amazon Linux), made alike. By source or by binary package: as the feed of that ecosystem does it, which for AlmaLinux
 * is not what the schema says.
 *
 * A derivative is never asked about under its parent's name (ID_LIKE): its versions are its own, so answers would be
 * wrong both ways. Red Hat's ecosystem names a repository by its CPE; here it is the operating system and its major
 * version, "Red Hat:enterprise_linux:9", and an importer drops what follows ("::baseos").
 */
#include "intel/match.h"

enum suffix {
        SUFFIX_NONE,   /* one rolling release */
        SUFFIX_MAJOR,  /* 11.7: 11 */
        SUFFIX_TWO,    /* 3.18.4: 3.18 */
        SUFFIX_WHOLE,  /* 2018.03 */
        SUFFIX_UBUNTU, /* 22.04: 22.04:LTS */
        SUFFIX_PRETTY, /* what follows the first word of PRETTY_NAME */
};

struct feed_os {
        const char *id, *ecosystem; /* as it is, or with the suffix after it */
        enum suffix suffix;
        const char *package_type;
        bool by_source;
};

static const struct feed_os feed_oses[] = {
        { "almalinux", "AlmaLinux:", SUFFIX_MAJOR, "rpm", false },
        { "alpine", "Alpine:v", SUFFIX_TWO, "apk", true },
        { "amzn", "Amazon Linux:", SUFFIX_WHOLE, "rpm", false },
        { "azurelinux", "Azure Linux:", SUFFIX_MAJOR, "rpm", true },
        { "chainguard", "Chainguard", SUFFIX_NONE, "apk", true },
        { "debian", "Debian:", SUFFIX_MAJOR, "deb", true },
        { "mageia", "Mageia:", SUFFIX_MAJOR, "rpm", true },
        { "mariner", "Azure Linux:", SUFFIX_MAJOR, "rpm", true },
        { "minimos", "MinimOS", SUFFIX_NONE, "apk", true },
        { "ol", "Oracle Linux:", SUFFIX_MAJOR, "rpm", false },
        { "opensuse-leap", "openSUSE:", SUFFIX_PRETTY, "rpm", true },
        { "opensuse-tumbleweed", "openSUSE:", SUFFIX_PRETTY, "rpm", true },
        { "photon", "Photon OS:", SUFFIX_TWO, "rpm", false },
        { "rhel", "Red Hat:enterprise_linux:", SUFFIX_MAJOR, "rpm", false },
        { "rocky", "Rocky Linux:", SUFFIX_MAJOR, "rpm", true },
        { "sles", "SUSE:", SUFFIX_PRETTY, "rpm", true },
        { "ubuntu", "Ubuntu:", SUFFIX_UBUNTU, "deb", true },
        { "wolfi", "Wolfi", SUFFIX_NONE, "apk", true },
};

static const struct feed_os *find(const struct fact_os *os)
{
        for (size_t i = 0; i < ARRAY_SIZE(feed_oses); i++)
                if (str_is(os->id, feed_oses[i].id))
                        return &feed_oses[i];
        return NULL;
}

static bool is_number(struct str s)
{
        uint64_t v;
        return str_u64(s, &v);
}

/* The first n dotted parts of a version, each a number; empty if it has fewer. */
static struct str first_parts(struct str version, unsigned n)
{
        struct str rest = version;
        size_t end = 0;
        for (unsigned i = 0; i < n; i++) {
                struct str part = str_cut(&rest, '.');
                if (!is_number(part))
                        return STR_NONE;
                end += part.n + (i > 0);
        }
        return str_upto(version, end);
}

/* An LTS is every .04 of an even year. */
static struct str ubuntu_release(struct str version, struct arena *arena)
{
        struct str release = first_parts(version, 2), month = release, year = str_cut(&month, '.');
        if (release.n == 0)
                return STR_NONE;
        bool is_lts = str_is(month, "04") && (year.p[year.n - 1] - '0') % 2 == 0;
        return arena_printf(arena, "%.*s%s", STR_FMT(release), is_lts ? ":LTS" : "");
}

struct str os_ecosystem(const struct fact_os *os, struct arena *arena)
{
        const struct feed_os *f = find(os);
        struct str release = STR_NONE, pretty = os->name;
        if (!f)
                return STR_NONE;
        switch (f->suffix) {
        case SUFFIX_NONE:
                return str_of(f->ecosystem);
        case SUFFIX_MAJOR:
                release = first_parts(os->version, 1);
                break;
        case SUFFIX_TWO:
                release = first_parts(os->version, 2);
                break;
        case SUFFIX_WHOLE:
                release = first_parts(os->version, str_find_char(os->version, '.') < 0 ? 1 : 2);
                break;
        case SUFFIX_UBUNTU:
                release = ubuntu_release(os->version, arena);
                break;
        case SUFFIX_PRETTY:
                (void)str_cut(&pretty, ' ');
                release = str_trim(pretty);
                break;
        }
        if (release.n == 0)
                return STR_NONE;
        return arena_printf(arena, "%s%.*s", f->ecosystem, STR_FMT(release));
}

/* A source package has no epoch in rpm's database: it is its binary package's, without which nothing compares right. */
static struct str source_version(const struct fact_package *p, struct arena *arena)
{
        ptrdiff_t colon = str_find_char(p->version, ':');
        if (p->source_version.n == 0)
                return p->version;
        if (!str_is(p->type, "rpm") || colon < 0 || str_find_char(p->source_version, ':') >= 0)
                return p->source_version;
        return arena_printf(arena, "%.*s:%.*s", STR_FMT(str_upto(p->version, (size_t)colon)),
                            STR_FMT(p->source_version));
}

/*
 * Debian builds the signed kernel and boot loader again from sources of their own: linux-signed-amd64 6.1.90+1 is made
 * of linux 6.1.90-1 (linux-signed-6.12-amd64 of linux-6.12), and the feeds know only the latter.
 */
static void unsign(struct db_query *q, struct arena *arena)
{
        ptrdiff_t arch = str_rfind_char(q->name, '-'), plus = str_rfind_char(q->version, '+');
        struct str name = str_upto(q->name, (size_t)arch);
        if (!str_starts(q->name, STR("linux-signed-")) || plus < 0)
                return;
        q->version = arena_printf(arena, "%.*s-%.*s", STR_FMT(str_upto(q->version, (size_t)plus)),
                                  STR_FMT(str_from(q->version, (size_t)plus + 1)));
        q->name = arena_printf(arena, "linux%.*s", STR_FMT(str_from(name, strlen("linux-signed"))));
}

bool package_query(const struct fact_os *os, const struct fact_package *p, struct arena *arena, struct db_query *ret)
{
        const struct feed_os *f = find(os);
        if (!f || !str_is(p->type, f->package_type))
                return false;
        struct db_query q = { .ecosystem = os_ecosystem(os, arena), .name = p->name, .version = p->version };
        if (f->by_source && p->source.n) {
                q.name = p->source;
                q.version = source_version(p, arena);
        }
        if (q.ecosystem.n == 0 || q.name.n == 0 || q.version.n == 0)
                return false;
        if (str_is(p->type, "deb"))
                unsign(&q, arena);
        *ret = q;
        return true;
}
