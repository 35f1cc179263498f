/* See decode.h; the layout is bpf/shared/observe.h. */
#include "sense/decode.h"

#include "base/cursor.h"

struct str event_comm(const char comm[16]) { return str_span(comm, strnlen(comm, 16)); }

struct str event_path(struct str names, bool is_cut, struct arena *arena)
{
        size_t n = 0, room = names.n + 4;
        char *p = arena_alloc(arena, room + 1);
        if (names.n && names.p[names.n - 1] == '\0')
                names.n--;
        if (names.n == 0)
                return is_cut ? STR("...") : STR("/");
        if (is_cut) {
                memcpy(p, "...", 3);
                n = 3;
        }
        while (names.p) { /* from the end, where the first directory stands */
                ptrdiff_t at = str_rfind_char(names, '\0');
                struct str name = at < 0 ? names : str_from(names, (size_t)at + 1);
                names = at < 0 ? STR_NONE : str_upto(names, (size_t)at);
                p[n++] = '/';
                memcpy(p + n, name.p, name.n);
                n += name.n;
        }
        return str_span(p, n);
}

static struct str up_to_nul(struct str s) { return str_span(s.p, strnlen(s.p ? s.p : "", s.n)); }

static bool decode_exec(struct cursor *c, struct arena *arena, struct event *ret)
{
        struct observe_exec *e = &ret->exec;
        struct str head = cursor_bytes(c, sizeof(*e)), text[OBSERVE_TEXTS];
        if (!cursor_ok(c))
                return false;
        memcpy(e, head.p, sizeof(*e));
        for (size_t i = 0; i < OBSERVE_TEXTS; i++)
                text[i] = cursor_bytes(c, e->text_size[i]);
        if (!cursor_ok(c))
                return false;
        ret->facts = (struct exe_facts){ .magic = e->exe_magic,
                                         .has_upper = !!(e->flags & OBSERVE_EXE_UPPER),
                                         .is_rootless = !!(e->flags & OBSERVE_EXE_ROOTLESS),
                                         .is_on_root = !!(e->flags & OBSERVE_EXE_ON_ROOT),
                                         .is_deleted = !!(e->flags & OBSERVE_EXE_DELETED),
                                         .in_other_mounts = !!(e->flags & OBSERVE_OTHER_MOUNTS),
                                         .in_other_pids = !!(e->flags & OBSERVE_OTHER_PIDS),
                                         .in_container_cgroup = !!(e->flags & OBSERVE_CONTAINER_CGROUP) };
        ret->layer = exe_layer(&ret->facts);
        ret->in_container = exe_in_container(&ret->facts);
        ret->exe_path = event_path(text[OBSERVE_EXE], e->flags & OBSERVE_EXE_PATH_CUT, arena);
        if (ret->layer == EXE_LAYER_MEMFD)
                ret->exe_path = str_from(ret->exe_path, 1);
        ret->cwd = event_path(text[OBSERVE_CWD], e->flags & OBSERVE_CWD_CUT, arena);
        ret->cgroup = event_path(text[OBSERVE_CGROUP], false, arena);
        ret->filename = arena_str(arena, up_to_nul(text[OBSERVE_FILENAME]));
        ret->args = arena_str(arena, text[OBSERVE_ARGS]);
        ret->env = arena_str(arena, text[OBSERVE_ENV]);
        return true;
}

static bool decode_call(struct cursor *c, struct arena *arena, struct event *ret)
{
        struct observe_call *e = &ret->call;
        struct str head = cursor_bytes(c, sizeof(*e)), text[OBSERVE_CALL_TEXTS];
        if (!cursor_ok(c))
                return false;
        memcpy(e, head.p, sizeof(*e));
        for (size_t i = 0; i < OBSERVE_CALL_TEXTS; i++)
                text[i] = cursor_bytes(c, e->text_size[i]);
        if (!cursor_ok(c) || e->call >= OBSERVE_CALLS)
                return false;
        ret->facts = (struct exe_facts){ .magic = e->file_magic,
                                         .has_upper = !!(e->flags & OBSERVE_FILE_UPPER),
                                         .is_rootless = !!(e->flags & OBSERVE_FILE_ROOTLESS),
                                         .is_on_root = !!(e->flags & OBSERVE_FILE_ON_ROOT),
                                         .is_deleted = !!(e->flags & OBSERVE_FILE_DELETED),
                                         .in_other_mounts = !!(e->flags & OBSERVE_CALL_OTHER_MOUNTS),
                                         .in_other_pids = !!(e->flags & OBSERVE_CALL_OTHER_PIDS),
                                         .in_container_cgroup = !!(e->flags & OBSERVE_CALL_CONTAINER_CGROUP) };
        ret->layer = exe_layer(&ret->facts);
        ret->in_container = exe_in_container(&ret->facts);
        if (text[OBSERVE_CALL_FILE].n)
                ret->file = event_path(text[OBSERVE_CALL_FILE], e->flags & OBSERVE_FILE_PATH_CUT, arena);
        if (text[OBSERVE_CALL_DIR1].n)
                ret->dir[0] = event_path(text[OBSERVE_CALL_DIR1], e->flags & OBSERVE_DIR1_CUT, arena);
        if (text[OBSERVE_CALL_DIR2].n)
                ret->dir[1] = event_path(text[OBSERVE_CALL_DIR2], e->flags & OBSERVE_DIR2_CUT, arena);
        ret->path[0] = arena_str(arena, up_to_nul(text[OBSERVE_CALL_PATH1]));
        ret->path[1] = arena_str(arena, up_to_nul(text[OBSERVE_CALL_PATH2]));
        ret->data = arena_str(arena, text[OBSERVE_CALL_DATA]);
        return true;
}

bool event_decode(struct str record, struct arena *arena, struct event *ret)
{
        struct cursor c = cursor_from(record);
        struct observe_head head;
        if (record.n < sizeof(head))
                return false;
        memcpy(&head, record.p, sizeof(head));
        *ret = (struct event){ .kind = (enum observe_kind)head.kind, .head = head };
        struct str rest;
        switch (head.kind) {
        case OBSERVE_EXEC:
                return decode_exec(&c, arena, ret);
        case OBSERVE_FORK:
                rest = cursor_bytes(&c, sizeof(ret->fork));
                if (cursor_ok(&c))
                        memcpy(&ret->fork, rest.p, sizeof(ret->fork));
                return cursor_ok(&c);
        case OBSERVE_EXIT:
                rest = cursor_bytes(&c, sizeof(ret->exit));
                if (cursor_ok(&c))
                        memcpy(&ret->exit, rest.p, sizeof(ret->exit));
                return cursor_ok(&c);
        case OBSERVE_CALL:
                return decode_call(&c, arena, ret);
        default:
                return false;
        }
}
