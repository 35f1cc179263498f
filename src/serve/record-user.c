/* Names of users and groups: user.*, group.name. As Falco, a name that is not known is "<NA>". */
#include "serve/record-private.h"

#define NOBODY STR("<NA>")

static bool find_user(struct event_record *r, uint32_t uid, struct passwd_user *ret)
{
        return r->users && users_user(r->users, r->container, r->event->head.pid, r->event->head.time_ns, uid, ret);
}

struct str user_text(struct event_record *r, uint32_t id, bool is_group)
{
        struct passwd_user user;
        struct str name;
        if (id == UINT32_MAX)
                return STR("-1");
        if (is_group && r->users &&
            users_group(r->users, r->container, r->event->head.pid, r->event->head.time_ns, id, &name))
                return arena_str(r->arena, name);
        if (!is_group && find_user(r, id, &user))
                return arena_str(r->arena, user.name);
        return arena_printf(r->arena, "%u", id);
}

void get_user(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct process *p = r->process;
        const struct observe_call *c = call_of(r);
        struct passwd_user user;
        struct str name;
        if (!p && !c)
                return;
        uint32_t uid = c ? c->uid : p->uid, gid = c ? c->gid : p->gid;
        if (ref->field->id == FIELD_user_loginname)
                uid = p ? p->loginuid : UINT32_MAX;
        if (ref->field->id == FIELD_group_name) {
                bool is_known = r->users && users_group(r->users, r->container, r->event->head.pid,
                                                        r->event->head.time_ns, gid, &name);
                *ret = value_string(is_known ? arena_str(r->arena, name) : NOBODY);
                return;
        }
        bool is_known = uid != UINT32_MAX && find_user(r, uid, &user);
        switch (ref->field->id) {
        case FIELD_user_homedir:
                *ret = value_string(is_known ? arena_str(r->arena, user.home) : NOBODY);
                break;
        case FIELD_user_shell:
                *ret = value_string(is_known ? arena_str(r->arena, user.shell) : NOBODY);
                break;
        default: /* user.name, user.loginname */
                *ret = value_string(is_known ? arena_str(r->arena, user.name) : NOBODY);
        }
}
