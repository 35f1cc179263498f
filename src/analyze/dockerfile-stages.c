/* Dockerfile rules about images and stages: what FROM and COPY --from name, and what a stage may have once. */
#include "analyze/dockerfile-lint.h"

#include "base/map.h"

#define THE(w) STR_FMT(str_upto((w), 100))

/* --- FROM --- */

/* Calls each for every image from outside that the instruction names: of FROM, --from, --mount=from. */
static void each_image(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i,
                       void (*each)(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i,
                                    const struct dockerfile_word *w))
{
        size_t before = i->stage == DOCKERFILE_NONE ? 0 : i->stage;
        if (i->keyword == DOCKERFILE_FROM && i->n_words && is_external_image(l, &i->words[0], before))
                each(l, r, i, &i->words[0]);
        const struct dockerfile_flag *from = i->keyword == DOCKERFILE_COPY ? dockerfile_flag(i, "from") : NULL;
        if (from && is_external_image(l, &from->value, before) &&
            dockerfile_stage_of_copy(l->d, from->value.value, before) == DOCKERFILE_NONE &&
            (str_find_char(from->value.value, '/') >= 0 || str_find_char(from->value.value, ':') >= 0))
                each(l, r, i, &from->value);
}

static bool has_known_end(const struct dockerfile_word *w) /* its tag, if it has one, can be seen */
{
        return w->is_known || !str_ends(w->value, STR("}"));
}

static void untagged(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i,
                     const struct dockerfile_word *w)
{
        struct image_name n = image_name_of(w->value);
        if (!n.tag.n && !n.digest.n && has_known_end(w))
                (void)lint_hit(l, r, i, w->offset, "%.*s", THE(w->value));
}

static void on_untagged(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        each_image(l, r, i, untagged);
}

static void latest(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i,
                   const struct dockerfile_word *w)
{
        struct image_name n = image_name_of(w->value);
        if (str_is(n.tag, "latest") && !n.digest.n)
                (void)lint_hit(l, r, i, w->offset, "%.*s", THE(w->value));
}

static void on_latest(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        each_image(l, r, i, latest);
}

static void no_digest(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i,
                      const struct dockerfile_word *w)
{
        struct image_name n = image_name_of(w->value);
        if (n.tag.n && !str_is(n.tag, "latest") && !n.digest.n && has_known_end(w))
                (void)lint_hit(l, r, i, w->offset, "%.*s", THE(w->value));
}

static void on_no_digest(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        each_image(l, r, i, no_digest);
}

static void registry(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i,
                     const struct dockerfile_word *w)
{
        struct image_name n = image_name_of(w->value);
        for (size_t k = 0; k < l->settings->registries.n; k++)
                if (str_eq_nocase(n.registry, l->settings->registries.v[k]))
                        return;
        (void)lint_hit(l, r, i, w->offset, "%.*s is from %.*s", THE(w->value), THE(n.registry));
}

static void on_registry(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        if (l->settings->registries.n)
                each_image(l, r, i, registry);
}

static const struct dockerfile_flag *platform_flag(const struct dockerfile_instruction *i)
{
        return i->keyword == DOCKERFILE_FROM ? dockerfile_flag(i, "platform") : NULL;
}

static bool is_variable(struct str s, const char *name)
{
        struct str rest = str_from(s, 1);
        if (!str_starts(s, STR("$")))
                return false;
        return str_is(rest, name) ||
               (str_starts(rest, STR("{")) && str_is(str_upto(str_from(rest, 1), rest.n - 2), name));
}

static void on_platform(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const struct dockerfile_flag *f = platform_flag(i);
        if (f && f->value.is_known && f->value.value.n && str_find_char(f->value.text, '$') < 0)
                (void)lint_hit(l, r, i, f->name.offset, "--platform=%.*s", THE(f->value.value));
}

static void on_target_platform(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const struct dockerfile_flag *f = platform_flag(i);
        if (!f || !is_variable(f->value.text, "TARGETPLATFORM"))
                return;
        size_t end = f->value.end, n = l->d->bytes.n; /* with the blanks behind it */
        while (end < n && (l->d->bytes.p[end] == ' ' || l->d->bytes.p[end] == '\t'))
                end++;
        if (lint_hit(l, r, i, f->name.offset, "--platform=%.*s", THE(f->value.text)))
                check_page_edit(l->page, f->name.offset, end - f->name.offset, STR_NONE);
}

/* --- stages --- */

static void on_duplicate_name(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        if (i->keyword != DOCKERFILE_FROM || i->is_onbuild || i->stage == DOCKERFILE_NONE)
                return;
        const struct dockerfile_stage *s = &l->d->stages[i->stage];
        if (&l->d->instructions[s->instruction] == i && s->name.text.n &&
            dockerfile_stage_named(l->d, s->name.text, i->stage) != DOCKERFILE_NONE)
                (void)lint_hit(l, r, i, s->name.offset, "%.*s", THE(s->name.text));
}

