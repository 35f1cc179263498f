/* See book.h. */
#include "cli/book.h"

#include "base/fs.h"
#include "report/text.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int book_option(void *state, const struct option_spec *o, const char *value, struct error *err)
{
        struct book_settings *s = state;
        const struct {
                const char *name;
                const char **place;
        } texts[] = { { "ledger", &s->ledger }, { "db", &s->db }, { "id", &s->id }, { "checkpoint", &s->checkpoint } };
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (strcmp(o->name, texts[i].name) == 0) {
                        if (!*value)
                                return error_set(err, -EINVAL, "is empty");
                        *texts[i].place = value;
                }
        const struct {
                const char *name;
                bool *place;
        } flags[] = { { "quiet", &s->quiet }, { "loaded", &s->only_loaded }, { "running", &s->only_running } };
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                if (strcmp(o->name, flags[i].name) == 0)
                        *flags[i].place = true;
        if (strcmp(o->name, "output") == 0)
                return option_format(value, "table", &s->json, err);
        return 0;
}

int book_open_or_tell(const char *path, enum book_mode mode, struct book **ret)
{
        struct error err = ERROR_NONE;
        return book_open(path, mode, ret, &err) < 0 ? fail(EXIT_INCOMPLETE, &err) : 0;
}

struct book_stamp stamp_now(struct arena *arena)
{
        const char *name = env_or("SEKISHO_ACTOR", geteuid() == 0 ? env_or("SUDO_USER", NULL) : NULL);
        const struct passwd *user = name ? NULL : getpwuid(geteuid());
        struct str actor = str_of(user ? user->pw_name : name);
        if (!actor.n)
                return (struct book_stamp){ now_seconds(), arena_printf(arena, "uid %u", (unsigned)geteuid()) };
        return (struct book_stamp){ now_seconds(), arena_str(arena, actor) };
}

struct str host_name(struct arena *arena)
{
        char name[256] = "";
        if (gethostname(name, sizeof(name) - 1) < 0)
                return STR_NONE;
        return arena_str(arena, str_of(name));
}

struct screen screen_on_stdout(struct arena *arena)
{
        return (struct screen){ .to = stdout,
                                .arena = arena,
                                .colour = may_colour(STDOUT_FILENO),
                                .width = terminal_width(STDOUT_FILENO) };
}

static bool local_time(int64_t t, struct tm *ret)
{
        time_t moment = (time_t)t;
        return localtime_r(&moment, ret) != NULL;
}

struct str moment_words(struct arena *arena, int64_t t)
{
        char text[64];
        struct tm parts;
        if (t == 0)
                return STR("never");
        if (!local_time(t, &parts) || strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &parts) == 0)
                return STR("?");
        return arena_str(arena, str_of(text));
}

struct str zone_words(struct arena *arena, int64_t t)
{
        char text[64];
        struct tm parts;
        if (!local_time(t, &parts) || strftime(text, sizeof(text), "%z (%Z)", &parts) == 0)
                return STR("?");
        return arena_str(arena, str_of(text));
}

struct str counts_words(struct arena *arena, const uint64_t counts[static SEVERITY_COUNTS])
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(512);
        uint64_t n = 0;
        for (size_t i = 0; i < SEVERITY_COUNTS; i++)
                n += counts[i];
        if (n == 0)
                return STR("no findings");
        buf_add_str(&b, text_count(arena, n, "finding", "findings"));
        const char *before = ": ";
        for (size_t i = SEVERITY_COUNTS; i-- > 0;) {
                if (!counts[i])
                        continue;
                buf_printf(&b, "%s%llu %s", before, (unsigned long long)counts[i], severity_name((enum severity)i));
                before = ", ";
        }
        return text_take(arena, &b);
}

int put_document(json_t *document, int exit_code)
{
        struct error err = ERROR_NONE;
        int r = json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        putchar('\n');
        json_decref(document);
        if (r == 0 && (r = stream_result(stdout)) == 0)
                return exit_code;
        (void)error_set(&err, -EIO, "cannot write to standard output");
        return fail(EXIT_INCOMPLETE, &err);
}
