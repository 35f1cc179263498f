/*
 * Package headers of rpm: see rpmdb.h. Follows rpm's lib/header.c: two counts, an index of (tag, type, offset, count),
 * the data. In a sound header the entries' data follow each other without overlap, but for the first entry, the
 * "region", which only says what was signed.
 */
#include "base/arena.h"
#include "base/cursor.h"
#include "read/rpmdb.h"

#include <stdlib.h>

enum type { CHAR = 1, INT8, INT16, INT32, INT64, STRING, BIN, STRING_ARRAY, I18N_STRING };

static const struct {
        uint32_t number;
        enum type type;
} tags[RPM_TAGS] = {
        [RPM_NAME] = { 1000, STRING },
        [RPM_VERSION] = { 1001, STRING },
        [RPM_RELEASE] = { 1002, STRING },
        [RPM_EPOCH] = { 1003, INT32 },
        [RPM_ARCH] = { 1022, STRING },
        [RPM_VENDOR] = { 1011, STRING },
        [RPM_LICENSE] = { 1014, STRING },
        [RPM_SOURCERPM] = { 1044, STRING },
        [RPM_MODULARITYLABEL] = { 5096, STRING },
        [RPM_BASENAMES] = { 1117, STRING_ARRAY },
        [RPM_DIRNAMES] = { 1118, STRING_ARRAY },
        [RPM_DIRINDEXES] = { 1116, INT32 },
        [RPM_FILEDIGESTS] = { 1035, STRING_ARRAY },
        [RPM_FILEDIGESTALGO] = { 5011, INT32 },
        [RPM_FILEFLAGS] = { 1037, INT32 },
        [RPM_FILEMODES] = { 1030, INT16 },
        [RPM_FILESTATES] = { 1029, CHAR },
        [RPM_OLDFILENAMES] = { 1027, STRING_ARRAY },
};

enum { REGION_FIRST = 61, REGION_LAST = 63, ENTRY_BYTES = 16 };

static size_t width_of(uint32_t type)
{
        switch (type) {
        case INT16:
                return 2;
        case INT32:
                return 4;
        case INT64:
                return 8;
        default:
                return 1;
        }
}

/* How many bytes at the front of data an entry takes; false if it does not fit. */
static bool entry_length(struct str data, uint32_t type, uint32_t count, size_t *ret)
{
        if (type < CHAR || type > I18N_STRING || count == 0 || (type == STRING && count != 1))
                return false;
        if (type < STRING || type == BIN) {
                *ret = width_of(type) * (size_t)count;
                return *ret <= data.n;
        }
        size_t n = 0;
        for (; count; count--) {
                ptrdiff_t end = str_find_char(str_from(data, n), 0);
                if (end < 0)
                        return false;
                n += (size_t)end + 1;
        }
        *ret = n;
        return true;
}

/* The place of a tag in tags[], or -1. */
static int known(uint32_t number)
{
        for (int i = 0; i < RPM_TAGS; i++)
                if (tags[i].number == number)
                        return i;
        return -1;
}

static bool has_right_type(int tag, uint32_t type)
{
        return type == (uint32_t)tags[tag].type || (type == I18N_STRING && tags[tag].type == STRING) ||
               (type == INT8 && tags[tag].type == CHAR);
}

bool rpm_header_parse(struct str bytes, struct rpm_header *ret)
{
        struct cursor c = cursor_from(bytes);
        uint32_t entries = cursor_be32(&c), size = cursor_be32(&c);
        if (!cursor_ok(&c) || entries == 0 || entries > RPM_HEADER_ENTRIES_MAX)
                return false;
        struct cursor index = cursor_sub(&c, (size_t)entries * ENTRY_BYTES);
        struct str data = cursor_bytes(&c, size);
        if (!cursor_ok(&c))
                return false;
        struct rpm_header h = { 0 };
        size_t end = 0;
        for (uint32_t i = 0; i < entries; i++) {
                uint32_t tag = cursor_be32(&index), type = cursor_be32(&index), offset = cursor_be32(&index);
                uint32_t count = cursor_be32(&index);
                size_t length;
                if (tag >= REGION_FIRST && tag <= REGION_LAST && i == 0)
                        continue;
                int at = known(tag);
                if (at >= 0 && (h.values[at].p || !has_right_type(at, type))) {
                        h.defect = h.values[at].p ? "a tag stands twice in a header"
                                                  : "a tag of a header has the wrong type";
                        continue;
                }
                if (offset < end) {
                        /* What is needed is taken all the same; the rest must not be walked over and over. */
                        h.defect = "entries of a header overlap";
                        if (at < 0)
                                continue;
                }
                if (offset >= data.n || offset % width_of(type) != 0 ||
                    !entry_length(str_from(data, offset), type, count, &length)) {
                        h.defect = "an entry of a header lies outside its data";
                        continue;
                }
                end = MAX(end, offset + length);
                if (at >= 0) {
                        h.values[at] = str_upto(str_from(data, offset), length);
                        h.counts[at] = count;
                }
        }
        *ret = h;
        return true;
}

