/* What the processes of the guard share: what they were started with, what they say to each other, how they report. */
#ifndef SEKISHO_SERVE_GUARD_PRIVATE_H
#define SEKISHO_SERVE_GUARD_PRIVATE_H

#include "act/quarantine.h"
#include "proc/companion.h"
#include "sense/fanotify.h"
#include "serve/guard-verdicts.h"
#include "serve/guard.h"

#include <time.h>

/* What the guardian before this one left. */
enum takeover {
        TAKES_OVER_NOTHING, /* it is the first */
        TAKES_OVER_HANDED,  /* no event unanswered, no mark that ignores */
        TAKES_OVER_DEAD     /* events unanswered, and marks without a lease */
};

/* Set up by the agent, inherited by all. */
struct guard_config {
        struct guard_options o;
        unsigned deadline_ms;
        bool late_allows;
        const struct malware *malware;
        const struct content_plan *plan;
        int group;
        struct fanotify_desk *desk; /* who waits, for the guardian that comes after this one */
        pid_t agent;
        enum takeover takes_over;
};

static inline int64_t guard_now_ns(clockid_t clock)
{
        struct timespec t;
        clock_gettime(clock, &t);
        return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

#define MS_NS INT64_C(1000000)

/* --- guardian and scanner --- */

/* In place of an event's mask: the walker has met the file, and nobody asks for it. */
#define ACCESS_AHEAD (UINT64_C(1) << 63)

enum ask_kind {
        ASK_SCAN,    /* with the file, and its process if there is one */
        ASK_WANTED,  /* somebody waits for that one now */
        ASK_EXPIRED, /* the deadline of that one passed; `allowed` says what was answered */
        ASK_PING
};

struct guard_ask {
        uint64_t job;
        uint64_t mask; /* of the event */
        enum ask_kind kind;
        int32_t pid;
        uint32_t storage; /* of ACCESS_AHEAD: 1 + its number in the options */
        bool allowed, has_pidfd;
};

enum said_kind { SAID_VERDICT, SAID_PONG };

struct guard_said {
        uint64_t job;
        enum said_kind kind;
        enum verdict verdict;
};

void guardian_run(void *config, int report_fd);

/* The agent to the guardian. */
enum guard_order {
        GUARD_HAND_OVER /* read no more events: another guardian will. It says when ("handed-over"), and ends later */
};

struct guard_command {
        enum guard_order kind;
};

/* What the scanner is started with, on top of the configuration. */
struct scanner_start {
        const struct guard_config *config;
        int report_fd;
};
void scanner_run(void *start, int guardian_fd);

#define SENT_WRITTEN_MAX 2                      /* jobs nobody waits for that the scanner has at a time */
#define WORKERS_MIN      (SENT_WRITTEN_MAX + 1) /* so that one is left for who waits */

/* --- walker and guardian --- */

/* With a file that was met, or in the end without one. */
struct guard_walked {
        uint32_t storage; /* that it was met in: 1 + its number in the options; 0: it is through */
        uint64_t unread;  /* in the end: files and directories that could not be opened */
};

void walker_run(void *config, int guardian_fd);

/* --- worker --- */

#define GUARD_CODE_MAX 24

/* A worker's answer, decoded. Texts live in the arena. */
struct guard_finding {
        enum verdict verdict;
        uint8_t sha256[32];
        struct str code, detail;     /* of the first thing that was not looked at */
        struct fact_malware malware; /* of VERDICT_MALWARE: the surest, and of those the most severe */
};

#define GUARD_WORKER_MEMORY (UINT64_C(512) << 20)

/* The functions of a servant (proc/companion.h); arg is the struct guard_config. The question is the file's name. */
void guard_worker_begin(void *arg);
void guard_worker_answer(void *arg, struct str question, const int fds[static MESSAGE_FDS_MAX], struct buf *reply);
bool guard_finding_decode(struct str reply, struct arena *arena, struct guard_finding *ret);

/* --- what is known of who wants a file --- */

#define GUARD_CHAIN_MAX 16

struct guard_scene {
        struct arena arena;
        pid_t pid;
        int root_fd;         /* its root directory (O_PATH); -1: it is gone */
        uint64_t started_ns; /* since boot; with the number it names a process for ever */
        pid_t top;           /* the farthest ancestor that is in the container too, and not its first process; or pid */
        uint64_t top_started_ns;
        bool is_in_container; /* its mounts are not ours, and its process ids or its cgroup are a container's */
        struct str name;      /* of the file, by its descriptor: relative to its layer, of overlays */
        struct str comm, exe, cmdline, cgroup, mounts; /* the last: of /proc/PID/mountinfo */
        struct str_list chain;
        struct stat st; /* of the file */
};

/*
 * Takes it down, before the process is answered. Opens nothing but files of /proc, and none that waits for the memory
 * of the process: a process can have its memory locked for as long as it likes.
 */
void guard_scene_take(struct guard_scene *s, int fd, pid_t pid, int pidfd);
void guard_scene_take_container(struct guard_scene *s); /* mounts, and the ancestor; of containers */

/* Its arguments, which do wait for its memory: in a child, and not for long. For responders. */
void guard_scene_take_arguments(struct guard_scene *s);
void guard_scene_done(struct guard_scene *s);

/* The directory of the layer that the container writes to; empty: its root is no overlay. */
struct str guard_scene_upper(struct guard_scene *s);

/* Looks for the file in all containers that run: its process has ended, or its name is not known (guard-search.c). */
void guard_scene_search(struct guard_scene *s);

/*
 * Calls each with the scene of every process that has the file as its program, and with its name there; returns how
 * many. A scene that `each` keeps is its own to end: it says true then.
 */
size_t guard_scene_runners(const struct guard_scene *s, bool (*each)(void *arg, struct guard_scene *runner), void *arg);

/*
 * Where the file is in the container, and on the host: *ret_path is absolute; empty: there is no such file that it
 * could be. Looks at directories, opens none of the files.
 */
void guard_scene_places(struct guard_scene *s, struct str *ret_path, struct str *ret_host_path);

/* --- reports: struct fact_guarded, one a message, to the agent --- */

#define REPORTS_KEPT_MAX 512 /* that wait until the agent reads */

struct reporter {
        int fd;
        struct buf *kept[REPORTS_KEPT_MAX]; /* a ring */
        size_t first, n;
        uint64_t lost;
};

void report_send(struct reporter *r, const struct fact_guarded *f);
bool report_wants_to_write(const struct reporter *r); /* then poll for POLLOUT and call report_flush */
void report_flush(struct reporter *r);
void report_finish(struct reporter *r, int patience_ms); /* waits until the agent took all, or so long */

const char *guard_access_name(uint64_t mask); /* exec, open, written, ahead */

/* --- responder --- */

struct guard_detection {
        const struct guard_config *config;
        struct guard_finding *finding;
        struct guard_scene *scene;
        int fd; /* the file */
        uint64_t mask;
        bool was_allowed; /* its deadline had passed */
};

/* Does what the options say and reports it. Runs in a process of its own, after the event was answered or before. */
void guard_respond(const struct guard_detection *d, int report_fd);

#endif
