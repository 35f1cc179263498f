/* The policies that ship inside the program: data/policies/, made into a table when the program is built. */
#include "decide/policy.h"

const struct profile profiles[] = {
#include "decide/profile-texts.h"
};

const size_t n_profiles = ARRAY_SIZE(profiles);

const struct profile *profile_find(struct str name)
{
        for (size_t i = 0; i < n_profiles; i++)
                if (str_is(name, profiles[i].name))
                        return &profiles[i];
        return NULL;
}
