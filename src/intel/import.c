/*
 * Runs importers: unpacks with libarchive, cuts into lines, counts. Input: the bytes of a feed, hostile; output: facts.
 * Only libarchive's own filters are enabled, none of those that start programs.
 */
#include "intel/import.h"

#include "base/vec.h"
#include "intel/import-kinds.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define UNPACKED_MAX_BYTES (UINT64_C(64) << 30)
#define MEMBERS_MAX        (UINT64_C(16) << 20)
#define SNIFF_BYTES        4096
#define READ_BYTES         (64u << 10)

/* The bytes of a member: a window that is filled from the archive and used from the front. */
struct import_input {
        struct archive *archive;
        struct buf window; /* its unused part starts at `used` */
        size_t used;
        bool at_end, is_fatal;
        uint64_t unpacked;
};

const struct importer *const importers[] = {
        &importer_kev,    &importer_epss,   &importer_scores, &importer_facts,
        &importer_alpine, &importer_debian, &importer_osv,    NULL,
};

const struct importer *importer_find(const char *name)
{
        for (size_t i = 0; importers[i]; i++)
                if (strcmp(importers[i]->name, name) == 0)
                        return importers[i];
        return NULL;
}

/* Adds bytes to the window. 1: some came; 0: the member ends; < 0: cannot be read. */
static int fill(struct import *in, struct error *err)
{
        struct import_input *input = in->input;
        char chunk[READ_BYTES];
        if (input->at_end)
                return 0;
        if (input->used) {
                memmove(input->window.p, input->window.p + input->used, input->window.n - input->used);
                input->window.n -= input->used;
                input->used = 0;
        }
        la_ssize_t n;
        do
                n = archive_read_data(input->archive, chunk, sizeof(chunk));
        while (n == ARCHIVE_RETRY);
        if (n < 0) {
                const char *why = archive_error_string(input->archive);
                input->is_fatal = n == ARCHIVE_FATAL;
                return error_set(err, -EBADMSG, "cannot be unpacked: %s", why ? why : "no reason given");
        }
        input->at_end = n == 0;
        input->unpacked += (uint64_t)n;
        if (input->unpacked > UNPACKED_MAX_BYTES) {
                input->is_fatal = true;
                return error_set(err, -EFBIG, "unpacks to more than %llu GiB",
                                 (unsigned long long)(UNPACKED_MAX_BYTES >> 30));
        }
        buf_add(&input->window, chunk, (size_t)n);
        return n > 0;
}

static struct str unused(const struct import *in) { return str_from(buf_str(&in->input->window), in->input->used); }

int import_peek(struct import *in, size_t n, struct str *ret, struct error *err)
{
        int r = 1;
        while (r > 0 && unused(in).n < n)
                r = fill(in, err);
        *ret = unused(in);
        return r < 0 ? r : 0;
}

int import_chunk(struct import *in, struct str *ret, struct error *err)
{
        int r = unused(in).n ? 1 : fill(in, err);
        if (r <= 0)
                return r;
        *ret = unused(in);
        in->input->used = in->input->window.n;
        return 1;
}

int import_line(struct import *in, struct str *ret, struct error *err)
{
        bool is_too_long = false;
        size_t searched = 0;
        arena_done(&in->arena);
        for (;;) {
                struct str have = unused(in);
                ptrdiff_t end = str_find_char(str_from(have, searched), '\n');
                size_t n = end < 0 ? have.n : searched + (size_t)end;
                if (end < 0 && have.n <= IMPORT_RECORD_MAX_BYTES) {
                        searched = have.n;
                        int r = fill(in, err);
                        if (r < 0)
                                return r;
                        if (r > 0)
                                continue;
                        if (!have.n && !is_too_long)
                                return 0;
                }
                is_too_long |= n > IMPORT_RECORD_MAX_BYTES;
                bool is_whole = end >= 0 || n <= IMPORT_RECORD_MAX_BYTES;
                in->input->used += n + (end >= 0);
                searched = 0;
                if (!is_whole)
                        continue;
                in->record++;
                if (is_too_long) {
                        import_malformed(in, "longer than %u MiB", IMPORT_RECORD_MAX_BYTES >> 20);
                        is_too_long = false;
                        continue;
                }
                have = str_upto(have, n);
                *ret = str_ends(have, STR("\r")) ? str_upto(have, n - 1) : have;
                return 1;
        }
}

