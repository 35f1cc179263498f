/*
 * A typed growing array. The element type stands in the declaration, so the compiler checks it:
 *
 *         VEC(struct package) packages = { 0 };
 *         *vec_push(&packages) = p;
 *         for (size_t i = 0; i < packages.n; i++) use(&packages.v[i]);
 *         vec_done(&packages);
 *
 * Pointers into v are valid until the next push. A named type: `VEC_TYPE(package_vec, struct package);`.
 */
#ifndef SEKISHO_BASE_VEC_H
#define SEKISHO_BASE_VEC_H

#include "base/arena.h"

#include <stdlib.h>

#define VEC(type)                                                                                                      \
        struct {                                                                                                       \
                type *v;                                                                                               \
                size_t n;                                                                                              \
                size_t size;                                                                                           \
        }

#define VEC_TYPE(name, type)                                                                                           \
        struct name {                                                                                                  \
                type *v;                                                                                               \
                size_t n;                                                                                              \
                size_t size;                                                                                           \
        }

/* Room for one more, zeroed; returns its address. */
#define vec_push(vec)                                                                                                  \
        ((vec)->v = vec_reserve_((vec)->v, (vec)->n, &(vec)->size, sizeof(*(vec)->v)),                                 \
         memset(&(vec)->v[(vec)->n], 0, sizeof(*(vec)->v)), &(vec)->v[(vec)->n++])

/* Gives room back, if less than a quarter of it is used. Pointers into v are not valid any more. */
#define vec_shrink(vec) ((vec)->v = vec_shrink_((vec)->v, (vec)->n, &(vec)->size, sizeof(*(vec)->v)))

#define vec_clear(vec) ((void)((vec)->n = 0))
#define vec_done(vec)  (free((vec)->v), (vec)->v = NULL, (vec)->n = 0, (vec)->size = 0)

static inline void *vec_reserve_(void *v, size_t n, size_t *size, size_t element)
{
        if (n < *size)
                return v;
        *size = *size ? *size + *size / 2 + 1 : 8;
        return xreallocarray(v, *size, element);
}

static inline void *vec_shrink_(void *v, size_t n, size_t *size, size_t element)
{
        if (n >= *size / 4)
                return v;
        *size = n + n / 2 + 1;
        return xreallocarray(v, *size, element);
}

#endif
