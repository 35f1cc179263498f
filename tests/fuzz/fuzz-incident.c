/* Lines of the log of incidents, as a file that somebody changed has them. */
#include "serve/incident-log.h"

#include "base/arena.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_end(void *arg, struct incident *i) {}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct incident_table table;
        struct incident_entry e;
        struct str previous;
        incident_table_init(&table, on_end, NULL);
        if (incident_parse(str_span(data, size), &arena, &e, &previous)) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(INCIDENT_LINE_MAX);
                incident_replay(&table, &e);
                (void)incident_join(&table, &e);
                incident_line(&e, "", &b);
        }
        incident_table_done(&table);
        arena_done(&arena);
        return 0;
}
