/* See subjects.h. */
#include "flow/subjects.h"

#include "flow/base-layers.h"
#include "intel/match.h"
#include "intel/version.h"
#include "source/registry-name.h"

#include <stdlib.h>

#define DAY INT64_C(86400)

static version_order *order_of(struct str ecosystem)
{
        const struct version_scheme *scheme = ecosystem.n ? version_scheme_find(ecosystem) : NULL;
        return scheme ? scheme->compare : NULL;
}

/* --- the artefact --- */

/* The reference by which it was asked for; archives, layouts and directories have one only if they say so. */
static struct str reference_of(const struct report *r)
{
        if (str_is(r->kind, "registry"))
                return r->name;
        struct str tag = r->tags.n ? r->tags.v[0] : STR_NONE;
        bool is_name = str_find_char(tag, ':') >= 0 || str_find_char(tag, '/') >= 0; /* "latest" alone is a layout's */
        return is_name ? tag : STR_NONE;
}

static void describe_reference(struct subject_artefact *a, const struct report *r, struct arena *arena)
{
        struct str text = reference_of(r);
        struct registry_name name;
        a->digest = r->digest;
        a->image_id = r->image_id;
        if (!text.n || registry_name_parse(text, &name, NULL) < 0)
                return;
        a->is_reference = true;
        a->by_digest = str_find(r->target, STR("@sha256:")) >= 0;
        a->registry = arena_str(arena, str_of(name.host));
        a->repository = arena_str(arena, str_of(name.repository));
        a->tag = arena_str(arena, str_of(name.tag));
}

static struct str label_of(const struct fact_image *image, const char *name)
{
        struct str key = str_of(name);
        for (size_t i = 0; i < image->labels.n; i++)
                if (str_starts(image->labels.v[i], key) && image->labels.v[i].n > key.n &&
                    image->labels.v[i].p[key.n] == '=')
                        return str_from(image->labels.v[i], key.n + 1);
        return STR_NONE;
}

static void describe_artefact(struct subject_artefact *a, struct scan *scan)
{
        const struct report *r = &scan->report;
        *a = (struct subject_artefact){
                .now = r->today,
                .name = r->name.n ? r->name : r->target,
                .tags = r->tags,
                .image = r->has_image ? &r->image : NULL,
                .n_layers = r->n_layers,
                .os = r->has_os ? &r->os : NULL,
                .eol = r->eol ? r->eol + DAY : 0,
                .is_complete = r->complete,
                .unknown_executables = r->coverage.total_unknown_executables,
                .modified_files = r->coverage.total_modified,
                .skipped_files = r->coverage.n_unread,
                .data_date = r->data_date,
        };
        describe_reference(a, r, &scan->arena);
        if (a->image)
                a->base = label_of(a->image, "org.opencontainers.image.base.name");
        if (a->os)
                a->os_order = order_of(os_ecosystem(a->os, &scan->arena));
        for (size_t i = 0; i < r->n_layers; i++)
                a->size += r->layers[i].size;
        for (size_t i = 0; i < r->n_feeds; i++)
                if (str_is(r->feeds[i].name, "kev"))
                        a->kev_date = r->feeds[i].date;
}

static struct subject_layer *describe_layers(struct scan *scan)
{
        const struct report *r = &scan->report;
        struct subject_layer *layers = arena_array(&scan->arena, r->n_layers, sizeof(*layers));
        size_t base = base_layers(scan->artefact.steps, scan->artefact.n_steps, r->n_layers);
        for (size_t i = 0; i < r->n_layers; i++)
                layers[i] = (struct subject_layer){ .number = i + 1,
                                                    .digest = r->layers[i].digest,
                                                    .created_by = r->layers[i].created_by,
                                                    .in_base = !base      ? ANSWER_UNKNOWN
                                                               : i < base ? ANSWER_YES
                                                                          : ANSWER_NO };
        return layers;
}

