/* Installed packages as the report shows them: sorted, each with its package URL (purl specification). */
#include "flow/scan.h"

#include <stdio.h>
#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
        const struct fact_package *x = &((const struct report_package *)a)->p,
                                  *y = &((const struct report_package *)b)->p;
        int r = str_cmp(x->type, y->type);
        if (r == 0)
                r = str_cmp(x->name, y->name);
        if (r == 0)
                r = str_cmp(x->version, y->version);
        if (r == 0)
                r = str_cmp(x->arch, y->arch);
        return r ? r : str_cmp(x->database, y->database);
}

/* Percent-encodes what a purl part may not hold as it is. */
static void encode(struct buf *to, struct str s)
{
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~:";
        for (size_t i = 0; i < s.n; i++)
                if (memchr(plain, s.p[i], sizeof(plain) - 1))
                        buf_putc(to, s.p[i]);
                else
                        buf_printf(to, "%%%02X", (unsigned char)s.p[i]);
}

static struct str purl_of(const struct fact_package *p, const struct fact_os *os, struct arena *arena)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(64 << 10);
        struct str version = p->version, epoch = STR_NONE;
        if (str_is(p->type, "rpm")) { /* the epoch is a qualifier there */
                ptrdiff_t colon = str_find_char(version, ':');
                if (colon >= 0) {
                        epoch = str_upto(version, (size_t)colon);
                        version = str_from(version, (size_t)colon + 1);
                }
        }
        buf_puts(&b, "pkg:");
        encode(&b, p->type);
        buf_putc(&b, '/');
        if (os && os->id.n) {
                encode(&b, os->id);
                buf_putc(&b, '/');
        }
        encode(&b, p->name);
        buf_putc(&b, '@');
        encode(&b, version);
        char separator = '?';
        const struct {
                const char *key;
                struct str value;
        } qualifiers[] = { { "arch", p->arch },
                           { "epoch", epoch },
                           { "upstream", str_eq(p->source, p->name) ? STR_NONE : p->source } };
        for (size_t i = 0; i < ARRAY_SIZE(qualifiers); i++) {
                if (i == 1 && os && os->version.n) { /* qualifiers stand in the order of their keys */
                        buf_printf(&b, "%cdistro=", separator);
                        encode(&b, os->id);
                        buf_putc(&b, '-');
                        encode(&b, os->version);
                        separator = '&';
                }
                if (!qualifiers[i].value.n)
                        continue;
                buf_printf(&b, "%c%s=", separator, qualifiers[i].key);
                encode(&b, qualifiers[i].value);
                separator = '&';
        }
        return arena_str(arena, buf_str(&b));
}

void scan_packages(struct scan *s)
{
        struct report_package *v = s->view.packages;
        size_t n = s->view.n_packages;
        if (n)
                qsort(v, n, sizeof(*v), by_name);
        for (size_t i = 0; i < n; i++)
                v[i].purl = purl_of(&v[i].p, s->view.has_os ? &s->view.os : NULL, &s->arena);
        s->report.packages = v;
        s->report.n_packages = n;
        s->report.programs = s->view.programs;
        s->report.n_programs = s->view.n_programs;
        s->report.has_programs = s->view.has_programs;
}
