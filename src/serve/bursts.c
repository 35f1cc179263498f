/* See bursts.h. */
#include "serve/bursts.h"

#include "serve/arguments.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>

#define WINDOW_NS ((uint64_t)BURST_SECONDS * 1000000000)

static void clear(struct bursts *b)
{
        for (size_t i = 0; i < b->counters.n; i++)
                set64_done(&b->counters.v[i].things);
        map64_done(&b->index);
        vec_clear(&b->counters);
}

void bursts_done(struct bursts *b)
{
        clear(b);
        vec_done(&b->counters);
        *b = (struct bursts){ 0 };
}

static bool is_over(const struct burst_counter *c, uint64_t now_ns)
{
        return now_ns > c->begun_ns && now_ns - c->begun_ns > WINDOW_NS;
}

/* The counter of this key in its window, begun anew if the window is over. Valid until the next one is asked for. */
static struct burst_counter *counter_of(struct bursts *b, uint64_t key, uint64_t now_ns)
{
        bool is_new;
        if (b->counters.n == BURST_KEYS_MAX && !map64_get(&b->index, key))
                clear(b);
        uint64_t *at = map64_put(&b->index, key, &is_new);
        if (is_new) {
                *at = b->counters.n;
                (void)vec_push(&b->counters);
        }
        struct burst_counter *c = &b->counters.v[*at];
        if (is_new || is_over(c, now_ns)) {
                set64_done(&c->things);
                *c = (struct burst_counter){ .key = key, .begun_ns = now_ns };
        }
        return c;
}

/* The session within the container, and what is counted in it. */
static uint64_t key_of(const struct event *e, const struct process *p, enum burst what, struct str more)
{
        uint64_t parts[3] = { e->call.cgroup_id, p ? p->sid : e->head.pid, what };
        return hash_str_more(hash_str(str_span(parts, sizeof(parts))), more);
}

static void count_thing(struct bursts *b, uint64_t key, uint64_t now_ns, struct str thing, enum burst what)
{
        struct burst_counter *c = counter_of(b, key, now_ns);
        if (c->things.n < BURST_THINGS_MAX && set64_add(&c->things, hash_str(thing)))
                b->now[what] = ++c->n;
}

static void note_connect(struct bursts *b, const struct event *e, const struct process *p)
{
        uint16_t family = 0;
        struct str data = e->data, address, port;
        if (data.n >= sizeof(family))
                memcpy(&family, data.p, sizeof(family));
        bool is_four = family == AF_INET && data.n >= offsetof(struct sockaddr_in, sin_zero);
        bool is_six = family == AF_INET6 && data.n >= offsetof(struct sockaddr_in6, sin6_scope_id);
        if (!is_four && !is_six)
                return;
        port = str_upto(str_from(data, offsetof(struct sockaddr_in, sin_port)), sizeof(uint16_t));
        if (port.p[0] == 0 && port.p[1] == 0) /* asks for a route, connects to nothing */
                return;
        address = is_four ? str_upto(str_from(data, offsetof(struct sockaddr_in, sin_addr)), 4)
                          : str_upto(str_from(data, offsetof(struct sockaddr_in6, sin6_addr)), 16);
        count_thing(b, key_of(e, p, BURST_PORTS, address), e->head.time_ns, port, BURST_PORTS);
        struct str network = str_upto(address, is_four ? 3 : 8);
        count_thing(b, key_of(e, p, BURST_HOSTS, network), e->head.time_ns, address, BURST_HOSTS);
}

/* "report.doc" of "report.doc.locked"; STR_NONE without a suffix, and of what compressors and copies make. */
static struct str without_suffix(struct str path)
{
        static const char *const harmless[] = { "gz", "bz2", "xz", "zst", "lz4", "bak", "old", "orig" };
        ptrdiff_t dot = str_rfind_char(path, '.'), slash = str_rfind_char(path, '/');
        if (dot <= slash + 1)
                return STR_NONE;
        for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
                if (str_is(str_from(path, (size_t)dot + 1), harmless[i]))
                        return STR_NONE;
        return str_upto(path, (size_t)dot);
}

static void note_suffixed(struct bursts *b, const struct event *e, const struct process *p, struct str path)
{
        count_thing(b, key_of(e, p, BURST_SUFFIXED, STR("")), e->head.time_ns, path, BURST_SUFFIXED);
}

/* Files that were made with a suffix, by what they are called without it. */
static struct burst_counter *made_of(struct bursts *b, const struct event *e, const struct process *p)
{
        return counter_of(b, key_of(e, p, BURSTS, STR("")), e->head.time_ns);
}

static struct burst_counter *removed_of(struct bursts *b, const struct event *e, const struct process *p)
{
        return counter_of(b, key_of(e, p, BURST_REMOVED, STR("")), e->head.time_ns);
}

static void keep_thing(struct burst_counter *c, struct str thing)
{
        if (c->things.n < BURST_THINGS_MAX)
                (void)set64_add(&c->things, hash_str(thing));
}

/* A file and the one with a suffix: which of them went or came first does not matter. */
static void note_made(struct bursts *b, const struct event *e, const struct process *p, struct str path)
{
        struct str plain = without_suffix(path);
        if (!plain.n)
                return;
        keep_thing(made_of(b, e, p), plain);
        if (set64_has(&removed_of(b, e, p)->things, hash_str(plain)))
                note_suffixed(b, e, p, plain);
}

static void note_removed(struct bursts *b, const struct event *e, const struct process *p, struct str path)
{
        struct burst_counter *c = removed_of(b, e, p);
        b->now[BURST_REMOVED] = ++c->n;
        keep_thing(c, path);
        if (set64_has(&made_of(b, e, p)->things, hash_str(path)))
                note_suffixed(b, e, p, path);
}

void bursts_note(struct bursts *b, const struct event *e, const struct process *p, const struct str paths[2])
{
        uint64_t flags, mode;
        memset(b->now, 0, sizeof(b->now));
        if (!b->is_wanted || e->kind != OBSERVE_CALL)
                return;
        switch (e->call.call) {
        case CALL_connect:
                note_connect(b, e, p);
                return;
        case CALL_unlink:
        case CALL_unlinkat:
        case CALL_rmdir:
                if (e->call.result == 0)
                        note_removed(b, e, p, paths[0]);
                return;
        case CALL_rename:
        case CALL_renameat:
        case CALL_renameat2:
                if (e->call.result == 0 && paths[0].n && str_eq(without_suffix(paths[1]), paths[0]))
                        note_suffixed(b, e, p, paths[0]);
                return;
        default:
                if (call_open_flags(e, &flags, &mode) && e->call.result >= 0 && flags & O_CREAT)
                        note_made(b, e, p, paths[0]);
        }
}

void bursts_rest(struct bursts *b, uint64_t now_ns)
{
        for (size_t i = b->counters.n; i-- > 0;) {
                struct burst_counter *c = &b->counters.v[i];
                if (!is_over(c, now_ns))
                        continue;
                set64_done(&c->things);
                map64_take_out(&b->index, c->key, i, b->counters.v[b->counters.n - 1].key);
                *c = b->counters.v[--b->counters.n];
        }
        vec_shrink(&b->counters);
}
