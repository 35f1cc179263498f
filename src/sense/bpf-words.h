/* What loaders of BPF programs have in common: the kernel's reasons in words, and which namespaces are the host's. */
#ifndef SEKISHO_SENSE_BPF_WORDS_H
#define SEKISHO_SENSE_BPF_WORDS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* From here on, what libbpf has to say is kept and not printed; what it said before is forgotten. */
void bpf_words_begin(void);

/* Sets the error to what was being done, why it failed, and libbpf's last words; returns r. */
int bpf_refused(struct error *err, int r, const char *doing);

/* Has the kernel a tracepoint of this name for BPF programs (tp_btf)? */
bool bpf_has_tracepoint(const char *name);

/* The number of the namespace ("mnt", "pid") of process 1; its own, where that cannot be read; 0. */
uint32_t bpf_host_namespace(const char *kind);

#endif
