/* What is in force now: cgroups that are frozen or cut off, as the kernel itself says it. */
#ifndef SEKISHO_ACT_STANDING_H
#define SEKISHO_ACT_STANDING_H

#include "base/arena.h"

#define ACT_CGROUPS_MAX 65536u /* that are looked at */

struct act_standing {
        struct str cgroup;         /* its path in the hierarchy */
        uint64_t cgroup_id;        /* 0: in the v1 freezer alone */
        bool is_frozen, is_paused; /* paused: by the v1 freezer, which engines use */
        unsigned cuts;             /* enum act_cut */
};

/* All of them, sorted by path; they live in the arena. How many. */
size_t act_standing_list(const char *pins, struct arena *arena, struct act_standing **ret);

#endif
