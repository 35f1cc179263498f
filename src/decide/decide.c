/* See decide.h. */
#include "decide/decide.h"

#include <errno.h>
#include <stdio.h>

const struct policy policy_default = {
        .name = "default",
        .rules = {
                { .name = "Malicious package", .subject = SUBJECT_VULNERABILITY, .needs_malicious = true, .denies = true, .tags = "NIST-800-190:4.1.3 T1204.003 T1195" },
                { .name = "Vulnerability known to be exploited", .subject = SUBJECT_VULNERABILITY, .needs_exploited = true,
                  .denies = true, .tags = "NIST-800-190:4.1.1 T1190 T1068" },
                { .name = "Serious vulnerability with a fix", .subject = SUBJECT_VULNERABILITY, .least = SEVERITY_HIGH,
                  .needs_fix = true, .denies = true, .tags = "NIST-800-190:4.1.1 T1190 T1068" },
                { .name = "Operating system without support", .subject = SUBJECT_END_OF_LIFE, .needs_over = true, .denies = true, .tags = "NIST-800-190:4.1.1 NIST-800-190:4.2.2 T1190" },
                { .name = "System that the advisories do not cover", .subject = SUBJECT_BLIND, .denies = true, .tags = "NIST-800-190:4.1.1" },
                { .name = "Content that is not what the manifest promised", .subject = SUBJECT_MISMATCH, .denies = true, .tags = "NIST-800-190:4.1.5 T1525" },
                { .name = "Serious vulnerability without a fix", .subject = SUBJECT_VULNERABILITY, .least = SEVERITY_HIGH, .tags = "NIST-800-190:4.1.1 T1190 T1068" },
                { .name = "Vulnerability of unknown severity with a fix", .subject = SUBJECT_VULNERABILITY, .only_unknown = true,
                  .needs_fix = true, .tags = "NIST-800-190:4.1.1 T1190" },
                { .name = "Changed executable of a package", .subject = SUBJECT_MODIFIED, .needs_executable = true, .tags = "NIST-800-190:4.1.3 T1525 T1554" },
                { .name = "Something that was not read", .subject = SUBJECT_UNREAD, .tags = "NIST-800-190:4.1.3" },
                { .name = "Operating system whose support ends soon, or is not known", .subject = SUBJECT_END_OF_LIFE, .tags = "NIST-800-190:4.1.1 NIST-800-190:4.2.2" },
                { .name = "Advisories that are old", .subject = SUBJECT_STALE_DATA, .tags = "NIST-800-190:4.1.1" },
                { .name = "Serious misconfiguration", .subject = SUBJECT_MISCONFIG, .least = SEVERITY_HIGH, .tags = "NIST-800-190:4.1.2" },
        },
        .n_rules = 13,
};

int policy_add_fail_on(struct policy *p, const char *words, struct error *err)
{
        struct rule r = { .name = "--fail-on", .subject = SUBJECT_VULNERABILITY, .denies = true };
        struct str rest = str_of(words);
        bool has_severity = false;
        if (p->n_rules >= POLICY_RULES_MAX)
                return error_set(err, -EINVAL, "given more than %d times", POLICY_RULES_MAX);
        if (!rest.n)
                return error_set(err, -EINVAL, "is empty: give a severity, fixable, kev");
        while (rest.p) {
                struct str word = str_trim(str_cut(&rest, ','));
                enum severity s;
                if (str_eq_nocase(word, STR("fixable"))) {
                        r.needs_fix = true;
                } else if (str_eq_nocase(word, STR("kev"))) {
                        r.needs_exploited = true;
                } else if (!has_severity &&
                           (str_eq_nocase(word, STR("any")) || (severity_parse(word, &s) && s != SEVERITY_UNKNOWN))) {
                        r.least = str_eq_nocase(word, STR("any")) ? SEVERITY_UNKNOWN : s;
                        has_severity = true;
                } else {
                        return error_set(
                                err, -EINVAL,
                                "\"%.*s\" is not one of critical, high, medium, low, any (one of them), fixable, kev",
                                STR_FMT(word));
                }
        }
        size_t used = strlen(p->words);
        snprintf(p->words + used, sizeof(p->words) - used, "%s--fail-on %s", used ? " " : "", words);
        p->name = p->words;
        p->rules[p->n_rules++] = r;
        return 0;
}

static bool matches(const struct rule *r, const struct judged *j)
{
        if (r->subject != j->subject)
                return false;
        if (r->only_unknown ? j->severity != SEVERITY_UNKNOWN : j->severity < r->least)
                return false;
        return (!r->needs_fix || j->has_fix) && (!r->needs_exploited || j->is_exploited) &&
               (!r->needs_malicious || j->is_malicious) && (!r->needs_executable || j->is_executable) &&
               (!r->needs_over || j->is_over);
}

size_t decide(const struct policy *p, const struct judged *j)
{
        size_t warns = SIZE_MAX;
        for (size_t i = 0; i < p->n_rules; i++) {
                if (!matches(&p->rules[i], j))
                        continue;
                if (p->rules[i].denies)
                        return i;
                if (warns == SIZE_MAX)
                        warns = i;
        }
        return warns;
}
