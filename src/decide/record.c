/*
 * See record.h. One row for each field: where its value lies, and what kind of value it is; a few have a function. Rows
 * are checked against fact/fields-policy.def by tests/unit/test-record.c.
 */
#include "decide/record.h"

#include <stdlib.h>

/* --- where values lie --- */

enum base {
        BASE_NONE,
        BASE_ARTEFACT,
        BASE_IMAGE,
        BASE_OS,
        BASE_FINDING,
        BASE_VULNERABILITY,
        BASE_PACKAGE,
        BASE_LAYER,
        BASE_FILE
};

enum form {
        FORM_STR,      /* struct str; absent when empty */
        FORM_PATH,     /* the same, with a slash before it */
        FORM_NUMBER,   /* uint64_t */
        FORM_FLAG,     /* bool */
        FORM_ANSWER,   /* enum answer */
        FORM_SEVERITY, /* enum severity */
        FORM_TIME,     /* int64_t seconds; absent when 0 */
        FORM_AGE,      /* the same, as the time from then until now */
        FORM_UNTIL,    /* the same, as the time from now until then */
        FORM_PART,     /* uint64_t in hundred-thousandths; absent when 0 */
        FORM_TENTH,    /* uint64_t in tenths; absent when 0 */
        FORM_SET,      /* int64_t: a flag, whether it is not 0 */
        FORM_HAS,      /* struct str: a flag, whether it is not empty */
        FORM_VERSION,  /* struct str in the finding's order */
};

struct getter {
        enum base base;
        enum form form;
        size_t offset;
        void (*get)(struct subject *s, const struct field_ref *ref, struct value *ret);
};

static const struct fact_package *first_package(const struct subject *s)
{
        return s->finding && s->finding->n_packages ? s->finding->packages[0].p : NULL;
}

static const void *base_of(const struct subject *s, enum base b)
{
        const struct subject_finding *f = s->finding;
        switch (b) {
        case BASE_ARTEFACT:
                return s->artefact;
        case BASE_IMAGE:
                return s->artefact->image;
        case BASE_OS:
                return s->artefact->os;
        case BASE_FINDING:
                return f;
        case BASE_VULNERABILITY:
                return f ? f->vulnerability : NULL;
        case BASE_PACKAGE:
                return first_package(s);
        case BASE_LAYER:
                return f ? f->layer : NULL;
        case BASE_FILE:
                return f ? f->file : NULL;
        case BASE_NONE:
                break;
        }
        return NULL;
}

static struct value duration_of(int64_t from, int64_t to)
{
        int64_t seconds, nanoseconds;
        if (__builtin_sub_overflow(to, from, &seconds) || __builtin_mul_overflow(seconds, VALUE_SECOND, &nanoseconds))
                nanoseconds = to < from ? INT64_MIN : INT64_MAX;
        return value_duration(nanoseconds);
}

static struct value decimal_of(uint64_t n, uint64_t unit)
{
        return n && n <= INT64_MAX / unit ? value_decimal((int64_t)(n * unit)) : value_absent();
}

static struct value answer_of(enum answer a) { return a ? value_flag(a == ANSWER_YES) : value_absent(); }

/* Facts name paths without the first slash, and parts of the artefact ("layer 3") without any. */
static struct value path_of(struct subject *s, struct str path)
{
        if (!path.n || path.p[0] == '/' || str_starts(path, STR("layer ")))
                return value_string_or_absent(path);
        return value_string(arena_printf(&s->arena, "/%.*s", STR_FMT(path)));
}

