/* See passwd.h. name:password:uid:gid:gecos:home:shell, and name:password:gid:members. */
#include "read/passwd.h"

#define FIELDS_MAX 7u

/* The fields of a line; how many there are, FIELDS_MAX + 1 for more. */
static size_t split(struct str line, struct str ret[FIELDS_MAX])
{
        size_t n = 0;
        while (line.p && n < FIELDS_MAX)
                ret[n++] = str_cut(&line, ':');
        return n + (line.p != NULL);
}

static bool has_number(struct str text, uint32_t wanted)
{
        uint64_t n;
        return str_u64(text, &n) && n == wanted;
}

bool passwd_user_of(struct str text, uint32_t uid, struct passwd_user *ret)
{
        while (text.n) {
                struct str field[FIELDS_MAX];
                uint64_t gid;
                size_t n = split(str_line(&text), field);
                if (n != FIELDS_MAX || field[0].n == 0 || !has_number(field[2], uid) || !str_u64(field[3], &gid) ||
                    gid > UINT32_MAX)
                        continue;
                *ret = (struct passwd_user){
                        .name = field[0], .home = field[5], .shell = field[6], .uid = uid, .gid = (uint32_t)gid
                };
                return true;
        }
        return false;
}

bool passwd_group_of(struct str text, uint32_t gid, struct str *ret_name)
{
        while (text.n) {
                struct str field[FIELDS_MAX];
                size_t n = split(str_line(&text), field);
                if (n != 4 || field[0].n == 0 || !has_number(field[2], gid))
                        continue;
                *ret_name = field[0];
                return true;
        }
        return false;
}