struct str rpm_header_text(const struct rpm_header *h, enum rpm_tag tag)
{
        struct str s = h->values[tag];
        return str_cut(&s, 0);
}

static uint32_t number_at(const struct rpm_header *h, enum rpm_tag tag, uint32_t i)
{
        size_t width = width_of(tags[tag].type);
        struct cursor c = cursor_from(str_from(h->values[tag], i * width));
        return width == 4 ? cursor_be32(&c) : width == 2 ? cursor_be16(&c) : cursor_u8(&c);
}

bool rpm_header_number(const struct rpm_header *h, enum rpm_tag tag, uint32_t *ret)
{
        if (h->counts[tag] == 0)
                return false;
        *ret = number_at(h, tag, 0);
        return true;
}

bool rpm_source_parse(struct str file_name, struct str *ret_name, struct str *ret_version_release)
{
        struct str s = file_name;
        if (str_ends(s, STR(".src.rpm")))
                s.n -= 8;
        else if (str_ends(s, STR(".nosrc.rpm")))
                s.n -= 10;
        else
                return false;
        ptrdiff_t release = str_rfind_char(s, '-');
        ptrdiff_t version = release < 0 ? -1 : str_rfind_char(str_upto(s, (size_t)release), '-');
        if (version <= 0 || version + 1 == release || (size_t)release + 1 == s.n)
                return false;
        *ret_name = str_upto(s, (size_t)version);
        *ret_version_release = str_from(s, (size_t)version + 1);
        return true;
}

struct rpm_files rpm_files_from(const struct rpm_header *h)
{
        struct rpm_files f = { .header = h };
        bool is_old = h->counts[RPM_BASENAMES] == 0;
        f.names = h->values[is_old ? RPM_OLDFILENAMES : RPM_BASENAMES];
        f.n = h->counts[is_old ? RPM_OLDFILENAMES : RPM_BASENAMES];
        if (f.n > RPM_FILES_MAX || h->counts[RPM_DIRNAMES] > RPM_FILES_MAX) {
                f.defect = "a package lists too many files";
                f.n = 0;
                return f;
        }
        if (!is_old) {
                if (h->counts[RPM_DIRINDEXES] != f.n) {
                        f.defect = "a package has not one directory for each file";
                        f.n = 0;
                        return f;
                }
                struct str rest = h->values[RPM_DIRNAMES];
                f.n_directories = h->counts[RPM_DIRNAMES];
                f.directories = xcalloc(f.n_directories, sizeof(*f.directories));
                for (uint32_t i = 0; i < f.n_directories; i++)
                        f.directories[i] = str_cut(&rest, 0);
        }
        /* A list of another length belongs to other files: better no digest, mode or flag than a wrong one. */
        static const enum rpm_tag parallel[] = { RPM_FILEDIGESTS, RPM_FILEFLAGS, RPM_FILEMODES };
        for (size_t i = 0; i < ARRAY_SIZE(parallel); i++)
                if (h->counts[parallel[i]] && h->counts[parallel[i]] != f.n)
                        f.defect = "a package's lists of files have different lengths";
        if (h->counts[RPM_FILEDIGESTS] == f.n)
                f.digests = h->values[RPM_FILEDIGESTS];
        return f;
}

static uint32_t parallel_number(const struct rpm_files *f, enum rpm_tag tag)
{
        return f->header->counts[tag] == f->n ? number_at(f->header, tag, f->at) : 0;
}

bool rpm_files_next(struct rpm_files *f, struct rpm_file *ret)
{
        for (; f->at < f->n; f->at++) {
                struct rpm_file file = { .name = str_cut(&f->names, 0), .digest = str_cut(&f->digests, 0) };
                if (f->directories) {
                        uint32_t directory = number_at(f->header, RPM_DIRINDEXES, f->at);
                        if (directory >= f->n_directories) {
                                f->defect = "a file is in a directory that is not listed";
                                continue;
                        }
                        file.directory = f->directories[directory];
                }
                file.flags = parallel_number(f, RPM_FILEFLAGS);
                file.mode = (uint16_t)parallel_number(f, RPM_FILEMODES);
                file.state = (uint8_t)parallel_number(f, RPM_FILESTATES);
                f->at++;
                *ret = file;
                return true;
        }
        return false;
}

void rpm_files_done(struct rpm_files *f)
{
        free(f->directories);
        *f = (struct rpm_files){ 0 };
}

const char *rpm_digest_algorithm(const struct rpm_header *h, size_t *ret_bytes)
{
        uint32_t number = 1; /* packages from before the tag have MD5 */
        (void)rpm_header_number(h, RPM_FILEDIGESTALGO, &number);
        *ret_bytes = number == 1 ? 16 : number == 2 ? 20 : number == 8 ? 32 : 0;
        return number == 1 ? "md5" : number == 2 ? "sha1" : number == 8 ? "sha256" : NULL;
}
