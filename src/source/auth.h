/*
 * Credentials for registries, from where podman and docker keep them, and how a registry asks for them.
 *
 * Files, first match wins (containers-auth.json(5), docker's config.json): $REGISTRY_AUTH_FILE, and then nothing else;
 * or ${XDG_RUNTIME_DIR:-/run/containers/UID}/containers/auth.json, ~/.config/containers/auth.json,
 * $DOCKER_CONFIG/config.json or ~/.docker/config.json. A file may name helper programs (credHelpers, credsStore), which
 * are run as docker-credential-NAME; they get the registry's name on standard input and nothing on their command line.
 */
#ifndef SEKISHO_SOURCE_AUTH_H
#define SEKISHO_SOURCE_AUTH_H

#include "base/error.h"
#include "base/str.h"
#include "source/registry-name.h"

#define AUTH_FILE_MAX   (1u << 20)
#define AUTH_SECRET_MAX (16u << 10) /* bytes of one name, password or token */

/* Secrets; never to be printed. Wiped by credential_done. */
struct credential {
        char *username, *password; /* both or none */
        char *identity_token;      /* an OAuth2 refresh token, used instead of the password */
        char from[256];            /* the file or helper it came from; "" if there is none */
        char looked[512];          /* where was looked, for people: "a, b, c" */
};

/* True if there is something to log in with. */
bool credential_is_set(const struct credential *c);

/*
 * Finds the credentials for a repository. auth_file: NULL, or the only file to look at. 0, also if there are none;
 * -EBADMSG (a file that cannot be understood), -EACCES and the like, -EIO (a helper failed); words in err.
 */
int credential_find(const char *auth_file, const struct registry_name *ref, struct credential *ret, struct error *err);
void credential_done(struct credential *c);

/*
 * Pure: what the text of such a file says of a repository. Sets username and password or identity_token, or the name
 * of the helper to ask, or nothing. The most specific key wins: HOST/a/b, HOST/a, HOST. 0 or -EBADMSG with words.
 */
#define AUTH_HELPER_MAX 64
int auth_file_find(struct str text, const struct registry_name *ref, struct credential *ret,
                   char helper[static AUTH_HELPER_MAX], struct error *err);

/* Runs docker-credential-NAME get for a server. 0, also if it knows none (nothing is set then); < 0 with words. */
int auth_helper_get(const char *name, const char *server, struct credential *ret, struct error *err);

/* What a WWW-Authenticate header asks for. RFC 9110 section 11.6.1, RFC 6750, and distribution's token document. */
enum challenge_scheme { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
        enum challenge_scheme scheme; /* the best one that we speak */
        char realm[1024], service[256], scope[1024];
        char other[128]; /* schemes that we do not speak, for people */
};

/*
 * Pure. Reads one header value, or several joined by ",". What is malformed after the first good challenge is left out.
 * 0 (scheme may be NONE), or -EBADMSG if nothing of it makes sense, or a Bearer has no realm.
 */
int challenge_parse(struct str header, struct challenge *ret);

/* "Basic <base64 of user:password>" on the heap, to be wiped and freed by secret_freep. */
char *basic_authorization(const struct credential *c);
void secret_freep(char **secret);

#endif
