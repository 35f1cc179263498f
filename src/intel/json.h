/* Short ways through a jansson document: absent and wrongly typed members are empty, never an error. */
#ifndef SEKISHO_INTEL_JSON_H
#define SEKISHO_INTEL_JSON_H

#include "base/arena.h"
#include "base/date.h"
#include "base/error.h"
#include "fact/fact.h"

#include <jansson.h>

/* Parses one document; NULL and words if it is not JSON. Free with json_decref; for _cleanup_: json_freep. */
json_t *json_parse(struct str text, struct error *err);
void json_freep(json_t **j);

struct str json_str(const json_t *j); /* STR_NONE unless it is a string; lives as long as j */
struct str json_member(const json_t *object, const char *name);
int64_t json_date(const json_t *object, const char *name);              /* 0 if absent or no date */
struct str_list json_strings(const json_t *array, struct arena *arena); /* the strings in it */

#endif
