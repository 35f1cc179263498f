/* See ended.h. */
#include "serve/ended.h"

void ended_done(struct ended *e)
{
        process_table_done(&e->generations[0]);
        process_table_done(&e->generations[1]);
        *e = (struct ended){ 0 };
}

void ended_turn(struct ended *e)
{
        process_table_done(&e->generations[1]);
        e->generations[1] = e->generations[0];
        e->generations[0] = (struct process_table){ 0 };
}

void ended_keep(struct ended *e, const struct process *p)
{
        if (e->generations[0].n >= ENDED_MAX)
                ended_turn(e);
        struct process *kept = process_get(&e->generations[0], p->pid);
        if (kept)
                process_become(kept, p);
}

const struct process *ended_find(const struct ended *e, uint32_t pid)
{
        const struct process *p = process_find(&e->generations[0], pid);
        return p ? p : process_find(&e->generations[1], pid);
}