int import_all(struct import *in, struct str *ret, struct error *err)
{
        int r = 1;
        arena_done(&in->arena);
        while (r > 0 && unused(in).n <= IMPORT_RECORD_MAX_BYTES)
                r = fill(in, err);
        if (r < 0)
                return r;
        struct str all = unused(in);
        if (!all.n)
                return 0;
        in->record++;
        if (all.n > IMPORT_RECORD_MAX_BYTES) {
                import_malformed(in, "longer than %u MiB", IMPORT_RECORD_MAX_BYTES >> 20);
                /* What is left is of no use, but tells whether the archive is whole. */
                while ((r = import_chunk(in, ret, err)) > 0)
                        ;
                return r;
        }
        in->input->used = in->input->window.n;
        *ret = all;
        return 1;
}

void import_skip(struct import *in, enum import_skip why) { in->skipped[why]++; }

void import_malformed(struct import *in, const char *fmt, ...)
{
        char why[512], path[512];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        in->skipped[SKIP_MALFORMED]++;
        snprintf(path, sizeof(path), "%s%s%.*s record %llu", in->name, in->member.n ? ": " : "", STR_FMT(in->member),
                 (unsigned long long)in->record);
        sink_unread(in->out, str_of(path), "corrupt", "%s", why);
}

void import_date(struct import *in, int64_t date) { in->date = MAX(in->date, date); }

static void put_feed(struct import *in, const struct importer *importer)
{
        static const char *const words[SKIP_REASONS] = {
                [SKIP_WITHDRAWN] = "withdrawn",
                [SKIP_MALFORMED] = "malformed",
                [SKIP_GIT] = "only ranges of git commits",
                [SKIP_NO_ORDER] = "ranges of an ecosystem whose versions cannot be compared",
                [SKIP_EMPTY] = "no package named",
                [SKIP_NOT_AFFECTED] = "no release affected",
                [SKIP_UNDETERMINED] = "not determined yet",
                [SKIP_NOT_READ] = "not read when the table was made",
        };
        _cleanup_(buf_done) struct buf why = BUF_INIT(1024);
        struct fact_feed feed = { .kind = str_of(importer->name), .date = in->date, .records = in->records };
        for (size_t i = 0; i < SKIP_REASONS; i++) {
                feed.skipped += in->skipped[i];
                if (in->skipped[i])
                        buf_printf(&why, "%s%s %llu", why.n ? ", " : "", words[i], (unsigned long long)in->skipped[i]);
        }
        feed.skipped_why = buf_str(&why);
        feed.source = buf_str(&in->source);
        feed.licence = buf_str(&in->licence);
        sink_put(in->out, FACT_feed, &feed);
}

static const struct importer *recognise(struct str first_bytes)
{
        for (size_t i = 0; importers[i]; i++)
                if (importers[i]->sniff(first_bytes))
                        return importers[i];
        return NULL;
}

bool import_is_feed_file(struct str name)
{
        static const char *const suffixes[] = { ".json", ".jsonl", ".ndjson", ".csv", ".tsv" };
        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
                if (str_ends(name, str_of(suffixes[i])))
                        return true;
        return false;
}

/* One member: 0 also if it is none of ours. A damaged one costs itself only, where the archive can go on. */
static int run_member(struct import *in, const struct importer **importer, struct error *err)
{
        struct str first;
        struct error why = ERROR_NONE;
        int r = import_peek(in, SNIFF_BYTES, &first, &why);
        if (r == 0 && !*importer)
                *importer = recognise(str_upto(first, SNIFF_BYTES));
        if (r == 0 && *importer)
                r = (*importer)->run(in, &why);
        if (r >= 0)
                return 0;
        if (in->input->is_fatal || !in->member.n)
                return error_set(err, r, "%s: %s", in->name, why.text);
        import_malformed(in, "%s", why.text);
        return 0;
}

