/* The list of formats, and the words of the report's enums. */
#include "report/report.h"

extern const struct reporter reporter_table, reporter_json, reporter_sarif, reporter_cyclonedx, reporter_html;
extern const struct reporter reporter_openvex, reporter_cyclonedx_vex;

const struct reporter *const reporters[] = {
        &reporter_table, &reporter_json,    &reporter_sarif,         &reporter_cyclonedx,
        &reporter_html,  &reporter_openvex, &reporter_cyclonedx_vex, NULL,
};

const char *file_state_name(enum file_state s)
{
        static const char *const names[FILE_STATES] = {
                [STATE_VERIFIED] = "verified", [STATE_OWNED] = "owned",     [STATE_MODIFIED] = "modified",
                [STATE_DATABASE] = "database", [STATE_UNKNOWN] = "unknown", [STATE_SKIPPED] = "skipped",
        };
        return s < FILE_STATES ? names[s] : "unknown";
}

const char *finding_kind_name(enum finding_kind k)
{
        static const char *const names[FINDING_KINDS] = {
                [FINDING_MALWARE] = "malware",
                [FINDING_VULNERABILITY] = "vulnerability",
                [FINDING_END_OF_LIFE] = "end-of-life",
                [FINDING_UNSUPPORTED] = "unsupported",
                [FINDING_UNREAD] = "unread",
                [FINDING_MODIFIED] = "modified",
                [FINDING_STALE_DATA] = "stale-data",
                [FINDING_MISMATCH] = "mismatch",
                [FINDING_MISCONFIG] = "misconfiguration",
                [FINDING_WAIVER] = "waiver",
                [FINDING_ARTEFACT] = "artefact",
                [FINDING_SECRET] = "secret",
        };
        return k < FINDING_KINDS ? names[k] : "unknown";
}

bool finding_is_named(const struct finding *f, struct str id)
{
        const struct fact_vulnerability *v = f->vulnerability;
        bool is = str_eq_nocase(f->id, id) || (v && (str_eq_nocase(v->id, id) || str_eq_nocase(v->cve, id)));
        for (size_t i = 0; v && i < v->aliases.n && !is; i++)
                is = str_eq_nocase(v->aliases.v[i], id);
        return is;
}

bool finding_answers_to(const struct finding *f, struct str id)
{
        return finding_is_named(f, id) || str_eq_nocase(str_of(finding_kind_name(f->kind)), id);
}

const char *response_name(enum response r)
{
        static const char *const names[RESPONSES] = {
                [RESPONSE_UPDATE] = "update", [RESPONSE_REPLACE] = "replace", [RESPONSE_MITIGATE] = "mitigate",
                [RESPONSE_ACCEPT] = "accept", [RESPONSE_DECIDE] = "decide",
        };
        return r < RESPONSES ? names[r] : "unknown";
}

const char *set_aside_name(enum set_aside s)
{
        static const char *const names[SET_ASIDES] = { "", "vex", "waiver" };
        return s < SET_ASIDES ? names[s] : "";
}

const char *package_use_name(enum package_use u)
{
        static const char *const names[PACKAGE_USES] = { "", "absent", "present", "loaded" };
        return u < PACKAGE_USES ? names[u] : "";
}

enum package_use finding_use(const struct report *r, const struct finding *f)
{
        enum package_use use = USE_UNKNOWN;
        for (size_t i = 0; i < f->n_packages; i++)
                use = MAX(use, r->packages[f->packages[i]].use);
        return use;
}
