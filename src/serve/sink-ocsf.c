/*
 * `--sink ocsf=FILE|URL`: each alert as a Detection Finding (class 2004) of the Open Cybersecurity Schema Framework,
 * version 1.3.0 with the profiles host, container and security_control; as lines of a file, or an array a POST.
 */
#include "serve/sink.h"

#include "base/date.h"
#include "base/fs.h"
#include "intel/framework.h"
#include "intel/json.h"
#include "report/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OCSF_VERSION   "1.3.0"
#define ATTACK_VERSION "18" /* of data/attack.tsv */

static int severity(struct str priority)
{
        static const struct {
                const char *priority;
                int id;
        } table[] = {
                { "Emergency", 6 }, { "Alert", 5 },  { "Critical", 5 },      { "Error", 4 },
                { "Warning", 3 },   { "Notice", 2 }, { "Informational", 1 }, { "Debug", 1 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (str_is(priority, table[i].priority))
                        return table[i].id;
        return 0;
}

/* Ids of the profile security_control. */
static void set_disposition(json_t *o, struct str action)
{
        static const struct {
                const char *action;
                int action_id, disposition_id; /* 1 allowed, 2 denied; 1 allowed ... 17 logged */
        } table[] = {
                { "killed", 2, 2 },   { "denied", 2, 2 },      { "terminated", 2, 2 },
                { "isolated", 2, 4 }, { "quarantined", 2, 3 }, { "frozen", 2, 2 },
        };
        size_t i = 0;
        while (i < ARRAY_SIZE(table) && !str_is(action, table[i].action))
                i++;
        doc_set(o, "action_id", doc_number(i < ARRAY_SIZE(table) ? (uint64_t)table[i].action_id : 1));
        doc_set(o, "disposition_id", doc_number(i < ARRAY_SIZE(table) ? (uint64_t)table[i].disposition_id : 17));
}

static json_t *metadata(void)
{
        json_t *o = doc_object(), *product = doc_object(), *profiles = doc_array();
        doc_set(product, "name", doc_cstr("sekisho"));
        doc_set(product, "vendor_name", doc_cstr("sekisho"));
        doc_set(product, "version", doc_cstr(SEKISHO_VERSION));
        doc_add(profiles, doc_cstr("host"));
        doc_add(profiles, doc_cstr("container"));
        doc_add(profiles, doc_cstr("security_control"));
        doc_set(o, "version", doc_cstr(OCSF_VERSION));
        doc_set(o, "product", product);
        doc_set(o, "profiles", profiles);
        return o;
}

static json_t *named(const char *uid, const char *name)
{
        json_t *o = doc_object();
        doc_set(o, "uid", doc_cstr(uid));
        doc_set(o, "name", doc_cstr(name));
        return o;
}

/* One entry a technique and tactic. */
static json_t *attacks(const json_t *tags)
{
        json_t *list = doc_array(), *tag;
        size_t i;
        json_array_foreach((json_t *)tags, i, tag)
        {
                const struct technique *t = framework_tag_parse(json_str(tag)).technique;
                for (size_t k = 0; t && k < n_tactics; k++) {
                        if (!technique_is(t, tactics[k].name))
                                continue;
                        json_t *o = doc_object();
                        doc_set(o, "version", doc_cstr(ATTACK_VERSION));
                        doc_set(o, "tactic", named(tactics[k].id, tactics[k].name));
                        doc_set(o, "technique", named(t->id, t->name));
                        doc_add(list, o);
                }
        }
        return list;
}

/* Members of output_fields that are there, under the names of OCSF. */
static void copy(json_t *to, const char *name, const json_t *fields, const char *field)
{
        json_t *value = json_object_get(fields, field);
        if (value && !json_is_null(value))
                doc_set(to, name, json_incref(value));
}

static json_t *container(const json_t *fields)
{
        struct str id = json_member(fields, "container.id");
        json_t *o;
        if (id.n == 0 || str_is(id, "host"))
                return NULL;
        o = doc_object();
        doc_set(o, "uid", doc_text(id));
        copy(o, "name", fields, "container.name");
        return o;
}

static json_t *process(const json_t *fields)
{
        json_t *o = doc_object(), *parent = doc_object(), *c = container(fields);
        struct str path = json_member(fields, "proc.exepath");
        copy(o, "pid", fields, "proc.pid");
        copy(o, "name", fields, "proc.name");
        copy(o, "cmd_line", fields, "proc.cmdline");
        if (path.n > 0) {
                json_t *file = doc_object();
                ptrdiff_t slash = str_rfind_char(path, '/');
                doc_set(file, "path", doc_text(path));
                doc_set(file, "name", doc_text(slash < 0 ? path : str_from(path, (size_t)slash + 1)));
                doc_set(file, "type_id", doc_number(1)); /* a regular file */
                doc_set(o, "file", file);
        }
        copy(parent, "pid", fields, "proc.ppid");
        copy(parent, "name", fields, "proc.pname");
        if (json_object_size(parent) > 0)
                doc_set(o, "parent_process", parent);
        else
                json_decref(parent);
        if (c)
                doc_set(o, "container", c);
        return o;
}

static json_t *finding_info(const json_t *alert)
{
        json_t *o = doc_object();
        char uid[64];
        json_int_t incident = json_integer_value(json_object_get(alert, "incident"));
        snprintf(uid, sizeof(uid), "%.*s%s%lld", STR_FMT(str_upto(json_member(alert, "time"), 32)), incident ? "/" : "",
                 (long long)incident);
        doc_set(o, "uid", doc_cstr(uid));
        doc_set(o, "title", doc_text(json_member(alert, "rule")));
        doc_set(o, "desc", doc_text(json_member(alert, "output")));
        doc_set(o, "attacks", attacks(json_object_get(alert, "tags")));
        return o;
}

/* Milliseconds since 1970 out of "2026-11-20T10:00:00.123456789Z". */
static uint64_t milliseconds(struct str time)
{
        int64_t t;
        uint64_t ms = 0;
        if (!date_parse(time, &t) || t < 0)
                return 0;
        if (time.n > 23)
                (void)str_u64(str_upto(str_from(time, 20), 3), &ms);
        return (uint64_t)t * 1000 + ms;
}

json_t *sink_ocsf(struct str line)
{
        _cleanup_(json_freep) json_t *alert = json_parse(line, NULL);
        if (!json_is_object(alert))
                return NULL;
        json_t *o = doc_object(), *device = doc_object(), *evidences = doc_array(), *evidence = doc_object();
        doc_set(o, "activity_id", doc_number(1)); /* created */
        doc_set(o, "category_uid", doc_number(2));
        doc_set(o, "class_uid", doc_number(2004));
        doc_set(o, "type_uid", doc_number(200401));
        doc_set(o, "time", doc_number(milliseconds(json_member(alert, "time"))));
        doc_set(o, "severity_id", doc_number((uint64_t)severity(json_member(alert, "priority"))));
        doc_set(o, "severity", doc_text(json_member(alert, "priority")));
        doc_set(o, "status_id", doc_number(1)); /* new */
        doc_set(o, "message", doc_text(json_member(alert, "output")));
        doc_set(o, "metadata", metadata());
        doc_set(o, "finding_info", finding_info(alert));
        set_disposition(o, json_member(alert, "action"));
        doc_set(device, "hostname", doc_text(json_member(alert, "hostname")));
        doc_set(device, "type_id", doc_number(1)); /* a server */
        doc_set(o, "device", device);
        doc_set(evidence, "process", process(json_object_get(alert, "output_fields")));
        doc_add(evidences, evidence);
        doc_set(o, "evidences", evidences);
        doc_set(o, "unmapped", json_incref(alert));
        return o;
}

/* --------------------------------------------------------------------------------------------------- the sink ---- */

struct ocsf {
        int fd; /* -1: to a URL */
        struct sink_http *http;
};

static int open_target(const char *target, int *ret_fd, char ret_name[static 256], struct error *err)
{
        *ret_fd = -1;
        if (target && (strncmp(target, "http://", 7) == 0 || strncmp(target, "https://", 8) == 0))
                return sink_http_check(target, ret_name, err);
        if (!target || target[0] == '\0')
                return error_set(err, -EINVAL, "takes a file or a URL");
        *ret_fd = open(target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
        if (*ret_fd < 0)
                return error_errno(err, -errno, "%s", target);
        snprintf(ret_name, 256, "%s", target);
        return 0;
}

static void *begin(const char *target, int fd, struct error *err)
{
        struct ocsf o = { .fd = fd, .http = fd < 0 ? sink_http_new(target, err) : NULL };
        if (fd < 0 && !o.http)
                return NULL;
        struct ocsf *ret = xmalloc(sizeof(*ret));
        *ret = o;
        return ret;
}

static int deliver(void *state, const struct str *lines, size_t n, struct error *err)
{
        const struct ocsf *o = state;
        _cleanup_(buf_done) struct buf body = BUF_INIT(8 * SINK_BATCH_BYTES);
        const char *between = o->http ? "," : "\n";
        size_t written = 0;
        if (o->http)
                buf_putc(&body, '[');
        for (size_t i = 0; i < n; i++) {
                json_t *finding = sink_ocsf(lines[i]);
                if (!finding)
                        continue;
                if (written++ > 0)
                        buf_puts(&body, between);
                sink_print(finding, &body);
        }
        buf_puts(&body, o->http ? "]" : "\n");
        if (o->http)
                return sink_http_post(o->http, buf_str(&body), err);
        int r = write_all(o->fd, body.p, body.n);
        return r < 0 ? error_errno(err, r, "the file of findings") : 0;
}

const struct sink_kind sink_ocsf_findings = {
        .kind = "ocsf",
        .target = "FILE|URL",
        .doc = "OCSF Detection Findings (class 2004), as lines or by POST",
        .batch = SINK_BATCH_MAX / 4,
        .open = open_target,
        .begin = begin,
        .deliver = deliver,
};
