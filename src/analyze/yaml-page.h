/*
 * What checkers of YAML share: reading a file for its page, its comments that say to ignore something, and what texts
 * in it look like.
 */
#ifndef SEKISHO_ANALYZE_YAML_PAGE_H
#define SEKISHO_ANALYZE_YAML_PAGE_H

#include "analyze/check.h"
#include "read/yaml.h"

/*
 * True if the bytes look like YAML or JSON with this key at the top of a document: a line starts with it, or the first
 * character is "{" and it is a key somewhere.
 */
bool yaml_page_has_key(struct str bytes, const char *key);

/* *.yaml, *.yml, *.json */
bool yaml_page_wants(struct str name);

/*
 * Reads the file into the arena. What is malformed is put as `unread`, and false returned. Keys that stand twice are
 * findings of `duplicate`. The file's comments go to the page: one at the end of a line holds for that line, one on a
 * line of its own for the next line and everything that belongs to it by its indentation.
 */
bool yaml_page_read(struct check_page *page, const struct check_file *file, const struct check *duplicate,
                    struct arena *arena, struct yaml *ret, struct sink *out);

/* A finding at the place of a node. */
#define yaml_page_add(page, check, node, ...)                                                                          \
        ((void)check_page_add((page), (check), (node)->line, (node)->column, (node)->line, __VA_ARGS__))

/* The value of a path of keys: yaml_at(n, "deploy", "resources", NULL). NULL if there is none, or it is null. */
const struct yaml_node *yaml_at(const struct yaml_node *n, ...) __attribute__((sentinel));

/* Whether a sequence holds this text. */
bool yaml_has_text(const struct yaml_node *sequence, const char *text);

/*
 * Whether a variable's name and value look like a secret in clear: a name like DB_PASSWORD or API_KEY, and a value that
 * is neither empty, nor a reference ($X, ${X}, $(X)), nor a path, nor a placeholder in <> ("changeme" counts: it is
 * used as one). A private key in PEM is one under any name. Names of files and of settings about secrets (TOKEN_FILE,
 * PASSWORD_MIN_LENGTH) do not.
 */
bool yaml_looks_secret(struct str name, struct str value);

/* Whether the image is named by a tag that moves: none, or "latest". Not if the name holds variables or a digest. */
bool yaml_image_moves(struct str image);
bool yaml_image_is_pinned(struct str image); /* by a digest */

/* What mounting a path of the host gives away; NULL if it is none of those that give the host away. */
struct host_path {
        const char *path;
        bool is_socket; /* of a container engine: whoever speaks to it is root on the host */
        bool is_below;  /* what is below it counts too */
};
const struct host_path *yaml_host_path(struct str path);

#endif
