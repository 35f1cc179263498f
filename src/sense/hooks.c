/* See hooks.h. The skeleton comes from bpf/network (made by the build). */
#include "sense/hooks.h"

#include "base/arena.h"
#include "base/fs.h"
#include "bpf/shared/observe.h"
#include "sense/bpf-words.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <network.skel.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORD_MAX ((size_t)4 << 10)

struct hooks {
        struct network *bpf;
        struct ring_buffer *ring;
        struct bpf_link **links;
        size_t n_links;
        struct buf held; /* a record that was younger than what was asked for; empty: none */
        struct buf missing;

        /* During hooks_read. */
        uint64_t until_ns;
        void (*each)(void *arg, struct str record);
        void *arg;
};

/* Programs that not every kernel can run: for want of a tracepoint, or of what a program may call. */
static const struct {
        const char *program, *tracepoint, *words;
} optional[] = { { "on_capability", "cap_capable", "capabilities (6.14)" },
                 { "on_io_uring", "io_uring_submit_req", "io_uring (6.0)" },
                 { "on_packet", NULL, "packets: DNS tunnels and miners (5.17)" } };

static bool is_there(const char *tracepoint)
{
        if (tracepoint)
                return bpf_has_tracepoint(tracepoint);
        return libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_loop, NULL) == 1 &&
               libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_get_current_task, NULL) == 1;
}

static void leave_out(struct hooks *h)
{
        for (size_t i = 0; i < ARRAY_SIZE(optional); i++) {
                if (is_there(optional[i].tracepoint))
                        continue;
                bpf_program__set_autoload(bpf_object__find_program_by_name(h->bpf->obj, optional[i].program), false);
                buf_printf(&h->missing, "%s%s", h->missing.n ? ", " : "", optional[i].words);
        }
}

/* Where the v2 hierarchy begins. */
static int open_root_cgroup(void)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);
        if (read_file("/proc/self/mounts", &b, NULL) < 0)
                return -ENOENT;
        for (struct str rest = buf_str(&b); rest.n;) {
                char path[4096];
                struct str line = str_line(&rest);
                str_cut(&line, ' ');
                struct str point = str_cut(&line, ' ');
                if (!str_is(str_cut(&line, ' '), "cgroup2"))
                        continue;
                snprintf(path, sizeof(path), "%.*s", STR_FMT(point));
                int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                return fd < 0 ? -errno : fd;
        }
        return -ENOENT;
}

static int attach_all(struct hooks *h, int cgroup)
{
        struct bpf_program *p;
        bpf_object__for_each_program(p, h->bpf->obj)
        {
                if (!bpf_program__autoload(p))
                        continue;
                enum bpf_prog_type type = bpf_program__type(p);
                bool is_of_cgroup = type == BPF_PROG_TYPE_CGROUP_SOCK_ADDR || type == BPF_PROG_TYPE_CGROUP_SKB;
                struct bpf_link *link = is_of_cgroup ? bpf_program__attach_cgroup(p, cgroup) : bpf_program__attach(p);
                if (!link)
                        return -errno;
                h->links = xreallocarray(h->links, h->n_links + 1, sizeof(struct bpf_link *));
                h->links[h->n_links++] = link;
        }
        return 0;
}

static uint64_t time_of(struct str record)
{
        struct observe_head head = { 0 };
        if (record.n >= sizeof(head))
                memcpy(&head, record.p, sizeof(head));
        return head.time_ns;
}

static int take(void *ctx, void *data, size_t size)
{
        struct hooks *h = ctx;
        struct str record = str_span(data, size);
        if (time_of(record) <= h->until_ns) {
                h->each(h->arg, record);
                return 0;
        }
        buf_add_str(&h->held, record);
        return -EAGAIN; /* stops here; the record counts as read */
}

int hooks_open(struct hooks **ret, struct error *err)
{
        bpf_words_begin();
        struct network *bpf = network__open();
        if (!bpf)
                return bpf_refused(err, -errno, "the programs for the network cannot be opened");
        struct hooks *h = xcalloc(1, sizeof(*h));
        h->bpf = bpf;
        h->held = BUF_INIT(RECORD_MAX);
        h->missing = BUF_INIT(256);
        bpf->rodata->host_mounts = bpf_host_namespace("mnt");
        bpf->rodata->host_pids = bpf_host_namespace("pid");
        leave_out(h);
        _cleanup_(closep) int cgroup = open_root_cgroup();
        int r = cgroup < 0 ? cgroup : network__load(bpf);
        if (r == 0)
                r = attach_all(h, cgroup);
        if (r == 0) {
                h->ring = ring_buffer__new(bpf_map__fd(bpf->maps.ring), take, h, NULL);
                r = h->ring ? 0 : -errno;
        }
        if (r < 0) {
                bpf_refused(err, r, "the kernel does not take the programs for the network");
                hooks_close(h);
                return r;
        }
        *ret = h;
        return 0;
}

void hooks_close(struct hooks *h)
{
        if (!h)
                return;
        for (size_t i = 0; i < h->n_links; i++)
                bpf_link__destroy(h->links[i]);
        free(h->links);
        buf_done(&h->held);
        buf_done(&h->missing);
        ring_buffer__free(h->ring);
        network__destroy(h->bpf);
        free(h);
}

struct str hooks_missing(const struct hooks *h) { return buf_str(&h->missing); }

int hooks_fd(const struct hooks *h) { return ring_buffer__epoll_fd(h->ring); }

void hooks_read(struct hooks *h, uint64_t until_ns, void (*each)(void *arg, struct str record), void *arg)
{
        h->until_ns = until_ns;
        h->each = each;
        h->arg = arg;
        if (h->held.n) {
                if (time_of(buf_str(&h->held)) > until_ns)
                        return;
                each(arg, buf_str(&h->held));
                buf_clear(&h->held);
        }
        (void)ring_buffer__consume(h->ring);
}

uint64_t hooks_drops(const struct hooks *h)
{
        int cpus = libbpf_num_possible_cpus();
        uint32_t zero = 0;
        uint64_t sum = 0, *values = xcalloc((size_t)MAX(cpus, 1), sizeof(*values));
        if (bpf_map_lookup_elem(bpf_map__fd(h->bpf->maps.drops), &zero, values) == 0)
                for (int i = 0; i < cpus; i++)
                        sum += values[i];
        free(values);
        return sum;
}
