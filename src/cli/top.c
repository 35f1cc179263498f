/*
 * `sekisho top`: the agent and its containers, anew every second. On a terminal on the alternate screen, with the
 * cursor hidden; whatever ends it (a key, a signal, an error) gives the terminal back as it was. In a pipe: one
 * snapshot.
 */
#include "cli/agent-client.h"
#include "cli/agent-view.h"
#include "cli/book.h"
#include "intel/json.h"
#include "proc/worker.h"
#include "report/document.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define EVERY_MS 1000

struct top_command {
        const char *socket;
        bool is_once;
};

extern const struct command command_top;

static const struct option_spec options[] = {
        { "once", 0, NULL, "one snapshot, as in a pipe" },
        SOCKET_OPTION,
        { NULL, 0, NULL, NULL },
};

static int top_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct top_command *c = state;
        if (strcmp(o->name, "once") == 0)
                c->is_once = true;
        else
                c->socket = value;
        return 0;
}

/* ------------------------------------------------------------------------------------------------ a snapshot ---- */

struct snapshot {
        json_t *answer;
        double cpu_percent; /* < 0: not known */
};

static double milliseconds(const json_t *answer, const char *name)
{
        return (double)json_integer_value(json_object_get(json_object_get(answer, "status"), name));
}

/* Asks again; of the processor time what was used since the last one. */
static int take(const struct top_command *c, struct snapshot *s, struct error *err)
{
        json_t *o;
        int r = agent_ask(c->socket, "top", &o, err);
        if (r < 0)
                return r;
        double passed = s->answer ? milliseconds(o, "monotonic_ms") - milliseconds(s->answer, "monotonic_ms") : 0;
        double used = s->answer ? milliseconds(o, "cpu_ms") - milliseconds(s->answer, "cpu_ms") : 0;
        if (!s->answer) { /* since it began */
                passed = milliseconds(o, "uptime_ms");
                used = milliseconds(o, "cpu_ms");
        }
        s->cpu_percent = passed > 0 && used >= 0 ? 100 * used / passed : -1;
        json_decref(s->answer);
        s->answer = o;
        return 0;
}

static void show(const struct snapshot *s, size_t rows, FILE *to)
{
        struct arena arena = ARENA_INIT;
        struct screen screen = screen_on_stdout(&arena);
        const json_t *containers = json_object_get(s->answer, "containers");
        screen.to = to;
        size_t n = json_array_size(containers);
        view_host(&screen, json_object_get(s->answer, "status"), n > 0 ? n - 1 : 0, s->cpu_percent);
        view_containers(&screen, containers, rows);
        arena_done(&arena);
}

/* ---------------------------------------------------------------------------------------------- the terminal ---- */

static struct termios before;
static bool is_taken;

static void give_back(void)
{
        static const char text[] = "\033[?7h\033[?25h\033[?1049l";
        if (!is_taken)
                return;
        is_taken = false;
        (void)!write(STDOUT_FILENO, text, sizeof(text) - 1);
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

/* A signal that ends the program ends it by itself, once the terminal is as it was. */
static void on_fatal(int signal_number)
{
        give_back();
        signal(signal_number, SIG_DFL);
        raise(signal_number);
}

static void on_resize(int signal_number) { (void)signal_number; /* poll() ends, and everything is drawn anew */ }

static int take_terminal(struct error *err)
{
        static const int fatal[] = { SIGABRT, SIGBUS, SIGFPE, SIGHUP, SIGILL, SIGINT, SIGQUIT, SIGSEGV, SIGTERM };
        static const char text[] = "\033[?1049h\033[?25l\033[?7l";
        struct sigaction end = { .sa_handler = on_fatal }, resize = { .sa_handler = on_resize };
        if (tcgetattr(STDIN_FILENO, &before) < 0)
                return error_errno(err, -errno, "standard input is no terminal; give --once");
        struct termios raw = before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        is_taken = true;
        atexit(give_back);
        for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
                sigaction(fatal[i], &end, NULL);
        sigaction(SIGWINCH, &resize, NULL);
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        (void)!write(STDOUT_FILENO, text, sizeof(text) - 1);
        return 0;
}

/* Lines for containers: those of the terminal without the host's, the heading and what is left out. */
static size_t rows_of_terminal(void)
{
        struct winsize w;
        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 6 ? w.ws_row - 4u : 2;
}

/* Waits for a second, a key, or another size. True if it is the key that ends it. */
static bool wait_for_key(void)
{
        struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
        char key = 0;
        if (poll(&fd, 1, EVERY_MS) <= 0)
                return false;
        return read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q';
}

/* Draws over what is there, so that nothing flickers: each line is cleared to its end, then what is below. */
static void draw(const struct snapshot *s)
{
        char *text = NULL;
        size_t n = 0;
        FILE *memory = open_memstream(&text, &n);
        if (!memory)
                return;
        show(s, rows_of_terminal(), memory);
        fclose(memory);
        fputs("\033[H", stdout);
        for (size_t i = 0; i < n; i++) {
                if (text[i] == '\n')
                        fputs("\033[K", stdout);
                putchar(text[i]);
        }
        fputs("\033[Jq ends", stdout);
        fflush(stdout);
        free(text);
}

static int watch(const struct top_command *c, struct snapshot *s, struct error *err)
{
        int r = take_terminal(err);
        while (r == 0) {
                draw(s);
                if (wait_for_key())
                        break;
                r = take(c, s, err);
        }
        give_back();
        return r;
}

static int top_main(void *state, int argc, char **argv)
{
        const struct top_command *c = state;
        struct error err = ERROR_NONE;
        struct snapshot s = { .cpu_percent = -1 };
        if (argc)
                return fail_usage(&command_top, "takes no argument, not \"%s\"", argv[0]);
        int r = take(c, &s, &err);
        if (r == 0 && (c->is_once || !stream_is_terminal(STDOUT_FILENO)))
                show(&s, 0, stdout);
        else if (r == 0)
                r = watch(c, &s, &err);
        json_decref(s.answer);
        return r < 0 ? fail(EXIT_INCOMPLETE, &err) : EXIT_CLEAN;
}

const struct command command_top = {
        .name = "top",
        .usage = "top [OPTIONS]",
        .summary = "The agent and the containers that it watches, live",
        .help = "Key q ends it. In a pipe, or with --once, one snapshot in plain text.\n",
        .examples = "  sekisho top\n"
                    "  sekisho top --once\n",
        .options = options,
        .option = top_option,
        .state_size = sizeof(struct top_command),
        .run = top_main,
};
