/* `--sink falcosidekick=URL`: each alert in the shape of Falco's own JSON output, one POST each, as Falco does it. */
#include "serve/sink.h"

#include "intel/json.h"
#include "report/document.h"

#include <stdio.h>
#include <sys/random.h>

/* A random UUID (RFC 9562, version 4). */
static void make_uuid(char text[static 37])
{
        uint8_t b[16] = { 0 };
        (void)!getrandom(b, sizeof(b), 0);
        b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
        b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
        for (size_t i = 0, n = 0; i < sizeof(b); i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        text[n++] = '-';
                n += (size_t)snprintf(text + n, 3, "%02x", b[i]);
        }
}

json_t *sink_falco(struct str line)
{
        static const char *const names[] = { "output", "priority", "rule",     "time",
                                             "source", "tags",     "hostname", "output_fields" };
        _cleanup_(json_freep) json_t *alert = json_parse(line, NULL);
        char uuid[37];
        if (!json_is_object(alert))
                return NULL;
        json_t *o = doc_object();
        make_uuid(uuid);
        doc_set(o, "uuid", doc_cstr(uuid));
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                json_t *value = json_object_get(alert, names[i]);
                doc_set(o, names[i], value ? json_incref(value) : doc_null());
        }
        return o;
}

static int open_target(const char *target, int *ret_fd, char ret_name[static 256], struct error *err)
{
        *ret_fd = -1;
        return sink_http_check(target, ret_name, err);
}

static void *begin(const char *target, int fd, struct error *err) { return sink_http_new(target, err); }

static int deliver(void *state, const struct str *lines, size_t n, struct error *err)
{
        _cleanup_(buf_done) struct buf body = BUF_INIT(SINK_BATCH_BYTES);
        json_t *o = sink_falco(lines[0]);
        if (!o)
                return error_set(err, SINK_REFUSED, "an alert that is no JSON");
        sink_print(o, &body);
        return sink_http_post(state, buf_str(&body), err);
}

const struct sink_kind sink_falcosidekick = {
        .kind = "falcosidekick",
        .target = "URL",
        .doc = "Falco's JSON, one POST an alert",
        .batch = 1,
        .open = open_target,
        .begin = begin,
        .deliver = deliver,
};
