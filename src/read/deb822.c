/* See deb822.h. One pass over the lines; nothing is copied or allocated. */
#include "read/deb822.h"

struct deb822 deb822_from(struct str bytes) { return (struct deb822){ .all = bytes, .line = 1 }; }

static void defect(struct deb822_stanza *s, uint64_t line, const char *why)
{
        if (s->why)
                return;
        s->why = why;
        s->why_line = line;
}

/* deb822(5): printable ASCII but the colon, and neither "#" nor "-" at the start. */
static bool is_field_name(struct str name)
{
        if (name.n == 0 || name.p[0] == '#' || name.p[0] == '-')
                return false;
        for (size_t i = 0; i < name.n; i++)
                if (name.p[i] < '!' || name.p[i] > '~')
                        return false;
        return true;
}

static struct str next_line(struct deb822 *d)
{
        struct str rest = str_from(d->all, d->offset);
        struct str line = str_line(&rest);
        d->offset = d->all.n - rest.n;
        d->line++;
        return line;
}

/* Adds the field that starts in this line; false, with a defect, if none does. */
static bool add_field(struct deb822_stanza *s, struct str line, uint64_t number)
{
        ptrdiff_t colon = str_find_char(line, ':');
        if (colon < 0) {
                defect(s, number, "a line without a colon");
                return false;
        }
        struct str name = str_upto(line, (size_t)colon);
        if (!is_field_name(name)) {
                defect(s, number, "not a field name before the colon");
                return false;
        }
        if (s->n == DEB822_FIELDS_MAX) {
                defect(s, number, "more than 256 fields");
                return false;
        }
        s->fields[s->n++] = (struct deb822_field){ name, str_from(line, (size_t)colon + 1), number };
        return true;
}

int deb822_next(struct deb822 *d, struct deb822_stanza *ret)
{
        struct str line;
        do {
                if (d->offset == d->all.n)
                        return DEB822_END;
                ret->line = d->line;
                ret->offset = d->offset;
                line = next_line(d);
        } while (line.n == 0);

        ret->n = 0;
        ret->why = NULL;
        ret->why_line = 0;
        size_t line_at = ret->offset, value_at = 0; /* 0: no field to continue */
        while (line.n) {
                uint64_t number = d->line - 1;
                bool is_continuation = line.p[0] == ' ' || line.p[0] == '\t';
                if (d->offset - ret->offset > DEB822_STANZA_MAX) {
                        defect(ret, number, "a stanza longer than 1 MiB");
                        value_at = 0;
                } else if (!is_continuation) {
                        bool added = add_field(ret, line, number);
                        value_at = added ? line_at + ret->fields[ret->n - 1].name.n + 1 : 0;
                } else if (value_at) {
                        size_t end = line_at + line.n;
                        ret->fields[ret->n - 1].value = str_upto(str_from(d->all, value_at), end - value_at);
                } else {
                        defect(ret, number, "a continuation line without a field");
                }
                line_at = d->offset;
                line = d->offset < d->all.n ? next_line(d) : STR_NONE;
        }
        ret->is_cut = line_at == d->all.n && !str_ends(d->all, STR("\n"));
        for (size_t i = 0; i < ret->n; i++)
                ret->fields[i].value = str_trim(ret->fields[i].value);
        return ret->why ? DEB822_MALFORMED : DEB822_STANZA;
}

static const struct deb822_field *find(const struct deb822_stanza *s, size_t from, struct str name)
{
        for (size_t i = from; i < s->n; i++)
                if (str_eq_nocase(s->fields[i].name, name))
                        return &s->fields[i];
        return NULL;
}

struct str deb822_get(const struct deb822_stanza *s, const char *name)
{
        const struct deb822_field *f = find(s, 0, str_of(name));
        return f ? f->value : STR_NONE;
}

bool deb822_is_repeated(const struct deb822_stanza *s, const char *name)
{
        const struct deb822_field *f = find(s, 0, str_of(name));
        return f && find(s, (size_t)(f - s->fields) + 1, str_of(name));
}
