/* See actor.h. */
#include "cli/actor.h"

#include "base/date.h"
#include "base/fs.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

struct str actor_name(struct arena *arena)
{
        const char *given = env_or("SEKISHO_ACTOR", NULL);
        const struct passwd *p = given ? NULL : getpwuid(getuid());
        if (given)
                return arena_str(arena, str_of(given));
        return p && p->pw_name && *p->pw_name ? arena_str(arena, str_of(p->pw_name))
                                              : arena_printf(arena, "uid %u", (unsigned)getuid());
}

struct book_stamp actor_stamp(struct str actor)
{
        struct book_stamp s = { .actor = actor };
        if (!date_parse(str_of(env_or("SEKISHO_TODAY", "")), &s.now))
                s.now = time(NULL);
        return s;
}
