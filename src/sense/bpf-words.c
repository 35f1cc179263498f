/* See bpf-words.h. */
#include "sense/bpf-words.h"

#include "base/macros.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The last line that libbpf had to say: the reason, most of the time. One thread loads. */
static char last_words[200];

static int _printf_(2, 0) keep_words(enum libbpf_print_level level, const char *format, va_list args)
{
        char line[sizeof(last_words)];
        if (level != LIBBPF_WARN)
                return 0;
        vsnprintf(line, sizeof(line), format, args);
        line[strcspn(line, "\n")] = '\0';
        /* The verifier's log comes in lines of its own, of which none is a sentence; that all of it failed is no
         * reason. */
        bool is_reason = !strstr(line, "BPF program load failed") && !strstr(line, "-- ") &&
                         !strstr(line, "failed to load BPF skeleton") && !strstr(line, "failed to load object");
        if (strncmp(line, "libbpf: ", 8) == 0 && is_reason)
                snprintf(last_words, sizeof(last_words), "%s", line + 8);
        return 0;
}

void bpf_words_begin(void)
{
        libbpf_set_print(keep_words);
        last_words[0] = '\0';
}

int bpf_refused(struct error *err, int r, const char *doing)
{
        if (r == -EPERM && geteuid() != 0)
                return error_set(err, r, "%s: root is needed (or CAP_BPF and CAP_PERFMON)", doing);
        if (access("/sys/kernel/btf/vmlinux", F_OK) < 0)
                return error_set(err, r,
                                 "%s: the kernel does not describe itself (it has no /sys/kernel/btf/vmlinux: it was "
                                 "built without CONFIG_DEBUG_INFO_BTF)",
                                 doing);
        return error_errno(err, r, "%s%s%s", doing, last_words[0] ? ": " : "", last_words);
}

bool bpf_has_tracepoint(const char *name) { return libbpf_find_vmlinux_btf_id(name, BPF_TRACE_RAW_TP) > 0; }

uint32_t bpf_host_namespace(const char *kind)
{
        struct stat st;
        char path[64];
        snprintf(path, sizeof(path), "/proc/1/ns/%s", kind);
        if (stat(path, &st) == 0)
                return (uint32_t)st.st_ino;
        snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
        return stat(path, &st) == 0 ? (uint32_t)st.st_ino : 0;
}
