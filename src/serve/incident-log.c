/* See incident-log.h. */
#include "serve/incident-log.h"

#include "base/buf.h"
#include "base/date.h"
#include "intel/json.h"
#include "report/document.h"
#include "serve/alert.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND_NS INT64_C(1000000000)

void incident_digest(struct str line, char ret[static INCIDENT_DIGEST_BYTES])
{
        uint8_t digest[SHA256_DIGEST_LENGTH];
        SHA256((const unsigned char *)(line.p ? line.p : ""), line.n, digest);
        for (size_t i = 0; i < sizeof(digest); i++)
                snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

/* -------------------------------------------------------------------------------------------------- writing ---- */

static json_t *text(struct str s) { return doc_text(str_upto(s, INCIDENT_TEXT_MAX)); }

static json_t *lineage_json(const struct incident_entry *e)
{
        json_t *all = doc_array();
        for (size_t i = 0; i < MIN(e->n_lineage, (size_t)INCIDENT_LINEAGE_MAX); i++) {
                const struct incident_process *p = &e->lineage[i];
                json_t *o = doc_object();
                doc_set(o, "pid", doc_number(p->pid));
                doc_set(o, "session", doc_number(p->session));
                doc_set(o, "started", doc_number(p->started_ns));
                doc_set(o, "program", text(p->program));
                doc_set(o, "command", text(p->command));
                doc_add(all, o);
        }
        return all;
}

static void set_alert(json_t *o, const struct incident_entry *e)
{
        json_t *tags = doc_array();
        for (size_t i = 0; i < MIN(e->tags.n, (size_t)INCIDENT_TAGS_MAX); i++)
                doc_add(tags, text(e->tags.v[i]));
        doc_set(o, "rule", text(e->rule));
        doc_set(o, "action", text(e->action));
        doc_set(o, "tags", tags);
        doc_set(o, "output", text(e->output));
        doc_set(o, "lineage", lineage_json(e));
}

void incident_line(const struct incident_entry *e, const char *previous, struct buf *to)
{
        char time[ALERT_TIME_BYTES];
        json_t *o = doc_object();
        doc_set(o, "incident", doc_number(e->incident));
        doc_set(o, "time", doc_text(alert_time(e->time_ns, time)));
        doc_set(o, "priority", doc_cstr(rule_priority_names[e->priority]));
        if (e->container_id.n > 0) {
                json_t *c = doc_object();
                doc_set(c, "id", text(e->container_id));
                doc_set(c, "name", text(e->container_name));
                doc_set(c, "image", text(e->image));
                doc_set(o, "container", c);
        }
        if (e->more > 0)
                doc_set(o, "more", doc_number(e->more));
        else
                set_alert(o, e);
        doc_set(o, "boot", text(e->boot));
        doc_set(o, "previous", doc_cstr(previous));
        char *line = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_decref(o);
        buf_puts(to, line ? line : "");
        free(line);
}

/* -------------------------------------------------------------------------------------------------- reading ---- */

static struct str kept(const json_t *o, const char *name, struct arena *arena)
{
        return arena_str(arena, str_upto(json_member(o, name), INCIDENT_TEXT_MAX));
}

static bool get_number(const json_t *o, const char *name, uint64_t most, uint64_t *ret)
{
        const json_t *j = json_object_get(o, name);
        json_int_t n = json_integer_value(j);
        *ret = (uint64_t)n;
        return json_is_integer(j) && n >= 0 && (uint64_t)n <= most;
}

/* "2026-11-20T10:00:00.123456789Z", as alert_time() writes it. */
static bool get_time(struct str s, int64_t *ret_ns)
{
        int64_t seconds;
        uint64_t ns = 0;
        ptrdiff_t dot = str_find_char(s, '.');
        if (!date_parse(s, &seconds) || seconds < 0 || seconds > INT64_MAX / SECOND_NS - 1)
                return false;
        if (dot >= 0 && (s.n - (size_t)dot != 11 || !str_u64(str_upto(str_from(s, (size_t)dot + 1), 9), &ns)))
                return false;
        *ret_ns = seconds * SECOND_NS + (int64_t)ns;
        return true;
}

static bool get_priority(struct str name, enum rule_priority *ret)
{
        for (unsigned i = 0; i < PRIORITIES; i++)
                if (str_is(name, rule_priority_names[i])) {
                        *ret = (enum rule_priority)i;
                        return true;
                }
        return false;
}

static bool get_lineage(const json_t *all, struct arena *arena, struct incident_entry *ret)
{
        size_t n = json_array_size(all);
        if (n > INCIDENT_LINEAGE_MAX)
                return false;
        struct incident_process *v = arena_array(arena, n, sizeof(*v));
        for (size_t i = 0; i < n; i++) {
                const json_t *o = json_array_get(all, i);
                uint64_t pid, session;
                if (!get_number(o, "pid", UINT32_MAX, &pid) || !get_number(o, "session", UINT32_MAX, &session) ||
                    !get_number(o, "started", INT64_MAX, &v[i].started_ns))
                        return false;
                v[i].pid = (uint32_t)pid;
                v[i].session = (uint32_t)session;
                v[i].program = kept(o, "program", arena);
                v[i].command = kept(o, "command", arena);
        }
        ret->lineage = v;
        ret->n_lineage = n;
        return true;
}

static bool get_tags(const json_t *all, struct arena *arena, struct str_list *ret)
{
        size_t n = json_array_size(all);
        if (n > INCIDENT_TAGS_MAX)
                return false;
        *ret = (struct str_list){ .v = arena_array(arena, n, sizeof(*ret->v)), .n = n };
        for (size_t i = 0; i < n; i++)
                ret->v[i] = arena_str(arena, str_upto(json_str(json_array_get(all, i)), INCIDENT_TEXT_MAX));
        return true;
}

bool incident_parse(struct str line, struct arena *arena, struct incident_entry *ret, struct str *ret_previous)
{
        if (line.n > INCIDENT_LINE_MAX)
                return false;
        _cleanup_(json_freep) json_t *o = json_parse(line, NULL);
        struct incident_entry e = { 0 };
        if (!get_number(o, "incident", INT64_MAX, &e.incident) || e.incident == 0 ||
            !get_time(json_member(o, "time"), &e.time_ns) || !get_priority(json_member(o, "priority"), &e.priority))
                return false;
        if (json_object_get(o, "more") && (!get_number(o, "more", INT64_MAX, &e.more) || e.more == 0))
                return false;
        if (e.more == 0 && (json_member(o, "rule").n == 0 || !get_lineage(json_object_get(o, "lineage"), arena, &e) ||
                            !get_tags(json_object_get(o, "tags"), arena, &e.tags)))
                return false;
        const json_t *container = json_object_get(o, "container");
        e.container_id = kept(container, "id", arena);
        e.container_name = kept(container, "name", arena);
        e.image = kept(container, "image", arena);
        e.rule = kept(o, "rule", arena);
        e.action = kept(o, "action", arena);
        e.output = kept(o, "output", arena);
        e.boot = kept(o, "boot", arena);
        *ret_previous = kept(o, "previous", arena);
        *ret = e;
        return true;
}

static void note_flaw(struct incident_flaws *f, uint64_t *counter, uint64_t line)
{
        ++*counter;
        if (f->first == 0)
                f->first = line;
}

/* The next line, without its end; what is longer than a line may be is cut, so that it is malformed. False: no more. */
static bool next_line(FILE *f, struct buf *to, bool *ret_is_whole)
{
        int c;
        buf_clear(to);
        while ((c = getc_unlocked(f)) != EOF && c != '\n')
                buf_putc(to, (char)c);
        *ret_is_whole = c == '\n' && !buf_is_full(to);
        return c != EOF || to->n > 0;
}

int incident_read(const char *path, void (*each)(void *arg, const struct incident_entry *e), void *arg,
                  struct incident_flaws *ret, char ret_digest[static INCIDENT_DIGEST_BYTES], struct error *err)
{
        _cleanup_(buf_done) struct buf line = BUF_INIT(INCIDENT_LINE_MAX);
        bool is_whole;
        FILE *f = fopen(path, "re");
        *ret = (struct incident_flaws){ 0 };
        ret_digest[0] = '\0';
        if (!f)
                return error_errno(err, -errno, "%s", path);
        for (uint64_t number = 1; next_line(f, &line, &is_whole); number++) {
                struct arena arena = ARENA_INIT;
                struct incident_entry e;
                struct str previous;
                if (!is_whole || !incident_parse(buf_str(&line), &arena, &e, &previous)) {
                        note_flaw(ret, &ret->malformed, number);
                } else {
                        if (!str_is(previous, ret_digest))
                                note_flaw(ret, &ret->breaks, number);
                        each(arg, &e);
                }
                incident_digest(buf_str(&line), ret_digest);
                arena_done(&arena);
        }
        int r = ferror(f) ? error_errno(err, -EIO, "%s", path) : 0;
        fclose(f);
        return r;
}
