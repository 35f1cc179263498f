/*
 * A few texts out of a small JSON object that a server sent (a token, an image's names), read in a sandboxed worker.
 * For documents of images see document.h.
 */
#ifndef SEKISHO_SOURCE_JSON_FIELDS_H
#define SEKISHO_SOURCE_JSON_FIELDS_H

#include "base/arena.h"
#include "base/error.h"

#define JSON_FIELDS_MAX       1000u      /* texts in all */
#define JSON_FIELDS_BYTES_MAX (1u << 20) /* of the object */

struct json_field {
        struct str key, text; /* an array of texts is several fields with one key, in its order */
};

/*
 * Reads the texts and arrays of texts at these keys (NULL-terminated) of the object. What is not there, or of another
 * type, is left out. What comes out lives in the arena. 0; -EBADMSG, -EFBIG, -EINTR; words in err.
 */
int json_fields_read(struct str bytes, const char *const *keys, struct arena *arena, struct json_field **ret,
                     size_t *ret_n, struct error *err);

#endif