static struct value read_at(struct subject *s, const struct getter *g, const void *at)
{
        int64_t t;
        switch (g->form) {
        case FORM_STR:
                return value_string_or_absent(*(const struct str *)at);
        case FORM_PATH:
                return path_of(s, *(const struct str *)at);
        case FORM_NUMBER:
                return value_number((int64_t)MIN(*(const uint64_t *)at, (uint64_t)INT64_MAX));
        case FORM_FLAG:
                return value_flag(*(const bool *)at);
        case FORM_ANSWER:
                return answer_of(*(const enum answer *)at);
        case FORM_SEVERITY:
                return value_severity(*(const enum severity *)at);
        case FORM_TIME:
                return value_time(*(const int64_t *)at);
        case FORM_AGE:
                t = *(const int64_t *)at;
                return t ? duration_of(t, s->artefact->now) : value_absent();
        case FORM_UNTIL:
                t = *(const int64_t *)at;
                return t ? duration_of(s->artefact->now, t) : value_absent();
        case FORM_PART:
                return decimal_of(*(const uint64_t *)at, VALUE_DECIMAL_ONE / 100000);
        case FORM_TENTH:
                return decimal_of(*(const uint64_t *)at, VALUE_DECIMAL_ONE / 10);
        case FORM_SET:
                return value_flag(*(const int64_t *)at != 0);
        case FORM_HAS:
                return value_flag(((const struct str *)at)->n != 0);
        case FORM_VERSION: {
                struct str v = *(const struct str *)at;
                return v.n ? value_version(v, s->finding->order) : value_absent();
        }
        }
        return value_absent();
}

/* --- values that have to be made --- */

static struct value *scratch(struct subject *s, unsigned which, size_t n)
{
        struct subject_scratch *x = &s->scratch[which];
        if (n > x->size) {
                x->v = xreallocarray(x->v, n, sizeof(*x->v));
                x->size = n;
        }
        return x->v;
}

static struct value strings(struct value *to, struct str_list l)
{
        for (size_t i = 0; i < l.n; i++)
                to[i] = value_string(l.v[i]);
        return l.n ? value_list(to, l.n) : value_absent();
}

static void get_aliases(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        if (s->finding)
                *ret = strings(scratch(s, SCRATCH_ALIASES, s->finding->aliases.n), s->finding->aliases);
}

static void get_frameworks(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        if (s->finding)
                *ret = strings(scratch(s, SCRATCH_FRAMEWORKS, s->finding->check_frameworks.n),
                               s->finding->check_frameworks);
}

/* All installed packages of the finding, as one field with several values. */
static void get_package_texts(struct subject *s, bool purls, struct value *ret)
{
        if (!s->finding || !s->finding->n_packages)
                return;
        const struct subject_finding *f = s->finding;
        struct value *v = scratch(s, purls ? SCRATCH_PURLS : SCRATCH_NAMES, f->n_packages);
        size_t n = 0;
        for (size_t i = 0; i < f->n_packages; i++) {
                struct str text = purls ? f->packages[i].purl : f->packages[i].p->name;
                if (text.n)
                        v[n++] = value_string(text);
        }
        if (n)
                *ret = value_list(v, n);
}

static void get_package_name(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        get_package_texts(s, false, ret);
}

static void get_package_purl(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        get_package_texts(s, true, ret);
}

static const struct subject_layer *package_layer(const struct subject *s)
{
        return s->finding && s->finding->n_packages ? s->finding->packages[0].layer : NULL;
}

static void get_package_layer(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        if (package_layer(s))
                *ret = value_number((int64_t)package_layer(s)->number);
}

static void get_package_in_base(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        if (package_layer(s))
                *ret = answer_of(package_layer(s)->in_base);
}

/* What stands behind NAME= in a list of such texts. */
static struct value value_of_key(struct str_list l, struct str key)
{
        for (size_t i = 0; i < l.n; i++)
                if (str_starts(l.v[i], key) && l.v[i].n > key.n && l.v[i].p[key.n] == '=')
                        return value_string(str_from(l.v[i], key.n + 1));
        return value_absent();
}

static void get_label(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        if (s->artefact->image)
                *ret = value_of_key(s->artefact->image->labels, ref->key);
}

static void get_env(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        if (s->artefact->image)
                *ret = value_of_key(s->artefact->image->env, ref->key);
}

