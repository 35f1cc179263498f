/* See db-locate.h. */
#include "intel/db-locate.h"

#include "base/fs.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define SYSTEM_DIRECTORY "/var/lib/sekisho"
#define FILE_NAME        "advisories.db"

bool db_path_user(struct buf *ret) { return cache_path(FILE_NAME, ret); }

bool db_path_to_write(struct buf *ret)
{
        const char *named = env_or("SEKISHO_DB", NULL);
        bool is_system = geteuid() == 0 && access(SYSTEM_DIRECTORY, W_OK) == 0;
        if (!is_system && (!named || strcmp(named, "embedded") == 0))
                return db_path_user(ret);
        buf_clear(ret);
        buf_puts(ret, named && strcmp(named, "embedded") != 0 ? named : SYSTEM_DIRECTORY "/" FILE_NAME);
        return !buf_is_full(ret);
}

static int open_named(const char *file, struct db **ret, struct str *ret_source, struct error *err)
{
        bool is_embedded = strcmp(file, "embedded") == 0;
        int r = is_embedded ? db_open_embedded(ret, err) : db_open(file, ret, err);
        if (r >= 0)
                *ret_source = is_embedded ? STR("embedded") : db_path(*ret);
        return r;
}

int db_locate(const char *file, struct db **ret, struct str *ret_source, struct error *err)
{
        _cleanup_(buf_done) struct buf user = BUF_INIT(PATH_MAX);
        if (!file)
                file = env_or("SEKISHO_DB", NULL);
        if (file)
                return open_named(file, ret, ret_source, err);
        const char *usual[] = { db_path_user(&user) ? user.p : NULL, SYSTEM_DIRECTORY "/" FILE_NAME };
        for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
                if (!usual[i] ||
                    (access(usual[i], F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)))
                        continue;
                int r = open_named(usual[i], ret, ret_source, err);
                if (r < 0 && err) {
                        size_t n = strlen(err->text);
                        snprintf(err->text + n, sizeof(err->text) - n,
                                 "; or use the one in the program with --db embedded");
                }
                return r;
        }
        return open_named("embedded", ret, ret_source, err);
}
