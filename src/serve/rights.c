/* See rights.h. */
#include "serve/rights.h"

#include "proc/confine.h"

#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#define BPFFS "/sys/fs/bpf"

static bool always(const struct agent_options *o) { return o; }

static bool guards_logs(const struct agent_options *o) { return o->files.n_guard_logs > 0; }

static bool guards_files(const struct agent_options *o) { return o->guard.n_storages > 0; }

static bool touches_files(const struct agent_options *o) { return guards_files(o) || guards_logs(o); }

struct right {
        int capability;
        const char *why;
        bool (*is_needed)(const struct agent_options *o);
        bool is_for_start; /* and not any more behind it */
};

/* clang-format off */
static const struct right rights[] = {
        { CAP_BPF, "loading the sensor's programs, filling their maps", always, false },
        { CAP_PERFMON, "attaching them to tracepoints; the kernel's records of code that is mapped", always, false },
        { CAP_SYS_ADMIN, "fanotify with permission events; marks on file systems; BPF LSM", always, false },
        { CAP_NET_ADMIN, "programs on the network hooks of cgroups", always, false },
        { CAP_SYS_PTRACE, "`/proc/PID/root` and `/proc/PID/environ` of the containers' processes", always, false },
        { CAP_DAC_READ_SEARCH, "files of engines and containers that belong to others; file handles", always, false },
        { CAP_DAC_OVERRIDE, "cgroups, logs and files of containers that belong to others", always, false },
        { CAP_KILL, "ending processes of others", always, false },
        { CAP_SYS_RESOURCE, "memory for maps on kernels that still count it as locked", always, false },
        { CAP_FOWNER, "with `--guard` or `--guard-logs`: quarantine, attributes of files of others", touches_files, false },
        { CAP_CHOWN, "with `--guard`: quarantine, putting a file back as it was", guards_files, false },
        { CAP_LEASE, "with `--guard`: leases, which tell whether a file of another's is open for writing", guards_files, false },
        { CAP_LINUX_IMMUTABLE, "with `--guard-logs`: the append-only attribute", guards_logs, false },
        { CAP_SETUID, "until it has started: its own children become user 65534", always, true },
        { CAP_SETGID, "the same", always, true },
};
/* clang-format on */

static uint64_t kept(const struct agent_options *o, bool is_starting)
{
        uint64_t mask = 0;
        for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
                if (rights[i].is_needed(o) && (is_starting || !rights[i].is_for_start))
                        mask |= UINT64_C(1) << rights[i].capability;
        return mask;
}

int rights_begin(const struct agent_options *o, struct error *err)
{
        return confine_capabilities(kept(o, true) | UINT64_C(1) << CAP_SETPCAP, err); /* to drop the rest later */
}

/* Isolating a container mounts it (act/network.c) where nobody has; systemd has. */
static bool has_bpffs(void)
{
        struct statfs fs;
        return statfs(BPFFS, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

int rights_settle(const struct agent_options *o, struct error *err)
{
        int r = confine_capabilities(kept(o, false), err);
        if (r < 0)
                return r;
        return confine_calls(!has_bpffs(), err) < 0 ? RIGHTS_UNFILTERED : 0;
}