static void get_tags(struct subject *s, const struct field_ref *ref, struct value *ret) { *ret = s->tags; }
static void get_env_names(struct subject *s, const struct field_ref *ref, struct value *ret) { *ret = s->env_names; }
static void get_ports(struct subject *s, const struct field_ref *ref, struct value *ret) { *ret = s->ports; }
static void get_entrypoint(struct subject *s, const struct field_ref *ref, struct value *ret) { *ret = s->entrypoint; }

/* "root", "0", "0:1000", or nothing at all. */
static void get_runs_as_root(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        if (!s->artefact->image)
                return;
        struct str rest = s->artefact->image->user, user = str_cut(&rest, ':');
        uint64_t uid;
        *ret = value_flag(!user.n || str_is(user, "root") || (str_u64(user, &uid) && uid == 0));
}

static void get_by_digest(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        if (s->artefact->is_reference)
                *ret = value_flag(s->artefact->by_digest);
}

static void get_os_version(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        const struct fact_os *os = s->artefact->os;
        if (os && os->version.n)
                *ret = value_version(os->version, s->artefact->os_order);
}

static void get_is_eol(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        if (s->artefact->eol)
                *ret = value_flag(s->artefact->now >= s->artefact->eol);
}

static void get_file_name(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        if (!s->finding || !s->finding->file)
                return;
        struct str path = s->finding->file->path;
        *ret = value_string_or_absent(str_from(path, (size_t)(str_rfind_char(path, '/') + 1)));
}

static const struct subject_file *file_with_attributes(const struct subject *s)
{
        const struct subject_file *f = s->finding ? s->finding->file : NULL;
        return f && f->has_attributes ? f : NULL;
}

static void get_file_number(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        const struct subject_file *f = file_with_attributes(s);
        if (!f)
                return;
        switch (ref->field->id) {
        case FIELD_file_mode:
                *ret = value_number((int64_t)f->mode);
                break;
        case FIELD_file_uid:
                *ret = value_number((int64_t)f->uid);
                break;
        case FIELD_file_gid:
                *ret = value_number((int64_t)f->gid);
                break;
        case FIELD_file_setuid:
                *ret = value_flag(f->mode & 04000);
                break;
        case FIELD_file_setgid:
                *ret = value_flag(f->mode & 02000);
                break;
        default:
                break;
        }
}

/* --- CVSS vectors: "CVSS:3.1/AV:N/AC:L/...", or without the first part, which is version 2 --- */

static struct str metric(struct str vector, const char *name, const char *name_of_4)
{
        bool is_4 = str_starts(vector, STR("CVSS:4"));
        struct str wanted = str_of(is_4 && name_of_4 ? name_of_4 : name);
        while (vector.p) {
                struct str value = str_cut(&vector, '/'), key = str_cut(&value, ':');
                if (str_eq(key, wanted))
                        return value;
        }
        return STR_NONE;
}

static void get_cvss_metric(struct subject *s, const struct field_ref *ref, struct value *ret)
{
        static const struct {
                enum field_id id;
                const char *name, *name_of_4;
        } metrics[] = {
                { FIELD_vuln_cvss_version, "CVSS", NULL }, { FIELD_vuln_cvss_av, "AV", NULL },
                { FIELD_vuln_cvss_ac, "AC", NULL },        { FIELD_vuln_cvss_at, "AT", NULL },
                { FIELD_vuln_cvss_pr, "PR", NULL },        { FIELD_vuln_cvss_ui, "UI", NULL },
                { FIELD_vuln_cvss_s, "S", NULL },          { FIELD_vuln_cvss_c, "C", "VC" },
                { FIELD_vuln_cvss_i, "I", "VI" },          { FIELD_vuln_cvss_a, "A", "VA" },
        };
        const struct fact_vulnerability *v = s->finding ? s->finding->vulnerability : NULL;
        if (!v || !v->cvss_vector.n)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(metrics); i++)
                if (metrics[i].id == ref->field->id)
                        *ret = value_string_or_absent(metric(v->cvss_vector, metrics[i].name, metrics[i].name_of_4));
        if (ref->field->id == FIELD_vuln_cvss_version && ret->type == VALUE_ABSENT)
                *ret = value_string(STR("2.0"));
}

