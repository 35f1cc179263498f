/* `--sink webhook=URL`: alerts as docs/format/alerts.md has them, as one JSON array a POST. */
#include "serve/sink.h"

static int open_target(const char *target, int *ret_fd, char ret_name[static 256], struct error *err)
{
        *ret_fd = -1;
        return sink_http_check(target, ret_name, err);
}

static void *begin(const char *target, int fd, struct error *err) { return sink_http_new(target, err); }

static int deliver(void *state, const struct str *lines, size_t n, struct error *err)
{
        _cleanup_(buf_done) struct buf body = BUF_INIT(2 * SINK_BATCH_BYTES);
        buf_putc(&body, '[');
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        buf_putc(&body, ',');
                buf_add_str(&body, lines[i]);
        }
        buf_putc(&body, ']');
        return sink_http_post(state, buf_str(&body), err);
}

const struct sink_kind sink_webhook = {
        .kind = "webhook",
        .target = "URL",
        .doc = "alerts as JSON, at most 100 a POST",
        .batch = SINK_BATCH_MAX,
        .open = open_target,
        .begin = begin,
        .deliver = deliver,
};
