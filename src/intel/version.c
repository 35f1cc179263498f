/* The table of version orders and how to find one. See version.h. */
#include "intel/version-schemes.h"

const struct version_scheme *const version_schemes[] = {
        &version_scheme_alpine, &version_scheme_cran,
        &version_scheme_debian, &version_scheme_hackage,
        &version_scheme_hex,    &version_scheme_maven,
        &version_scheme_nuget,  &version_scheme_packagist,
        &version_scheme_pub,    &version_scheme_pypi,
        &version_scheme_redhat, &version_scheme_rubygems,
        &version_scheme_semver, NULL,
};

static bool is_among(struct str name, const char *const *names)
{
        for (; names && *names; names++)
                if (str_eq_nocase(name, str_of(*names)))
                        return true;
        return false;
}

const struct version_scheme *version_scheme_find(struct str name)
{
        struct str bare = str_cut(&name, ':');
        for (size_t i = 0; version_schemes[i]; i++) {
                const struct version_scheme *s = version_schemes[i];
                if (str_eq_nocase(bare, str_of(s->name)) || is_among(bare, s->ecosystems) || is_among(bare, s->aliases))
                        return s;
        }
        return NULL;
}

bool version_is_later(struct str ecosystem, struct str a, struct str b)
{
        const struct version_scheme *scheme = version_scheme_find(ecosystem);
        return scheme ? scheme->compare(a, b) > 0 : str_cmp(a, b) > 0;
}
