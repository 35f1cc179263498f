/* See import-tsv.h. */
#include "intel/import-tsv.h"

#include "base/date.h"

#include <errno.h>

static int take_comment(struct import *in, struct str line, const char *columns, struct error *err)
{
        struct str value = str_trim(str_from(line, 1)), key = str_cut(&value, ':');
        int64_t date;
        value = str_trim(value);
        if (str_is(key, "generated") && date_parse(str_upto(value, 10), &date))
                import_date(in, date);
        else if (str_is(key, "licence") && !in->licence.n)
                buf_add_str(&in->licence, str_upto(value, 200));
        else if (str_is(key, "not read"))
                import_skip(in, SKIP_NOT_READ);
        else if (str_is(key, "columns") && !str_is(value, columns))
                return error_set(err, -EBADMSG, "line %llu: the columns are \"%.*s\" and not \"%s\"",
                                 (unsigned long long)in->record, STR_FMT(value), columns);
        return 0;
}

int tsv_row(struct import *in, const char *columns, size_t n, struct str ret[static TSV_MAX_COLUMNS], struct error *err)
{
        struct str line;
        int r;
        while ((r = import_line(in, &line, err)) > 0) {
                if (!line.n)
                        continue;
                if (line.p[0] == '#') {
                        r = take_comment(in, line, columns, err);
                        if (r < 0)
                                return r;
                        continue;
                }
                size_t found = 0;
                while (line.p) {
                        struct str column = str_cut(&line, '\t');
                        if (found < TSV_MAX_COLUMNS)
                                ret[found] = str_is(column, "-") ? STR_NONE : column;
                        found++;
                }
                if (found == n)
                        return 1;
                import_malformed(in, "%zu columns instead of %zu (%s)", found, n, columns);
        }
        return r;
}

bool fraction_parse(struct str s, uint64_t *ret)
{
        struct str digits = s, whole = str_cut(&digits, '.');
        uint64_t value, part = 0;
        if (!str_u64(whole, &value) || value > 1 || (digits.p && !str_u64(str_upto(digits, 5), &part)))
                return false;
        for (size_t i = 0; i < digits.n; i++)
                if (digits.p[i] < '0' || digits.p[i] > '9')
                        return false;
        for (size_t i = MIN(digits.n, (size_t)5); i < 5; i++)
                part *= 10;
        value = value * 100000 + part;
        if (value > 100000)
                return false;
        *ret = value;
        return true;
}
