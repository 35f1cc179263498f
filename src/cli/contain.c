/* `sekisho contain`: stops a running container, cuts it off, ends it, and takes that back. Needs no agent. */
#include "act/actions.h"
#include "act/journal.h"
#include "act/network.h"
#include "act/standing.h"
#include "base/vec.h"
#include "cli/command.h"
#include "report/document.h"
#include "report/text.h"
#include "sense/container.h"
#include "source/container-find.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct contain_state {
        bool is_dry_run, is_quiet, json;
        const char *why, *journal, *pins, *root;
};

static const struct option_spec options[] = {
        { "dry-run", 'n', NULL, "only say what would be done" },
        { "why", 0, "TEXT", "the reason, for the journal" },
        { "actions", 0, "FILE", "the journal (default: " ACT_JOURNAL_DEFAULT ")" },
        { "pins", 0, "DIR", "where what cuts off is kept (default: " ACT_PINS_DEFAULT ")" },
        { "root", 0, "DIR", "storage of podman or docker (default: theirs)" },
        { "output", 'o', "FORMAT", "of list: table (the default) or json" },
        { "quiet", 'q', NULL, "say nothing but errors" },
        { NULL, 0, NULL, NULL },
};

static int contain_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct contain_state *s = state;
        if (strcmp(o->name, "dry-run") == 0)
                s->is_dry_run = true;
        else if (strcmp(o->name, "quiet") == 0)
                s->is_quiet = true;
        else if (strcmp(o->name, "why") == 0)
                s->why = value;
        else if (strcmp(o->name, "actions") == 0)
                s->journal = value;
        else if (strcmp(o->name, "pins") == 0)
                s->pins = value;
        else if (strcmp(o->name, "root") == 0)
                s->root = value;
        else
                return option_format(value, "table", &s->json, err);
        return 0;
}

static const char *pins_of(const struct contain_state *s) { return s->pins ? s->pins : ACT_PINS_DEFAULT; }

/* ------------------------------------------------------------------------------------------------------ list ---- */

static struct str cuts_words(struct arena *a, const struct act_standing *s)
{
        static const struct {
                unsigned cut;
                const char *words;
        } names[] = { { ACT_CUT_CONNECT, "denied to connect" },
                      { ACT_CUT_BIND, "denied to bind" },
                      { ACT_CUT_SEND, "denied to send" } };
        _cleanup_(buf_done) struct buf b = BUF_INIT(256);
        if (s->is_frozen || s->is_paused)
                buf_puts(&b, s->is_frozen ? "frozen" : "paused by its engine");
        if (s->cuts == ACT_CUT_ALL) {
                buf_printf(&b, "%sisolated", b.n ? ", " : "");
                return arena_str(a, buf_str(&b));
        }
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (s->cuts & names[i].cut)
                        buf_printf(&b, "%s%s", b.n ? ", " : "", names[i].words);
        return arena_str(a, buf_str(&b));
}

/* The container that a cgroup is of: the outermost name that an engine or runtime knows. */
static bool find_by_cgroup(struct str cgroup, const char *root, struct arena *a, struct container *ret)
{
        while (cgroup.p) {
                bool is_sure;
                struct str id = container_id_in(str_cut(&cgroup, '/'), &is_sure);
                if (id.n && container_find(arena_cstr(a, id), root, a, ret, NULL) == 0 && str_eq(ret->id, id))
                        return true;
        }
        return false;
}

static json_t *standing_document(const struct act_standing *s, const struct container *c)
{
        json_t *o = doc_object();
        doc_set(o, "id", c ? doc_str(c->id) : doc_null());
        doc_set(o, "name", c ? doc_str(c->name.n ? c->name : c->id) : doc_null());
        doc_set(o, "image", c ? doc_str(c->image) : doc_null());
        doc_set(o, "cgroup", doc_str(s->cgroup));
        doc_set(o, "frozen", doc_bool(s->is_frozen));
        doc_set(o, "paused", doc_bool(s->is_paused));
        doc_set(o, "isolated", doc_bool(s->cuts == ACT_CUT_ALL));
        doc_set(o, "deny_connect", doc_bool(s->cuts & ACT_CUT_CONNECT));
        doc_set(o, "deny_bind", doc_bool(s->cuts & ACT_CUT_BIND));
        doc_set(o, "deny_send", doc_bool(s->cuts & ACT_CUT_SEND));
        return o;
}

static int run_list(void *state, int argc, char **argv)
{
        extern const struct command command_contain;
        const struct contain_state *s = state;
        struct arena arena = ARENA_INIT;
        struct act_standing *all;
        if (argc)
                return fail_usage(&command_contain, "list takes no container");
        size_t n = act_standing_list(pins_of(s), &arena, &all);
        json_t *list = json_array();
        if (n && !s->json)
                printf("%-24s %-32s %s\n", "CONTAINER", "IMAGE", "STATE");
        for (size_t i = 0; i < n; i++) {
                struct container c = { 0 };
                bool is_known = find_by_cgroup(all[i].cgroup, s->root, &arena, &c);
                struct str name = !is_known ? all[i].cgroup : c.name.n ? c.name : c.id;
                if (s->json)
                        json_array_append_new(list, standing_document(&all[i], is_known ? &c : NULL));
                else
                        printf("%-24.*s %-32.*s %.*s\n", STR_FMT(text_clean(&arena, name)),
                               STR_FMT(text_clean(&arena, c.image)), STR_FMT(cuts_words(&arena, &all[i])));
        }
        if (s->json)
                json_dumpf(list, stdout, JSON_INDENT(2));
        if (s->json || (n == 0 && !s->is_quiet))
                printf("%s\n", s->json ? "" : "no container is frozen or cut off");
        json_decref(list);
        arena_done(&arena);
        return EXIT_CLEAN;
}

