/* See packed.h. */
#include "source/packed.h"

#include "proc/worker.h"

static int run(void *arg, int out_fd, struct error *err) { return treepack_write(arg, out_fd, err); }

int packed_open(const struct treepack *what, struct layer_input *ret, struct error *err)
{
        struct treepack copy = *what;
        struct layer_input in = { .size = UINT64_MAX };
        int r = producer_start(run, &copy, &in.fd, &in.producer, err);
        if (r == 0)
                *ret = in;
        return r;
}

void packed_single_layer(struct artefact *a, struct str name)
{
        a->layers = arena_new(&a->arena, struct layer);
        a->n_layers = 1;
        a->layers[0].is_packed = true;
        a->layers[0].member = name;
}
