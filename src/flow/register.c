/* See register.h. */
#include "flow/register.h"

#include <errno.h>

struct waiver waiver_of_book(const struct book_waiver *w)
{
        return (struct waiver){
                .id = w->id,
                .finding = w->finding,
                .condition = w->condition,
                .owner = w->owner,
                .requester = w->requester,
                .approver = w->approver,
                .reason = w->reason,
                .response = w->response,
                .control = w->control,
                .scope = { w->scope.digest, w->scope.repository, w->scope.package, w->scope.path },
                .ends_on = { .fix = w->ends_on.fix,
                             .kev = w->ends_on.kev,
                             .control_gone = w->ends_on.control_gone,
                             .exposed = w->ends_on.exposed,
                             .epss = w->ends_on.epss },
                .created = w->created,
                .expires = w->expires,
                .is_pending = w->state == WAIVER_REQUESTED,
                .place = { .file = STR("ledger") },
                .condition_place = { .file = STR("ledger") },
        };
}

struct book_waiver book_of_waiver(const struct waiver *w)
{
        return (struct book_waiver){
                .condition = w->condition,
                .finding = w->finding,
                .owner = w->owner,
                .reason = w->reason,
                .response = w->response,
                .control = w->control,
                .scope = { w->scope.digest, w->scope.repository, w->scope.package, w->scope.path },
                .ends_on = { .fix = w->ends_on.fix,
                             .kev = w->ends_on.kev,
                             .control_gone = w->ends_on.control_gone,
                             .exposed = w->ends_on.exposed,
                             .epss = w->ends_on.epss },
                .expires = w->expires,
        };
}

int register_read(struct book *b, struct arena *arena, struct waiver **ret, size_t *ret_n, struct error *err)
{
        struct book_waiver_list all;
        int r = book_waivers(b, arena, &all, err);
        if (r < 0)
                return r;
        struct waiver *v = arena_array(arena, all.n, sizeof(*v));
        size_t n = 0;
        for (size_t i = 0; i < all.n; i++)
                if (all.v[i].state != WAIVER_ENDED)
                        v[n++] = waiver_of_book(&all.v[i]);
        *ret = v;
        *ret_n = n;
        return 0;
}

int register_end(struct book *b, const struct book_stamp *stamp, const struct report *r, size_t *ret_n,
                 struct error *err)
{
        *ret_n = 0;
        for (size_t i = 0; i < r->n_waivers; i++) {
                const struct report_waiver *w = &r->waivers[i];
                if (!w->ended_by.n || !str_is(w->place, "ledger"))
                        continue;
                struct arena arena = ARENA_INIT;
                struct str why = arena_printf(&arena, "%.*s: %.*s, seen in %.*s", STR_FMT(w->ended_by),
                                              STR_FMT(w->doubt), STR_FMT(r->name.n ? r->name : r->target));
                int e = book_waiver_end(b, stamp, w->id, why, err);
                arena_done(&arena);
                if (e < 0 && e != -EINVAL) /* it has ended already */
                        return e;
                *ret_n += e == 0;
        }
        return 0;
}
