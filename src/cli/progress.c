/* See progress.h. Redrawn at most ten times a second. */
#include "cli/progress.h"

#include "base/clock.h"

#include <stdio.h>

#define MIB (1024.0 * 1024.0)

static void draw(struct progress *p)
{
        if (p->total)
                fprintf(stderr, "\r\033[Kreading %zu layer%s  %.0f of %.0f MB  %.0f %%", p->n_layers,
                        p->n_layers == 1 ? "" : "s", (double)p->read / MIB, (double)p->total / MIB,
                        100.0 * (double)MIN(p->read, p->total) / (double)p->total);
        else
                fprintf(stderr, "\r\033[Kreading  %.0f MB", (double)p->read / MIB);
        fflush(stderr);
}

static void on_read(void *arg, uint64_t stored_bytes)
{
        struct progress *p = arg;
        int64_t now = monotonic_ms();
        p->read += stored_bytes;
        if (!p->shown || now - p->last_ms < 100)
                return;
        p->last_ms = now;
        draw(p);
}

void progress_start(struct progress *p, bool shown)
{
        *p = (struct progress){ .layers = { .read = on_read, .arg = p }, .shown = shown };
}

void progress_end(struct progress *p)
{
        if (p->shown)
                fprintf(stderr, "\r\033[K");
}

void progress_say(void *progress, const char *what)
{
        struct progress *p = progress;
        if (p->shown) {
                fprintf(stderr, "\r\033[K%s", what);
                fflush(stderr);
        }
}

void progress_opened(void *progress, const struct artefact *a)
{
        struct progress *p = progress;
        bool known = a->n_layers > 0;
        p->n_layers = a->n_layers;
        for (size_t i = 0; i < a->n_layers; i++) {
                p->total += a->layers[i].size;
                known = known && a->layers[i].size;
        }
        if (!known)
                p->total = 0;
        if (p->shown)
                draw(p);
}
