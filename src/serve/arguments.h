/*
 * The arguments of system calls as rules name them (evt.arg.flags, evt.arg[2], evt.args): for each call of
 * bpf/shared/calls.def its class, what its paths mean, and its arguments with name, place and form. Names, order and
 * words are those of Falco's events; calls that Falco does not take apart have the names of their manual pages.
 */
#ifndef SEKISHO_SERVE_ARGUMENTS_H
#define SEKISHO_SERVE_ARGUMENTS_H

#include "sense/decode.h"

#define ARGUMENTS_MAX 8u

/* Where an argument stands in the event. */
enum argument_from {
        FROM_0, /* to FROM_5: as the kernel got it */
        FROM_1,
        FROM_2,
        FROM_3,
        FROM_4,
        FROM_5,
        FROM_RESULT,
        FROM_PATH1,
        FROM_PATH2,
        FROM_DATA,    /* the data itself: a name, an address */
        FROM_FLAGS,   /* of opens, wherever the call has them */
        FROM_MODE,    /* the same */
        FROM_RESOLVE, /* of openat2 */
        FROM_DEVICE,  /* of the descriptor's file */
        FROM_INODE,
        FROM_TUPLE, /* the connection of the descriptor */
};

/* What it is, and so how it is shown. */
enum argument_form {
        FORM_NUMBER,
        FORM_UNSIGNED,
        FORM_OCTAL,
        FORM_HEX,
        FORM_ERROR, /* a result: SUCCESS, ENOENT, or a number */
        FORM_FD,    /* <f>/etc/passwd */
        FORM_DIR,   /* a directory's descriptor, or AT_FDCWD */
        FORM_PATH,  /* made absolute */
        FORM_TEXT,
        FORM_FLAGS, /* words joined by | */
        FORM_WORD,  /* one word */
        FORM_UID,
        FORM_GID,
        FORM_SIGNAL,
        FORM_ADDRESS,
        FORM_TUPLE,
};

/* A word stands for the bits of the mask having that value. Order counts: it is the order of the text. */
struct argument_word {
        const char *name;
        uint64_t mask, value;
};

struct argument {
        const char *name; /* NULL ends a list */
        enum argument_from from;
        enum argument_form form;
        const struct argument_word *words; /* NULL-terminated by name */
};

/* Falco's classes of events: evt.category. */
enum call_class {
        CLASS_OTHER,
        CLASS_FILE,
        CLASS_NET,
        CLASS_IPC,
        CLASS_MEMORY,
        CLASS_PROCESS,
        CLASS_SLEEP,
        CLASS_SYSTEM,
        CLASS_SIGNAL,
        CLASS_USER,
        CLASS_TIME,
        CLASS_IO_READ,
        CLASS_IO_WRITE,
        CLASS_IO_OTHER,
        CLASS_WAIT,
        CLASSES
};

struct call_form {
        enum call_class class;
        unsigned traits; /* of enum call_traits */
        struct argument arguments[ARGUMENTS_MAX + 1];
};

enum call_traits {
        CALL_OPENS = 1,         /* its descriptor is the file that its path names */
        CALL_FOLLOWS = 2,       /* a symbolic link that its path names is followed */
        CALL_TWO_PATHS = 4,     /* a source and a target */
        CALL_TARGET_IS_TEXT = 8 /* ...of which the first is a link's text, relative to the link */
};

extern const struct call_form call_forms[OBSERVE_CALLS];
extern const char *const call_class_names[CLASSES];

/* Which argument is what the kernel's side collects (the columns of calls.def): 0 to 5, or one of these. */
enum { AT_NONE = -1, AT_RESULT = -2 };
struct call_columns {
        int8_t fd, dir[2], path[2], data;
};
extern const struct call_columns call_columns[OBSERVE_CALLS];

/* "O_RDWR|O_CREAT"; of a word table without a match the number. */
struct str argument_words(const struct argument_word *words, uint64_t value, bool is_one, struct arena *arena);

/* The flags and the mode of a call that opens; false of any other. */
bool call_open_flags(const struct event *e, uint64_t *ret_flags, uint64_t *ret_mode);

#endif
