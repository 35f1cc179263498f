/*
 * Debian's packages: var/lib/dpkg/status, and var/lib/dpkg/status.d of images without dpkg ("distroless": one stanza
 * in a file, without a Status field). One package fact for each package whose files are there; owned facts for its
 * configuration files, whose digests stand nowhere else.
 *
 * Follows deb-control(5), dpkg(1) ("package states") and Debian Policy 5.6.1 (Source). A stanza with a defect is an
 * unread fact and, where it still names a package and its version, a package too: nothing hides behind a stray line.
 */
#include "analyze/claim.h"
#include "read/deb822.h"

#define PACKAGES_MAX  200000u
#define DEFECTS_MAX   100u    /* unread facts of one file */
#define CONFFILES_MAX 100000u /* of one package */

struct dpkg {
        const struct analyzer_input *in;
        struct sink *out;
        bool is_status; /* var/lib/dpkg/status, not status.d */
        unsigned defects;
};

static void corrupt(struct dpkg *d, uint64_t line, const char *why)
{
        if (d->defects++ < DEFECTS_MAX)
                sink_unread(d->out, d->in->path, "corrupt", "line %llu: %s", (unsigned long long)line, why);
}

/*
 * Whether the files of the package are unpacked: the third word of "install ok installed". In config-files only its
 * configuration is left, in half-installed nobody knows what is there and no program of it can be relied upon to be.
 */
static bool is_present(struct str status, bool *ret_known)
{
        static const char *const present[] = { "installed", "unpacked", "half-configured", "triggers-awaited",
                                               "triggers-pending" };
        static const char *const absent[] = { "not-installed", "config-files", "half-installed" };
        struct str state = status;
        ptrdiff_t blank = str_rfind_char(status, ' ');
        if (blank >= 0)
                state = str_from(status, (size_t)blank + 1);
        *ret_known = true;
        for (size_t i = 0; i < ARRAY_SIZE(present); i++)
                if (str_is(state, present[i]))
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
                if (str_is(state, absent[i]))
                        return false;
        *ret_known = false;
        return true;
}

/* "name" or "name (version)". What is not given is that of the binary package. */
static void read_source(struct str source, struct fact_package *p)
{
        p->source = p->name;
        p->source_version = p->version;
        if (source.n == 0)
                return;
        struct str name = str_trim(str_cut(&source, '('));
        if (claim_is_word(name))
                p->source = name;
        struct str version = str_trim(str_cut(&source, ')'));
        if (claim_is_word(version))
                p->source_version = version;
}

/* " /path md5" lines; dpkg adds the words "obsolete" and "remove-on-upgrade", and "newconffile" before it knows. */
static void put_conffiles(struct dpkg *d, struct str package, struct str conffiles, uint64_t line)
{
        unsigned n = 0;
        while (conffiles.n) {
                struct str entry = str_trim(str_line(&conffiles));
                if (entry.n == 0)
                        continue;
                if (++n > CONFFILES_MAX) {
                        sink_unread(d->out, d->in->path, "limit", "line %llu: more than %u configuration files",
                                    (unsigned long long)line, CONFFILES_MAX);
                        return;
                }
                static const char *const flags[] = { " remove-on-upgrade", " obsolete" };
                for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                        if (str_ends(entry, str_of(flags[i])))
                                entry = str_trim(str_upto(entry, entry.n - strlen(flags[i])));
                ptrdiff_t blank = str_rfind_char(entry, ' ');
                struct str digest = str_from(entry, (size_t)(blank + 1));
                struct fact_owned owned = { .package = package, .config = true, .database = d->in->path };
                uint8_t md5[16];
                if (blank < 0 || !claim_path(str_trim(str_upto(entry, (size_t)blank)), &owned.path)) {
                        corrupt(d, line, "an entry of Conffiles that is not a path and a digest");
                        continue;
                }
                if (str_hex(digest, sizeof(md5), md5)) {
                        owned.algorithm = STR("md5");
                        owned.digest = str_span(md5, sizeof(md5));
                } else if (!str_is(digest, "newconffile")) {
                        corrupt(d, line, "an entry of Conffiles without an MD5 digest");
                }
                sink_put(d->out, FACT_owned, &owned);
        }
}

static bool is_ambiguous(const struct deb822_stanza *s)
{
        static const char *const once[] = { "Package", "Version", "Status", "Source", "Architecture" };
        for (size_t i = 0; i < ARRAY_SIZE(once); i++)
                if (deb822_is_repeated(s, once[i]))
                        return true;
        return false;
}

/* True if it was a package, installed or not. */
static bool put_stanza(struct dpkg *d, const struct deb822_stanza *s)
{
        struct fact_package p = {
                .type = STR("deb"),
                .name = deb822_get(s, "Package"),
                .version = deb822_get(s, "Version"),
                .arch = deb822_get(s, "Architecture"),
                .vendor = deb822_get(s, "Origin"),
                .database = d->in->path,
                .line = s->line,
                .offset = s->offset,
        };
        struct str status = deb822_get(s, "Status");
        bool known = status.n || !d->is_status;
        if (status.n && !is_present(status, &known))
                return true;
        if (!claim_is_word(p.name) || !claim_is_word(p.version)) {
                if (!s->why)
                        corrupt(d, s->line, "a stanza without a valid Package and Version");
                return false;
        }
        if (!known)
                corrupt(d, s->line, "a package without a Status that dpkg knows; taken as installed");
        if (is_ambiguous(s))
                corrupt(d, s->line, "a field stands twice; the first was taken");
        read_source(deb822_get(s, "Source"), &p);
        sink_put(d->out, FACT_package, &p);
        put_conffiles(d, p.name, deb822_get(s, "Conffiles"), s->line);
        return true;
}

static void dpkg_status_run(const struct analyzer_input *in, struct sink *out)
{
        if (str_ends(in->path, STR(".md5sums")))
                return;
        struct dpkg d = { .in = in, .out = out, .is_status = str_is(in->path, "var/lib/dpkg/status") };
        struct deb822 reader = deb822_from(in->bytes);
        struct deb822_stanza *stanza = arena_new(in->arena, struct deb822_stanza);
        uint64_t packages = 0;
        int r;
        while ((r = deb822_next(&reader, stanza)) != DEB822_END) {
                if (packages == PACKAGES_MAX) {
                        sink_unread(out, in->path, "limit", "line %llu: more than %u packages",
                                    (unsigned long long)stanza->line, PACKAGES_MAX);
                        return;
                }
                if (r == DEB822_MALFORMED)
                        corrupt(&d, stanza->why_line, stanza->why);
                packages += put_stanza(&d, stanza);
                if (stanza->is_cut && d.is_status)
                        sink_unread(out, in->path, "truncated", "line %llu: the file ends inside a stanza",
                                    (unsigned long long)stanza->line);
        }
        if (d.defects > DEFECTS_MAX)
                sink_unread(out, in->path, "corrupt", "%u more defects", d.defects - DEFECTS_MAX);
        if (packages == 0 && d.defects == 0)
                sink_unread(out, in->path, in->bytes.n ? "corrupt" : "truncated", "no package is listed");
}

static const char *const wants[] = { "var/lib/dpkg/status", "var/lib/dpkg/status.d/*", NULL };

const struct analyzer analyzer_dpkg_status = {
        .name = "dpkg-status",
        .summary = "packages of Debian and its relatives, out of dpkg's status file or distroless status.d",
        .wants = wants,
        .max_bytes = 64u << 20,
        .run = dpkg_status_run,
};
