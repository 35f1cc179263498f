/*
 * Readers of rpm's package databases: Berkeley DB hash (Packages), ndb (Packages.db) and SQLite (rpmdb.sqlite), out of
 * the whole file's bytes in memory, and of the package headers that they hold.
 *
 * Hostile input: whatever a reader gives out in all is at most as much as the file's own size, every chain and table is
 * bounded by the file, and a database that is cut or damaged gives what can be read of it beside its defects.
 */
#ifndef SEKISHO_READ_RPMDB_H
#define SEKISHO_READ_RPMDB_H

#include "base/budget.h"
#include "base/str.h"

#define RPMDB_PACKAGES_MAX     200000u            /* headers of one database */
#define RPMDB_HEADER_MAX       ((size_t)64 << 20) /* bytes of one header */
#define RPMDB_DEFECTS_MAX      20u                /* told one by one; further ones are only counted */
#define RPM_HEADER_ENTRIES_MAX 0xffffu            /* rpm's own limit */
#define RPM_FILES_MAX          500000u            /* files of one package */

struct rpmdb_visitor {
        /* A package's header, valid during the call; offset: where its record starts in the file. */
        void (*header)(struct rpmdb_visitor *v, struct str header, uint64_t offset);
        /* What could not be read: code is an unread fact's (corrupt, truncated, limit, unsupported). */
        void (*defect)(struct rpmdb_visitor *v, const char *code, const char *why, uint64_t offset);
};

enum rpmdb_kind { RPMDB_UNKNOWN, RPMDB_BDB, RPMDB_NDB, RPMDB_SQLITE };

/* By the file's first bytes, whatever its name. */
enum rpmdb_kind rpmdb_recognise(struct str bytes);

/* Visits each header in the order of the file. Returns the number of headers given. */
size_t rpmdb_read_bdb(struct str bytes, struct rpmdb_visitor *v);
size_t rpmdb_read_ndb(struct str bytes, struct rpmdb_visitor *v);
size_t rpmdb_read_sqlite(struct str bytes, struct rpmdb_visitor *v);
size_t rpmdb_read(struct str bytes, struct rpmdb_visitor *v); /* recognises first; an unknown file is a defect */

/*
 * A package header: an index of tags over a store of data, all numbers big-endian, as the databases hold it (without
 * the magic of package files). Values are views into the bytes it was parsed from.
 */
enum rpm_tag {
        RPM_NAME,
        RPM_VERSION,
        RPM_RELEASE,
        RPM_EPOCH,
        RPM_ARCH,
        RPM_VENDOR,
        RPM_LICENSE,
        RPM_SOURCERPM,
        RPM_MODULARITYLABEL,
        RPM_BASENAMES,
        RPM_DIRNAMES,
        RPM_DIRINDEXES,
        RPM_FILEDIGESTS,
        RPM_FILEDIGESTALGO,
        RPM_FILEFLAGS,
        RPM_FILEMODES,
        RPM_FILESTATES,
        RPM_OLDFILENAMES,
        RPM_TAGS
};

struct rpm_header {
        struct str values[RPM_TAGS]; /* the entry's bytes, in its type; p == NULL: not there */
        uint32_t counts[RPM_TAGS];
        const char *defect; /* NULL, or what is wrong with an entry; the others can be used */
};

/* False if the bytes are no header: its sizes do not fit them. Entries that are damaged are left out. */
bool rpm_header_parse(struct str bytes, struct rpm_header *ret);

struct str rpm_header_text(const struct rpm_header *h, enum rpm_tag tag); /* empty: not there */
bool rpm_header_number(const struct rpm_header *h, enum rpm_tag tag, uint32_t *ret);

/* "name-version-release.src.rpm" into its parts; false if it is none. */
bool rpm_source_parse(struct str file_name, struct str *ret_name, struct str *ret_version_release);

enum { RPM_FILE_CONFIG = 1u << 0, RPM_FILE_GHOST = 1u << 6 };
enum { RPM_STATE_NORMAL, RPM_STATE_REPLACED, RPM_STATE_NOT_INSTALLED, RPM_STATE_NET_SHARED, RPM_STATE_WRONG_COLOUR };

struct rpm_file {
        struct str directory, name; /* the path is both joined; old packages: all of it in name */
        struct str digest;          /* hexadecimal; empty for what is not a regular file */
        uint32_t flags;             /* RPM_FILE_* */
        uint16_t mode;              /* as in stat; 0: not known */
        uint8_t state;              /* RPM_STATE_* */
};

/* Walks the files of a package. rpm_files_done frees the table of directories. */
struct rpm_files {
        const struct rpm_header *header;
        struct str *directories;
        uint32_t n_directories, n, at;
        struct str names, digests; /* what is left of the lists */
        const char *defect;        /* NULL, or why not all files could be read */
};

struct rpm_files rpm_files_from(const struct rpm_header *h);
bool rpm_files_next(struct rpm_files *f, struct rpm_file *ret);
void rpm_files_done(struct rpm_files *f);

/* The digest algorithm of FILEDIGESTS by rpm's (OpenPGP's) number: "md5", "sha1", "sha256", or NULL for others. */
const char *rpm_digest_algorithm(const struct rpm_header *h, size_t *ret_bytes);

#endif
