/* See drift-options.h. */
#include "serve/drift-options.h"

#include <errno.h>
#include <fnmatch.h>

#define ID_LEAST 12u /* digits of the start of an id that are taken for it */

const char *const guard_mode_names[] = { "off", "log", "alert", "enforce" };

static const struct {
        const char *name;
        uint32_t flag;
} forbidden[] = {
        { "connect", GUARD_NO_CONNECT },
        { "ptrace", GUARD_NO_PTRACE },
        { "bpf", GUARD_NO_BPF },
};

struct drift_word drift_word(const char *text)
{
        const char *at = strchr(text, '=');
        if (!at)
                return (struct drift_word){ .value = str_of(text) };
        return (struct drift_word){ .pattern = str_span(text, (size_t)(at - text)), .value = str_of(at + 1) };
}

static bool fits(struct str pattern, struct str s)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        return s.n && fnmatch(arena_cstr(&arena, pattern), arena_cstr(&arena, s), 0) == 0;
}

bool drift_is_meant(const struct container_entry *c, struct str pattern)
{
        return pattern.n == 0 || fits(pattern, c->id) || (pattern.n >= ID_LEAST && str_starts(c->id, pattern)) ||
               fits(pattern, c->facts.name) || fits(pattern, c->facts.image);
}

static bool parse_mode(struct str s, enum guard_mode *ret)
{
        for (unsigned i = 0; i <= GUARD_ENFORCE; i++)
                if (str_is(s, guard_mode_names[i])) {
                        *ret = (enum guard_mode)i;
                        return true;
                }
        return false;
}

static bool parse_forbidden(struct str list, uint32_t *ret)
{
        *ret = 0;
        while (list.p) {
                struct str name = str_cut(&list, ',');
                uint32_t flag = 0;
                for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
                        if (str_is(name, forbidden[i].name))
                                flag = forbidden[i].flag;
                if (!flag)
                        return false;
                *ret |= flag;
        }
        return true;
}

int drift_options_check(const struct drift_options *o, struct error *err)
{
        enum guard_mode mode;
        uint32_t flags;
        for (size_t i = 0; i < o->n_modes; i++)
                if (!parse_mode(drift_word(o->modes[i]).value, &mode))
                        return error_set(err, -EINVAL,
                                         "--drift-mode takes [PATTERN=]off, log, alert or enforce, not \"%s\"",
                                         o->modes[i]);
        for (size_t i = 0; i < o->n_forbidden; i++)
                if (!parse_forbidden(drift_word(o->forbidden[i]).value, &flags))
                        return error_set(err, -EINVAL,
                                         "--forbid takes [PATTERN=]connect, ptrace, bpf, or several of them with "
                                         "commas, not \"%s\"",
                                         o->forbidden[i]);
        for (size_t i = 0; i < o->n_append_only; i++)
                if (!str_starts(drift_word(o->append_only[i]).value, STR("/")))
                        return error_set(err, -EINVAL,
                                         "--append-only takes [PATTERN=]DIRECTORY, as the container sees it, not "
                                         "\"%s\"",
                                         o->append_only[i]);
        return 0;
}

static enum guard_mode mode_without_words(const struct drift_options *o)
{
        return o->n_manifests ? GUARD_ALERT : GUARD_OFF;
}

enum guard_mode drift_mode_of(const struct drift_options *o, const struct container_entry *c)
{
        enum guard_mode mode = mode_without_words(o);
        for (size_t i = 0; i < o->n_modes; i++) {
                struct drift_word w = drift_word(o->modes[i]);
                if (drift_is_meant(c, w.pattern))
                        (void)parse_mode(w.value, &mode);
        }
        return mode;
}

enum guard_mode drift_mode_of_unknown(const struct drift_options *o)
{
        enum guard_mode general = mode_without_words(o), least = GUARD_ENFORCE, mode;
        for (size_t i = 0; i < o->n_modes; i++) {
                struct drift_word w = drift_word(o->modes[i]);
                if (w.pattern.n == 0)
                        (void)parse_mode(w.value, &general);
                else if (parse_mode(w.value, &mode))
                        least = MIN(least, mode);
        }
        return MIN(least, general);
}

uint32_t drift_flags_of(const struct drift_options *o, const struct container_entry *c)
{
        uint32_t all = 0, flags;
        for (size_t i = 0; i < o->n_forbidden; i++) {
                struct drift_word w = drift_word(o->forbidden[i]);
                if (drift_is_meant(c, w.pattern) && parse_forbidden(w.value, &flags))
                        all |= flags;
        }
        for (size_t i = 0; i < o->n_append_only; i++)
                if (drift_is_meant(c, drift_word(o->append_only[i]).pattern))
                        all |= GUARD_APPEND_ONLY;
        return all;
}
