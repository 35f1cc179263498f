/*
 * The Debian security tracker's data/json: {package: {CVE: {releases: {codename: {status, fixed_version, urgency}}}}},
 * some 70 MB. Its members are parsed one by one. Status "open" is affected without a fix, "resolved" has one, and its
 * version "0" says that the release was never affected; "undetermined" is not known and counted.
 */
#include "intel/import-kinds.h"
#include "intel/json-split.h"
#include "intel/json.h"

#include <errno.h>

static const struct {
        const char *codename, *ecosystem;
} releases[] = {
        { "buster", "Debian:10" }, { "bullseye", "Debian:11" }, { "bookworm", "Debian:12" },
        { "trixie", "Debian:13" }, { "forky", "Debian:14" },    { "duke", "Debian:15" },
};

/* The most urgent word of any release: "medium**" has a footnote, "not yet assigned" says nothing. */
static enum severity urgency_of(const json_t *by_release)
{
        enum severity most = SEVERITY_UNKNOWN, one;
        for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
                struct str word = json_member(json_object_get(by_release, releases[i].codename), "urgency");
                if (severity_parse(str_cut(&word, '*'), &one))
                        most = MAX(most, one);
        }
        return most;
}

/* Whether the release is affected, or was until a version. */
static bool put_release(struct import *in, const json_t *release, const char *ecosystem, struct str package,
                        bool *undetermined)
{
        struct str status = json_member(release, "status"), fixed = json_member(release, "fixed_version");
        struct str events[2] = { STR("introduced 0") };
        struct fact_affected affected = { .ecosystem = str_of(ecosystem), .name = package, .events = { events, 1 } };
        if (str_is(status, "undetermined"))
                *undetermined = true;
        if (str_is(status, "resolved") && fixed.n && !str_is(fixed, "0"))
                events[affected.events.n++] = arena_printf(&in->arena, "fixed %.*s", STR_FMT(fixed));
        else if (!str_is(status, "open"))
                return false;
        sink_put(in->out, FACT_affected, &affected);
        return true;
}

static void take_issue(struct import *in, struct str package, struct str id, const json_t *issue)
{
        const json_t *by_release = json_object_get(issue, "releases");
        struct fact_advisory fact = { .id = id, .vendor = STR("Debian") };
        bool is_used = false, undetermined = false;
        if (!json_is_object(by_release)) {
                import_malformed(in, "%.*s in %.*s: no \"releases\"", STR_FMT(id), STR_FMT(package));
                return;
        }
        fact.severity = urgency_of(by_release);
        sink_put(in->out, FACT_advisory, &fact);
        for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
                const json_t *release = json_object_get(by_release, releases[i].codename);
                if (release && put_release(in, release, releases[i].ecosystem, package, &undetermined))
                        is_used = true;
        }
        if (is_used)
                in->records++;
        else
                import_skip(in, undetermined ? SKIP_UNDETERMINED : SKIP_NOT_AFFECTED);
}

static void on_member(void *arg, struct str package, struct str id, struct str text, bool is_too_long)
{
        struct import *in = arg;
        struct error why = ERROR_NONE;
        in->record++;
        if (is_too_long) {
                import_malformed(in, "%.*s in %.*s: longer than %u MiB", STR_FMT(id), STR_FMT(package),
                                 IMPORT_RECORD_MAX_BYTES >> 20);
                return;
        }
        _cleanup_(json_freep) json_t *j = json_parse(text, &why);
        if (j)
                take_issue(in, package, id, j);
        else
                import_malformed(in, "%.*s in %.*s: %s", STR_FMT(id), STR_FMT(package), why.text);
        arena_done(&in->arena);
}

static int debian_run(struct import *in, struct error *err)
{
        struct json_split split;
        struct str chunk;
        int r;
        json_split_init(&split, IMPORT_RECORD_MAX_BYTES, on_member, in);
        while ((r = import_chunk(in, &chunk, err)) > 0)
                if (!json_split_take(&split, chunk)) {
                        r = error_set(err, -EBADMSG, "not the tracker's JSON at byte %llu",
                                      (unsigned long long)split.at);
                        break;
                }
        if (r == 0 && !json_split_is_complete(&split))
                r = error_set(err, -EBADMSG, "cut off after %llu bytes", (unsigned long long)split.at);
        json_split_done(&split);
        return r;
}

/* {"package": {"CVE-2020-1": or "TEMP-..." */
static bool debian_sniff(struct str first)
{
        ptrdiff_t inner = str_find(str_from(first, 1), STR("{"));
        if (!str_starts(first, STR("{")) || inner < 0)
                return false;
        struct str key = str_trim(str_from(first, (size_t)inner + 2));
        return str_starts(key, STR("\"CVE-")) || str_starts(key, STR("\"TEMP-"));
}

const struct importer importer_debian = {
        .name = "debian-tracker",
        .summary = "the Debian security tracker's data/json",
        .sniff = debian_sniff,
        .run = debian_run,
};
