/*
 * One entry of an engine's JSON file, asked of a servant (proc/companion.h) that is there already: for the agent, whose
 * loop must not start a worker for each file of each container that begins. The servant lives in the workers' sandbox
 * and is handed the open file; what it answers is decoded with bounds.
 *
 * A servant that a file took over could lie about the containers that are asked for later: it is replaced after
 * DOCUMENT_SERVANT_ASKS questions, and after each one that it did not answer.
 */
#ifndef SEKISHO_SOURCE_DOCUMENT_SERVANT_H
#define SEKISHO_SOURCE_DOCUMENT_SERVANT_H

#include "proc/companion.h"
#include "source/document.h"

#define DOCUMENT_SERVANT_ASKS 64u
#define DOCUMENT_ANSWER_MS    500 /* nobody waits longer for an answer; a file of 1,000 containers takes 10 */

struct document_servant {
        struct servant servant;
        unsigned asked;
};

/* Starts it, if it does not run: better early, while the caller is small. 0 or -errno with words. */
int document_servant_start(struct document_servant *s, struct error *err);

/* The next question starts another, which is as small as the caller is then. */
void document_servant_end(struct document_servant *s);

/*
 * The entry with this id in the file `fd`, a document of `kind` (DOCUMENT_PODMAN_IMAGES or behind it); with an empty id
 * the only one there is. What comes out lives in the arena. -ENOENT: there is no such entry; -EBADMSG: the file is not
 * legible; -EMSGSIZE: the entry is longer than a message, document_read can tell it; -ETIMEDOUT, -EPIPE: no answer.
 */
int document_ask(struct document_servant *s, enum document_kind kind, struct str id, int fd, struct arena *arena,
                 struct fact_stored *ret);

/* What the servant does: a question about a file, and the answer. For the fuzzer and the tests. */
void document_answer(void *arg, struct str question, const int fds[static MESSAGE_FDS_MAX], struct buf *reply);

#endif
