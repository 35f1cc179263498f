/* The agent's metrics: what its tables hold right now beside what was counted on the way. Names:
 * docs/format/metrics.md. */
#include "serve/control-private.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define COUNTER(a, name, help, labels, value) (*agent_counter((a), STATS_COUNTER, (name), (help), (labels)) = (value))
#define GAUGE(a, name, help, value)           (*agent_counter((a), STATS_GAUGE, (name), (help), "") = (value))

uint64_t agent_memory_bytes(void)
{
        unsigned long long size, resident = 0;
        FILE *f = fopen("/proc/self/statm", "re");
        if (!f)
                return 0;
        if (fscanf(f, "%llu %llu", &size, &resident) != 2)
                resident = 0;
        fclose(f);
        return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void count_container(void *arg, struct container_entry *c) { ++*(uint64_t *)arg; }

static void by_class(struct agent *a)
{
        static const char *const classes[OBSERVE_KINDS] = { "class=\"exec\"", "class=\"fork\"", "class=\"exit\"",
                                                            "class=\"call\"" };
        for (size_t i = 0; i < OBSERVE_KINDS; i++) {
                COUNTER(a, "sekisho_agent_events_total", "Events of the host that were judged, by class.", classes[i],
                        a->stats.events[i]);
                COUNTER(a, "sekisho_agent_events_lost_total", "Events that the ring had no room for, by class.",
                        classes[i], a->counts.lost[i]);
        }
}

void agent_metrics(struct agent *a, struct buf *to)
{
        struct rusage usage = { 0 };
        uint64_t containers = 0;
        getrusage(RUSAGE_SELF, &usage);
        container_each(&a->containers, count_container, &containers);
        by_class(a);
        COUNTER(a, "sekisho_agent_events_malformed_total", "Records of the ring that could not be read.", "",
                a->counts.malformed);
        COUNTER(a, "sekisho_agent_killed_total", "Programs killed before their first instruction.", "",
                a->counts.killed);
        COUNTER(a, "sekisho_agent_alerts_held_total", "Alerts held back as repetition.", "", a->counts.held);
        COUNTER(a, "sekisho_agent_alerts_unwritten_total", "Alerts that their file did not take.", "", a->sink.failed);
        GAUGE(a, "sekisho_agent_containers", "Cgroups of containers that are known.", containers);
        GAUGE(a, "sekisho_agent_processes", "Processes that are known.", a->processes.n);
        GAUGE(a, "sekisho_agent_rules", "Rules that are loaded.", rule_set_n(a->rules.set));
        GAUGE(a, "sekisho_agent_resident_memory_bytes", "Resident memory of the agent.", agent_memory_bytes());
        stats_print(&a->stats, to);
        buf_printf(to,
                   "# HELP sekisho_agent_cpu_seconds_total Processor time of the agent.\n"
                   "# TYPE sekisho_agent_cpu_seconds_total counter\n"
                   "sekisho_agent_cpu_seconds_total %.6f\n",
                   (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
        buf_puts(to, "# HELP sekisho_build_info The version that runs.\n# TYPE sekisho_build_info gauge\n"
                     "sekisho_build_info{version=\"" SEKISHO_VERSION "\"} 1\n");
}
