/*
 * /etc/passwd and /etc/group (passwd(5), group(5)), which a container's image or whoever is inside of it wrote. A line
 * that is none is passed over; of two with the same number the first counts, as for the C library.
 */
#ifndef SEKISHO_READ_PASSWD_H
#define SEKISHO_READ_PASSWD_H

#include "base/str.h"

struct passwd_user {
        struct str name, home, shell; /* views into the text */
        uint32_t uid, gid;
};

/* Linear in the text. False if nobody has that number. */
bool passwd_user_of(struct str text, uint32_t uid, struct passwd_user *ret);
bool passwd_group_of(struct str text, uint32_t gid, struct str *ret_name);

#endif
