/* Files of waivers: any bytes do no harm, and what is read survives being written. */
#include "decide/waiver.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(const struct waiver *a, const struct waiver *b)
{
        return str_eq(a->id, b->id) && str_eq(a->finding, b->finding) && str_eq(a->condition, b->condition) &&
               str_eq(a->owner, b->owner) && str_eq(a->requester, b->requester) && str_eq(a->approver, b->approver) &&
               str_eq(a->reason, b->reason) && str_eq(a->response, b->response) && str_eq(a->control, b->control) &&
               str_eq(a->scope.digest, b->scope.digest) && str_eq(a->scope.repository, b->scope.repository) &&
               str_eq(a->scope.package, b->scope.package) && str_eq(a->scope.path, b->scope.path) &&
               a->ends_on.fix == b->ends_on.fix && a->ends_on.kev == b->ends_on.kev &&
               a->ends_on.exposed == b->ends_on.exposed && a->ends_on.control_gone == b->ends_on.control_gone &&
               a->ends_on.epss == b->ends_on.epss && a->created == b->created && a->expires == b->expires;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct problems problems = { 0 };
        struct buf text = BUF_INIT((size_t)64 << 20);
        struct waiver *v, *w;
        size_t n, m;
        waivers_read(STR("w.yaml"), str_span(data, size), &arena, &v, &n, &problems);
        for (size_t i = 0; i < n; i++) {
                if (waiver_flaw(&v[i]))
                        abort();
                waiver_print(&v[i], &text);
        }
        if (n && !buf_is_full(&text)) {
                struct problems none = { 0 };
                waivers_read(STR("w.yaml"), buf_str(&text), &arena, &w, &m, &none);
                if (none.n || m != n)
                        abort();
                for (size_t i = 0; i < n; i++)
                        if (!is_same(&v[i], &w[i]))
                                abort();
                problems_done(&none);
        }
        problems_done(&problems);
        buf_done(&text);
        arena_done(&arena);
        return 0;
}
