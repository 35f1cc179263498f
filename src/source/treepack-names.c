/* See treepack-names.h. */
#include "source/treepack-names.h"

#include "base/arena.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int by_name(const void *a, const void *b, void *text)
{
        return strcmp((const char *)text + *(const uint32_t *)a, (const char *)text + *(const uint32_t *)b);
}

static void add(struct names *l, const char *name, size_t size, size_t *text_size, size_t *at_size)
{
        if (l->bytes + size > *text_size) {
                *text_size = MAX(*text_size * 2, l->bytes + size + 1024);
                l->text = xrealloc(l->text, *text_size);
        }
        if (l->n == *at_size) {
                *at_size = MAX(*at_size * 2, (size_t)32);
                l->at = xreallocarray(l->at, *at_size, sizeof(*l->at));
        }
        memcpy(l->text + l->bytes, name, size);
        l->at[l->n++] = (uint32_t)l->bytes;
        l->bytes += size;
}

int names_read(int dir_fd, size_t max_bytes, struct names *ret)
{
        _Alignas(struct dirent64) char block[32 << 10];
        size_t text_size = 0, at_size = 0;
        int r = 0;
        *ret = (struct names){ 0 };
        if (lseek(dir_fd, 0, SEEK_SET) < 0)
                return -errno;
        while (r == 0) {
                ssize_t n = getdents64(dir_fd, block, sizeof(block));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        r = -errno;
                if (n <= 0)
                        break;
                for (ssize_t at = 0; at < n && r == 0;) {
                        const struct dirent64 *d = (const void *)(block + at);
                        size_t size = strlen(d->d_name) + 1;
                        at += d->d_reclen;
                        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
                                continue;
                        if (ret->bytes + size > max_bytes)
                                r = -E2BIG;
                        else
                                add(ret, d->d_name, size, &text_size, &at_size);
                }
        }
        if (ret->n)
                qsort_r(ret->at, ret->n, sizeof(*ret->at), by_name, ret->text);
        return r;
}

void names_done(struct names *l)
{
        free(l->text);
        free(l->at);
        *l = (struct names){ 0 };
}
