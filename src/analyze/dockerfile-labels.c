/*
 * Dockerfile rules about labels. What a label must look like is known of those that the OCI image specification names
 * (annotations.md), and of those that the command line asks for (--label NAME:TYPE).
 */
#include "analyze/dockerfile-lint.h"

#include "base/date.h"
#include "base/utf8.h"
#include "intel/spdx.h"

#define THE(w) STR_FMT(str_upto((w), 80))

enum label_type { LABEL_TEXT, LABEL_URL, LABEL_TIME, LABEL_VERSION, LABEL_HASH, LABEL_LICENCE, LABEL_EMAIL };

static const char *const type_names[] = {
        [LABEL_TEXT] = "text", [LABEL_URL] = "url",      [LABEL_TIME] = "rfc3339", [LABEL_VERSION] = "semver",
        [LABEL_HASH] = "hash", [LABEL_LICENCE] = "spdx", [LABEL_EMAIL] = "email",
};

static const struct {
        const char *name;
        enum label_type type;
} known_labels[] = {
        { "org.opencontainers.image.created", LABEL_TIME },      { "org.opencontainers.image.url", LABEL_URL },
        { "org.opencontainers.image.documentation", LABEL_URL }, { "org.opencontainers.image.source", LABEL_URL },
        { "org.opencontainers.image.licenses", LABEL_LICENCE },
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_word(char c) { return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z') || c == '-'; }

static bool is_url(struct str s)
{
        ptrdiff_t colon = str_find(s, STR("://"));
        for (ptrdiff_t k = 0; k < colon; k++)
                if (!is_word(s.p[k]) && s.p[k] != '+' && s.p[k] != '.')
                        return false;
        return colon > 0 && s.n > (size_t)colon + 3 && s.p[colon + 3] != '/' && str_find_char(s, ' ') < 0;
}

static bool is_hash(struct str s)
{
        bool good = s.n == 7 || s.n == 40 || s.n == 64;
        for (size_t k = 0; k < s.n; k++)
                good = good && (is_digit(s.p[k]) || (s.p[k] >= 'a' && s.p[k] <= 'f'));
        return good;
}

static bool is_number(struct str s)
{
        for (size_t k = 0; k < s.n; k++)
                if (!is_digit(s.p[k]))
                        return false;
        return s.n && (s.n == 1 || s.p[0] != '0');
}

/* Identifiers separated by dots; those of a pre-release that are numbers have no leading zero. */
static bool is_identifiers(struct str s, bool is_prerelease)
{
        while (s.p) {
                struct str part = str_cut(&s, '.');
                bool all_digits = true;
                for (size_t k = 0; k < part.n; k++) {
                        if (!is_word(part.p[k]))
                                return false;
                        all_digits = all_digits && is_digit(part.p[k]);
                }
                if (!part.n || (is_prerelease && all_digits && !is_number(part)))
                        return false;
        }
        return true;
}

/* semver.org 2.0.0 */
static bool is_version(struct str s)
{
        struct str build = s, rest = str_cut(&build, '+'), prerelease = rest, core = str_cut(&prerelease, '-');
        for (unsigned k = 0; k < 3; k++) {
                struct str part = str_cut(&core, '.');
                if (!is_number(part) || (k < 2) != (core.p != NULL))
                        return false;
        }
        return (!prerelease.p || is_identifiers(prerelease, true)) && (!build.p || is_identifiers(build, false));
}

static bool is_email(struct str s)
{
        ptrdiff_t at = str_rfind_char(s, '@');
        struct str domain = at > 0 ? str_from(s, (size_t)at + 1) : STR_NONE;
        return at > 0 && domain.n && str_find_char(s, ' ') < 0 && is_identifiers(domain, false);
}

static bool is_time(struct str s)
{
        int64_t t;
        return s.n > 10 && date_parse(s, &t);
}

static bool is_of(enum label_type type, struct str value)
{
        switch (type) {
        case LABEL_URL:
                return is_url(value);
        case LABEL_TIME:
                return is_time(value);
        case LABEL_VERSION:
                return is_version(value);
        case LABEL_HASH:
                return is_hash(value);
        case LABEL_LICENCE:
                return spdx_is_expression(value);
        case LABEL_EMAIL:
                return is_email(value);
        case LABEL_TEXT:
                break;
        }
        return true;
}

/* NAME and TYPE of one --label; an unknown type counts as text. */
static struct str asked_label(struct str setting, enum label_type *ret_type)
{
        ptrdiff_t colon = str_rfind_char(setting, ':');
        *ret_type = LABEL_TEXT;
        if (colon < 0)
                return setting;
        for (size_t k = 0; k < ARRAY_SIZE(type_names); k++)
                if (str_is(str_from(setting, (size_t)colon + 1), type_names[k]))
                        *ret_type = (enum label_type)k;
        return str_upto(setting, (size_t)colon);
}

/* The type that the label must have. False: nobody says. */
static bool type_of(const struct lint *l, struct str name, enum label_type *ret)
{
        for (size_t k = 0; k < l->settings->labels.n; k++)
                if (str_eq(asked_label(l->settings->labels.v[k], ret), name))
                        return true;
        for (size_t k = 0; k < ARRAY_SIZE(known_labels); k++)
                if (str_is(name, known_labels[k].name)) {
                        *ret = known_labels[k].type;
                        return true;
                }
        return false;
}

static void on_value(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const enum label_type *type = r->data;
        for (size_t k = 0; i->keyword == DOCKERFILE_LABEL && k < i->n_pairs; k++) {
                const struct dockerfile_pair *p = &i->pairs[k];
                enum label_type must;
                if (p->value.is_known && p->value.value.n && type_of(l, p->name.value, &must) && must == *type &&
                    !is_of(must, p->value.value))
                        (void)lint_hit(l, r, i, p->value.offset, "%.*s=%.*s", THE(p->name.value), THE(p->value.value));
        }
}

static void on_empty(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        for (size_t k = 0; i->keyword == DOCKERFILE_LABEL && k < i->n_pairs; k++)
                if (i->pairs[k].has_value && !i->pairs[k].value.value.n)
                        (void)lint_hit(l, r, i, i->pairs[k].name.offset, "%.*s", THE(i->pairs[k].name.value));
}

/* Docker's guidelines: lower case, digits, dots and hyphens, not doubled, between letters or digits. */
static bool is_good_name(struct str s)
{
        static const char *const reserved[] = { "com.docker.", "io.docker.", "org.dockerproject." };
        for (size_t k = 0; k < ARRAY_SIZE(reserved); k++)
                if (str_starts(s, str_of(reserved[k])))
                        return false;
        for (size_t k = 0; k < s.n; k++) {
                bool is_mark = s.p[k] == '.' || s.p[k] == '-' || s.p[k] == '_' || s.p[k] == '/';
                bool is_edge = k == 0 || k + 1 == s.n;
                if (!is_lower(s.p[k]) && !is_digit(s.p[k]) && (!is_mark || is_edge))
                        return false;
                if (is_mark && (s.p[k] == '.' || s.p[k] == '-') && s.p[k + 1] == s.p[k])
                        return false;
        }
        return s.n && is_lower(s.p[0]);
}

static void on_name(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        for (size_t k = 0; i->keyword == DOCKERFILE_LABEL && k < i->n_pairs; k++) {
                struct dockerfile_word w = i->pairs[k].name;
                struct str name = w.text; /* quotes are allowed around it */
                while (name.n > 1 && (name.p[0] == '"' || name.p[0] == '\'') && name.p[name.n - 1] == name.p[0])
                        name = str_upto(str_from(name, 1), name.n - 2);
                if (str_find_char(name, '$') < 0 && !is_good_name(name))
                        (void)lint_hit(l, r, i, w.offset, "%.*s", THE(name));
        }
}

static bool has_label(const struct lint *l, size_t stage, struct str name)
{
        for (; stage != DOCKERFILE_NONE; stage = l->d->stages[stage].parent)
                for (size_t k = l->d->stages[stage].instruction; k < l->d->n_instructions; k++) {
                        const struct dockerfile_instruction *i = &l->d->instructions[k];
                        if (i->stage != stage)
                                break;
                        for (size_t p = 0; i->keyword == DOCKERFILE_LABEL && p < i->n_pairs; p++)
                                if (str_eq(i->pairs[p].name.value, name))
                                        return true;
                }
        return false;
}

static void on_missing(struct lint *l, const struct lint_rule *r)
{
        if (!l->d->n_stages)
                return;
        const struct dockerfile_instruction *from = &l->d->instructions[l->d->stages[l->d->n_stages - 1].instruction];
        for (size_t k = 0; k < l->settings->labels.n; k++) {
                enum label_type type;
                struct str name = asked_label(l->settings->labels.v[k], &type);
                if (!has_label(l, l->d->n_stages - 1, name))
                        (void)lint_hit(l, r, from, from->offset, "%.*s", THE(name));
        }
}

static void on_superfluous(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        for (size_t k = 0; l->settings->strict_labels && i->keyword == DOCKERFILE_LABEL && k < i->n_pairs; k++) {
                bool is_asked = false;
                for (size_t n = 0; n < l->settings->labels.n; n++) {
                        enum label_type type;
                        is_asked |= str_eq(asked_label(l->settings->labels.v[n], &type), i->pairs[k].name.value);
                }
                if (!is_asked)
                        (void)lint_hit(l, r, i, i->pairs[k].name.offset, "%.*s", THE(i->pairs[k].name.value));
        }
}

static const enum label_type type_url = LABEL_URL, type_time = LABEL_TIME, type_licence = LABEL_LICENCE,
                             type_hash = LABEL_HASH, type_version = LABEL_VERSION, type_email = LABEL_EMAIL;

#define LABEL_WHY "Tools that find images by their labels read nothing in it, or something wrong."

static const struct lint_rule rules[] = {
        { .check = { .id = "DL3048",
                     .aliases = "SK-DOCKER-048",
                     .severity = SEVERITY_LOW,
                     .title = "A label's name is not as it should be",
                     .why = "Names are lower case with dots and hyphens; com.docker, io.docker and org.dockerproject "
                            "are Docker's.",
                     .fix = "Use a name below a domain of yours, or one of org.opencontainers.image" },
          .on_instruction = on_name },
        { .check = { .id = "DL3049",
                     .aliases = "SK-DOCKER-049",
                     .severity = SEVERITY_LOW,
                     .title = "A label is missing",
                     .why = "The command line asks for it.",
                     .fix = "Add the LABEL" },
          .on_file = on_missing },
        { .check = { .id = "DL3050",
                     .aliases = "SK-DOCKER-050",
                     .severity = SEVERITY_LOW,
                     .title = "A label that nobody asked for",
                     .why = "--strict-labels allows those of --label only.",
                     .fix = "Remove it, or add it to --label" },
          .on_instruction = on_superfluous },
        { .check = { .id = "DL3051",
                     .aliases = "SK-DOCKER-051",
                     .severity = SEVERITY_LOW,
                     .title = "An empty label",
                     .why = "It says nothing, and overrides what the base image says.",
                     .fix = "Give it a value, or remove it" },
          .on_instruction = on_empty },
        { .check = { .id = "DL3052",
                     .aliases = "SK-DOCKER-052",
                     .severity = SEVERITY_LOW,
                     .title = "A label that is no URL",
                     .why = LABEL_WHY,
                     .fix = "Write SCHEME://HOST/..." },
          .on_instruction = on_value,
          .data = &type_url },
        { .check = { .id = "DL3053",
                     .aliases = "SK-DOCKER-053",
                     .severity = SEVERITY_LOW,
                     .title = "A label that is no time",
                     .why = LABEL_WHY,
                     .fix = "Write it as RFC 3339 has it: 2026-11-20T10:00:00Z" },
          .on_instruction = on_value,
          .data = &type_time },
        { .check = { .id = "DL3054",
                     .aliases = "SK-DOCKER-054",
                     .severity = SEVERITY_LOW,
                     .title = "A label that is no licence",
                     .why = LABEL_WHY,
                     .fix = "Write an SPDX expression: Apache-2.0, MIT OR GPL-2.0-only" },
          .on_instruction = on_value,
          .data = &type_licence },
        { .check = { .id = "DL3055",
                     .aliases = "SK-DOCKER-055",
                     .severity = SEVERITY_LOW,
                     .title = "A label that is no git hash",
                     .why = LABEL_WHY,
                     .fix = "Write the commit's hash, whole or its first seven digits" },
          .on_instruction = on_value,
          .data = &type_hash },
        { .check = { .id = "DL3056",
                     .aliases = "SK-DOCKER-056",
                     .severity = SEVERITY_LOW,
                     .title = "A label that is no semantic version",
                     .why = LABEL_WHY,
                     .fix = "Write MAJOR.MINOR.PATCH" },
          .on_instruction = on_value,
          .data = &type_version },
        { .check = { .id = "DL3058",
                     .aliases = "SK-DOCKER-058",
                     .severity = SEVERITY_LOW,
                     .title = "A label that is no mail address",
                     .why = LABEL_WHY,
                     .fix = "Write NAME@DOMAIN" },
          .on_instruction = on_value,
          .data = &type_email },
};

const struct lint_table dockerfile_rules_labels = { rules, ARRAY_SIZE(rules) };
