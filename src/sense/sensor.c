/* See sensor.h. The skeleton comes from bpf/observe (made by the build). */
#include "sense/sensor-private.h"

#include "base/arena.h"
#include "sense/bpf-words.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PID_NAMESPACE_FIRST 0xEFFFFFFCu /* PROC_PID_INIT_INO: the number of the first one, on every Linux */

static struct observe *open_programs(uint32_t ring_bytes, struct error *err)
{
        bpf_words_begin();
        struct observe *bpf = observe__open();
        if (!bpf) {
                bpf_refused(err, -errno, "the BPF programs cannot be opened");
                return NULL;
        }
        bpf->rodata->host_mounts = bpf_host_namespace("mnt");
        bpf->rodata->host_pids = bpf_host_namespace("pid");
        bpf_map__set_max_entries(bpf->maps.lifecycle, ring_bytes);
        return bpf;
}

/* Calls that came before it go first: a process that has ended would not be known any more. */
static int take_record(void *ctx, void *data, size_t size)
{
        struct sensor *s = ctx;
        struct observe_head head;
        if (s->calls && size >= sizeof(head)) {
                memcpy(&head, data, sizeof(head));
                sensor_calls_until(s, head.time_ns);
        }
        s->each(s->arg, str_span(data, size));
        return ++s->n < s->most ? 0 : -EAGAIN; /* stops here; the record counts as read */
}

static int listen_to_ring(struct sensor *s)
{
        struct epoll_event readable = { .events = EPOLLIN };
        s->ring = ring_buffer__new(bpf_map__fd(s->bpf->maps.lifecycle), take_record, s, NULL);
        s->epoll = s->ring ? epoll_create1(EPOLL_CLOEXEC) : -1;
        if (s->epoll < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, ring_buffer__epoll_fd(s->ring), &readable) < 0)
                return -errno;
        return 0;
}

/* Loads and attaches; pins: NULL, or where to keep it. */
static int start_programs(uint32_t ring_bytes, const char *pins, struct observe **ret, struct error *err)
{
        struct observe *bpf = open_programs(ring_bytes, err);
        if (!bpf)
                return -EOPNOTSUPP;
        int r = pins ? sensor_keep_maps(bpf, pins, err) : 0;
        if (r < 0) {
                observe__destroy(bpf);
                return r;
        }
        r = observe__load(bpf);
        if (r == 0)
                r = observe__attach(bpf);
        if (r < 0)
                (void)bpf_refused(err, r, "the kernel does not take the sensor");
        else if (pins)
                r = sensor_keep_links(bpf, pins, err);
        if (r < 0)
                observe__destroy(bpf);
        else
                *ret = bpf;
        return r;
}

static int open_sensor(uint32_t ring_bytes, const char *pins, struct sensor **ret, struct error *err)
{
        struct observe *bpf;
        int r = start_programs(ring_bytes, pins, &bpf, err);
        if (r < 0)
                return r;
        struct sensor *s = xcalloc(1, sizeof(*s));
        *s = (struct sensor){ .bpf = bpf,
                              .epoll = -1,
                              .cpus = libbpf_num_possible_cpus(),
                              .ring_bytes = ring_bytes,
                              .is_kept = pins != NULL };
        r = listen_to_ring(s);
        if (r < 0) {
                bpf_refused(err, r, "the kernel does not take the sensor");
                sensor_close(s);
                return r;
        }
        *ret = s;
        return 0;
}

static int check_ring(uint32_t *ring_bytes, struct error *err)
{
        if (*ring_bytes == 0)
                *ring_bytes = SENSOR_RING_DEFAULT;
        bool is_right = *ring_bytes >= SENSOR_RING_MIN && *ring_bytes <= SENSOR_RING_MAX &&
                        (*ring_bytes & (*ring_bytes - 1)) == 0;
        return is_right ? 0
                        : error_set(err, -EINVAL, "the ring's size is a power of two from %u to %u bytes, not %u",
                                    SENSOR_RING_MIN, SENSOR_RING_MAX, *ring_bytes);
}

int sensor_open(uint32_t ring_bytes, struct sensor **ret, struct error *err)
{
        int r = check_ring(&ring_bytes, err);
        return r < 0 ? r : open_sensor(ring_bytes, NULL, ret, err);
}

int sensor_open_kept(uint32_t ring_bytes, const char *pins, struct sensor **ret, bool *ret_taken_over,
                     struct error *err)
{
        int r = check_ring(&ring_bytes, err);
        *ret_taken_over = sensor_is_kept(pins);
        if (r < 0)
                return r;
        r = open_sensor(ring_bytes, pins, ret, err);
        if (r == 0 || !*ret_taken_over)
                return r;
        *ret_taken_over = false;
        r = sensor_forget(pins, err);
        return r < 0 ? r : open_sensor(ring_bytes, pins, ret, err);
}

