/*
 * System calls, see sensor.h: the object of bpf/calls/calls.bpf.c is loaded when it is first asked for, those of its
 * programs are attached that the mode has: in full mode the tracepoints of calls, in lean mode those of rights. It
 * shares the map of containers with lean mode's object and has a ring of its own, so that a flood of calls does not
 * push out what begins and ends.
 *
 * Records of both rings are handed over in the order of their time: a call is judged while its process is known.
 */
#include "sense/sensor-private.h"

#include "base/arena.h"
#include "base/buf.h"
#include "sense/bpf-words.h"

#include <bpf/bpf.h>
#include <calls.skel.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define RECORD_MAX ((size_t)64 << 10)

/* The programs, and what each is attached to. */
enum program { ON_RETURN, ON_BEGIN, ON_RIGHT, ON_SIGNAL, ON_RING, PROGRAMS };

static const struct {
        const char *name, *tracepoint;
        bool is_lean, is_optional; /* optional: not every kernel has it */
} programs[PROGRAMS] = {
        [ON_RETURN] = { "on_return", "sys_exit", false, false },
        [ON_BEGIN] = { "on_begin", "sys_enter", false, false },
        [ON_RIGHT] = { "on_right", "cap_capable", true, true },
        [ON_SIGNAL] = { "on_signal", "signal_generate", true, true },
        [ON_RING] = { "on_ring", "io_uring_create", true, true },
};

struct sensor_calls {
        struct calls *bpf;
        struct ring_buffer *ring;
        struct bpf_link *links[PROGRAMS]; /* NULL while it is not attached */
        struct buf held;                  /* a record that is younger than what was asked for; empty: none */
        uint64_t until_ns;                /* during sensor_calls_until */
};

/* ------------------------------------------------------------------------------------------------- reading ---- */

static uint64_t time_of(struct str record)
{
        struct observe_head head = { 0 };
        if (record.n >= sizeof(head))
                memcpy(&head, record.p, sizeof(head));
        return head.time_ns;
}

static int take_call(void *ctx, void *data, size_t size)
{
        struct sensor *s = ctx;
        struct sensor_calls *c = s->calls;
        struct str record = str_span(data, size);
        if (time_of(record) > c->until_ns) {
                buf_add_str(&c->held, record);
                return -EAGAIN; /* stops here; the record counts as read */
        }
        s->each(s->arg, record);
        return ++s->n < s->most ? 0 : -EAGAIN;
}

void sensor_calls_until(struct sensor *s, uint64_t time_ns)
{
        struct sensor_calls *c = s->calls;
        if (!c || s->n >= s->most)
                return;
        if (c->held.n) {
                if (time_of(buf_str(&c->held)) > time_ns)
                        return;
                s->each(s->arg, buf_str(&c->held));
                buf_clear(&c->held);
                if (++s->n >= s->most)
                        return;
        }
        c->until_ns = time_ns;
        (void)ring_buffer__consume(c->ring);
}

bool sensor_calls_wait(const struct sensor *s) { return s->calls && s->calls->held.n; }

void sensor_call_drops(const struct sensor *s, uint64_t ret[CALL_CLASSES])
{
        for (uint32_t class = 0; class < CALL_CLASSES; class ++)
                ret[class] = s->calls ? sensor_count(s, bpf_map__fd(s->calls->bpf->maps.call_drops), class) : 0;
}

/* ------------------------------------------------------------------------------------------------- numbers ---- */

#if defined(__aarch64__)
#define NATIVE(x86_64, arm64) arm64
#else
#define NATIVE(x86_64, arm64) x86_64
#endif

enum abi { ABI_NATIVE, ABI_I386, ABI_X32 };

