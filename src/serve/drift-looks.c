/*
 * What drift has looked at by its companions (drift-look.h), so that the agent's loop waits for no disk: the files of
 * lists are found, programs that began before they were compared are compared, and the others one by one when there is
 * time. Each of the three has a companion of its own, so that none waits for the others; it is started when there is
 * something to ask, and ends when there has been nothing for a while.
 */
#include "proc/companion.h"
#include "serve/drift-private.h"

#include <errno.h>

#define IDLE_BYTES ((size_t)8 << 20)  /* of files that are compared in their turn between two ticks */
#define IDLE_LEAST ((size_t)16 << 10) /* that each counts for: a question takes time too */
#define NICENESS   10

static const struct {
        const char *does; /* "the process that ... ended" */
        int niceness;
} kinds[DRIFT_LOOKERS] = {
        [DRIFT_FINDS] = { "looks for files", 0 },
        [DRIFT_COMPARES] = { "compares programs that began", 0 },
        [DRIFT_IDLES] = { "compares files in their turn", NICENESS },
};

/* -------------------------------------------------------------------------------------------- what comes next ---- */

/* The list that has waited for longest. */
static bool next_list(struct drift *d, struct drift_looker *k)
{
        for (struct drift_list *l = d->lists; l; l = l->next)
                if (!drift_list_is_found(l))
                        k->list = l; /* the first is the youngest */
        return k->list;
}

static bool next_began(struct drift *d, struct drift_looker *k)
{
        for (size_t i = 0; i < d->began.n && !k->list; i++) {
                k->list = d->began.v[i].list;
                k->file = d->began.v[i].file;
        }
        return k->list;
}

static bool next_in_turn(struct drift *d, struct drift_looker *k)
{
        for (struct drift_list *l = d->lists; l && d->idle_bytes > 0; l = l->next)
                while (l->image > 0 && l->next_check < l->manifest->n_files) {
                        size_t i = l->next_check++;
                        if (l->files[i].state != DRIFT_UNVERIFIED)
                                continue;
                        d->idle_bytes -= MIN(d->idle_bytes, MAX((size_t)l->files[i].file.size, IDLE_LEAST));
                        k->list = l;
                        k->file = i;
                        return true;
                }
        return false;
}

static bool choose(struct drift *d, struct drift_looker *k)
{
        k->list = NULL;
        return k->kind == DRIFT_FINDS      ? next_list(d, k)
               : k->kind == DRIFT_COMPARES ? next_began(d, k)
                                           : next_in_turn(d, k);
}

/* ------------------------------------------------------------------------------------------------- answers ---- */

static void take(struct drift *d, struct drift_looker *k, struct str reply, int fd)
{
        struct drift_list *l = k->list;
        struct error err = ERROR_NONE;
        if (!l) { /* nobody waits for it any more */
                close_fd(fd);
                return;
        }
        if (k->kind == DRIFT_FINDS) {
                int r = drift_list_take(l, reply, fd, &err);
                if (r == 0)
                        r = drift_list_put(l, &err);
                if (r < 0 || drift_list_is_found(l))
                        drift_list_ready(d, l, &err);
                return;
        }
        close_fd(fd);
        if (l->files[k->file].state == DRIFT_UNVERIFIED) /* another may have been faster */
                drift_compared(d, l, k->file, drift_list_take_content(l, k->file, reply));
}

/* What it was asked is not answered; files stay uncompared, and it is said. */
static void lose(struct drift *d, struct drift_looker *k)
{
        struct drift_list *l = k->list;
        struct error err = ERROR_NONE;
        agent_remove_source(d->agent, k->companion.fd);
        drift_companion_end(&k->companion);
        if (!k->is_busy || !l)
                return;
        (void)error_set(&err, -EPIPE, "the process that %s ended", kinds[k->kind].does);
        if (k->kind == DRIFT_FINDS) {
                drift_list_ready(d, l, &err);
                return;
        }
        l->files[k->file].state = DRIFT_HIDDEN;
        agent_tell(d->agent, "%.*s: /%.*s is not compared with what the scan saw: %s", STR_FMT(l->manifest->name),
                   STR_FMT(l->manifest->files[k->file].path), err.text);
        drift_compared(d, l, k->file, DRIFT_HIDDEN);
}

static void ready(void *arg)
{
        struct drift_looker *k = arg;
        struct drift *d = k->drift;
        _cleanup_(buf_done) struct buf reply = BUF_INIT(MESSAGE_MAX);
        int fd = -1, r = drift_companion_take(&k->companion, &reply, &fd);
        if (r == 0)
                return;
        if (r < 0)
                lose(d, k);
        else
                take(d, k, buf_str(&reply), fd);
        k->is_busy = false;
        drift_look(d);
}

/* ------------------------------------------------------------------------------------------------ questions ---- */

static int start(struct drift *d, struct drift_looker *k, struct error *err)
{
        if (k->companion.pid)
                return 0;
        int r = drift_companion_start(&k->companion, kinds[k->kind].niceness, err);
        if (r == 0 && (r = agent_add_source(d->agent, k->companion.fd, ready, k)) < 0) {
                drift_companion_end(&k->companion);
                return error_set(err, r, "too many descriptors are watched");
        }
        return r;
}

static void ask(struct drift *d, struct drift_looker *k)
{
        _cleanup_(buf_done) struct buf question = BUF_INIT(MESSAGE_MAX);
        struct error err = ERROR_NONE;
        if (start(d, k, &err) < 0) { /* the next tick tries again */
                if (!k->has_failed)
                        agent_tell(d->agent, "drift: nothing is looked at: %s", err.text);
                k->has_failed = true;
                return;
        }
        k->has_failed = false;
        k->is_busy = k->was_busy = true;
        if (k->kind == DRIFT_FINDS)
                drift_list_ask(k->list, &question);
        else
                drift_list_ask_content(k->list, k->file, &question);
        if (drift_companion_ask(&k->companion, &question, k->list->root) < 0) {
                lose(d, k);
                k->is_busy = false;
        }
}

void drift_look(struct drift *d)
{
        for (size_t i = 0; i < DRIFT_LOOKERS; i++) {
                struct drift_looker *k = &d->lookers[i];
                if (!k->is_busy && choose(d, k))
                        ask(d, k);
        }
}

void drift_looks_tick(struct drift *d)
{
        d->idle_bytes = IDLE_BYTES;
        for (size_t i = 0; i < DRIFT_LOOKERS; i++) {
                struct drift_looker *k = &d->lookers[i];
                if (!k->is_busy && !k->was_busy && k->companion.pid) {
                        agent_remove_source(d->agent, k->companion.fd);
                        drift_companion_end(&k->companion);
                }
                k->was_busy = false;
        }
        drift_look(d);
}

void drift_looks_forget(struct drift *d, const struct drift_list *l)
{
        for (size_t i = 0; i < DRIFT_LOOKERS; i++)
                if (d->lookers[i].list == l)
                        d->lookers[i].list = NULL;
}

void drift_looks_init(struct drift *d)
{
        for (size_t i = 0; i < DRIFT_LOOKERS; i++)
                d->lookers[i] = (struct drift_looker){ .drift = d, .kind = (enum drift_looker_kind)i };
}

void drift_looks_done(struct drift *d)
{
        for (size_t i = 0; i < DRIFT_LOOKERS; i++)
                if (d->lookers[i].companion.pid) {
                        agent_remove_source(d->agent, d->lookers[i].companion.fd);
                        drift_companion_end(&d->lookers[i].companion);
                }
}
