/* See agent-guard.h. */
#include "cli/agent-guard.h"

#include "base/str.h"

#include <errno.h>
#include <string.h>

static int take_file(const char **files, size_t *n, size_t max, const char *value, struct error *err)
{
        if (!*value)
                return error_set(err, -EINVAL, "is empty");
        return option_append(files, n, max, value, err);
}

static int take_word(const char *value, const char *const *words, size_t n, unsigned *ret, struct error *err)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(value, words[i]) == 0) {
                        *ret = (unsigned)i;
                        return 0;
                }
        return n == 2 ? error_set(err, -EINVAL, "takes %s or %s, not \"%s\"", words[0], words[1], value)
                      : error_set(err, -EINVAL, "takes %s, %s or %s, not \"%s\"", words[0], words[1], words[2], value);
}

static int take_choice(const char *value, enum guard_choice *ret, struct error *err)
{
        static const char *const words[] = { "allow", "deny" };
        unsigned i = 0;
        int r = take_word(value, words, ARRAY_SIZE(words), &i, err);
        if (r == 0)
                *ret = i == 0 ? GUARD_ALLOW : GUARD_DENY;
        return r;
}

static int take_deadline(const char *value, unsigned *ret, struct error *err)
{
        uint64_t ms;
        if (!str_u64(str_of(value), &ms) || ms == 0 || ms > GUARD_DEADLINE_MAX)
                return error_set(err, -EINVAL, "takes milliseconds from 1 to %d, not \"%s\"", GUARD_DEADLINE_MAX,
                                 value);
        *ret = (unsigned)ms;
        return 0;
}

static int take_ahead(const char *value, bool *ret_off, struct error *err)
{
        static const char *const words[] = { "on", "off" };
        unsigned i = 0;
        int r = take_word(value, words, ARRAY_SIZE(words), &i, err);
        if (r == 0)
                *ret_off = i == 1;
        return r;
}

static int take_interval(const char *value, uint64_t *ret_s, struct error *err)
{
        static const struct {
                char letter;
                uint64_t s;
        } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
        struct str text = str_of(value);
        uint64_t n;
        for (size_t i = 0; text.n && i < ARRAY_SIZE(units); i++)
                if (text.p[text.n - 1] == units[i].letter && str_u64(str_upto(text, text.n - 1), &n) &&
                    n <= GUARD_RESCAN_MAX / units[i].s && n > 0) {
                        *ret_s = n * units[i].s;
                        return 0;
                }
        return error_set(err, -EINVAL, "takes seconds, minutes, hours or days from 1s to 365d, as in 24h, not \"%s\"",
                         value);
}

int guard_option(struct guard_options *g, const struct option_spec *o, const char *value, struct error *err)
{
        unsigned i = 0;
        int r = 0;
        if (strcmp(o->name, "guard") == 0)
                return take_file(g->storages, &g->n_storages, GUARD_STORAGES_MAX, value, err);
        if (strcmp(o->name, "hashes") == 0)
                return take_file(g->malware.hashes, &g->malware.n_hashes, MALWARE_LISTS_MAX, value, err);
        if (strcmp(o->name, "allow-hashes") == 0)
                return take_file(g->malware.allowed, &g->malware.n_allowed, MALWARE_LISTS_MAX, value, err);
        if (strcmp(o->name, "yara") == 0)
                return take_file(g->malware.yara, &g->malware.n_yara, MALWARE_LISTS_MAX, value, err);
        if (strcmp(o->name, "guard-deadline") == 0)
                return take_deadline(value, &g->deadline_ms, err);
        if (strcmp(o->name, "guard-ahead") == 0)
                return take_ahead(value, &g->no_ahead, err);
        if (strcmp(o->name, "guard-rescan") == 0)
                return take_interval(value, &g->rescan_s, err);
        if (strcmp(o->name, "guard-late") == 0)
                return take_choice(value, &g->late, err);
        if (strcmp(o->name, "guard-incomplete") == 0)
                return take_choice(value, &g->incomplete, err);
        if (strcmp(o->name, "guard-writable") == 0)
                return take_choice(value, &g->writable, err);
        if (strcmp(o->name, "guard-mode") == 0) {
                r = take_word(value, guard_level_names, GUARD_MODES, &i, err);
                g->mode = (enum guard_level)i;
        } else if (strcmp(o->name, "guard-response") == 0) {
                r = take_word(value, guard_response_names, GUARD_RESPONSES, &i, err);
                g->response = (enum guard_response)i;
        } else if (strcmp(o->name, "quarantine") == 0) {
                if (!*value)
                        return error_set(err, -EINVAL, "is empty");
                g->quarantine = strcmp(value, "none") == 0 ? "" : value;
        } else if (strcmp(o->name, "guard-dry-run") == 0) {
                g->dry_run = true;
        } else if (strcmp(o->name, "guard-root") == 0) {
                g->may_be_root = true;
        } else {
                return OPTION_OTHER;
        }
        return r;
}
