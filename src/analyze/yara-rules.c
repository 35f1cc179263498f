/*
 * See yara-rules.h. All files are read first: their bytes are what is digested for the cache's key, and what is
 * compiled, so a file that changes meanwhile is never kept under another's key. Rules that include other files are
 * compiled each time: what they include is known only to the compiler.
 */
#include "analyze/yara-rules.h"

#include "analyze/yara-cache.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/vec.h"
#include "read/digest.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATHS_BYTES 4096

const char *const yara_variables[] = { "filename", "filepath", "extension", "filetype", "owner", NULL };

/* --- the sources --- */

struct source {
        char *path;
        struct buf text;
};

struct sources {
        VEC(struct source) v;
        size_t bytes;
};

static void sources_done(struct sources *s)
{
        for (size_t i = 0; i < s->v.n; i++) {
                free(s->v.v[i].path);
                buf_done(&s->v.v[i].text);
        }
        vec_done(&s->v);
}

static int add_file(struct sources *s, const char *path, struct error *err)
{
        if (s->v.n == YARA_FILES_MAX)
                return error_set(err, -E2BIG, "%s: more than %d files of rules", path, YARA_FILES_MAX);
        struct buf text = BUF_INIT(YARA_SOURCES_MAX - s->bytes);
        int r = read_file(path, &text, err);
        if (r == -EFBIG)
                r = error_set(err, r, "%s: more than %u bytes of rules", path, YARA_SOURCES_MAX);
        if (r < 0) {
                buf_done(&text);
                return r;
        }
        s->bytes += text.n;
        *vec_push(&s->v) = (struct source){ xstrdup(path), text };
        return 0;
}

static bool is_rule_file(const char *name)
{
        struct str s = str_of(name);
        return str_ends(s, STR(".yar")) || str_ends(s, STR(".yara"));
}

static int add_path(struct sources *s, const char *path, unsigned depth, struct error *err);

static int add_directory(struct sources *s, const char *path, unsigned depth, struct error *err)
{
        struct dirent **names;
        int r = 0, n = depth > YARA_DEPTH_MAX ? 0 : scandir(path, &names, NULL, alphasort);
        if (n < 0)
                return error_errno(err, -errno, "cannot read %s", path);
        for (int i = 0; i < n; i++) {
                char below[PATHS_BYTES];
                struct stat st;
                bool fits = (size_t)snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name) < sizeof(below);
                bool hidden = names[i]->d_name[0] == '.';
                if (r == 0 && fits && !hidden && lstat(below, &st) == 0 &&
                    (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && is_rule_file(below))))
                        r = add_path(s, below, depth + 1, err);
                free(names[i]);
        }
        if (n > 0)
                free(names);
        return r;
}

static int add_path(struct sources *s, const char *path, unsigned depth, struct error *err)
{
        struct stat st;
        if (stat(path, &st) < 0)
                return error_errno(err, -errno, "cannot open %s", path);
        return S_ISDIR(st.st_mode) ? add_directory(s, path, depth, err) : add_file(s, path, err);
}

/* --- the key --- */

static void add_text(struct digest *d, const char *s) { digest_add(d, s, strlen(s) + 1); }

/*
 * What compiled rules depend on: libyara, told by the version that we were built with and by the file that is loaded
 * now; the variables; the files, with their paths, which are the name spaces.
 */
static void make_key(const struct sources *s, uint8_t ret[static YARA_CACHE_KEY])
{
        struct digest d;
        Dl_info library;
        struct stat st;
        digest_init(&d, DIGEST_SHA256);
        add_text(&d, YR_VERSION);
        if (dladdr((void *)yr_initialize, &library) && stat(library.dli_fname, &st) == 0) {
                digest_add(&d, &st.st_size, sizeof(st.st_size));
                digest_add(&d, &st.st_mtim, sizeof(st.st_mtim));
        }
        for (size_t i = 0; yara_variables[i]; i++)
                add_text(&d, yara_variables[i]);
        for (size_t i = 0; i < s->v.n; i++) {
                uint64_t n = s->v.v[i].text.n;
                add_text(&d, s->v.v[i].path);
                digest_add(&d, &n, sizeof(n));
                digest_add(&d, s->v.v[i].text.p, (size_t)n);
        }
        digest_end(&d, ret);
        digest_done(&d);
}

/* Whether "include", blanks and a quotation mark stand anywhere, which is all that libyara asks of it too. */
static bool include_others(const struct sources *s)
{
        for (size_t i = 0; i < s->v.n; i++) {
                struct str rest = buf_str(&s->v.v[i].text);
                for (ptrdiff_t at; (at = str_find(rest, STR("include"))) >= 0;) {
                        rest = str_from(rest, (size_t)at + strlen("include"));
                        size_t blanks = 0;
                        while (blanks < rest.n && (rest.p[blanks] == ' ' || rest.p[blanks] == '\t'))
                                blanks++;
                        if (blanks < rest.n && rest.p[blanks] == '"')
                                return true;
                }
        }
        return false;
}

