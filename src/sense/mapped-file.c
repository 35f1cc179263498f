/* See mapped-file.h. */
#include "sense/mapped-file.h"

#include "base/fs.h"
#include "base/octal.h"

#include <limits.h>
#include <stdio.h>

#define HEADER    "sekisho.loaded/1"
#define SINCE_MAX (INT64_C(1) << 40)

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
                octal_print(o.stream, f->comm);
                putc('\t', o.stream);
                octal_print(o.stream, f->path);
                putc('\n', o.stream);
        }
        return output_commit(&o, err);
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
        return octal_read(comm, arena, &ret->comm) && octal_read(line, arena, &ret->path) && ret->path.n > 0 &&
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