/* What was lost has been told: the next one counts from here. */
static void forget_drops(struct sensor *s)
{
        uint64_t *zeros = xcalloc((size_t)s->cpus, sizeof(*zeros));
        for (uint32_t kind = 0; kind < OBSERVE_KINDS; kind++)
                (void)bpf_map_update_elem(bpf_map__fd(s->bpf->maps.drops), &kind, zeros, BPF_ANY);
        free(zeros);
}

void sensor_close(struct sensor *s)
{
        if (!s)
                return;
        if (s->is_kept)
                forget_drops(s);
        sensor_calls_free(s->calls);
        ring_buffer__free(s->ring);
        if (s->epoll >= 0)
                close(s->epoll);
        observe__destroy(s->bpf);
        free(s);
}

bool sensor_sees_host(void)
{
        struct stat st;
        return stat("/proc/self/ns/pid", &st) < 0 || st.st_ino == PID_NAMESPACE_FIRST;
}

int sensor_fd(const struct sensor *s) { return s->epoll; }

size_t sensor_read(struct sensor *s, size_t most, void (*each)(void *arg, struct str record), void *arg)
{
        s->each = each;
        s->arg = arg;
        s->most = most;
        s->n = 0;
        do {
                struct timespec t;
                clock_gettime(CLOCK_BOOTTIME, &t);
                (void)ring_buffer__consume(s->ring);
                /* What is younger than this look at the first ring may come after something that waits in it now. */
                sensor_calls_until(s, (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec);
        } while (s->n < s->most && sensor_calls_wait(s));
        return s->n;
}

uint64_t sensor_count(const struct sensor *s, int map, uint32_t key)
{
        uint64_t *values = xcalloc((size_t)s->cpus, sizeof(*values)), sum = 0;
        if (bpf_map_lookup_elem(map, &key, values) == 0)
                for (int i = 0; i < s->cpus; i++)
                        sum += values[i];
        free(values);
        return sum;
}

void sensor_drops(const struct sensor *s, uint64_t ret[OBSERVE_KINDS])
{
        uint64_t calls[CALL_CLASSES];
        for (uint32_t kind = 0; kind < OBSERVE_KINDS; kind++)
                ret[kind] = sensor_count(s, bpf_map__fd(s->bpf->maps.drops), kind);
        sensor_call_drops(s, calls);
        for (size_t class = 0; class < CALL_CLASSES; class ++)
                ret[OBSERVE_CALL] += calls[class];
}

int sensor_set(struct sensor *s, const struct observe_settings *settings)
{
        uint32_t zero = 0;
        return bpf_map_update_elem(bpf_map__fd(s->bpf->maps.settings), &zero, settings, BPF_ANY) < 0 ? -errno : 0;
}

int sensor_mark_container(struct sensor *s, uint64_t cgroup_id, bool is_container)
{
        int map = bpf_map__fd(s->bpf->maps.containers);
        uint8_t one = 1;
        int r = is_container ? bpf_map_update_elem(map, &cgroup_id, &one, BPF_ANY)
                             : bpf_map_delete_elem(map, &cgroup_id);
        return r < 0 ? -errno : 0;
}

/* ---------------------------------------------------------------------------------------------------- probe ---- */

static const struct program {
        const char *program, *name, *gives;
        int (*probe)(struct error *err); /* of another object */
} programs[SENSOR_PROGRAMS] = {
        { "on_exec", "sched_process_exec", "exec", NULL },
        { "on_fork", "sched_process_fork", "fork", NULL },
        { "on_exit", "sched_process_exit", "exit", NULL },
        { NULL, "sys_exit", "system calls", sensor_calls_probe },
        { NULL, "cap_capable", "calls with rights", sensor_rights_probe },
};

static int probe_one(const struct program *wanted, struct error *err)
{
        struct observe *bpf = open_programs(SENSOR_RING_MIN, err);
        if (!bpf)
                return -EOPNOTSUPP;
        struct bpf_program *p, *found = NULL;
        bpf_object__for_each_program(p, bpf->obj)
        {
                bool is_it = strcmp(bpf_program__name(p), wanted->program) == 0;
                bpf_program__set_autoload(p, is_it);
                found = is_it ? p : found;
        }
        int r = observe__load(bpf);
        struct bpf_link *link = r == 0 ? bpf_program__attach(found) : NULL;
        if (r == 0 && !link)
                r = -errno;
        if (r < 0)
                bpf_refused(err, r, "refused");
        bpf_link__destroy(link);
        observe__destroy(bpf);
        return r;
}

void sensor_probe(struct sensor_probe ret[SENSOR_PROGRAMS])
{
        for (size_t i = 0; i < SENSOR_PROGRAMS; i++) {
                struct error err = ERROR_NONE;
                ret[i] = (struct sensor_probe){ .name = programs[i].name, .gives = programs[i].gives };
                ret[i].r = programs[i].probe ? programs[i].probe(&err) : probe_one(&programs[i], &err);
                if (ret[i].r < 0)
                        snprintf(ret[i].words, sizeof(ret[i].words), "%.190s", err.text);
        }
}