static void on_reserved_name(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        if (i->keyword != DOCKERFILE_FROM || i->is_onbuild || i->stage == DOCKERFILE_NONE)
                return;
        const struct dockerfile_stage *s = &l->d->stages[i->stage];
        if (&l->d->instructions[s->instruction] == i &&
            (str_eq_nocase(s->name.text, STR("scratch")) || str_eq_nocase(s->name.text, STR("context"))))
                (void)lint_hit(l, r, i, s->name.offset, "%.*s", THE(s->name.text));
}

static void on_first(struct lint *l, const struct lint_rule *r)
{
        const struct dockerfile *d = l->d;
        for (size_t k = 0; k < d->n_instructions; k++) {
                const struct dockerfile_instruction *i = &d->instructions[k];
                if (i->keyword == DOCKERFILE_FROM)
                        return;
                if (i->keyword != DOCKERFILE_ARG) {
                        (void)lint_hit(l, r, i, i->offset, "%.*s before any FROM", THE(i->name.text));
                        return;
                }
        }
}

/* What of a stage counts once: the second one and those behind it. */
static void on_twice(struct lint *l, const struct lint_rule *r)
{
        const enum dockerfile_keyword *keyword = r->data;
        size_t stage = DOCKERFILE_NONE;
        uint32_t first = 0;
        for (size_t k = 0; k < l->d->n_instructions; k++) {
                const struct dockerfile_instruction *i = &l->d->instructions[k];
                if (i->stage != stage)
                        first = 0;
                stage = i->stage;
                if (i->keyword != *keyword || i->is_onbuild)
                        continue;
                if (first)
                        (void)lint_hit(l, r, i, i->offset, "line %u has one already, which counts for nothing", first);
                first = i->line;
        }
}

static const enum dockerfile_keyword once_cmd = DOCKERFILE_CMD, once_entrypoint = DOCKERFILE_ENTRYPOINT,
                                     once_healthcheck = DOCKERFILE_HEALTHCHECK;

/* --- COPY --from --- */

static const struct dockerfile_flag *copy_from(const struct dockerfile_instruction *i)
{
        const struct dockerfile_flag *f = i->keyword == DOCKERFILE_COPY ? dockerfile_flag(i, "from") : NULL;
        return f && f->value.is_known && i->stage != DOCKERFILE_NONE && !i->is_onbuild ? f : NULL;
}

static void on_unknown_stage(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const struct dockerfile_flag *f = copy_from(i);
        if (!f || str_find_char(f->value.value, ':') >= 0 || str_find_char(f->value.value, '/') >= 0 ||
            str_find_char(f->value.value, '@') >= 0 || str_eq_nocase(f->value.value, l->d->stages[i->stage].name.text))
                return;
        if (dockerfile_stage_of_copy(l->d, f->value.value, i->stage) == DOCKERFILE_NONE)
                (void)lint_hit(l, r, i, f->value.offset, "%.*s is no stage above, so it is taken for an image",
                               THE(f->value.value));
}

static void on_own_stage(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const struct dockerfile_flag *f = copy_from(i);
        uint64_t number;
        if (!f)
                return;
        struct str own = l->d->stages[i->stage].name.text;
        bool is_number = str_u64(f->value.value, &number) && number == i->stage;
        if ((own.n && str_eq_nocase(f->value.value, own)) || is_number)
                (void)lint_hit(l, r, i, f->value.offset, "--from=%.*s", THE(f->value.value));
}

static void on_whole_filesystem(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const struct dockerfile_flag *f = i->keyword == DOCKERFILE_COPY ? dockerfile_flag(i, "from") : NULL;
        if (f && i->n_words == 2 && word_is_one_of(i->words[0].value, "/ /. /* /./"))
                (void)lint_hit(l, r, i, i->words[0].offset, "all of %.*s", THE(f->value.value));
}