/* --- the table --- */

#define OF(base_, type_, member_, form_)                                                                               \
        {                                                                                                              \
                .base = BASE_##base_, .form = FORM_##form_, .offset = offsetof(type_, member_)                         \
        }
#define ARTEFACT(member, form) OF(ARTEFACT, struct subject_artefact, member, form)
#define IMAGE(member, form)    OF(IMAGE, struct fact_image, member, form)
#define OS(member, form)       OF(OS, struct fact_os, member, form)
#define FINDING(member, form)  OF(FINDING, struct subject_finding, member, form)
#define VULN(member, form)     OF(VULNERABILITY, struct fact_vulnerability, member, form)
#define PACKAGE(member, form)  OF(PACKAGE, struct fact_package, member, form)
#define LAYER(member, form)    OF(LAYER, struct subject_layer, member, form)
#define FILE_OF(member, form)  OF(FILE, struct subject_file, member, form)
#define MADE(base_, function)                                                                                          \
        {                                                                                                              \
                .base = BASE_##base_, .get = function                                                                  \
        }

static const struct getter getters[FIELDS] = {
        [FIELD_finding_kind] = FINDING(kind, STR),
        [FIELD_finding_id] = FINDING(id, STR),
        [FIELD_finding_aliases] = MADE(FINDING, get_aliases),
        [FIELD_finding_severity] = FINDING(severity, SEVERITY),
        [FIELD_finding_title] = FINDING(title, STR),
        [FIELD_finding_path] = FINDING(path, PATH),
        [FIELD_finding_first_seen] = FINDING(first_seen, TIME),
        [FIELD_finding_first_seen_age] = FINDING(first_seen, AGE),
        [FIELD_finding_fixable] = FINDING(fix, HAS),

        [FIELD_vuln_id] = FINDING(id, STR), /* of a vulnerability only: see get() */
        [FIELD_vuln_aliases] = MADE(VULNERABILITY, get_aliases),
        [FIELD_vuln_severity] = VULN(severity, SEVERITY),
        [FIELD_vuln_severity_source] = VULN(severity_source, STR),
        [FIELD_vuln_cvss_version] = MADE(VULNERABILITY, get_cvss_metric),
        [FIELD_vuln_cvss_vector] = VULN(cvss_vector, STR),
        [FIELD_vuln_cvss_score] = VULN(cvss_score, TENTH),
        [FIELD_vuln_cvss_av] = MADE(VULNERABILITY, get_cvss_metric),
        [FIELD_vuln_cvss_ac] = MADE(VULNERABILITY, get_cvss_metric),
        [FIELD_vuln_cvss_at] = MADE(VULNERABILITY, get_cvss_metric),
        [FIELD_vuln_cvss_pr] = MADE(VULNERABILITY, get_cvss_metric),
        [FIELD_vuln_cvss_ui] = MADE(VULNERABILITY, get_cvss_metric),
        [FIELD_vuln_cvss_s] = MADE(VULNERABILITY, get_cvss_metric),
        [FIELD_vuln_cvss_c] = MADE(VULNERABILITY, get_cvss_metric),
        [FIELD_vuln_cvss_i] = MADE(VULNERABILITY, get_cvss_metric),
        [FIELD_vuln_cvss_a] = MADE(VULNERABILITY, get_cvss_metric),
        [FIELD_vuln_epss] = VULN(epss, PART),
        [FIELD_vuln_epss_percentile] = VULN(epss_percentile, PART),
        [FIELD_vuln_kev] = VULN(kev, SET),
        [FIELD_vuln_kev_date] = VULN(kev, TIME),
        [FIELD_vuln_ransomware] = VULN(ransomware, FLAG),
        [FIELD_vuln_malicious] = VULN(malicious, FLAG),
        [FIELD_vuln_published] = VULN(published, TIME),
        [FIELD_vuln_published_age] = VULN(published, AGE),
        [FIELD_vuln_fixable] = VULN(fixed, HAS),
        [FIELD_vuln_fixed_version] = VULN(fixed, VERSION),
        [FIELD_vuln_installed_version] = VULN(installed, VERSION),
        [FIELD_vuln_ecosystem] = VULN(ecosystem, STR),
        [FIELD_vuln_feed] = VULN(feed, STR),
        [FIELD_vuln_vex_status] = FINDING(vex_status, STR),

        [FIELD_package_name] = MADE(PACKAGE, get_package_name),
        [FIELD_package_version] = PACKAGE(version, VERSION),
        [FIELD_package_type] = PACKAGE(type, STR),
        [FIELD_package_purl] = MADE(PACKAGE, get_package_purl),
        [FIELD_package_source] = PACKAGE(source, STR),
        [FIELD_package_vendor] = PACKAGE(vendor, STR),
        [FIELD_package_licence] = PACKAGE(licence, STR),
        [FIELD_package_arch] = PACKAGE(arch, STR),
        [FIELD_package_path] = PACKAGE(database, PATH),
        [FIELD_package_layer] = MADE(PACKAGE, get_package_layer),
        [FIELD_package_in_base] = MADE(PACKAGE, get_package_in_base),
        [FIELD_package_loaded] = FINDING(loaded, ANSWER),

        [FIELD_image_name] = ARTEFACT(name, STR),
        [FIELD_image_registry] = ARTEFACT(registry, STR),
        [FIELD_image_repository] = ARTEFACT(repository, STR),
        [FIELD_image_tag] = ARTEFACT(tag, STR),
        [FIELD_image_tags] = MADE(ARTEFACT, get_tags),
        [FIELD_image_digest] = ARTEFACT(digest, STR),
        [FIELD_image_by_digest] = MADE(ARTEFACT, get_by_digest),
        [FIELD_image_created] = IMAGE(created, TIME),
        [FIELD_image_age] = IMAGE(created, AGE),
        [FIELD_image_user] = IMAGE(user, STR),
        [FIELD_image_runs_as_root] = MADE(ARTEFACT, get_runs_as_root),
        [FIELD_image_arch] = IMAGE(arch, STR),
        [FIELD_image_labels] = MADE(ARTEFACT, get_label),
        [FIELD_image_env] = MADE(ARTEFACT, get_env),
        [FIELD_image_env_names] = MADE(ARTEFACT, get_env_names),
        [FIELD_image_ports] = MADE(ARTEFACT, get_ports),
        [FIELD_image_entrypoint] = MADE(ARTEFACT, get_entrypoint),
        [FIELD_image_healthcheck] = IMAGE(healthcheck, FLAG),
        [FIELD_image_layers] = ARTEFACT(n_layers, NUMBER),
        [FIELD_image_size] = ARTEFACT(size, NUMBER),
        [FIELD_image_base] = ARTEFACT(base, STR),
        [FIELD_image_exposed] = ARTEFACT(exposed, ANSWER),

        [FIELD_os_id] = OS(id, STR),
        [FIELD_os_version] = MADE(ARTEFACT, get_os_version),
        [FIELD_os_codename] = OS(codename, STR),
        [FIELD_os_eol] = ARTEFACT(eol, TIME),
        [FIELD_os_is_eol] = MADE(ARTEFACT, get_is_eol),
        [FIELD_os_eol_in] = ARTEFACT(eol, UNTIL),

        [FIELD_layer_number] = LAYER(number, NUMBER),
        [FIELD_layer_digest] = LAYER(digest, STR),
        [FIELD_layer_created_by] = LAYER(created_by, STR),
        [FIELD_layer_in_base] = LAYER(in_base, ANSWER),

        [FIELD_file_path] = FILE_OF(path, PATH),
        [FIELD_file_name] = MADE(FILE, get_file_name),
        [FIELD_file_type] = FILE_OF(type, STR),
        [FIELD_file_format] = FILE_OF(format, STR),
        [FIELD_file_size] = FILE_OF(size, NUMBER),
        [FIELD_file_mode] = MADE(FILE, get_file_number),
        [FIELD_file_uid] = MADE(FILE, get_file_number),
        [FIELD_file_gid] = MADE(FILE, get_file_number),
        [FIELD_file_setuid] = MADE(FILE, get_file_number),
        [FIELD_file_setgid] = MADE(FILE, get_file_number),
        [FIELD_file_executable] = FILE_OF(is_executable, FLAG),
        [FIELD_file_sha256] = FILE_OF(sha256, STR),
        [FIELD_file_state] = FILE_OF(state, STR),
        [FIELD_file_deleted] = FILE_OF(is_deleted, FLAG),

        [FIELD_malware_name] = FINDING(malware_name, STR),
        [FIELD_malware_family] = FINDING(malware_family, STR),
        [FIELD_malware_engine] = FINDING(malware_engine, STR),
        [FIELD_secret_type] = FINDING(secret_type, STR),
        [FIELD_secret_confidence] = FINDING(secret_confidence, STR),
        [FIELD_secret_place] = FINDING(secret_place, STR),
        [FIELD_check_id] = FINDING(check_id, STR),
        [FIELD_check_framework] = MADE(FINDING, get_frameworks),
        [FIELD_check_resource] = FINDING(check_resource, STR),

        [FIELD_coverage_complete] = ARTEFACT(is_complete, FLAG),
        [FIELD_coverage_unknown_executables] = ARTEFACT(unknown_executables, NUMBER),
        [FIELD_coverage_modified_files] = ARTEFACT(modified_files, NUMBER),
        [FIELD_coverage_skipped_files] = ARTEFACT(skipped_files, NUMBER),
        [FIELD_coverage_reason] = FINDING(coverage_reason, STR),
        [FIELD_data_age] = ARTEFACT(data_date, AGE),
        [FIELD_data_kev_age] = ARTEFACT(kev_date, AGE),
};

