/* `sekisho ps`: the containers of this host, and what protects each. */
#include "cli/agent-client.h"
#include "cli/agent-view.h"
#include "cli/book.h"
#include "report/document.h"
#include "report/text.h"
#include "source/container-find.h"

#include <errno.h>
#include <string.h>

struct ps_command {
        const char *socket;
        bool is_json;
};

extern const struct command command_ps;

static const struct option_spec options[] = {
        SOCKET_OPTION,
        { "output", 'o', "FORMAT", "table (the default) or json" },
        { NULL, 0, NULL, NULL },
};

static int ps_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct ps_command *c = state;
        if (strcmp(o->name, "socket") == 0) {
                c->socket = value;
                return 0;
        }
        return option_format(value, "table", &c->is_json, err);
}

/* Without an agent: what runs, as the engines' files say, and that nothing looks after it. */
static json_t *unprotected(struct arena *arena)
{
        struct container *v;
        size_t n = container_list_running(arena, &v);
        json_t *o = doc_object(), *list = doc_array();
        for (size_t i = 0; i < n; i++) {
                json_t *c = doc_object();
                doc_set(c, "id", doc_str(v[i].id));
                doc_set(c, "name", doc_text(v[i].name.n > 0 ? v[i].name : v[i].id));
                doc_set(c, "image", doc_str(v[i].image));
                doc_set(c, "engine", doc_cstr(v[i].engine));
                doc_set(c, "pid", doc_number(v[i].pid));
                doc_set(c, "protection", doc_array());
                doc_add(list, c);
        }
        doc_set(o, "agent", doc_bool(false));
        doc_set(o, "containers", list);
        return o;
}

static void print_unprotected(struct screen *s, const json_t *o)
{
        struct grid g = { .columns = 4, .flexible = 2 };
        static const char *const heads[] = { "CONTAINER", "ID", "IMAGE", "PROTECTION" };
        const json_t *list = json_object_get(o, "containers"), *c;
        size_t i, n = json_array_size(list);
        screen_printf(s, PAINT_BAD, "No agent runs here: %s",
                      n > 0 ? "none of these containers is protected" : "nothing would be protected");
        screen_newline(s);
        if (n == 0)
                return;
        for (i = 0; i < ARRAY_SIZE(heads); i++)
                grid_add(s, &g, PAINT_FAINT, str_of(heads[i]));
        json_array_foreach(list, i, c)
        {
                const char *image = json_string_value(json_object_get(c, "image"));
                grid_add(s, &g, PAINT_NAME,
                         text_clean(s->arena, str_of(json_string_value(json_object_get(c, "name")))));
                grid_add(s, &g, PAINT_FAINT,
                         str_upto(text_clean(s->arena, str_of(json_string_value(json_object_get(c, "id")))), 12));
                grid_add(s, &g, PAINT_PLAIN, image ? text_clean(s->arena, str_of(image)) : STR("-"));
                grid_add(s, &g, PAINT_BAD, STR("not protected"));
        }
        grid_print(s, &g);
        screen_printf(s, PAINT_FAINT, "To protect them: sekisho agent --foreground");
        screen_newline(s);
}

static int ps_main(void *state, int argc, char **argv)
{
        const struct ps_command *c = state;
        struct arena arena = ARENA_INIT;
        struct screen s = screen_on_stdout(&arena);
        struct error err = ERROR_NONE;
        json_t *o;
        if (argc)
                return fail_usage(&command_ps, "takes no argument, not \"%s\"", argv[0]);
        int r = agent_ask(c->socket, "ps", &o, &err);
        if (r < 0 && r != -ENOENT)
                return fail(EXIT_INCOMPLETE, &err);
        if (r == 0)
                doc_set(o, "agent", doc_bool(true));
        else
                o = unprotected(&arena);
        if (c->is_json) {
                arena_done(&arena);
                return put_document(o, EXIT_CLEAN);
        }
        if (r == 0)
                view_containers(&s, json_object_get(o, "containers"), 0);
        else
                print_unprotected(&s, o);
        json_decref(o);
        arena_done(&arena);
        return EXIT_CLEAN;
}

const struct command command_ps = {
        .name = "ps",
        .usage = "ps [OPTIONS]",
        .summary = "The containers of this host, and what protects each",
        .help = "Asks the agent. Where none runs, what the engines' files say is running, and that nothing protects "
                "it.\n",
        .examples = "  sekisho ps\n"
                    "  sekisho ps -o json | jq -r '.containers[] | select(.incident) | .name'\n",
        .options = options,
        .option = ps_option,
        .state_size = sizeof(struct ps_command),
        .run = ps_main,
};