static int run_members(struct import *in, const struct importer **importer, struct error *err)
{
        struct import_input *input = in->input;
        for (uint64_t members = 0;; members++) {
                struct archive_entry *entry;
                int r = archive_read_next_header(input->archive, &entry);
                if (r == ARCHIVE_EOF)
                        return 0;
                if (r != ARCHIVE_OK && r != ARCHIVE_WARN) {
                        const char *why = archive_error_string(input->archive);
                        return error_set(err, -EBADMSG, "%s: cannot be unpacked: %s", in->name,
                                         why ? why : "no reason given");
                }
                if (members == MEMBERS_MAX)
                        return error_set(err, -EFBIG, "%s: more than %llu members", in->name,
                                         (unsigned long long)MEMBERS_MAX);
                bool is_archive = archive_format(input->archive) != ARCHIVE_FORMAT_RAW;
                in->member = is_archive ? str_of(archive_entry_pathname(entry)) : STR_NONE;
                if (is_archive && (archive_entry_filetype(entry) != AE_IFREG || !import_is_feed_file(in->member)))
                        continue;
                buf_clear(&input->window);
                input->used = 0;
                input->at_end = false;
                in->record = 0;
                r = run_member(in, importer, err);
                if (r < 0)
                        return r;
        }
}

/* Not archive_read_open_fd: it asks for the file's kind, which a worker's sandbox refuses. */
struct feed_fd {
        int fd;
        char bytes[READ_BYTES];
};

static la_ssize_t on_read(struct archive *a, void *arg, const void **ret)
{
        struct feed_fd *from = arg;
        ssize_t n;
        do
                n = read(from->fd, from->bytes, sizeof(from->bytes));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                archive_set_error(a, errno, "%s", strerror(errno));
        *ret = from->bytes;
        return n;
}

static la_int64_t on_seek(struct archive *a, void *arg, la_int64_t offset, int whence)
{
        struct feed_fd *from = arg;
        off_t at = lseek(from->fd, offset, whence);
        return at < 0 ? ARCHIVE_FATAL : at;
}

static struct archive *open_archive(struct feed_fd *from)
{
        struct archive *a = archive_read_new();
        if (!a)
                return NULL;
        archive_read_support_filter_gzip(a);
        archive_read_support_filter_bzip2(a);
        archive_read_support_filter_xz(a);
        archive_read_support_filter_zstd(a);
        archive_read_support_format_zip(a);
        archive_read_support_format_tar(a);
        archive_read_support_format_empty(a);
        archive_read_support_format_raw(a);
        bool is_seekable = lseek(from->fd, 0, SEEK_CUR) >= 0;
        archive_read_set_read_callback(a, on_read);
        if (is_seekable)
                archive_read_set_seek_callback(a, on_seek);
        archive_read_set_callback_data(a, from);
        if (archive_read_open1(a) != ARCHIVE_OK) {
                archive_read_free(a);
                return NULL;
        }
        return a;
}

static int no_importer(const char *name, struct error *err)
{
        _cleanup_(buf_done) struct buf kinds = BUF_INIT(512);
        for (size_t i = 0; importers[i]; i++)
                buf_printf(&kinds, "%s%s", i ? ", " : "", importers[i]->name);
        return error_set(err, -ENOMSG,
                         "%s: cannot tell what kind of feed this is; write KIND:PATH with one of the kinds %s", name,
                         kinds.p);
}

int import_run(const struct importer *importer, int fd, const char *name, struct sink *out, struct error *err)
{
        struct import_input input = { .window = BUF_INIT(IMPORT_RECORD_MAX_BYTES + 4 * READ_BYTES) };
        struct import in = { .name = name, .out = out, .input = &input };
        in.source = BUF_INIT(1024);
        in.licence = BUF_INIT(256);
        struct feed_fd *from = xmalloc(sizeof(*from));
        from->fd = fd;
        input.archive = open_archive(from);
        int r = input.archive ? run_members(&in, &importer, err) : error_set(err, -EBADMSG, "%s: cannot be read", name);
        if (r >= 0 && !importer)
                r = no_importer(name, err);
        if (r >= 0)
                put_feed(&in, importer);
        archive_read_free(input.archive);
        free(from);
        arena_done(&in.arena);
        buf_done(&input.window);
        buf_done(&in.source);
        buf_done(&in.licence);
        return r;
}
