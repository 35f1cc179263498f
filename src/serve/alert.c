/* See alert.h. */
#include "serve/alert.h"

#include "base/fs.h"
#include "base/utf8.h"
#include "report/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

const char *const alert_action_names[ALERT_ACTIONS] = { "none",      "killed",        "kill-failed", "denied",
                                                        "frozen",    "isolated",      "terminated",  "quarantined",
                                                        "would-act", "action-failed", "already",     "killed-after" };

bool alert_is_deed(enum alert_action action)
{
        return action != ALERT_NOTHING && action != ALERT_WOULD_ACT && action != ALERT_ALREADY;
}

int alert_open(struct alert_sink *s, struct error *err)
{
        if (!s->path)
                return 0;
        int fd = open(s->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
        if (fd < 0)
                return error_errno(err, -errno, "%s", s->path);
        close_fd(s->fd);
        s->fd = fd;
        return 0;
}

void alert_close(struct alert_sink *s) { s->fd = close_fd(s->fd); }

json_t *alert_value(const struct value *v)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(RULE_OUTPUT_BYTES_MAX);
        switch (v->type) {
        case VALUE_ABSENT:
                return doc_null();
        case VALUE_NUMBER:
                return json_integer(v->number);
        case VALUE_FLAG:
                return doc_bool(v->number);
        case VALUE_STRING:
                return doc_text(v->text);
        default:
                value_print(v, &b);
                return doc_text(buf_str(&b));
        }
}

struct str alert_time(int64_t ns, char text[static ALERT_TIME_BYTES])
{
        struct tm tm;
        time_t seconds = (time_t)(ns / SECOND_NS);
        gmtime_r(&seconds, &tm);
        size_t n = strftime(text, ALERT_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
        n += (size_t)snprintf(text + n, ALERT_TIME_BYTES - n, ".%09lldZ", (long long)(ns % SECOND_NS));
        return str_span(text, n);
}

static json_t *fields_json(const struct alert *a)
{
        json_t *o = doc_object();
        for (size_t i = 0; i < a->n_fields; i++) {
                struct value v = value_absent();
                _cleanup_(freep) char *name = str_dup(a->fields[i]->text);
                if (a->fields[i]->field->traits & FIELD_CONDITION_ONLY || !name)
                        continue;
                a->record->get(a->record->ctx, a->fields[i], &v);
                doc_set(o, name, alert_value(&v));
        }
        for (size_t i = 0; i < a->n_extras; i++)
                doc_set(o, a->extras[i].name, alert_value(&a->extras[i].value));
        return o;
}

static struct str name_of(const struct alert *a) { return a->rule ? a->rule->name : str_of(a->rule_name); }

static json_t *alert_json(const struct alert *a)
{
        char text[ALERT_TIME_BYTES];
        json_t *o = doc_object(), *tags = doc_array();
        for (size_t i = 0; a->rule && i < a->rule->tags.n; i++)
                doc_add(tags, doc_text(a->rule->tags.v[i]));
        for (size_t i = 0; a->tags && a->tags[i]; i++)
                doc_add(tags, doc_cstr(a->tags[i]));
        doc_set(o, "time", doc_text(alert_time(a->time_ns, text)));
        doc_set(o, "rule", doc_text(name_of(a)));
        doc_set(o, "priority", doc_cstr(rule_priority_names[a->priority]));
        doc_set(o, "source", doc_cstr(a->source));
        doc_set(o, "hostname", doc_cstr(a->hostname));
        doc_set(o, "action", doc_cstr(alert_action_names[a->action]));
        if (a->incident > 0)
                doc_set(o, "incident", doc_number(a->incident));
        doc_set(o, "tags", tags);
        doc_set(o, "output", doc_text(a->output));
        doc_set(o, "output_fields", fields_json(a));
        return o;
}

void alert_add_text(struct alert_fields *f, const char *name, struct str s)
{
        if (s.n && f->n < ALERT_FIELDS_MAX)
                f->v[f->n++] = (struct alert_field){ name, value_string(s) };
}

void alert_add_number(struct alert_fields *f, const char *name, uint64_t n)
{
        if (f->n < ALERT_FIELDS_MAX)
                f->v[f->n++] = (struct alert_field){ name, value_number((int64_t)n) };
}

static void write_file(struct alert_sink *s, const char *line, size_t n)
{
        int r = s->fd < 0 ? -EBADF : write_all(s->fd, line, n);
        if (r < 0)
                s->failed++;
        else
                s->written++;
}

/* Controls and what would change the direction of a line are shown, not obeyed. */
static void print_text(FILE *to, const struct alert *a)
{
        char text[ALERT_TIME_BYTES];
        fprintf(to, "%.*s  %s  %.*s", STR_FMT(alert_time(a->time_ns, text)), rule_priority_names[a->priority],
                STR_FMT(name_of(a)));
        if (a->action != ALERT_NOTHING)
                fprintf(to, "  [%s]", alert_action_names[a->action]);
        fputs("  ", to);
        utf8_print(to, a->output);
        fputc('\n', to);
        fflush(to);
}

void alert_line(const struct alert *a, struct buf *to)
{
        json_t *o = alert_json(a);
        char *line = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(o);
        buf_puts(to, line ? line : "{}");
        buf_putc(to, '\n');
        free(line);
}

void alert_write(struct alert_sink *s, const struct alert *a)
{
        if (s->path || (s->stream && s->is_json)) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(ALERT_LINE_MAX);
                alert_line(a, &b);
                if (s->path)
                        write_file(s, b.p, b.n);
                if (s->stream && s->is_json) {
                        fwrite(b.p, 1, b.n, s->stream);
                        fflush(s->stream);
                }
        }
        if (s->stream && !s->is_json)
                print_text(s->stream, a);
}
