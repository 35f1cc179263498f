/* `sekisho the-sample`: what a person wants when they type it. */
#include "cli/command.h"

#include <stdio.h>

struct settings {
        bool loud;
};

static const struct option_spec options[] = {
        { "loud", 0, NULL, "say it louder" },
        { NULL, 0, NULL, NULL },
};

static int sample_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct settings *s = state;
        s->loud = true;
        return 0;
}

extern const struct command command_sample;

static int sample_main(void *state, int argc, char **argv)
{
        const struct settings *s = state;
        if (argc != 1)
                return fail_usage(&command_sample, "needs one argument");
        printf("%s%s\n", argv[0], s->loud ? "!" : "");
        return EXIT_CLEAN;
}

const struct command command_sample = {
        .name = "the-sample",
        .usage = "the-sample [OPTIONS] WORD",
        .summary = "Say what it does in one line",
        .examples = "  sekisho the-sample hello\n"
                    "  sekisho the-sample --loud hello\n",
        .options = options,
        .option = sample_option,
        .state_size = sizeof(struct settings),
        .run = sample_main,
};
