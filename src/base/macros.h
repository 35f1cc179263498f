/* Small macros that every room uses. Nothing here allocates or fails. */
#ifndef SEKISHO_BASE_MACROS_H
#define SEKISHO_BASE_MACROS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Each argument is evaluated once. The names are of one place alone, so that one can stand within another. */
#define MIN(a, b)         PICK_(a, b, <, __COUNTER__)
#define MAX(a, b)         PICK_(a, b, >, __COUNTER__)
#define PICK_(a, b, o, n) PICK__(a, b, o, n)
#define PICK__(a, b, o, n)                                                                                             \
        ({                                                                                                             \
                __auto_type _a##n = (a);                                                                               \
                __auto_type _b##n = (b);                                                                               \
                _a##n o _b##n ? _a##n : _b##n;                                                                         \
        })

#define _printf_(fmt, first) __attribute__((format(printf, fmt, first)))
#define _unused_             __attribute__((unused))
#define _noreturn_           __attribute__((noreturn))
#define _pure_               __attribute__((pure))

/* Frees when the variable goes out of scope: _cleanup_(freep) char *s = NULL; */
#define _cleanup_(f) __attribute__((cleanup(f)))

/* Hands ownership on: the variable is left NULL (or -1), so its cleanup does nothing. */
#define TAKE_PTR(p)                                                                                                    \
        ({                                                                                                             \
                __typeof__(p) *_pp = &(p);                                                                             \
                __typeof__(p) _p = *_pp;                                                                               \
                *_pp = NULL;                                                                                           \
                _p;                                                                                                    \
        })
#define TAKE_FD(fd)                                                                                                    \
        ({                                                                                                             \
                int *_fp = &(fd);                                                                                      \
                int _f = *_fp;                                                                                         \
                *_fp = -1;                                                                                             \
                _f;                                                                                                    \
        })

void freep(void *p);  /* for _cleanup_: frees *(void **)p */
void closep(int *fd); /* for _cleanup_: closes *fd if >= 0 */
int close_fd(int fd); /* closes fd if >= 0; always returns -1, so fd = close_fd(fd) */

/* Checked arithmetic: true if a*b (a+b) fits, and then *ret holds it. */
static inline bool mul_size(size_t a, size_t b, size_t *ret) { return !__builtin_mul_overflow(a, b, ret); }

static inline bool add_size(size_t a, size_t b, size_t *ret) { return !__builtin_add_overflow(a, b, ret); }

#endif
