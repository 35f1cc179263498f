/* See mappings.h. Records as include/uapi/linux/perf_event.h has them. */
#include "sense/mappings.h"

#include "base/arena.h"
#include "base/vec.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RING_BYTES  ((size_t)128 << 10) /* a power of two */
#define WAKE_BYTES  8192u
#define RECORD_MAX  ((size_t)64 << 10) /* a record's size has 16 bits */
#define HELD_MAX    65536u             /* records: past it the rest is lost */
#define MMAP2_FIXED 72u                /* bytes before the file's name */
#define COMM_FIXED  16u

struct ring {
        int fd;
        struct perf_event_mmap_page *page;
};

struct mappings {
        struct ring *rings;
        size_t n;
        int epoll;
        uint64_t lost;
        VEC(struct mapping) held; /* in the order of time, but for what was read last */
        struct arena arena;       /* of their texts */
        char record[RECORD_MAX];
};

static long open_counter(int cpu)
{
        struct perf_event_attr attr = {
                .type = PERF_TYPE_SOFTWARE,
                .size = sizeof(attr),
                .config = PERF_COUNT_SW_DUMMY,
                .sample_type = PERF_SAMPLE_TIME,
                .sample_id_all = 1,
                .exclude_kernel = 1,
                .mmap = 1,
                .mmap2 = 1,
                .comm = 1,
                .comm_exec = 1,
                .use_clockid = 1,
                .clockid = CLOCK_BOOTTIME,
                .watermark = 1,
                .wakeup_watermark = WAKE_BYTES,
        };
        return syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static size_t page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

/* -ENODEV: the processor is off. */
static int open_ring(struct mappings *m, int cpu)
{
        long fd = open_counter(cpu);
        if (fd < 0)
                return -errno;
        void *page = mmap(NULL, page_bytes() + RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
        struct epoll_event readable = { .events = EPOLLIN };
        if (page == MAP_FAILED || epoll_ctl(m->epoll, EPOLL_CTL_ADD, (int)fd, &readable) < 0) {
                int r = -errno;
                if (page != MAP_FAILED)
                        munmap(page, page_bytes() + RING_BYTES);
                close((int)fd);
                return r;
        }
        m->rings = xreallocarray(m->rings, m->n + 1, sizeof(*m->rings));
        m->rings[m->n++] = (struct ring){ (int)fd, page };
        return 0;
}

int mappings_new(struct mappings **ret, struct error *err)
{
        struct mappings *m = xcalloc(1, sizeof(*m));
        int r = 0;
        m->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (m->epoll < 0)
                r = -errno;
        for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF) && r == 0; cpu++) {
                r = open_ring(m, cpu);
                if (r == -ENODEV)
                        r = 0;
        }
        if (r == 0 && m->n == 0)
                r = -ENODEV;
        if (r < 0) {
                mappings_free(m);
                return error_errno(err, r, "the kernel does not tell what is mapped (perf_event_open)");
        }
        *ret = m;
        return 0;
}

void mappings_free(struct mappings *m)
{
        if (!m)
                return;
        for (size_t i = 0; i < m->n; i++) {
                munmap(m->rings[i].page, page_bytes() + RING_BYTES);
                close(m->rings[i].fd);
        }
        free(m->rings);
        if (m->epoll >= 0)
                close(m->epoll);
        vec_done(&m->held);
        arena_done(&m->arena);
        free(m);
}

int mappings_fd(const struct mappings *m) { return m->epoll; }

uint64_t mappings_lost(const struct mappings *m) { return m->lost; }

static uint32_t u32_at(const char *p)
{
        uint32_t n;
        memcpy(&n, p, sizeof(n));
        return n;
}

static uint64_t u64_at(const char *p)
{
        uint64_t n;
        memcpy(&n, p, sizeof(n));
        return n;
}

/* A record of n bytes, header and all; behind what it says comes its time. False: it is none of ours. */
static bool decode(const struct perf_event_header *head, const char *p, size_t n, struct mapping *ret)
{
        size_t fixed = head->type == PERF_RECORD_MMAP2 ? MMAP2_FIXED : COMM_FIXED;
        if ((head->type != PERF_RECORD_MMAP2 && head->type != PERF_RECORD_COMM) || n < fixed + sizeof(uint64_t))
                return false;
        *ret = (struct mapping){ .pid = u32_at(p + 8), .time_ns = u64_at(p + n - sizeof(uint64_t)) };
        if (head->type == PERF_RECORD_COMM) {
                ret->is_exec = head->misc & PERF_RECORD_MISC_COMM_EXEC;
                return ret->is_exec;
        }
        ret->address = u64_at(p + 16);
        if (!(head->misc & PERF_RECORD_MISC_MMAP_BUILD_ID)) {
                ret->dev = u32_at(p + 40) << 20 | u32_at(p + 44);
                ret->ino = u64_at(p + 48);
        }
        ret->prot = u32_at(p + 64);
        ret->flags = u32_at(p + 68);
        ret->path = str_span(p + fixed, strnlen(p + fixed, n - sizeof(uint64_t) - fixed));
        return true;
}

static void copy_out(const struct ring *r, uint64_t at, char *to, size_t n)
{
        const char *data = (const char *)r->page + r->page->data_offset;
        size_t from = (size_t)(at & (RING_BYTES - 1)), first = MIN(n, RING_BYTES - from);
        memcpy(to, data + from, first);
        memcpy(to + first, data, n - first);
}

static void read_ring(struct mappings *m, struct ring *r, bool (*wants)(void *arg, uint32_t pid), void *arg)
{
        uint64_t head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE), tail = r->page->data_tail;
        while (head - tail >= sizeof(struct perf_event_header)) {
                struct perf_event_header record;
                struct mapping mapping;
                copy_out(r, tail, (char *)&record, sizeof(record));
                if (record.size < sizeof(record) || record.size > head - tail) { /* what follows cannot be found */
                        m->lost++;
                        tail = head;
                        break;
                }
                copy_out(r, tail, m->record, record.size);
                tail += record.size;
                if (record.type == PERF_RECORD_LOST && record.size >= 24) {
                        m->lost += u64_at(m->record + 16);
                } else if (decode(&record, m->record, record.size, &mapping) && (!wants || wants(arg, mapping.pid))) {
                        if (m->held.n >= HELD_MAX) {
                                m->lost++;
                                continue;
                        }
                        mapping.path = arena_str(&m->arena, mapping.path);
                        *vec_push(&m->held) = mapping;
                }
        }
        __atomic_store_n(&r->page->data_tail, tail, __ATOMIC_RELEASE);
}

static int compare_times(const void *a, const void *b)
{
        uint64_t x = ((const struct mapping *)a)->time_ns, y = ((const struct mapping *)b)->time_ns;
        return (x > y) - (x < y);
}

void mappings_until(struct mappings *m, uint64_t time_ns, bool (*wants)(void *arg, uint32_t pid),
                    void (*each)(void *arg, const struct mapping *mapping), void *arg)
{
        size_t before = m->held.n, n = 0;
        for (size_t i = 0; i < m->n; i++)
                read_ring(m, &m->rings[i], wants, arg);
        if (m->held.n == 0)
                return;
        if (m->held.n > before)
                qsort(m->held.v, m->held.n, sizeof(*m->held.v), compare_times);
        while (n < m->held.n && m->held.v[n].time_ns <= time_ns)
                each(arg, &m->held.v[n++]);
        memmove(m->held.v, m->held.v + n, (m->held.n - n) * sizeof(*m->held.v));
        m->held.n -= n;
        if (m->held.n == 0)
                arena_done(&m->arena);
}