/* ------------------------------------------------------------------------------------------------------- act ---- */

static void tell(const struct contain_state *s, const struct act_action *a, const struct act_target *t, int r)
{
        if (s->is_quiet)
                return;
        const char *how = r == ACT_WOULD ? "would be " : r == ACT_ALREADY ? "already " : "";
        printf("%s %s%s", t->name, how, a->done);
        if (r == ACT_DONE && a->undo)
                printf("; undo: sekisho contain %s %s", a->undo, t->name);
        printf("\n");
}

static int act_on(const struct contain_state *s, const struct act_action *a, const char *asked)
{
        struct arena arena = ARENA_INIT;
        struct error err = ERROR_NONE;
        struct container c;
        struct act_target t;
        bool is_unwritten = false;
        struct act_order o = { .pins = pins_of(s),
                               .journal = s->journal ? s->journal : ACT_JOURNAL_DEFAULT,
                               .by = "sekisho contain",
                               .why = s->why ? s->why : "",
                               .is_dry_run = s->is_dry_run };
        int r = container_find(asked, s->root, &arena, &c, &err);
        if (r == 0) {
                struct act_subject who = { .id = c.id, .name = c.name, .image = c.image, .pid = c.pid };
                r = act_target_find(&who, &t, &err);
        }
        if (r == 0)
                r = act_do(a, &t, &o, &is_unwritten, &err);
        else if (r == -ESRCH && strcmp(a->name, "terminate") == 0)
                r = ACT_ALREADY;
        if (r >= 0)
                tell(s, a, &t, r);
        arena_done(&arena);
        if (r < 0 || is_unwritten)
                return fail(EXIT_INCOMPLETE, &err);
        return EXIT_CLEAN;
}

static int act_on_all(const struct contain_state *s, const char *action, int n, char **containers)
{
        extern const struct command command_contain;
        int code = EXIT_CLEAN;
        if (n == 0)
                return fail_usage(&command_contain, "%s which container?", action);
        for (int i = 0; i < n; i++) {
                int own = act_on(s, act_find(action), containers[i]);
                code = MAX(code, own);
        }
        return code;
}

#define RUN(function, action)                                                                                          \
        static int function(void *state, int argc, char **argv) { return act_on_all(state, action, argc, argv); }

RUN(run_freeze, "freeze")
RUN(run_thaw, "thaw")
RUN(run_isolate, "isolate")
RUN(run_rejoin, "rejoin")
RUN(run_deny_connect, "deny-connect")
RUN(run_deny_bind, "deny-bind")
RUN(run_deny_send, "deny-send")
RUN(run_terminate, "terminate")

#define ACTION_OPTIONS "dry-run why actions root quiet"
#define CUT_OPTIONS    ACTION_OPTIONS " pins"

static const struct verb verbs[] = {
        { "freeze", run_freeze, ACTION_OPTIONS },          { "thaw", run_thaw, ACTION_OPTIONS },
        { "isolate", run_isolate, CUT_OPTIONS },           { "rejoin", run_rejoin, CUT_OPTIONS },
        { "deny-connect", run_deny_connect, CUT_OPTIONS }, { "deny-bind", run_deny_bind, CUT_OPTIONS },
        { "deny-send", run_deny_send, CUT_OPTIONS },       { "terminate", run_terminate, ACTION_OPTIONS },
        { "list", run_list, "pins root output quiet" },    { NULL, NULL, NULL },
};

const struct command command_contain = {
        .name = "contain",
        .usage = "contain ACTION CONTAINER... | contain list",
        .summary = "Freeze, isolate or terminate a running container, and take it back",
        .help = "A container is meant by its name, its id or the start of it. Actions:\n  freeze        stop all its "
                "processes where they stand      undo: thaw\n  isolate       cut it off from the network, open         "
                "   undo: rejoin\n                connections and loopback too\n  deny-connect  refuse connections "
                "that it opens             undo: rejoin\n  deny-bind     refuse ports that it takes                   "
                "undo: rejoin\n  deny-send     refuse datagrams that it addresses           undo: rejoin\n  terminate  "
                "   kill all its processes at once               no undo\nDoing it twice is the same as once. Each "
                "action is a line of the journal. What is done needs no agent and stays when sekisho ends.\n",
        .examples = "  sekisho contain isolate shop-web --why 'talks to a miner pool'\n"
                    "  sekisho contain list\n",
        .options = options,
        .option = contain_option,
        .state_size = sizeof(struct contain_state),
        .verbs = verbs,
};
