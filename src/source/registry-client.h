/*
 * A client of one repository of a registry: finds out how the registry is spoken to, logs in when it asks (Basic, or
 * the token dance), and keeps the authorization for the rest of the run. OCI distribution specification 1.1;
 * https://distribution.github.io/distribution/spec/auth/token/ and .../oauth/.
 *
 * Secrets go only to the registry itself and to the token server that it names: over https, unless the registry is on
 * loopback or unencrypted http was asked for. What another server asks for after a redirect is not listened to.
 */
#ifndef SEKISHO_SOURCE_REGISTRY_CLIENT_H
#define SEKISHO_SOURCE_REGISTRY_CLIENT_H

#include "source/http.h"
#include "source/registry-name.h"
#include "source/source.h"

struct registry;

/* Reads the credentials; no network yet. */
int registry_new(const struct registry_name *name, const struct source_options *o, struct registry **ret,
                 struct error *err);
void registry_free(struct registry *r);

/* In a child of fork, before anything else: leaves the parent's connections alone. */
int registry_after_fork(struct registry *r, struct error *err);

/*
 * GETs /v2/REPOSITORY/<kind>/<what> with the limits of `request` (its url and authorization are set here). 0: a 2xx
 * answer; HTTP_BROKEN as in http.h; -ENOENT: 404; other < 0: words in err say what the registry answered.
 */
int registry_get(struct registry *r, const char *kind, const char *what, struct http_request *request,
                 struct http_response *ret, struct error *err);

/* The registry's name as the user wrote it, for messages. */
const char *registry_host(const struct registry *r);

#endif