bool field_has_getter(enum field_id id) { return getters[id].base != BASE_NONE; }

bool field_is_of_artefact(enum field_id id)
{
        enum base b = getters[id].base;
        return b == BASE_ARTEFACT || b == BASE_IMAGE || b == BASE_OS;
}

static void get(void *ctx, const struct field_ref *ref, struct value *ret)
{
        struct subject *s = ctx;
        enum field_id id = ref->field->id;
        const struct getter *g = &getters[id];
        const char *base = base_of(s, g->base);
        if (!base || (id == FIELD_vuln_id && !s->finding->vulnerability))
                return;
        if (g->get)
                g->get(s, ref, ret);
        else
                *ret = read_at(s, g, base + g->offset);
}

/* --- records --- */

static struct value list_in_arena(struct subject *s, struct str_list l)
{
        return strings(arena_array(&s->arena, l.n, sizeof(struct value)), l);
}

void subject_init(struct subject *s, const struct subject_artefact *a)
{
        *s = (struct subject){ .artefact = a, .arena = ARENA_INIT };
        s->tags = list_in_arena(s, a->tags);
        if (!a->image)
                return;
        s->ports = list_in_arena(s, a->image->ports);
        s->entrypoint = list_in_arena(s, a->image->entrypoint);
        struct str_list env = a->image->env;
        struct value *names = arena_array(&s->arena, env.n, sizeof(*names));
        for (size_t i = 0; i < env.n; i++)
                names[i] = value_string(str_cut(&(struct str){ env.v[i].p, env.v[i].n }, '='));
        if (env.n)
                s->env_names = value_list(names, env.n);
}

void subject_done(struct subject *s)
{
        for (size_t i = 0; i < SCRATCHES; i++)
                free(s->scratch[i].v);
        arena_done(&s->arena);
        *s = (struct subject){ 0 };
}

struct record subject_record(struct subject *s, const struct subject_finding *f)
{
        s->finding = f;
        return (struct record){ get, s };
}
