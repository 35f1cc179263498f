/* Where credentials are kept: podman's and docker's files. See auth.h. */
#include "source/auth.h"

#include "base/arena.h"
#include "base/fs.h"
#include "read/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#define DOCKER_IO_KEY "https://index.docker.io/v1/"

void secret_freep(char **secret)
{
        if (*secret)
                explicit_bzero(*secret, strlen(*secret));
        free(*secret);
        *secret = NULL;
}

void credential_done(struct credential *c)
{
        secret_freep(&c->username);
        secret_freep(&c->password);
        secret_freep(&c->identity_token);
}

bool credential_is_set(const struct credential *c) { return c->password || c->identity_token; }

char *basic_authorization(const struct credential *c)
{
        size_t user = strlen(c->username), n = user + 1 + strlen(c->password);
        char *plain = xmalloc(n + 1), *text = xmalloc(8 + (n + 2) / 3 * 4);
        snprintf(plain, n + 1, "%s:%s", c->username, c->password);
        memcpy(text, "Basic ", 6);
        EVP_EncodeBlock((unsigned char *)text + 6, (const unsigned char *)plain, (int)n);
        secret_freep(&plain);
        return text;
}

/* Takes "auth": base64 of USER:PASSWORD, the padding optional. */
static int take_basic(struct str encoded, struct credential *ret, struct error *err)
{
        encoded = str_trim(encoded);
        while (encoded.n && encoded.p[encoded.n - 1] == '=')
                encoded.n--;
        if (encoded.n > AUTH_SECRET_MAX)
                return error_set(err, -EBADMSG, "an \"auth\" has more than %u bytes", AUTH_SECRET_MAX);
        size_t padded_n = (encoded.n + 3) / 4 * 4;
        char *padded = xmalloc(padded_n + 1), *plain = xmalloc(padded_n + 1);
        memset(padded, '=', padded_n);
        memcpy(padded, encoded.p, encoded.n);
        padded[padded_n] = 0;
        int n = EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)padded, (int)padded_n);
        n -= (int)(padded_n - encoded.n);
        int r = 0;
        char *colon = n > 0 ? memchr(plain, ':', (size_t)n) : NULL;
        if (!colon || memchr(plain, 0, (size_t)n)) {
                r = error_set(err, -EBADMSG, "an \"auth\" is not the base64 of USER:PASSWORD");
        } else {
                plain[n] = 0;
                *colon = 0;
                ret->username = xstrdup(plain);
                ret->password = xstrdup(colon + 1);
        }
        explicit_bzero(padded, padded_n);
        explicit_bzero(plain, padded_n);
        free(padded);
        free(plain);
        return r;
}

/* The key without a URL's scheme and path, and docker.io by one name: as podman normalises keys. */
static struct str normal_key(struct str key)
{
        struct str bare = key;
        if (str_starts(bare, STR("https://")))
                bare = str_from(bare, 8);
        else if (str_starts(bare, STR("http://")))
                bare = str_from(bare, 7);
        if (bare.n != key.n)
                bare = str_cut(&bare, '/');
        while (bare.n && bare.p[bare.n - 1] == '/')
                bare.n--;
        if (str_is(bare, "index.docker.io") || str_is(bare, "registry-1.docker.io"))
                return STR("docker.io");
        return bare;
}

/* How many bytes of HOST/REPOSITORY the key covers, at a "/" boundary: 0 none. */
static size_t key_covers(struct str key, struct str name)
{
        key = normal_key(key);
        if (!key.n || !str_starts(name, key))
                return 0;
        return key.n == name.n || name.p[key.n] == '/' ? key.n : 0;
}

static bool helper_name_is_valid(struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
                        return false;
        }
        return s.n > 0 && s.n < AUTH_HELPER_MAX && s.p[0] != '.' && s.p[0] != '-';
}

static int take_helper(struct str name, char helper[static AUTH_HELPER_MAX], struct error *err)
{
        if (!helper_name_is_valid(name))
                return error_set(err, -EBADMSG, "\"%.*s\" is not the name of a credential helper",
                                 STR_FMT(str_upto(name, 64)));
        snprintf(helper, AUTH_HELPER_MAX, "%.*s", STR_FMT(name));
        return 0;
}

/* The value under the key that covers most of the name, or NULL. */
static const json_t *best_entry(const json_t *object, struct str name)
{
        const json_t *best = NULL, *value;
        const char *key;
        size_t covered = 0;
        json_object_foreach((json_t *)object, key, value)
        {
                size_t n = key_covers(str_of(key), name);
                if (n > covered) {
                        covered = n;
                        best = value;
                }
        }
        return best;
}

