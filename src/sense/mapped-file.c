/* See mapped-file.h. */
#include "sense/mapped-file.h"

#include "base/fs.h"

#include <limits.h>
#include <stdio.h>

#define HEADER    "sekisho.loaded/1"
#define SINCE_MAX (INT64_C(1) << 40)

static void put_text(FILE *to, struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] == '\\' || s.p[i] == '\t' || s.p[i] == '\n')
                        fprintf(to, "\\%03o", (unsigned)(unsigned char)s.p[i]);
                else
                        putc(s.p[i], to);
}

int mapped_write(const struct mapped *m, int64_t since, const char *path, struct error *err)
{
        struct output o;
        int r = output_open(&o, path, err);
        if (r < 0)
                return r;
        fprintf(o.stream, HEADER "\nsince %lld\n", (long long)since);
        for (size_t i = 0; i < m->files.n; i++) {
                const struct mapped_file *f = &m->files.v[i];
                fprintf(o.stream, "%s %d %u ", f->how == MAPPED_OPEN ? "open" : mapped_words[f->how], f->is_replaced,
                        f->pid);
                put_text(o.stream, f->comm);
                putc('\t', o.stream);
                put_text(o.stream, f->path);
                putc('\n', o.stream);
        }
        return output_commit(&o, err);
}

/* Undoes put_text; false if a backslash is followed by anything else. */
static bool take_text(struct str s, struct arena *arena, struct str *ret)
{
        char *p = arena_alloc(arena, s.n + 1);
        size_t n = 0;
        for (size_t i = 0; i < s.n; i++) {
                struct str code = str_upto(str_from(s, i + 1), 3);
                if (s.p[i] != '\\') {
                        p[n++] = s.p[i];
                } else if (str_is(code, "134") || str_is(code, "011") || str_is(code, "012")) {
                        p[n++] = str_is(code, "134") ? '\\' : str_is(code, "011") ? '\t' : '\n';
                        i += 3;
                } else {
                        return false;
                }
        }
        *ret = str_span(p, n);
        return true;
}

static bool parse_how(struct str word, enum mapped_how *ret)
{
        for (size_t i = 0; i < MAPPED_HOWS; i++)
                if (str_is(word, i == MAPPED_OPEN ? "open" : mapped_words[i])) {
                        *ret = (enum mapped_how)i;
                        return true;
                }
        return false;
}

static bool parse_line(struct str line, struct arena *arena, struct mapped_file *ret)
{
        struct str how = str_cut(&line, ' '), replaced = str_cut(&line, ' '), pid = str_cut(&line, ' ');
        struct str comm = str_cut(&line, '\t');
        uint64_t number;
        if (!parse_how(how, &ret->how) || !str_u64(pid, &number) || number > UINT32_MAX)
                return false;
        if (!str_is(replaced, "0") && !str_is(replaced, "1"))
                return false;
        ret->is_replaced = str_is(replaced, "1");
        ret->pid = (uint32_t)number;
        return take_text(comm, arena, &ret->comm) && take_text(line, arena, &ret->path) && ret->path.n > 0 &&
               ret->path.n <= PATH_MAX && ret->path.p[0] != '/';
}

bool mapped_parse_file(struct mapped *m, struct str text, int64_t *ret_since)
{
        uint64_t since;
        if (!str_is(str_line(&text), HEADER))
                return false;
        struct str line = str_line(&text);
        if (!str_starts(line, STR("since ")) || !str_u64(str_from(line, 6), &since) || since > SINCE_MAX)
                return false;
        *ret_since = (int64_t)since;
        while (text.n) {
                _cleanup_(arena_done) struct arena arena = ARENA_INIT;
                struct mapped_file f;
                if (!parse_line(str_line(&text), &arena, &f))
                        return false;
                mapped_add(m, &f);
        }
        return true;
}
