/*
 * ClamAV's daemon, asked through a go-between: a process beside each worker (proc/worker.h, struct job_helper), with
 * rights that the worker gave up.
 *
 *         worker ──bytes of a file, over a pair of sockets──► helper ──a descriptor, FILDES──► clamd
 *                ◄──────────── one answer, in text ─────────        ◄──────────────────────
 *
 * A worker never holds a connection to clamd: whoever took one over could tell clamd to shut down, or to look at files
 * of this host. It needs no system call for it that it does not have anyway. The helper parses nothing of what it
 * carries; it gathers a file in memory of its own and passes that on. One connection a file: clamd hangs up on those
 * that say nothing for its CommandReadTimeout, and a session saves no time.
 *
 * To the helper, in little endian: 32 bits, the length of the bytes that follow; CLAMD_END (0) ends a file, and an
 * answer is due; CLAMD_FORGET drops it, and none is. The answer is text up to a NUL: clamd's own; or '!', a code of
 * `unread` facts, a space, and words why there is none. Specification of clamd's side: clamd(8), COMMANDS.
 */
#ifndef SEKISHO_ANALYZE_CLAMD_H
#define SEKISHO_ANALYZE_CLAMD_H

#include "base/str.h"

#define CLAMD_FILE_MAX   (100u << 20) /* bytes of one file: clamd's own MaxFileSize, unless it is configured */
#define CLAMD_CHUNK_MAX  (1u << 20)
#define CLAMD_ANSWER_MAX 1024u /* bytes, with the NUL */
#define CLAMD_PATIENCE   60000 /* ms for one file: connect, hand over, answer */
#define CLAMD_END        0u
#define CLAMD_FORGET     UINT32_MAX

struct clamd {
        const char *path; /* of its socket */
        int patience_ms;
        int fd; /* in a worker: to its helper; -1: there is none */
};

/* In the helper: serves the worker at fd until it hangs up, or sends what no worker does. arg: a struct clamd. */
void clamd_serve(void *arg, int fd);

enum clamd_verdict { CLAMD_CLEAN, CLAMD_FOUND, CLAMD_INCOMPLETE, CLAMD_SILENT /* there is no answer: words say why */ };

struct clamd_answer {
        enum clamd_verdict verdict;
        const char *code; /* of what is incomplete or silent: as in `unread` facts */
        struct str words; /* found: the signature's name; incomplete: clamd's words. A view into the text */
};

/* What an answer means, without its NUL. Whatever is not understood is CLAMD_SILENT, never clean. */
struct clamd_answer clamd_understand(struct str text);

#endif
