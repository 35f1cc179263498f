/* The readers of sense/: the first byte chooses records of the ring, mountinfo, or arguments; the rest is the input. */
#include "sense/container.h"
#include "sense/decode.h"
#include "sense/process.h"
#include "sense/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_record(struct str input, struct arena *arena)
{
        struct event e;
        struct process_table t;
        if (!event_decode(input, arena, &e))
                return;
        process_table_init(&t);
        const struct process *p = process_apply(&t, &e);
        (void)process_ancestor(&t, p, 3);
        (void)script_of(e.exe_path, e.args);
        process_table_done(&t);
}

static void try_mounts(struct str input)
{
        struct container_entry e = { .arena = ARENA_INIT };
        bool is_sure;
        container_parse_mounts(&e, input);
        (void)container_mount_of(&e, STR("/a/b"));
        (void)container_id_in(str_line(&input), &is_sure);
        arena_done(&e.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        if (size == 0)
                return 0;
        struct str input = str_span(data + 1, size - 1);
        if (data[0] % 3 == 0) {
                try_record(input, &arena);
        } else if (data[0] % 3 == 1) {
                try_mounts(input);
        } else {
                struct str exe = str_line(&input);
                struct str script = script_of(exe, input);
                (void)script_absolute(script, exe, &arena);
        }
        arena_done(&arena);
        return 0;
}
