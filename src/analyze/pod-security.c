/* See pod-security.h. Which checks are in force is decided here; what they look at, in pod-checks.c. */
#include "analyze/pod-security.h"

#include "analyze/pod-check-run.h"

const struct pod_check *pod_check_find(struct str id)
{
        for (size_t i = 0; i < n_pod_checks; i++)
                if (str_is(id, pod_checks[i].about.id))
                        return &pod_checks[i];
        return NULL;
}

bool pod_level_parse(struct str s, enum pod_level *ret)
{
        static const char *const names[] = { "privileged", "baseline", "restricted" };
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (str_is(s, names[i])) {
                        *ret = (enum pod_level)i;
                        return true;
                }
        return false;
}

bool pod_version_parse(struct str s, unsigned *ret_minor)
{
        uint64_t minor = POD_SECURITY_MINOR_MAX;
        struct str digits = str_from(s, 3);
        bool has_zeros = digits.n > 1 && digits.p[0] == '0';
        if (!str_is(s, "latest") && (!str_starts(s, STR("v1.")) || has_zeros || !str_u64(digits, &minor)))
                return false;
        *ret_minor = (unsigned)MIN(minor, (uint64_t)POD_SECURITY_MINOR_MAX);
        return true;
}

static bool is_in_force(const struct pod_check *c, enum pod_level level, unsigned minor)
{
        return level >= c->level && minor >= c->minor;
}

/* The check that stands in the place of this one, or NULL. */
static const struct pod_check *overrider(const struct pod_check *c, enum pod_level level, unsigned minor)
{
        for (size_t i = 0; i < n_pod_checks; i++)
                if (pod_checks[i].overrides && str_is(str_of(pod_checks[i].overrides), c->about.id) &&
                    is_in_force(&pod_checks[i], level, minor))
                        return &pod_checks[i];
        return NULL;
}

static bool denies(const struct pod_check_run *what, const struct pod_check *c)
{
        struct pod_check_run run = *what;
        run.check = c;
        c->run(&run);
        return run.is_denied;
}

bool pod_security_admits(const struct k8s_pod *pod, enum pod_level level, unsigned minor, pod_deny deny_one, void *arg)
{
        const struct pod_check_run what = { .pod = pod, .minor = minor, .deny = deny_one, .arg = arg };
        bool admits = true, denied[POD_CHECKS_MAX] = { false };
        for (size_t i = 0; i < n_pod_checks; i++) {
                const struct pod_check *c = &pod_checks[i];
                if (is_in_force(c, level, minor) && !overrider(c, level, minor))
                        denied[i] = denies(&what, c);
                admits = admits && !denied[i];
        }
        /* What is replaced decides nothing, but says whether the level below would object to the same. */
        for (size_t i = 0; i < n_pod_checks && !admits; i++) {
                const struct pod_check *c = &pod_checks[i], *by = overrider(c, level, minor);
                if (is_in_force(c, level, minor) && by && denied[by - pod_checks])
                        (void)denies(&what, c);
        }
        return admits;
}
