/* A set of rules for malware: see guard-agent.h. */
#include "serve/guard-agent.h"

#include "analyze/unpack.h"

int guard_set_load(const struct malware_options *o, struct guard_set *ret, struct error *err)
{
        const struct content_engine *engines[CONTENT_ENGINES_MAX];
        struct guard_set s = { .malware = NULL };
        int r = malware_new(o, &s.malware, err);
        if (r < 0)
                return r;
        size_t n = malware_engines(s.malware, engines);
        engines[n++] = &unpack_engine;
        r = content_plan_new(engines, n, &s.plan, err);
        if (r < 0) {
                malware_free(s.malware);
                return r;
        }
        malware_digest(s.malware, s.digest);
        *ret = s;
        return 0;
}

void guard_set_done(struct guard_set *s)
{
        content_plan_free(s->plan);
        malware_free(s->malware);
        *s = (struct guard_set){ .malware = NULL };
}