static const struct lint_rule rules[] = {
        {
                .check = { .id = "DL3006",
                           .aliases = "SK-DOCKER-006",
                           .severity = SEVERITY_MEDIUM,
                           .title = "A base image without a tag",
                           .why = "Without a tag the newest image is taken: two builds of one file differ, and nobody "
                                  "can "
                                  "say what was in the older one.",
                           .fix = "Name a tag, better a digest: image:1.2@sha256:...",
                           .tags = "NIST-800-190:4.1.5 CWE-1104 T1525" },
                .on_instruction = on_untagged,
        },
        {
                .check = { .id = "DL3007",
                           .aliases = "SK-DOCKER-007",
                           .severity = SEVERITY_MEDIUM,
                           .title = "A base image by the tag latest",
                           .why = "The tag moves with every release: the build is another one tomorrow, and cannot be "
                                  "repeated.",
                           .fix = "Name the release that is meant, better with its digest",
                           .tags = "NIST-800-190:4.1.5 CWE-1104 T1525" },
                .on_instruction = on_latest,
        },
        {
                .check = { .id = "SK-DOCKER-102",
                           .severity = SEVERITY_LOW,
                           .title = "A base image by a tag alone",
                           .why = "Whoever can push to the registry can put another image behind a tag; behind a "
                                  "digest "
                                  "nobody can.",
                           .fix = "Add the digest: image:tag@sha256:...",
                           .tags = "NIST-800-190:4.1.5 CWE-494 T1525" },
                .on_instruction = on_no_digest,
        },
        {
                .check = { .id = "DL3022",
                           .aliases = "SK-DOCKER-022",
                           .severity = SEVERITY_MEDIUM,
                           .title = "COPY --from names no stage of this file",
                           .why = "A misspelt stage becomes the name of an image that somebody else may have "
                                  "published.",
                           .fix = "Name a stage above, or an image in full with its tag or digest",
                           .tags = "NIST-800-190:4.1.5 CWE-829" },
                .on_instruction = on_unknown_stage,
        },
        {
                .check = { .id = "DL3023",
                           .aliases = "SK-DOCKER-023",
                           .severity = SEVERITY_HIGH,
                           .title = "COPY --from names its own stage",
                           .why = "A stage cannot copy from itself: the build fails.",
                           .fix = "Name an earlier stage, or use RUN cp" },
                .on_instruction = on_own_stage,
        },
        {
                .check = { .id = "DL3024",
                           .aliases = "SK-DOCKER-024",
                           .severity = SEVERITY_HIGH,
                           .title = "Two stages of one name",
                           .why = "Whoever names the stage gets one of them and may have meant the other.",
                           .fix = "Give each stage a name of its own" },
                .on_instruction = on_duplicate_name,
        },
        {
                .check = { .id = "DL3026",
                           .aliases = "SK-DOCKER-026",
                           .severity = SEVERITY_HIGH,
                           .title = "A base image from a registry that is not trusted",
                           .why = "What runs in production was made by people whom nobody here has chosen.",
                           .fix = "Take it from a registry of --registry, or add its registry there",
                           .tags = "NIST-800-190:4.1.5 CWE-829 T1525" },
                .on_instruction = on_registry,
        },
        {
                .check = { .id = "DL3029",
                           .aliases = "SK-DOCKER-029",
                           .severity = SEVERITY_LOW,
                           .title = "FROM with a fixed --platform",
                           .why = "The image is built for this platform whatever platform was asked for.",
                           .fix = "Leave --platform to the command line, or use $BUILDPLATFORM" },
                .on_instruction = on_platform,
        },
        {
                .check = { .id = "DL3065",
                           .aliases = "SK-DOCKER-065",
                           .severity = SEVERITY_LOW,
                           .title = "FROM --platform=$TARGETPLATFORM says what is so anyway",
                           .why = "The target platform is the default, and the flag hides that from readers.",
                           .fix = "Remove the flag" },
                .on_instruction = on_target_platform,
        },
        {
                .check = { .id = "DL3061",
                           .aliases = "SK-DOCKER-061",
                           .severity = SEVERITY_HIGH,
                           .title = "Something other than FROM or ARG comes first",
                           .why = "There is no image yet that the instruction could work on: the build fails.",
                           .fix = "Begin with FROM; only ARG may stand before it" },
                .on_file = on_first,
        },
        {
                .check = { .id = "DL3063",
                           .aliases = "SK-DOCKER-063",
                           .severity = SEVERITY_MEDIUM,
                           .title = "A stage with a reserved name",
                           .why = "scratch and context mean something else wherever a stage can be named.",
                           .fix = "Give the stage another name" },
                .on_instruction = on_reserved_name,
        },
        {
                .check = { .id = "DL3067",
                           .aliases = "SK-DOCKER-067",
                           .severity = SEVERITY_MEDIUM,
                           .title = "COPY of a whole file system",
                           .why = "All that the other image or stage has comes along: its tools, caches and perhaps "
                                  "secrets.",
                           .fix = "Copy the files that are needed, or build FROM that stage",
                           .tags = "NIST-800-190:4.1.2 CWE-1125" },
                .on_instruction = on_whole_filesystem,
        },
        {
                .check = { .id = "DL3012",
                           .aliases = "SK-DOCKER-012",
                           .severity = SEVERITY_MEDIUM,
                           .title = "More than one HEALTHCHECK in a stage",
                           .why = "Only the last one counts.",
                           .fix = "Keep the one that is meant" },
                .on_file = on_twice,
                .data = &once_healthcheck,
        },
        {
                .check = { .id = "DL4003",
                           .aliases = "SK-DOCKER-083",
                           .severity = SEVERITY_MEDIUM,
                           .title = "More than one CMD in a stage",
                           .why = "Only the last one counts.",
                           .fix = "Keep the one that is meant" },
                .on_file = on_twice,
                .data = &once_cmd,
        },
        {
                .check = { .id = "DL4004",
                           .aliases = "SK-DOCKER-084",
                           .severity = SEVERITY_MEDIUM,
                           .title = "More than one ENTRYPOINT in a stage",
                           .why = "Only the last one counts.",
                           .fix = "Keep the one that is meant" },
                .on_file = on_twice,
                .data = &once_entrypoint,
        },
};

const struct lint_table dockerfile_rules_stages = { rules, ARRAY_SIZE(rules) };
