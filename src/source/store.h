/*
 * What the stores of engines on disk have in common: a root directory with JSON files, and layers that lie unpacked in
 * directories, which are packed on the way. Every path is resolved below the root.
 */
#ifndef SEKISHO_SOURCE_STORE_H
#define SEKISHO_SOURCE_STORE_H

#include "source/document.h"
#include "source/packed.h"

struct store_layer {
        struct str dir;   /* below the root */
        struct str below; /* vfs: that of the layer under this one; else empty */
};

/* The state of an artefact out of a store. */
struct store {
        int root_fd;
        struct str root;
        enum treepack_mode mode;
        struct store_layer *layers;
        size_t n_layers;
};

/* 64 hexadecimal digits in lower case: what names directories in all stores. */
bool store_is_id(struct str id);

/* At least four hexadecimal digits at the start of an id? */
bool store_is_id_prefix(struct str text, struct str id);

/* Reads a file below the root into ret. Words name it; -ENOENT where it is not there. */
int store_read_file(int root_fd, const char *path, struct buf *ret, struct error *err);

/* The same, and parses it. */
int store_document(int root_fd, const char *path, enum document_kind kind, struct arena *arena, struct document *ret,
                   struct error *err);

/* open_layer and close of such sources. */
int store_open_layer(struct artefact *a, size_t i, struct layer_input *ret, struct error *err);
void store_close(struct artefact *a);

/*
 * Which of the images is called so: by a name, a digest, or the start of its id. Exact names go before short ones.
 * -ENOENT: none (no words); -EINVAL: several, words with their names.
 */
int store_choose_image(const struct document *images, const char *asked, size_t *ret_i, struct error *err);

#endif
