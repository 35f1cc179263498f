/* The words of flags and enumerations of system calls, for the table of arguments.c alone. */
#ifndef SEKISHO_SERVE_ARGUMENTS_WORDS_H
#define SEKISHO_SERVE_ARGUMENTS_WORDS_H

#include "serve/arguments.h"

extern const struct argument_word words_open[], words_resolve[], words_unlink[], words_mode[], words_mknod[],
        words_rename[], words_linkat[], words_fallocate[], words_fcntl[], words_ioctl[], words_mount[], words_umount[],
        words_fsconfig[], words_family[], words_shutdown[], words_prctl[], words_clone[], words_ptrace[], words_bpf[],
        words_memfd[], words_prot[], words_mmap[], words_access[];

#endif