static const struct {
        int16_t native, i386;
} numbers[OBSERVE_CALLS] = {
#define CALL(name, x86_64, i386, arm64, fd, dir1, path1, dir2, path2, data)                                            \
        [CALL_##name] = { NATIVE(x86_64, arm64), i386 },
#include "bpf/shared/calls.def"
#undef CALL
};

static const struct {
        enum observe_call_id call;
        enum abi abi;
        uint16_t number;
} twins[] = {
#define TWIN(name, abi, number) { CALL_##name, ABI_##abi, number },
#include "bpf/shared/calls-twins.def"
#undef TWIN
};

#define I386_SOCKETCALL 102u

/* Sub-calls of i386's socketcall, include/uapi/linux/net.h; send and recv are their longer twins without an address. */
static const struct {
        uint8_t number;
        enum observe_call_id call;
} socket_subs[] = {
        { 1, CALL_socket },    { 2, CALL_bind },        { 3, CALL_connect },   { 4, CALL_listen },
        { 5, CALL_accept },    { 8, CALL_socketpair },  { 11, CALL_sendto },   { 12, CALL_recvfrom },
        { 13, CALL_shutdown }, { 14, CALL_setsockopt }, { 16, CALL_sendmsg },  { 17, CALL_recvmsg },
        { 18, CALL_accept4 },  { 19, CALL_recvmmsg },   { 20, CALL_sendmmsg },
};

static void set_numbers(struct calls *bpf, const bool wanted[OBSERVE_CALLS])
{
        uint16_t table[2][CALL_NUMBERS] = { 0 }, subs[ARRAY_SIZE(bpf->bss->socket_subs)] = { 0 };
        for (uint16_t i = 0; i < OBSERVE_CALLS; i++) {
                if (wanted[i] && numbers[i].native >= 0)
                        table[0][numbers[i].native] = i + 1;
                if (wanted[i] && numbers[i].i386 >= 0)
                        table[1][numbers[i].i386] = i + 1;
        }
        for (size_t i = 0; i < ARRAY_SIZE(twins); i++)
                if (wanted[twins[i].call])
                        table[twins[i].abi == ABI_I386][twins[i].number] = (uint16_t)(twins[i].call + 1);
        for (size_t i = 0; i < ARRAY_SIZE(socket_subs); i++)
                if (wanted[socket_subs[i].call]) {
                        subs[socket_subs[i].number] = (uint16_t)(socket_subs[i].call + 1);
                        table[1][I386_SOCKETCALL] = CALL_SOCKETCALL;
                }
        memcpy(bpf->bss->socket_subs, subs, sizeof(subs));
        memcpy(bpf->bss->numbers, table, sizeof(table));
}

/* ------------------------------------------------------------------------------------------------- filters ---- */

static int clear_map(int map, void *key)
{
        while (bpf_map_get_next_key(map, NULL, key) == 0)
                if (bpf_map_delete_elem(map, key) < 0)
                        return -errno;
        return 0;
}

static int set_prefixes(int map, const struct sensor_text *texts, size_t n)
{
        struct call_prefix key;
        int r = clear_map(map, &key);
        for (size_t i = 0; i < n && r == 0; i++) {
                struct str text = str_upto(texts[i].text, CALL_PREFIX_BYTES);
                key = (struct call_prefix){ .bits = (uint32_t)text.n * 8 };
                memcpy(key.data, text.p, text.n);
                r = bpf_map_update_elem(map, &key, &texts[i].atoms, BPF_ANY) < 0 ? -errno : 0;
        }
        return r;
}

/* Keys of a fixed size, filled up with zeros. */
static int set_texts(int map, size_t key_size, const struct sensor_text *texts, size_t n)
{
        char key[16];
        int r = clear_map(map, key);
        for (size_t i = 0; i < n && r == 0; i++) {
                memset(key, 0, sizeof(key));
                memcpy(key, texts[i].text.p, MIN(texts[i].text.n, key_size));
                r = bpf_map_update_elem(map, key, &texts[i].atoms, BPF_ANY) < 0 ? -errno : 0;
        }
        return r;
}

/*
 * While they are exchanged, no path and no name is compared, and each filter lets all of its call pass: whatever the
 * new recipes want comes through from the first moment.
 */
static int set_recipes(struct calls *bpf, const struct sensor_recipes *recipes)
{
        static const struct call_filter all = { .n_clauses = 1 };
        int filters = bpf_map__fd(bpf->maps.filters), r = 0;
        __atomic_store_n(&bpf->bss->is_changing, 1, __ATOMIC_SEQ_CST);
        for (uint32_t i = 0; i < OBSERVE_CALLS && r == 0; i++)
                if (recipes->wanted[i])
                        r = bpf_map_update_elem(filters, &i, &all, BPF_ANY) < 0 ? -errno : 0;
        set_numbers(bpf, recipes->wanted);
        if (r == 0)
                r = set_prefixes(bpf_map__fd(bpf->maps.prefixes), recipes->prefixes, recipes->n_prefixes);
        if (r == 0)
                r = set_texts(bpf_map__fd(bpf->maps.suffixes), CALL_SUFFIX_BYTES, recipes->suffixes,
                              recipes->n_suffixes);
        if (r == 0)
                r = set_texts(bpf_map__fd(bpf->maps.comms), 16, recipes->comms, recipes->n_comms);
        for (uint32_t i = 0; i < OBSERVE_CALLS && r == 0; i++)
                if (recipes->wanted[i])
                        r = bpf_map_update_elem(filters, &i, &recipes->filters[i], BPF_ANY) < 0 ? -errno : 0;
        if (r == 0) /* else everything that is wanted goes on passing */
                __atomic_store_n(&bpf->bss->is_changing, 0, __ATOMIC_SEQ_CST);
        return r;
}

/* --------------------------------------------------------------------------------------------------- modes ---- */

static struct bpf_program *program_of(const struct calls *bpf, enum program i)
{
        return bpf_object__find_program_by_name(bpf->obj, programs[i].name);
}

/* Without the programs that this kernel has no tracepoint for. */
static struct calls *open_programs(void)
{
        bpf_words_begin();
        struct calls *bpf = calls__open();
        for (enum program i = 0; bpf && i < PROGRAMS; i++)
                if (programs[i].is_optional && !bpf_has_tracepoint(programs[i].tracepoint))
                        bpf_program__set_autoload(program_of(bpf, i), false);
        return bpf;
}

static int load(struct sensor *s)
{
        struct calls *bpf = open_programs();
        if (!bpf)
                return -errno;
        struct sensor_calls *c = xcalloc(1, sizeof(*c));
        *c = (struct sensor_calls){ .bpf = bpf, .held = BUF_INIT(RECORD_MAX) };
        bpf->rodata->host_mounts = bpf_host_namespace("mnt");
        bpf->rodata->host_pids = bpf_host_namespace("pid");
        bpf->rodata->own_process = (uint32_t)getpid();
        bpf_map__set_max_entries(bpf->maps.calls, s->ring_bytes);
        int r = bpf_map__reuse_fd(bpf->maps.containers, bpf_map__fd(s->bpf->maps.containers));
        if (r == 0)
                r = calls__load(bpf);
        if (r == 0) {
                c->ring = ring_buffer__new(bpf_map__fd(bpf->maps.calls), take_call, s, NULL);
                r = c->ring ? 0 : -errno;
        }
        struct epoll_event readable = { .events = EPOLLIN };
        if (r == 0 && epoll_ctl(s->epoll, EPOLL_CTL_ADD, ring_buffer__epoll_fd(c->ring), &readable) < 0)
                r = -errno;
        if (r < 0)
                sensor_calls_free(c);
        else
                s->calls = c;
        return r;
}

/* The calls' programs loaded, and one of them attached. */
static int probe(enum program which, struct error *err)
{
        struct calls *bpf = open_programs();
        if (!bpf)
                return bpf_refused(err, -errno, "the BPF programs cannot be opened");
        bpf_map__set_max_entries(bpf->maps.calls, SENSOR_RING_MIN);
        struct bpf_program *program = program_of(bpf, which);
        int r = bpf_program__autoload(program) ? calls__load(bpf) : -ENOENT;
        struct bpf_link *link = r == 0 ? bpf_program__attach(program) : NULL;
        if (r == 0 && !link)
                r = -errno;
        if (r == -ENOENT)
                error_set(err, r, "this kernel has no tracepoint %s", programs[which].tracepoint);
        else if (r < 0)
                bpf_refused(err, r, "refused");
        bpf_link__destroy(link);
        calls__destroy(bpf);
        return r;
}

int sensor_calls_probe(struct error *err) { return probe(ON_RETURN, err); }

int sensor_rights_probe(struct error *err) { return probe(ON_RIGHT, err); }

void sensor_calls_free(struct sensor_calls *c)
{
        if (!c)
                return;
        for (enum program i = 0; i < PROGRAMS; i++)
                bpf_link__destroy(c->links[i]);
        ring_buffer__free(c->ring);
        calls__destroy(c->bpf);
        buf_done(&c->held);
        free(c);
}

/* Attached exactly if it is wanted, and there. */
static int attach(struct sensor_calls *c, enum program i, bool is_wanted)
{
        struct bpf_program *program = program_of(c->bpf, i);
        if (!is_wanted) {
                bpf_link__destroy(c->links[i]);
                c->links[i] = NULL;
        } else if (!c->links[i] && bpf_program__autoload(program)) {
                c->links[i] = bpf_program__attach(program);
                return c->links[i] ? 0 : -errno;
        }
        return 0;
}

/* The new mode's programs first: for a moment a call may be told of twice, but none is missed. */
static int switch_to(struct sensor *s, const struct sensor_recipes *recipes, bool is_lean)
{
        int r = s->calls ? 0 : load(s);
        if (r == 0)
                r = set_recipes(s->calls->bpf, recipes);
        for (enum program i = 0; i < PROGRAMS && r == 0; i++)
                if (programs[i].is_lean == is_lean)
                        r = attach(s->calls, i,
                                   i != ON_BEGIN || recipes->wanted[CALL_close] || recipes->wanted[CALL_reboot]);
        for (enum program i = 0; i < PROGRAMS && r == 0; i++)
                if (programs[i].is_lean != is_lean)
                        (void)attach(s->calls, i, false);
        return r;
}

static void detach_all(struct sensor *s)
{
        for (enum program i = 0; i < PROGRAMS && s->calls; i++)
                (void)attach(s->calls, i, false);
}

int sensor_go_full(struct sensor *s, const struct sensor_recipes *recipes, struct error *err)
{
        bool was_full = sensor_is_full(s);
        int r = switch_to(s, recipes, false);
        if (r < 0) {
                bpf_refused(err, r, "the kernel does not take full mode");
                if (!was_full)
                        detach_all(s);
        }
        return r;
}

enum sensor_asks sensor_call_asks(enum observe_call_id call)
{
        static const enum sensor_asks asks[OBSERVE_CALLS] = {
#define RIGHT(name, when, capabilities) [CALL_##name] = SENSOR_ASKS_##when,
#include "bpf/shared/calls-rights.def"
#undef RIGHT
                [CALL_io_uring_setup] = SENSOR_ASKS_ALWAYS, /* told by its own tracepoint */
        };
        return asks[call];
}

int sensor_go_lean(struct sensor *s, const struct sensor_recipes *recipes, struct error *err)
{
        struct sensor_recipes *asking = xmalloc(sizeof(*asking));
        *asking = *recipes;
        for (enum observe_call_id i = 0; i < OBSERVE_CALLS; i++)
                asking->wanted[i] = recipes->wanted[i] && sensor_call_asks(i) != SENSOR_ASKS_NEVER;
        int r = switch_to(s, asking, true);
        if (r < 0) {
                bpf_refused(err, r, "the kernel does not take the programs of calls that ask for a right");
                detach_all(s);
        }
        free(asking);
        return r;
}

bool sensor_is_full(const struct sensor *s) { return s->calls && s->calls->links[ON_RETURN]; }

bool sensor_hears_rights(const struct sensor *s) { return s->calls && s->calls->links[ON_RIGHT]; }