static int take_entry(const json_t *entry, struct arena *arena, struct credential *ret, struct error *err)
{
        struct str token = json_text_of(entry, "identitytoken", arena), basic = json_text_of(entry, "auth", arena);
        if (token.n > AUTH_SECRET_MAX || memchr(token.p ? token.p : "", 0, token.n))
                return error_set(err, -EBADMSG, "an \"identitytoken\" is too long or holds a NUL");
        if (token.n) {
                ret->identity_token = str_dup(token);
                return ret->identity_token ? 0 : -ENOMEM;
        }
        return basic.n ? take_basic(basic, ret, err) : 0;
}

int auth_file_find(struct str text, const struct registry_name *ref, struct credential *ret,
                   char helper[static AUTH_HELPER_MAX], struct error *err)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        _cleanup_(json_dropp) json_t *root = NULL;
        helper[0] = 0;
        if (str_trim(text).n == 0)
                return 0; /* podman logout may leave an empty file */
        int r = json_document(text, AUTH_FILE_MAX, &root, err);
        if (r < 0)
                return r == -EFBIG ? -EBADMSG : r;
        struct str host = str_of(ref->host);
        struct str name = arena_printf(&arena, "%s/%s", ref->host, ref->repository);
        struct str special = json_text(best_entry(json_object_get(root, "credHelpers"), host), &arena);
        if (special.n)
                return take_helper(special, helper, err);
        r = take_entry(best_entry(json_object_get(root, "auths"), name), &arena, ret, err);
        if (r < 0 || credential_is_set(ret))
                return r;
        struct str store = json_text_of(root, "credsStore", &arena);
        return store.n ? take_helper(store, helper, err) : 0;
}

/* --- the files --- */

static void add_looked(struct credential *c, const char *path)
{
        size_t n = strlen(c->looked);
        snprintf(c->looked + n, sizeof(c->looked) - n, "%s%s", n ? ", " : "", path);
}

static int look_in(const char *path, const struct registry_name *ref, struct credential *ret, struct error *err)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(AUTH_FILE_MAX);
        char helper[AUTH_HELPER_MAX];
        add_looked(ret, path);
        struct error why = ERROR_NONE;
        int r = read_file(path, &text, &why);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r < 0)
                return error_set(err, r, "%s", why.text);
        r = auth_file_find(buf_str(&text), ref, ret, helper, &why);
        if (text.p)
                explicit_bzero(text.p, text.n);
        if (r == 0 && helper[0]) {
                const char *server = strcmp(ref->host, "docker.io") == 0 ? DOCKER_IO_KEY : ref->host;
                r = auth_helper_get(helper, server, ret, &why);
        }
        if (r < 0)
                return error_set(err, r, "credentials in %s: %s", path, why.text);
        if (credential_is_set(ret))
                snprintf(ret->from, sizeof(ret->from), "%s", path);
        return 0;
}

int credential_find(const char *auth_file, const struct registry_name *ref, struct credential *ret, struct error *err)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        const char *paths[3] = { 0 };
        size_t n = 0;
        const char *runtime = env_or("XDG_RUNTIME_DIR", NULL), *home = env_or("HOME", "/root");
        const char *config = env_or("XDG_CONFIG_HOME", NULL), *docker = env_or("DOCKER_CONFIG", NULL);
        *ret = (struct credential){ 0 };
        if (!auth_file)
                auth_file = env_or("REGISTRY_AUTH_FILE", NULL);
        if (auth_file) {
                if (access(auth_file, F_OK) < 0)
                        return error_errno(err, -errno, "cannot read the credentials in %s", auth_file);
                return look_in(auth_file, ref, ret, err);
        }
        paths[n++] = runtime ? arena_printf(&arena, "%s/containers/auth.json", runtime).p
                             : arena_printf(&arena, "/run/containers/%u/auth.json", (unsigned)getuid()).p;
        paths[n++] = config ? arena_printf(&arena, "%s/containers/auth.json", config).p
                            : arena_printf(&arena, "%s/.config/containers/auth.json", home).p;
        paths[n++] = docker ? arena_printf(&arena, "%s/config.json", docker).p
                            : arena_printf(&arena, "%s/.docker/config.json", home).p;
        for (size_t i = 0; i < n && !credential_is_set(ret); i++) {
                int r = look_in(paths[i], ref, ret, err);
                if (r < 0) {
                        credential_done(ret);
                        return r;
                }
        }
        return 0;
}