void subjects_init(struct subjects *s, struct scan *scan)
{
        *s = (struct subjects){ .r = &scan->report };
        describe_artefact(&s->artefact, scan);
        s->layers = describe_layers(scan);
}

void subjects_done(struct subjects *s)
{
        free(s->packages);
        *s = (struct subjects){ 0 };
}

/* --- findings --- */

static const struct subject_layer *layer_of(const struct subjects *s, size_t layer)
{
        return layer < s->r->n_layers ? &s->layers[layer] : NULL;
}

static void describe_packages(struct subjects *s, const struct finding *f, struct subject_finding *ret)
{
        if (f->n_packages > s->size) {
                s->size = f->n_packages;
                s->packages = xreallocarray(s->packages, s->size, sizeof(*s->packages));
        }
        for (size_t i = 0; i < f->n_packages; i++) {
                const struct report_package *p = &s->r->packages[f->packages[i]];
                s->packages[i] = (struct subject_package){ &p->p, p->purl, layer_of(s, p->layer) };
        }
        static const enum answer answers[PACKAGE_USES] = {
                [USE_ABSENT] = ANSWER_NO, [USE_PRESENT] = ANSWER_NO, [USE_LOADED] = ANSWER_YES
        };
        ret->loaded = answers[finding_use(s->r, f)];
        ret->packages = s->packages;
        ret->n_packages = f->n_packages;
}

static void describe_file(struct subjects *s, const struct report_file *f, struct subject_finding *ret)
{
        static const char *const formats[] = { "other", "empty", "elf", "script", "pe" };
        s->file = (struct subject_file){
                .path = f->path,
                .format = f->format < ARRAY_SIZE(formats) ? str_of(formats[f->format]) : STR_NONE,
                .state = str_of(file_state_name(f->state)),
                .sha256 = f->sha256,
                .size = f->size,
                .is_executable = f->format == FORMAT_ELF || f->format == FORMAT_SCRIPT || f->format == FORMAT_PE,
        };
        ret->file = &s->file;
}

/* What is no file has its name in parentheses (fact/kinds.def). */
static struct str secret_place(const struct finding *f)
{
        struct str path = f->secret->path;
        return f->deleted_by != NONE           ? STR("deleted")
               : str_is(path, "(environment)") ? STR("env")
               : str_is(path, "(config)")      ? STR("config")
               : str_is(path, "(history)")     ? STR("history")
                                               : STR("file");
}

void subjects_finding(struct subjects *s, const struct finding *f, struct subject_finding *ret)
{
        const struct fact_vulnerability *v = f->vulnerability;
        *ret = (struct subject_finding){
                .kind = str_of(finding_kind_name(f->kind)),
                .id = f->id,
                .title = f->title,
                .path = f->path,
                .severity = f->severity,
                .fix = f->fix,
                .vulnerability = v,
                .vex_status = f->vex ? f->vex->status : STR_NONE,
                .layer = layer_of(s, f->layer),
        };
        if (v) {
                ret->aliases = v->aliases;
                ret->order = order_of(v->ecosystem);
        }
        describe_packages(s, f, ret);
        if (f->check) {
                ret->check_id = f->check->id;
                ret->check_frameworks = f->check->tags;
                ret->aliases = f->check->aliases;
        }
        if (f->secret) {
                ret->secret_type = f->secret->rule;
                ret->secret_confidence = f->secret->confidence;
                ret->secret_place = secret_place(f);
        }
        if (f->malware) {
                ret->malware_name = f->malware->rule;
                ret->malware_family = f->malware->family;
                ret->malware_engine = f->malware->engine;
        }
        if (f->file)
                describe_file(s, f->file, ret);
        if (f->kind == FINDING_UNREAD) /* "corrupt: ..." */
                ret->coverage_reason = str_cut(&(struct str){ f->proof.p, f->proof.n }, ':');
        else if (f->kind == FINDING_UNSUPPORTED)
                ret->coverage_reason = STR("no-advisories");
}