/* --- compiling --- */

struct compiling {
        YR_COMPILER *compiler;
        struct error *err;
        bool failed;
};

/* The first error is the one that is told; warnings are the rules' author's business. */
static void on_message(int level, const char *file, int line, const YR_RULE *rule, const char *message, void *arg)
{
        struct compiling *c = arg;
        if (level != YARA_ERROR_LEVEL_ERROR || c->failed)
                return;
        c->failed = true;
        (void)error_set(c->err, -EINVAL, "%s:%d: %s", file ? file : "(rules)", line, message);
}

static int compile_file(struct compiling *c, const struct source *s)
{
        FILE *f = s->text.n ? fmemopen(s->text.p, s->text.n, "r") : NULL;
        if (!f)
                return s->text.n ? error_set(c->err, -ENOMEM, "no memory for YARA rules") : 0;
        /* Each file is a name space of its own: public sets use the same names. */
        int errors = yr_compiler_add_file(c->compiler, f, s->path, s->path);
        fclose(f);
        if (!errors)
                return 0;
        return c->failed ? -EINVAL : error_set(c->err, -EINVAL, "%s: the rules do not compile", s->path);
}

static int compile_all(struct compiling *c, const struct sources *s, YR_RULES **ret)
{
        yr_compiler_set_callback(c->compiler, on_message, c);
        for (size_t i = 0; yara_variables[i]; i++)
                if (yr_compiler_define_string_variable(c->compiler, yara_variables[i], "") != ERROR_SUCCESS)
                        return error_set(c->err, -ENOMEM, "no memory for YARA rules");
        for (size_t i = 0; i < s->v.n; i++) {
                int r = compile_file(c, &s->v.v[i]);
                if (r < 0)
                        return r;
        }
        if (yr_compiler_get_rules(c->compiler, ret) != ERROR_SUCCESS)
                return error_set(c->err, -ENOMEM, "no memory for YARA rules");
        return 0;
}

static int compile(const struct sources *s, YR_RULES **ret, struct error *err)
{
        struct compiling c = { .err = err };
        if (yr_compiler_create(&c.compiler) != ERROR_SUCCESS)
                return error_set(err, -ENOMEM, "no memory for YARA rules");
        int r = compile_all(&c, s, ret);
        yr_compiler_destroy(c.compiler);
        return r;
}

/* --- both --- */

static int compile_and_keep(const struct sources *s, const char *cache, struct yara_rules *ret, struct error *err)
{
        uint8_t key[YARA_CACHE_KEY];
        struct error why = ERROR_NONE;
        make_key(s, key);
        int loaded = cache ? yara_cache_load(cache, key, &ret->compiled, &why) : -ENOENT;
        if (loaded == 0) {
                snprintf(ret->origin, sizeof(ret->origin), "compiled before, from %s", cache);
                return 0;
        }
        int r = compile(s, &ret->compiled, err);
        if (r < 0)
                return r;
        if (!cache)
                snprintf(ret->origin, sizeof(ret->origin), "compiled");
        else if (include_others(s))
                snprintf(ret->origin, sizeof(ret->origin), "compiled, and not kept: they include other files");
        else if (loaded != -ENOENT && loaded != -EBADMSG)
                snprintf(ret->origin, sizeof(ret->origin), "compiled, and not kept: %s", why.text);
        else if (yara_cache_save(cache, key, ret->compiled, &why) < 0)
                snprintf(ret->origin, sizeof(ret->origin), "compiled, and not kept: %s", why.text);
        else
                snprintf(ret->origin, sizeof(ret->origin), "compiled, and kept in %s%s%s", cache,
                         loaded == -EBADMSG ? "; what was there is ignored: " : "", loaded == -EBADMSG ? why.text : "");
        return 0;
}

int yara_rules_load(const char *const *paths, size_t n, const char *cache, struct yara_rules *ret, struct error *err)
{
        struct sources s = { .bytes = 0 };
        struct yara_rules made = { .n = 0 };
        YR_RULE *rule;
        int r = 0;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = add_path(&s, paths[i], 0, err);
        if (r == 0 && !s.v.n)
                r = error_set(err, -ENOENT, "%s holds no *.yar or *.yara", paths[0]);
        if (r == 0)
                r = compile_and_keep(&s, cache, &made, err);
        sources_done(&s);
        if (r < 0)
                return r;
        yr_rules_foreach(made.compiled, rule) made.n++;
        *ret = made;
        return 0;
}

void yara_rules_done(struct yara_rules *r)
{
        if (r->compiled)
                yr_rules_destroy(r->compiled);
        r->compiled = NULL;
}
