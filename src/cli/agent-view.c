/* See agent-view.h. */
#include "cli/agent-view.h"

#include "base/date.h"
#include "intel/json.h"
#include "report/text.h"

#include <stdlib.h>
#include <time.h>

static uint64_t number(const json_t *o, const char *name)
{
        json_int_t n = json_integer_value(json_object_get(o, name));
        return n > 0 ? (uint64_t)n : 0;
}

static struct str clean(struct screen *s, const json_t *o, const char *name)
{
        return text_clean(s->arena, json_member(o, name));
}

void view_host(struct screen *s, const json_t *status, size_t n_containers, double cpu_percent)
{
        const json_t *lost = json_object_get(status, "lost");
        const char *name;
        json_t *value;
        uint64_t sum = 0;
        json_object_foreach((json_t *)lost, name, value) sum += number(lost, name);
        screen_put(s, PAINT_FAINT, STR("HOST "));
        screen_put(s, PAINT_STRONG, clean(s, status, "hostname"));
        screen_put(s, PAINT_PLAIN, STR("   agent "));
        if (cpu_percent >= 0)
                screen_printf(s, PAINT_PLAIN, "%.1f %% cpu, ", cpu_percent);
        screen_printf(s, PAINT_PLAIN, "%.*s   %.*s   %.*s   ",
                      STR_FMT(text_size(s->arena, number(status, "memory_bytes"))),
                      STR_FMT(text_count(s->arena, n_containers, "container", "containers")),
                      STR_FMT(text_count(s->arena, number(status, "rules"), "rule", "rules")));
        screen_printf(s, sum > 0 ? PAINT_BAD : PAINT_PLAIN, "%.*s lost",
                      STR_FMT(text_count(s->arena, sum, "event", "events")));
        screen_newline(s);
}

/* "rules kill drift" */
static struct str protection(struct screen *s, const json_t *c)
{
        struct str all = STR_NONE;
        size_t i;
        const json_t *word;
        json_array_foreach(json_object_get(c, "protection"), i, word) all = arena_printf(
                s->arena, "%.*s%s%.*s", STR_FMT(all), i > 0 ? " " : "", STR_FMT(text_clean(s->arena, json_str(word))));
        return all;
}

static struct str findings(struct screen *s, const json_t *c)
{
        uint64_t incident = number(c, "incident"), alerts = number(c, "alerts");
        if (alerts == 0)
                return STR_NONE;
        struct str n = text_count(s->arena, alerts, "alert", "alerts");
        return incident > 0 ? arena_printf(s->arena, "● incident %llu, %.*s", (unsigned long long)incident, STR_FMT(n))
                            : n;
}

/* "12:04:31 Dropped program executed, killed" */
static struct str last(struct screen *s, const json_t *c)
{
        char text[16];
        struct tm tm;
        int64_t t;
        struct str action = clean(s, c, "last_action");
        if (!date_parse(json_member(c, "last_time"), &t))
                return STR_NONE;
        time_t moment = (time_t)t;
        localtime_r(&moment, &tm);
        strftime(text, sizeof(text), "%H:%M:%S", &tm);
        return arena_printf(s->arena, "%s %.*s%s%.*s", text, STR_FMT(clean(s, c, "last_rule")),
                            str_is(action, "none") ? "" : ", ", STR_FMT(str_is(action, "none") ? STR_NONE : action));
}

static struct str name_of(struct screen *s, const json_t *c)
{
        struct str pod = clean(s, c, "pod");
        if (pod.n == 0)
                return clean(s, c, "name");
        return arena_printf(s->arena, "%.*s/%.*s/%.*s", STR_FMT(clean(s, c, "namespace")), STR_FMT(pod),
                            STR_FMT(clean(s, c, "name")));
}

static struct str pid_of(struct screen *s, const json_t *c)
{
        uint64_t pid = number(c, "pid");
        return pid > 0 ? arena_printf(s->arena, "%llu", (unsigned long long)pid) : STR("-");
}

static struct str short_id(struct screen *s, const json_t *c)
{
        struct str id = clean(s, c, "id");
        return id.n == 0 ? STR("-") : str_upto(id, 12);
}

static void add_row(struct screen *s, struct grid *g, const json_t *c)
{
        bool is_bad = number(c, "incident") > 0;
        struct str image = clean(s, c, "image");
        grid_add(s, g, PAINT_NAME, name_of(s, c));
        grid_add(s, g, PAINT_FAINT, short_id(s, c));
        grid_add(s, g, PAINT_PLAIN, image.n > 0 ? image : STR("-"));
        grid_add(s, g, PAINT_GOOD, protection(s, c));
        grid_add(
                s, g, PAINT_PLAIN,
                arena_printf(s->arena, "%.*s/%llu", STR_FMT(pid_of(s, c)), (unsigned long long)number(c, "processes")));
        grid_add(s, g, PAINT_PLAIN, text_number(s->arena, number(c, "events_per_second")));
        grid_add(s, g, is_bad ? PAINT_BAD : PAINT_PLAIN, findings(s, c));
        grid_add(s, g, PAINT_FAINT, last(s, c));
}

/* Those with an incident first, then as they come. */
static int urgency(const void *a, const void *b)
{
        const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
        uint64_t i = number(x, "incident"), k = number(y, "incident");
        return (i < k) - (i > k);
}

void view_containers(struct screen *s, const json_t *containers, size_t rows)
{
        static const char *const heads[GRID_COLUMNS] = { "CONTAINER", "ID",       "IMAGE",    "PROTECTION",
                                                         "PID/PROCS", "EVENTS/s", "FINDINGS", "LAST" };
        struct grid g = { .columns = GRID_COLUMNS, .flexible = 7 };
        size_t n = json_array_size(containers), shown = rows > 0 ? MIN(rows, n) : n;
        json_t **order = arena_array(s->arena, n, sizeof(*order));
        for (size_t i = 0; i < n; i++)
                order[i] = json_array_get(containers, i);
        if (shown < n) /* what does not fit is what matters least */
                qsort(order, n, sizeof(json_t *), urgency);
        for (size_t i = 0; i < GRID_COLUMNS; i++)
                grid_add(s, &g, PAINT_FAINT, str_of(heads[i]));
        for (size_t i = 0; i < shown; i++)
                add_row(s, &g, order[i]);
        grid_print(s, &g);
        if (shown < n) {
                screen_printf(s, PAINT_FAINT, "and %zu more", n - shown);
                screen_newline(s);
        }
}
