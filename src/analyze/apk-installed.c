/*
 * Alpine's packages (and those of Wolfi and others that use apk): lib/apk/db/installed, in newer systems below usr/.
 * One package fact for each; an owned fact for each file, with the digest that the package promises. For a symbolic
 * link that digest is of its target's text: whoever compares must look at regular files only.
 *
 * Follows apk-package(5) and apk-tools' own writer of the file.
 */
#include "analyze/claim.h"
#include "read/apkdb.h"

#define PACKAGES_MAX  200000u
#define FILES_MAX     1000000u
#define FILE_PATH_MAX 4096u
#define DEFECTS_MAX   100u /* unread facts of one file */

struct apk {
        const struct analyzer_input *in;
        struct sink *out;
        const struct apkdb *reader;
        struct fact_package package;
        bool is_put;                /* the package fact was put: its files follow */
        struct str directory, file; /* F: and R:; a file is put when its checksum, or what comes after it, was read */
        struct buf path;            /* directory/file of the claim that is put */
        uint64_t packages, files;
        unsigned defects;
};

static void corrupt(struct apk *a, const char *why)
{
        if (a->defects++ < DEFECTS_MAX)
                sink_unread(a->out, a->in->path, "corrupt", "line %llu: %s", (unsigned long long)a->reader->line, why);
}

/* Puts the package once its name and version are known, which they are before its first file. */
static void put_package(struct apk *a)
{
        struct fact_package *p = &a->package;
        if (a->is_put || !claim_is_word(p->name) || !claim_is_word(p->version))
                return;
        a->is_put = true;
        if (!claim_is_word(p->source))
                p->source = p->name;
        p->source_version = p->version;
        sink_put(a->out, FACT_package, p);
        a->packages++;
}

static void put_file(struct apk *a, struct str checksum)
{
        struct fact_owned owned = { .package = a->package.name, .database = a->in->path };
        const char *algorithm;
        uint8_t digest[32];
        if (!a->file.p)
                return;
        if (!a->is_put) {
                a->file = STR_NONE;
                corrupt(a, "a file before the name (P) and version (V) of its package");
                return;
        }
        buf_clear(&a->path);
        buf_add_str(&a->path, a->directory);
        if (a->directory.n)
                buf_putc(&a->path, '/');
        buf_add_str(&a->path, a->file);
        a->file = STR_NONE;
        if (buf_is_full(&a->path) || !claim_path(buf_str(&a->path), &owned.path)) {
                corrupt(a, "a file whose name is not a path");
                return;
        }
        size_t n = checksum.n ? apkdb_checksum(checksum, &algorithm, digest) : 0;
        if (n) {
                owned.algorithm = str_of(algorithm);
                owned.digest = str_span(digest, n);
        } else if (checksum.n) {
                corrupt(a, "a checksum (Z) that cannot be read");
        }
        sink_put(a->out, FACT_owned, &owned);
        a->files++;
}

static void read_field(struct apk *a, const struct apkdb_field *f)
{
        struct fact_package *p = &a->package;
        if (p->line == 0) {
                p->line = a->reader->line;
                p->offset = f->offset;
        }
        switch (f->letter) {
        case 'P':
                p->name = f->value;
                break;
        case 'V':
                p->version = f->value;
                break;
        case 'A':
                p->arch = f->value;
                break;
        case 'o':
                p->source = f->value;
                break;
        case 'L':
                p->licence = f->value;
                break;
        case 'F':
        case 'R':
                put_package(a);
                put_file(a, STR_NONE);
                if (f->letter == 'F')
                        a->directory = f->value;
                else
                        a->file = f->value;
                break;
        case 'Z':
                put_file(a, f->value);
                break;
        default: /* what is not needed, and what newer versions add */
                break;
        }
}

static void end_package(struct apk *a)
{
        put_file(a, STR_NONE);
        put_package(a);
        if (!a->is_put)
                corrupt(a, "a package without a valid name (P) and version (V)");
        a->package = (struct fact_package){ .type = STR("apk"), .database = a->in->path };
        a->is_put = false;
        a->directory = STR_NONE;
}

static void apk_installed_run(const struct analyzer_input *in, struct sink *out)
{
        struct apkdb reader = apkdb_from(in->bytes);
        struct apk a = { .in = in, .out = out, .reader = &reader, .path = BUF_INIT(FILE_PATH_MAX) };
        a.package = (struct fact_package){ .type = STR("apk"), .database = in->path };
        struct apkdb_field field;
        int r;
        while ((r = apkdb_next(&reader, &field)) != APKDB_END) {
                if (r == APKDB_FIELD)
                        read_field(&a, &field);
                else if (r == APKDB_PACKAGE)
                        end_package(&a);
                else
                        corrupt(&a, "not a letter, a colon and a value");
                if (a.packages > PACKAGES_MAX || a.files > FILES_MAX) {
                        sink_unread(out, in->path, "limit", "line %llu: more than %u packages or %u files",
                                    (unsigned long long)reader.line, PACKAGES_MAX, FILES_MAX);
                        break;
                }
        }
        if (reader.is_cut)
                sink_unread(out, in->path, "truncated", "line %llu: the file ends inside a line",
                            (unsigned long long)reader.line);
        if (a.defects > DEFECTS_MAX)
                sink_unread(out, in->path, "corrupt", "%u more defects", a.defects - DEFECTS_MAX);
        if (a.packages == 0 && a.defects == 0)
                sink_unread(out, in->path, in->bytes.n ? "corrupt" : "truncated", "no package is listed");
        buf_done(&a.path);
}

static const char *const wants[] = { "lib/apk/db/installed", "usr/lib/apk/db/installed", NULL };

const struct analyzer analyzer_apk_installed = {
        .name = "apk-installed",
        .summary = "packages of Alpine, Wolfi and others, and the files that they claim",
        .wants = wants,
        .max_bytes = 64u << 20,
        .run = apk_installed_run,
};
