/* See integrity-contents.h. */
#include "flow/integrity-contents.h"

#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING       ".contents"
#define DIGEST_CHARS 64u
#define TEMPORARY    ".new"

static bool is_digest(struct str s)
{
        uint8_t bytes[DIGEST_CHARS / 2];
        return str_hex(s, sizeof(bytes), bytes);
}

static bool is_text(struct str bytes) { return str_find_char(bytes, '\0') < 0; }

bool integrity_is_secret(struct str path)
{
        static const char *const names[] = { "shadow",   "shadow-",       "gshadow",     "gshadow-",
                                             "opasswd",  "master.passwd", "tcb",         "krb5.keytab",
                                             ".pgpass",  ".netrc",        "id_rsa",      "id_dsa",
                                             "id_ecdsa", "id_ed25519",    "id_ecdsa_sk", "id_ed25519_sk" };
        static const char *const endings[] = { ".key", ".pem", ".p12", ".pfx", ".jks", ".keytab", ".kdbx", "_key" };
        static const char *const below[] = { "/ssl/private/", "/etc/sudoers.d/.", "/.gnupg/" };
        ptrdiff_t slash = str_rfind_char(path, '/');
        struct str name = str_from(path, (size_t)(slash + 1));
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (str_is(name, names[i]))
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
                if (str_ends(name, str_of(endings[i])))
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(below); i++)
                if (str_find(path, str_of(below[i])) >= 0)
                        return true;
        return false;
}

/* Calls each for every content that lies there; true: it is to go. */
static void each_content(struct integrity_contents *c, bool (*goes)(void *arg, struct str digest), void *arg)
{
        int fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        if (!d)
                close_fd(fd);
        c->used = 0;
        for (struct dirent *e; d && (e = readdir(d));) {
                struct stat st;
                if (e->d_name[0] == '.' && !str_starts(str_of(e->d_name), STR(TEMPORARY)))
                        continue;
                bool is_ours = is_digest(str_of(e->d_name));
                if (!is_ours || (goes && goes(arg, str_of(e->d_name))))
                        (void)unlinkat(c->dir, e->d_name, 0);
                else if (fstatat(c->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
                        c->used += (uint64_t)st.st_size;
        }
        if (d)
                closedir(d);
}

static int open_directory(struct integrity_contents *c, const char *path)
{
        *c = (struct integrity_contents){ .dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) };
        return c->dir < 0 ? -errno : 0;
}

int integrity_contents_open(struct integrity_contents *c, const char *baseline, struct error *err)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        const char *path = arena_printf(&arena, "%s" ENDING, baseline).p;
        *c = (struct integrity_contents){ .dir = -1 };
        int r = make_dirs(path, 0700);
        if (r == 0)
                r = open_directory(c, path);
        if (r < 0)
                return error_errno(err, r, "what files held is not kept in %s", path);
        each_content(c, NULL, NULL);
        return 0;
}

int integrity_contents_open_to_read(struct integrity_contents *c, const char *baseline)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        return open_directory(c, arena_printf(&arena, "%s" ENDING, baseline).p);
}

void integrity_contents_close(struct integrity_contents *c) { c->dir = close_fd(c->dir); }

void integrity_contents_keep(struct integrity_contents *c, struct str path, struct str digest, struct str bytes)
{
        char name[DIGEST_CHARS + 1], temporary[64];
        if (c->dir < 0 || !is_digest(digest) || bytes.n > INTEGRITY_TEXT_MAX || !is_text(bytes) ||
            integrity_is_secret(path) || c->used + bytes.n > INTEGRITY_CONTENTS_MAX)
                return;
        snprintf(name, sizeof(name), "%.*s", STR_FMT(digest));
        if (faccessat(c->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return;
        snprintf(temporary, sizeof(temporary), TEMPORARY "%d", (int)getpid()); /* the agent and its child both keep */
        _cleanup_(closep) int fd =
                openat(c->dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return;
        if (write_all(fd, bytes.p, bytes.n) == 0 && renameat(c->dir, temporary, c->dir, name) == 0)
                c->used += bytes.n;
        else
                (void)unlinkat(c->dir, temporary, 0);
}

int integrity_contents_find(const struct integrity_contents *c, struct str digest)
{
        char name[DIGEST_CHARS + 1];
        if (c->dir < 0 || !is_digest(digest))
                return -ENOENT;
        snprintf(name, sizeof(name), "%.*s", STR_FMT(digest));
        int fd = openat(c->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static bool is_unused(void *arg, struct str digest) { return !set64_has(arg, hash_str(digest)); }

void integrity_contents_prune(struct integrity_contents *c, const struct integrity_set *const *sets, size_t n)
{
        struct set64 used = { 0 };
        if (c->dir < 0)
                return;
        for (size_t k = 0; k < n; k++)
                for (size_t i = 0; i < sets[k]->v.n; i++)
                        if (sets[k]->v.v[i].path.n)
                                (void)set64_add(&used, hash_str(sets[k]->v.v[i].content));
        each_content(c, is_unused, &used);
        set64_done(&used);
}
