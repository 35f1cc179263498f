/*
 * Opens advisory databases and reads their rows. Input: a file made by db-write.c, perhaps damaged since, perhaps
 * hostile. Invariant: after db_open every section lies in the file; every further offset is checked when it is used.
 */
#include "base/buf.h"
#include "intel/db-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

const unsigned db_row_words[DB_SECTIONS] = {
        [DB_STRINGS] = 0,
        [DB_ECOSYSTEMS] = ECOSYSTEM_WORDS,
        [DB_PACKAGES] = PACKAGE_WORDS,
        [DB_AFFECTED] = AFFECTED_WORDS,
        [DB_INTERVALS] = INTERVAL_WORDS,
        [DB_LISTS] = 1,
        [DB_ADVISORIES] = ADVISORY_WORDS,
        [DB_VULNS] = VULN_WORDS,
        [DB_CVES] = CVE_WORDS,
        [DB_NAMES] = NAME_WORDS,
        [DB_REACHED] = 1,
        [DB_FEEDS] = FEED_WORDS,
};

static int read_header(struct db *db, struct error *err)
{
        struct cursor c = cursor_from(str_span(db->bytes, MIN(db->size, (size_t)DB_HEADER_SIZE)));
        struct str magic = cursor_bytes(&c, DB_AT_VERSION);
        if (!cursor_ok(&c) || !str_is(magic, DB_MAGIC))
                return error_set(err, -EBADMSG, "not an advisory database (it does not start with \"%s\")", DB_MAGIC);
        uint32_t version = cursor_le32(&c), sections = cursor_le32(&c);
        if (!cursor_ok(&c) || version != DB_VERSION || sections != DB_SECTIONS)
                return error_set(err, -EPROTO,
                                 "made for another version of sekisho (format %u, this one reads %u): "
                                 "make it again with sekisho db update or db build",
                                 version, DB_VERSION);
        uint64_t file_size = cursor_le64(&c);
        db->date = (int64_t)cursor_le64(&c);
        struct str digest = cursor_bytes(&c, 32);
        if (!cursor_ok(&c) || file_size != db->size)
                return error_set(err, -EBADMSG, "damaged: %zu bytes long instead of %llu", db->size,
                                 (unsigned long long)file_size);
        struct cursor last = cursor_from(str_span(db->bytes, DB_HEADER_SIZE));
        cursor_seek(&last, DB_AT_CHECKSUM);
        if (cursor_le64(&last) != XXH64(db->bytes, DB_AT_CHECKSUM, 0) || !cursor_ok(&last))
                return error_set(err, -EBADMSG, "damaged: the checksum of its header is wrong");
        memcpy(db->digest, "sha256:", 7);
        for (size_t i = 0; i < 32; i++)
                snprintf(db->digest + 7 + 2 * i, 3, "%02x", (uint8_t)digest.p[i]);

        uint64_t end = DB_HEADER_SIZE;
        for (unsigned s = 0; s < DB_SECTIONS; s++) {
                uint64_t offset = cursor_le64(&c), rows = cursor_le64(&c), size;
                unsigned row = db_row_words[s] ? db_row_words[s] * 4 : 1;
                if (!cursor_ok(&c) || offset < end || offset > db->size || __builtin_mul_overflow(rows, row, &size) ||
                    size > db->size - offset)
                        return error_set(err, -EBADMSG, "damaged: section %u does not lie in the file", s);
                db->parts[s] = (struct db_part){ db->bytes + offset, rows };
                end = offset + size;
        }
        return 0;
}

int db_open_memory(struct str bytes, struct db **ret, struct error *err)
{
        struct db *db = xcalloc(1, sizeof(*db));
        db->bytes = (const uint8_t *)bytes.p;
        db->size = bytes.n;
        int r = read_header(db, err);
        if (r < 0) {
                free(db);
                return r;
        }
        *ret = db;
        return 0;
}

int db_open(const char *path, struct db **ret, struct error *err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errno(err, -errno, "cannot open the advisory database %s", path);
        if (!S_ISREG(st.st_mode))
                return error_set(err, -EINVAL, "the advisory database %s is not a regular file", path);
        if (st.st_size < DB_HEADER_SIZE || (uint64_t)st.st_size > SIZE_MAX)
                return error_set(err, -EBADMSG, "advisory database %s: damaged: only %lld bytes long", path,
                                 (long long)st.st_size);
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
                return error_errno(err, -errno, "cannot map the advisory database %s", path);
        int r = db_open_memory(str_span(p, (size_t)st.st_size), ret, err);
        if (r < 0) {
                munmap(p, (size_t)st.st_size);
                return error_prefix(err, r, "advisory database %s", path);
        }
        (*ret)->is_mapped = true;
        (*ret)->path = xstrdup(path);
        return 0;
}

void db_close(struct db *db)
{
        if (!db)
                return;
        if (db->is_mapped)
                munmap((void *)db->bytes, db->size);
        free(db->path);
        free(db);
}

void db_closep(struct db **db)
{
        db_close(*db);
        *db = NULL;
}

bool db_text(const struct db *db, uint32_t at, struct str *ret)
{
        const struct db_part *part = &db->parts[DB_STRINGS];
        if (at >= part->n)
                return false;
        /* Nearly every text is shorter than 128 bytes, and this is where matching spends its time. */
        uint8_t first = part->p[at];
        if (first < 0x80 && first < part->n - at) {
                *ret = str_span(part->p + at + 1, first);
                return true;
        }
        struct cursor c = cursor_from(str_span(part->p + at, part->n - at));
        uint64_t n = cursor_varint(&c);
        *ret = cursor_bytes(&c, n > SIZE_MAX ? SIZE_MAX : (size_t)n);
        return cursor_ok(&c);
}

bool db_list_text(const struct db *db, uint64_t at, struct str *ret)
{
        uint32_t text;
        return db_row(db, DB_LISTS, at, 1, &text) && db_text(db, text, ret);
}

int ecosystem_order(struct str a, struct str b)
{
        for (size_t i = 0; i < a.n && i < b.n; i++) {
                unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
                x = x >= 'A' && x <= 'Z' ? x + 32 : x;
                y = y >= 'A' && y <= 'Z' ? y + 32 : y;
                if (x != y)
                        return x < y ? -1 : 1;
        }
        return (a.n > b.n) - (a.n < b.n);
}

struct str db_path(const struct db *db) { return str_of(db->path); }

struct str db_digest(const struct db *db) { return str_of(db->digest); }

int64_t db_date(const struct db *db) { return db->date; }

uint64_t db_advisories(const struct db *db) { return db->parts[DB_ADVISORIES].n; }

size_t db_feeds(const struct db *db) { return (size_t)db->parts[DB_FEEDS].n; }

bool db_feed(const struct db *db, size_t i, struct db_feed *ret)
{
        uint32_t row[FEED_WORDS];
        struct db_feed f;
        if (!db_row(db, DB_FEEDS, i, FEED_WORDS, row) || !db_text(db, row[FEED_NAME], &f.name) ||
            !db_text(db, row[FEED_SOURCE], &f.source) || !db_text(db, row[FEED_LICENCE], &f.licence) ||
            !db_text(db, row[FEED_WHY], &f.skipped_why))
                return false;
        f.date = (int64_t)db_wide(&row[FEED_DATE]);
        f.fetched = (int64_t)db_wide(&row[FEED_FETCHED]);
        f.records = db_wide(&row[FEED_RECORDS]);
        f.skipped = db_wide(&row[FEED_SKIPPED]);
        *ret = f;
        return true;
}
