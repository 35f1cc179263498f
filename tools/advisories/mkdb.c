/*
 * Builds the embedded database: mkdb OUTPUT TABLE.tsv... Used by the build only; every malformed row fails it, because
 * the tables are our own.
 */
#include "base/fs.h"
#include "intel/db-build.h"
#include "intel/import.h"

#include <fcntl.h>
#include <stdio.h>

struct tee {
        struct sink sink;
        struct sink *to;
        size_t malformed;
};

static void put(struct sink *s, enum fact_kind kind, const void *fact)
{
        struct tee *t = (struct tee *)s;
        if (kind == FACT_unread) {
                const struct fact_unread *u = fact;
                fprintf(stderr, "mkdb: %.*s: %.*s\n", STR_FMT(u->path), STR_FMT(u->detail));
                t->malformed++;
        }
        sink_put(t->to, kind, fact);
}

/* "debian" of ".../debian.tsv". */
static struct str stem(const char *path)
{
        struct str s = str_of(path);
        s = str_from(s, (size_t)(str_rfind_char(s, '/') + 1));
        return str_cut(&s, '.');
}

static int build(const char *output, char **tables, struct error *err)
{
        _cleanup_(db_builder_freep) struct db_builder *b = db_builder_new(true);
        struct tee tee = { { put }, db_builder_sink(b), 0 };
        for (; *tables; tables++) {
                struct db_feed feed = { .name = stem(*tables), .source = STR("embedded") };
                _cleanup_(closep) int fd = open(*tables, O_RDONLY | O_CLOEXEC);
                db_builder_feed(b, &feed);
                int r = fd < 0 ? error_set(err, -1, "cannot open %s", *tables)
                               : import_run(NULL, fd, *tables, &tee.sink, err);
                if (r < 0)
                        return r;
        }
        if (tee.malformed)
                return error_set(err, -1, "%zu malformed rows", tee.malformed);
        struct output o;
        int r = output_open(&o, output, err);
        if (r < 0)
                return r;
        r = db_builder_write(b, o.stream, err);
        if (r < 0) {
                output_abort(&o);
                return r;
        }
        return output_commit(&o, err);
}

int main(int argc, char **argv)
{
        struct error err = ERROR_NONE;
        if (argc < 3) {
                fprintf(stderr, "usage: mkdb OUTPUT TABLE.tsv...\n");
                return 2;
        }
        if (build(argv[1], argv + 2, &err) < 0) {
                fprintf(stderr, "mkdb: %s\n", err.text);
                return 1;
        }
        return 0;
}
