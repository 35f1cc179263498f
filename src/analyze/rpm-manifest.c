/*
 * Packages of images that were made without rpm's database: var/lib/rpmmanifest/container-manifest-2, which Azure Linux
 * (CBL-Mariner) writes with `rpm -qa --qf` for its distroless images. A line a package, fields between tabs: name,
 * version-release, install time, build time, vendor, "(none)", size, architecture, epoch number, source package.
 */
#include "analyze/claim.h"
#include "read/rpmdb.h"

#define PACKAGES_MAX 200000u

enum { NAME, VERSION, VENDOR = 4, ARCH = 7, EPOCH = 8, SOURCE = 9, FIELDS = 10 };

/* An epoch of 0, or one that is no number, is none. */
static struct str with_epoch(struct arena *arena, struct str epoch, struct str version)
{
        uint64_t number;
        if (!str_u64(epoch, &number) || number == 0)
                return version;
        return arena_printf(arena, "%llu:%.*s", (unsigned long long)number, STR_FMT(version));
}

static bool read_line(const struct analyzer_input *in, struct str line, uint64_t number, uint64_t offset,
                      struct sink *out)
{
        struct str fields[FIELDS];
        size_t n = 0;
        while (line.p && n < FIELDS)
                fields[n++] = str_trim(str_cut(&line, '\t'));
        if (n < FIELDS || !claim_is_word(fields[NAME]) || !claim_is_word(fields[VERSION]))
                return false;
        struct fact_package p = {
                .type = STR("rpm"),
                .name = fields[NAME],
                .version = with_epoch(in->arena, fields[EPOCH], fields[VERSION]),
                .arch = fields[ARCH],
                .vendor = str_is(fields[VENDOR], "(none)") ? STR_NONE : fields[VENDOR],
                .database = in->path,
                .line = number,
                .offset = offset,
        };
        struct str source_version;
        if (rpm_source_parse(fields[SOURCE], &p.source, &source_version)) {
                p.source_version = with_epoch(in->arena, fields[EPOCH], source_version);
        } else {
                p.source = p.name;
                p.source_version = p.version;
        }
        if (!str_is(p.name, "gpg-pubkey"))
                sink_put(out, FACT_package, &p);
        return true;
}

static void rpm_manifest_run(const struct analyzer_input *in, struct sink *out)
{
        uint64_t number = 0, bad = 0, first_bad = 0;
        for (struct str rest = in->bytes; rest.n;) {
                uint64_t offset = in->bytes.n - rest.n;
                struct str line = str_line(&rest);
                if (++number > PACKAGES_MAX) {
                        sink_unread(out, in->path, "limit", "more than %u lines", PACKAGES_MAX);
                        break;
                }
                if (str_trim(line).n == 0 || read_line(in, line, number, offset, out))
                        continue;
                if (bad++ == 0)
                        first_bad = number;
        }
        if (bad)
                sink_unread(out, in->path, "corrupt", "line %llu: not a package of ten fields; %llu such lines",
                            (unsigned long long)first_bad, (unsigned long long)bad);
        if (in->bytes.n == 0)
                sink_unread(out, in->path, "truncated", "no package is listed");
}

static const char *const wants[] = { "var/lib/rpmmanifest/container-manifest-2", NULL };

const struct analyzer analyzer_rpm_manifest = {
        .name = "rpm-manifest",
        .summary = "packages of distroless images of Azure Linux (container-manifest-2)",
        .wants = wants,
        .max_bytes = 16u << 20,
        .run = rpm_manifest_run,
};
