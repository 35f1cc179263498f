/*
 * Events as a client of the control socket asked for them: those of one container, those that a condition of the rule
 * language is true of. The condition is compiled here, under the limits of rule/ and of CONTROL_FILTER_MAX.
 */
#include "report/document.h"
#include "rule/rule.h"
#include "serve/control-private.h"

#include <errno.h>
#include <stdlib.h>

/* What is told of an event, where it is known. */
static const enum field_id shown[] = {
        FIELD_proc_pid,   FIELD_proc_ppid,      FIELD_proc_name,      FIELD_proc_exepath,    FIELD_proc_cmdline,
        FIELD_proc_pname, FIELD_proc_exe_layer, FIELD_user_uid,       FIELD_fd_name,         FIELD_evt_res,
        FIELD_evt_args,   FIELD_container_id,   FIELD_container_name, FIELD_container_image,
};

struct event_stream {
        struct rule_set *set; /* NULL: all events */
        struct rule_eval *eval;
        char *container; /* id, its beginning, or name; NULL: any */
        struct field_ref refs[ARRAY_SIZE(shown)];
};

static int compile(struct event_stream *s, struct str filter, struct error *err)
{
        struct problems problems = { 0 };
        struct rule_loader *l = rule_loader_new(NULL);
        rule_loader_add_condition(l, STR("filter"), filter, (struct place){ STR("filter"), 1, 1 }, STAGE_SYSCALL);
        int r = rule_loader_finish(l, &s->set, &problems);
        rule_loader_free(l);
        if (r == RULES_WRONG) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(ERROR_TEXT_MAX - 1);
                for (size_t i = 0; i < problems.n && b.n == 0; i++)
                        if (problems.v[i].level == PROBLEM_ERROR)
                                problem_print(&problems.v[i], &b);
                r = error_set(err, -EBADMSG, "%.*s", STR_FMT(buf_str(&b)));
        } else if (r == 0) {
                s->eval = rule_eval_new(s->set);
        }
        problems_done(&problems);
        return r;
}

int event_stream_new(const struct control_request *r, struct event_stream **ret, struct error *err)
{
        struct event_stream *s = xcalloc(1, sizeof(*s));
        int e = r->filter.n > 0 ? compile(s, r->filter, err) : 0;
        if (e < 0) {
                event_stream_free(s);
                return e;
        }
        s->container = r->container.n > 0 ? str_dup(r->container) : NULL;
        for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
                s->refs[i] = (struct field_ref){ .field = &fields[shown[i]],
                                                 .text = str_of(fields[shown[i]].name),
                                                 .slot = (uint32_t)i };
        *ret = s;
        return 0;
}

void event_stream_free(struct event_stream *s)
{
        if (!s)
                return;
        rule_eval_free(s->eval);
        rule_set_free(s->set);
        free(s->container);
        free(s);
}

static bool is_wanted(struct event_stream *s, const struct event_record *r, const struct record *record)
{
        const uint32_t *hits;
        if (s->container) {
                struct str wanted = str_of(s->container);
                const struct container_entry *c = r->container;
                if (!c ? !str_is(wanted, "host") : !str_starts(c->id, wanted) && !str_eq(c->facts.name, wanted))
                        return false;
        }
        return !s->set || rule_eval(s->eval, record, STAGE_SYSCALL, &hits) > 0;
}

void event_stream_show(struct event_stream *s, const struct event_record *r, struct buf *to)
{
        struct event_record own = *r;
        struct record record = event_record(&own);
        char time[ALERT_TIME_BYTES];
        if (!is_wanted(s, r, &record))
                return;
        json_t *o = doc_object();
        doc_set(o, "time", doc_text(alert_time(r->boot_ns + (int64_t)r->event->head.time_ns, time)));
        doc_set(o, "type", doc_cstr(event_type_name(r->event)));
        for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
                struct value v = value_absent();
                if (!fields[shown[i]].missing)
                        record.get(record.ctx, &s->refs[i], &v);
                if (v.type != VALUE_ABSENT)
                        doc_set(o, fields[shown[i]].name, alert_value(&v));
        }
        char *line = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(o);
        buf_puts(to, line ? line : "{}");
        buf_putc(to, '\n');
        free(line);
}
