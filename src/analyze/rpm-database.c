/*
 * rpm's packages and the files that they claim, out of its database in any of its three formats, wherever distributions
 * put it. One package fact for each header but those of public keys (gpg-pubkey); an owned fact for each file that is
 * no directory. A file that rpm says another package replaced, or that the package does not bring itself (ghost), is
 * claimed without a digest.
 */
#include "analyze/claim.h"
#include "read/rpmdb.h"

#include <sys/stat.h>

#define FILES_MAX      5000000u              /* of all packages of a database */
#define PATH_BYTES_MAX ((uint64_t)512 << 20) /* of all their paths: directories are stored once and repeat */
#define FILE_PATH_MAX  4096u
#define DEFECTS_MAX    100u

struct database {
        struct rpmdb_visitor visitor; /* first: its functions cast back */
        const struct analyzer_input *in;
        struct sink *out;
        struct budget files; /* items: files, bytes: of their paths */
        struct buf path, version, source_version;
        size_t packages;
        unsigned defects;
};

static void tell(struct database *d, const char *code, const char *why, uint64_t offset)
{
        if (d->defects++ < DEFECTS_MAX)
                sink_unread(d->out, d->in->path, code, "record at %llu: %s", (unsigned long long)offset, why);
}

static void on_defect(struct rpmdb_visitor *v, const char *code, const char *why, uint64_t offset)
{
        tell((struct database *)v, code, why, offset);
}

/* "epoch:rest", without an epoch of 0. */
static struct str with_epoch(struct buf *to, const struct rpm_header *h, struct str version, struct str release)
{
        uint32_t epoch = 0;
        buf_clear(to);
        if (rpm_header_number(h, RPM_EPOCH, &epoch) && epoch)
                buf_printf(to, "%u:", epoch);
        buf_add_str(to, version);
        if (release.n) {
                buf_putc(to, '-');
                buf_add_str(to, release);
        }
        return buf_is_full(to) ? STR_NONE : buf_str(to);
}

static void put_file(struct database *d, const struct rpm_header *h, struct str package, const struct rpm_file *f,
                     bool *ret_is_bad)
{
        struct fact_owned owned = { .package = package, .database = d->in->path };
        uint8_t digest[32];
        if (S_ISDIR(f->mode))
                return;
        buf_clear(&d->path);
        buf_add_str(&d->path, f->directory);
        buf_add_str(&d->path, f->name);
        if (buf_is_full(&d->path) || !claim_path(buf_str(&d->path), &owned.path)) {
                *ret_is_bad = true;
                return;
        }
        size_t n;
        const char *algorithm = rpm_digest_algorithm(h, &n);
        owned.config = f->flags & RPM_FILE_CONFIG;
        bool is_its_own = !(f->flags & RPM_FILE_GHOST) && f->state == RPM_STATE_NORMAL;
        if (algorithm && is_its_own && f->digest.n) {
                if (str_hex(f->digest, n, digest)) {
                        owned.algorithm = str_of(algorithm);
                        owned.digest = str_span(digest, n);
                } else {
                        *ret_is_bad = true;
                }
        }
        sink_put(d->out, FACT_owned, &owned);
}

static void put_files(struct database *d, const struct rpm_header *h, struct str package, uint64_t offset)
{
        struct rpm_files files = rpm_files_from(h);
        struct rpm_file f;
        bool is_bad = false;
        while (rpm_files_next(&files, &f)) {
                if (!budget_items(&d->files, 1) || !budget_bytes(&d->files, f.directory.n + f.name.n))
                        break;
                put_file(d, h, package, &f, &is_bad);
        }
        if (files.defect)
                tell(d, "corrupt", files.defect, offset);
        if (is_bad)
                tell(d, "corrupt", "a file whose name is not a path, or whose digest cannot be read", offset);
        rpm_files_done(&files);
}

static void on_header(struct rpmdb_visitor *v, struct str header, uint64_t offset)
{
        struct database *d = (struct database *)v;
        struct rpm_header h;
        if (!rpm_header_parse(header, &h)) {
                tell(d, "corrupt", "not a package's header", offset);
                return;
        }
        if (h.defect)
                tell(d, "corrupt", h.defect, offset);
        struct fact_package p = {
                .type = STR("rpm"),
                .name = rpm_header_text(&h, RPM_NAME),
                .arch = rpm_header_text(&h, RPM_ARCH),
                .vendor = rpm_header_text(&h, RPM_VENDOR),
                .module = rpm_header_text(&h, RPM_MODULARITYLABEL),
                .licence = rpm_header_text(&h, RPM_LICENSE),
                .database = d->in->path,
                .offset = offset,
        };
        if (str_is(p.name, "gpg-pubkey")) {
                d->packages++;
                return;
        }
        struct str version = rpm_header_text(&h, RPM_VERSION), release = rpm_header_text(&h, RPM_RELEASE);
        if (!claim_is_word(p.name) || !claim_is_word(version) || !claim_is_word(release)) {
                tell(d, "corrupt", "a package without a valid name, version and release", offset);
                return;
        }
        p.version = with_epoch(&d->version, &h, version, release);
        struct str source_name, source_version;
        if (rpm_source_parse(rpm_header_text(&h, RPM_SOURCERPM), &source_name, &source_version)) {
                p.source = source_name;
                p.source_version = with_epoch(&d->source_version, &h, source_version, STR_NONE);
        } else {
                p.source = p.name;
                p.source_version = p.version;
        }
        d->packages++;
        sink_put(d->out, FACT_package, &p);
        put_files(d, &h, p.name, offset);
}

static void rpm_database_run(const struct analyzer_input *in, struct sink *out)
{
        struct database d = {
                .visitor = { .header = on_header, .defect = on_defect },
                .in = in,
                .out = out,
                .files = { .items = FILES_MAX, .bytes = PATH_BYTES_MAX },
                .path = BUF_INIT(FILE_PATH_MAX),
                .version = BUF_INIT(FILE_PATH_MAX),
                .source_version = BUF_INIT(FILE_PATH_MAX),
        };
        rpmdb_read(in->bytes, &d.visitor);
        if (d.files.over)
                sink_unread(out, in->path, "limit", "more than %u files, or %llu bytes of their paths", FILES_MAX,
                            (unsigned long long)PATH_BYTES_MAX);
        if (d.defects > DEFECTS_MAX)
                sink_unread(out, in->path, "corrupt", "%u more defects", d.defects - DEFECTS_MAX);
        if (d.packages == 0 && d.defects == 0)
                sink_unread(out, in->path, "corrupt", "no package is listed");
        buf_done(&d.path);
        buf_done(&d.version);
        buf_done(&d.source_version);
}

/* The last one is where `rpm --root` of a Debian host leaves it: that rpm keeps its database in the home of the user.
 */
static const char *const wants[] = {
        "usr/lib/sysimage/rpm/Packages", "var/lib/rpm/Packages",       "usr/lib/sysimage/rpm/Packages.db",
        "var/lib/rpm/Packages.db",       "usr/share/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite",
        "var/lib/rpm/rpmdb.sqlite",      "root/.rpmdb/rpmdb.sqlite",   NULL,
};

const struct analyzer analyzer_rpm_database = {
        .name = "rpm-database",
        .summary = "packages in rpm's database, and the files that they claim",
        .wants = wants,
        .max_bytes = 256u << 20,
        .run = rpm_database_run,
};
