/*
 * Which system calls are worth sending: plain data that user space compiles from the rules (serve/calls-compile.c), and
 * the decision over it, which both sides include.
 *
 * What the kernel can tell of a call is a set of bits, `atoms`. A filter is a list of clauses, each a set of atoms: the
 * call is sent if all atoms of some clause are true. An atom that cannot be computed counts as true, so that what is
 * not sent is what no rule can match. Meanings that the rules bring along are numbered as they come: tests of arguments
 * in each filter, names and paths for all filters together.
 */
#ifndef SEKISHO_BPF_SHARED_FILTER_H
#define SEKISHO_BPF_SHARED_FILTER_H

#include <linux/types.h>

#define CALL_CLAUSES_MAX 24u
#define CALL_TESTS_MAX   8u
#define CALL_COMMS       8u  /* atoms of names of processes */
#define CALL_PREFIXES    24u /* atoms of how paths begin */
#define CALL_SUFFIXES    8u  /* atoms of how they end */

#define CALL_TEST_FIRST   16u
#define CALL_COMM_FIRST   24u
#define CALL_PREFIX_FIRST 32u
#define CALL_SUFFIX_FIRST 56u

#define CALL_ATOM(n) ((__u64)1 << (n))

enum {
        ATOM_SUCCESS = 1,    /* the result is not negative */
        ATOM_FAILURE = 2,    /* it is */
        ATOM_CONTAINER = 4,  /* other mounts than the host's, or a cgroup that is a container's */
        ATOM_FD_PLAIN = 8,   /* the descriptor is no socket */
        ATOM_FD_IP = 16,     /* it is one of IPv4 or IPv6 */
        ATOM_FD_UNIX = 32,   /* it is one, and not of those */
        ATOM_FD_NO_TCP = 64, /* it is not one of TCP */
        ATOM_RAW_DOTS = 128, /* the first path as it was given holds ".." */
};

#define ATOMS_FD       (ATOM_FD_PLAIN | ATOM_FD_IP | ATOM_FD_UNIX | ATOM_FD_NO_TCP)
#define ATOMS_TESTS    ((__u64)0xff << CALL_TEST_FIRST)
#define ATOMS_COMMS    ((__u64)0xff << CALL_COMM_FIRST)
#define ATOMS_PREFIXES ((__u64)0xffffff << CALL_PREFIX_FIRST)
#define ATOMS_SUFFIXES ((__u64)0xff << CALL_SUFFIX_FIRST)
#define ATOMS_PATH     (ATOMS_PREFIXES | ATOMS_SUFFIXES)

/* What a test looks at: an argument (0 to 5), the result, or the flags that a file is opened with. */
enum { CALL_TEST_RESULT = 6, CALL_TEST_OPEN_FLAGS = 7, CALL_TEST_SOURCES };

/* Is the number, masked, within the range (both ends count)? With `is_not`: is it outside? */
struct call_test {
        __u64 mask;
        __s64 low, high;
        __u32 source, is_not;
};

struct call_filter {
        __u32 n_clauses, n_tests;
        __u64 uses; /* atoms that any clause asks for: no others need to be known */
        __u64 clauses[CALL_CLAUSES_MAX];
        struct call_test tests[CALL_TESTS_MAX];
};

#define CALL_NUMBERS    1024u /* of system calls; larger ones are none that we know */
#define CALL_SOCKETCALL 999u  /* in the table of numbers: i386's socketcall, which is many calls */
#define CALL_SOCKET_SUB 21u   /* of socketcall's sub-calls, 1 to 20 */

#define CALL_PREFIX_BYTES 64u   /* of a path that its beginning is compared with: longer ones are compared so far */
#define CALL_PREFIXES_MAX 4096u /* entries of the map "prefixes" */
#define CALL_SUFFIXES_MAX 4096u
#define CALL_COMMS_MAX    4096u

/*
 * Key of the map "prefixes" (a trie: what is found is the longest entry that the path begins with, so each entry holds
 * the atoms of those that it begins with itself). A path stands in it with its NUL: an entry with one is a whole path.
 */
struct call_prefix {
        __u32 bits; /* of data that count */
        char data[2 * CALL_PREFIX_BYTES];
};

/* Key of the map "suffixes": the last four bytes of a path's last name, or all of a shorter one and zeros. */
#define CALL_SUFFIX_BYTES 4u

static inline int call_test_holds(const struct call_test *t, __u64 number)
{
        __s64 masked = (__s64)(number & t->mask);
        return (masked >= t->low && masked <= t->high) != (t->is_not != 0);
}

static inline int call_filter_passes(const struct call_filter *f, __u64 atoms)
{
        for (__u32 i = 0; i < CALL_CLAUSES_MAX && i < f->n_clauses; i++)
                if ((atoms & f->clauses[i]) == f->clauses[i])
                        return 1;
        return 0;
}

#endif
