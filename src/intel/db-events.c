/*
 * From a range's events to intervals. Input: events as feeds write them, unsorted, repeated or without sense. The OSV
 * schema, "Evaluation", says what they mean; db-build-private.h what happens where it is silent.
 */
#include "base/vec.h"
#include "intel/db-build-private.h"

enum event_kind { EVENT_INTRODUCED, EVENT_FIXED, EVENT_LAST_AFFECTED, EVENT_LIMIT };

struct event {
        enum event_kind kind;
        bool is_beginning; /* introduced "0" */
        struct str version;
};

static bool parse_event(struct str text, struct event *ret)
{
        static const char *const names[] = { "introduced", "fixed", "last_affected", "limit" };
        struct str name = str_cut(&text, ' ');
        if (!text.n)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (str_is(name, names[i])) {
                        *ret = (struct event){ (enum event_kind)i, i == EVENT_INTRODUCED && str_is(text, "0"), text };
                        return true;
                }
        return false;
}

static int order_of_events(const void *pa, const void *pb, void *arg)
{
        const struct version_scheme *scheme = arg;
        const struct event *a = pa, *b = pb;
        if (a->is_beginning || b->is_beginning)
                return b->is_beginning - a->is_beginning;
        int order = scheme->compare(a->version, b->version);
        /* Equal versions may be written differently: any fixed order will do. */
        return order ? order : str_cmp(a->version, b->version);
}

struct walk {
        const struct version_scheme *scheme;
        struct str limit; /* p == NULL: none */
        void (*put)(void *arg, struct str start, struct str end, enum db_interval_kind kind);
        void *arg;
};

static void put_limited(const struct walk *w, const struct event *start, struct str end, enum db_interval_kind kind)
{
        if (w->limit.p && !start->is_beginning && w->scheme->compare(start->version, w->limit) >= 0)
                return;
        if (w->limit.p && (kind == INTERVAL_OPEN || w->scheme->compare(end, w->limit) >= 0)) {
                /* A fix exactly at the limit stays a fix. */
                if (kind != INTERVAL_FIXED || w->scheme->compare(end, w->limit) != 0)
                        kind = INTERVAL_LIMIT;
                end = w->limit;
        }
        w->put(w->arg, start->is_beginning ? STR_NONE : start->version, end, kind);
}

static void walk_events(const struct walk *w, const struct event *events, size_t n)
{
        const struct event *start = NULL;
        for (size_t i = 0, next; i < n; i = next) {
                const struct event *introduced = NULL, *fixed = NULL, *last = NULL;
                for (next = i; next < n; next++) {
                        const struct event *e = &events[next];
                        if (e->is_beginning != events[i].is_beginning ||
                            (!e->is_beginning && w->scheme->compare(e->version, events[i].version) != 0))
                                break;
                        if (e->kind == EVENT_INTRODUCED)
                                introduced = e;
                        else if (e->kind == EVENT_FIXED)
                                fixed = e;
                        else
                                last = e;
                }
                if (start && introduced)
                        continue;
                if (!start && introduced) {
                        if (last && !fixed)
                                put_limited(w, introduced, last->version, INTERVAL_LAST_AFFECTED);
                        else if (!fixed)
                                start = introduced;
                } else if (start) {
                        put_limited(w, start, fixed ? fixed->version : last->version,
                                    fixed ? INTERVAL_FIXED : INTERVAL_LAST_AFFECTED);
                        start = NULL;
                }
        }
        if (start)
                put_limited(w, start, STR_NONE, INTERVAL_OPEN);
}

void intervals_of_events(const struct version_scheme *scheme, struct str_list texts,
                         void (*put)(void *arg, struct str start, struct str end, enum db_interval_kind kind),
                         void *arg)
{
        struct walk w = { .scheme = scheme, .put = put, .arg = arg };
        VEC(struct event) events = { 0 };
        bool has_limit = false, is_unlimited = false;
        for (size_t i = 0; i < texts.n; i++) {
                struct event e;
                if (!parse_event(texts.v[i], &e))
                        continue;
                if (e.kind != EVENT_LIMIT) {
                        *vec_push(&events) = e;
                } else {
                        is_unlimited |= str_is(e.version, "*");
                        if (!has_limit || scheme->compare(e.version, w.limit) > 0)
                                w.limit = e.version;
                        has_limit = true;
                }
        }
        if (is_unlimited)
                w.limit = STR_NONE;
        if (events.n)
                qsort_r(events.v, events.n, sizeof(*events.v), order_of_events, (void *)scheme);
        walk_events(&w, events.v, events.n);
        vec_done(&events);
}
