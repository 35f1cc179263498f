/* See check.h: the list of checkers, the rows that they share, and names. */
#include "analyze/check-rules.h"

extern const struct checker checker_compose, checker_dockerfile, checker_kubernetes;

const struct checker *const checkers[] = {
        &checker_dockerfile,
        &checker_kubernetes,
        &checker_compose,
        NULL,
};

const struct check check_expired = {
        .id = "SK-CHECK-001",
        .severity = SEVERITY_MEDIUM,
        .title = "An ignore has expired",
        .why = "What it hid is reported again: whoever accepted it meant to look at it by that day.",
        .fix = "Repair what it ignores, or decide again and give a later day",
        .tags = "NIST-800-190:4.1.2",
};

const struct check check_unused = {
        .id = "SK-CHECK-002",
        .severity = SEVERITY_LOW,
        .title = "An ignore that hides nothing",
        .why = "It would hide a later mistake without anybody having decided that.",
        .fix = "Remove it, or correct the rule's id",
};

const struct check check_malformed = {
        .id = "SK-CHECK-003",
        .severity = SEVERITY_MEDIUM,
        .title = "An ignore that cannot be understood",
        .why = "It hides nothing, although somebody meant it to.",
        .fix = "Write: # sekisho:ignore RULE[,RULE] reason until=YYYY-MM-DD",
};

static const struct check *const common[] = { &check_expired, &check_unused, &check_malformed };

const struct check *check_at(size_t i)
{
        if (i < ARRAY_SIZE(common))
                return common[i];
        i -= ARRAY_SIZE(common);
        size_t n_rules = 0;
        for (; check_rules_at(n_rules); n_rules++)
                if (n_rules == i)
                        return check_rules_at(i);
        i -= n_rules;
        for (size_t k = 0; checkers[k]; k++) {
                size_t n = 0;
                for (const struct check *c; (c = checkers[k]->check(n)); n++)
                        if (n == i)
                                return c;
                i -= n;
        }
        return NULL;
}

static bool has_word(const char *words, struct str word)
{
        struct str rest = str_of(words);
        while (rest.p)
                if (str_eq_nocase(str_cut(&rest, ' '), word))
                        return true;
        return false;
}

bool check_has_name(const struct check *c, struct str id)
{
        return id.n && (str_eq_nocase(id, str_of(c->id)) || has_word(c->aliases, id));
}

const struct check *check_find(struct str id)
{
        for (size_t i = 0; i < ARRAY_SIZE(common); i++)
                if (check_has_name(common[i], id))
                        return common[i];
        for (size_t n = 0; check_rules_at(n); n++)
                if (check_has_name(check_rules_at(n), id))
                        return check_rules_at(n);
        for (size_t k = 0; checkers[k]; k++)
                for (size_t n = 0; checkers[k]->check(n); n++)
                        if (check_has_name(checkers[k]->check(n), id))
                                return checkers[k]->check(n);
        return NULL;
}

bool check_is_enabled(const struct check *c, const struct check_settings *s)
{
        if (!c->is_quiet)
                return true;
        for (size_t i = 0; i < s->enabled.n; i++)
                if (str_is(s->enabled.v[i], "all") || check_has_name(c, s->enabled.v[i]))
                        return true;
        return false;
}

static struct str_list words_of(const char *words, struct arena *arena)
{
        struct str rest = str_of(words);
        size_t n = 0;
        while (rest.p)
                n += str_cut(&rest, ' ').n > 0;
        struct str_list list = { arena_array(arena, n, sizeof(*list.v)), 0 };
        rest = str_of(words);
        while (rest.p) {
                struct str word = str_cut(&rest, ' ');
                if (word.n)
                        list.v[list.n++] = word;
        }
        return list;
}

void check_describe(const struct check *c, struct arena *arena, struct fact_check *f)
{
        f->id = str_of(c->id);
        f->aliases = words_of(c->aliases, arena);
        f->severity = c->severity;
        f->title = str_of(c->title);
        f->why = str_of(c->why);
        f->remedy = str_of(c->fix);
        f->tags = words_of(c->tags, arena);
}
