/* See script.h. One row of the table an interpreter; options as its manual page has them. */
#include "sense/script.h"

struct interpreter {
        const char *names;             /* beginnings of names on disk; what follows may be a version: python3.11 */
        const char *no_file;           /* letters of options after which no file is run: -c COMMAND */
        const char *takes;             /* whose next word, or rest of the word, is theirs */
        const char *attached;          /* whose rest of the word is theirs */
        const char *file;              /* whose next word is the file */
        const char *const *long_takes; /* long options with a word of their own */
        bool is_shell; /* options begin with + too, and letters with words stand among others: -eo pipefail */
};

static const char *const none[] = { NULL };
static const char *const shell_words[] = { "--rcfile", "--init-file", NULL };
static const char *const loader_words[] = {
        "--library-path",         "--inhibit-rpath",     "--audit", "--preload", "--argv0",
        "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask", NULL
};
static const char *const node_words[] = { "--require", "--import", "--loader", "--conditions", NULL };
static const char *const python_words[] = { "--check-hash-based-pycs", NULL };

static const struct interpreter interpreters[] = {
        { "ld-linux ld-musl ld64.so ld.so ld-2.", "", "", "", "", loader_words, false },
        { "sh bash dash ash ksh mksh zsh hush rbash fish", "cs", "oO", "", "", shell_words, true },
        { "python pypy", "cm", "WX", "", "", python_words, false },
        { "perl", "eE", "I", "MmiFx0lCDd", "", none, false },
        { "ruby", "e", "IrCE", "iFx0KTW", "", none, false },
        { "node nodejs", "ep", "rC", "", "", node_words, false },
        { "php", "rBRE", "cdz", "", "fF", none, false },
        { "lua luajit", "", "el", "", "", none, false },
        { "awk gawk mawk", "", "vF", "", "f", none, false },
        { "tclsh", "", "", "", "", none, false },
};

static struct str base_name(struct str path) { return str_from(path, (size_t)(str_rfind_char(path, '/') + 1)); }

static bool begins(struct str name, struct str beginning)
{
        return str_starts(name, beginning) && (name.n == beginning.n || strchr("0123456789.-", name.p[beginning.n]));
}

static const struct interpreter *find(struct str name)
{
        for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++)
                for (struct str names = str_of(interpreters[i].names); names.p;)
                        if (begins(name, str_cut(&names, ' ')))
                                return &interpreters[i];
        return NULL;
}

static bool is_long_with_word(const struct interpreter *in, struct str word)
{
        for (const char *const *l = in->long_takes; *l; l++)
                if (str_is(word, *l))
                        return true;
        return false;
}

enum meaning { OPTION, OPTION_AND_WORD, NO_FILE, FILE_NEXT, IS_FILE };

static bool holds(const char *letters, char c) { return c && strchr(letters, c) != NULL; }

static enum meaning meaning_of(const struct interpreter *in, struct str word)
{
        if (word.n == 1 && word.p[0] == '-') /* standard input */
                return in->is_shell ? OPTION : NO_FILE;
        if (word.n < 2 || (word.p[0] != '-' && !(in->is_shell && word.p[0] == '+')))
                return IS_FILE;
        if (word.p[1] == '-')
                return is_long_with_word(in, word) ? OPTION_AND_WORD : OPTION;
        enum meaning m = OPTION;
        for (size_t i = 1; i < word.n; i++) {
                char c = word.p[i];
                if (holds(in->no_file, c))
                        return NO_FILE;
                if (holds(in->file, c))
                        return FILE_NEXT;
                if (holds(in->attached, c))
                        return OPTION;
                if (holds(in->takes, c)) {
                        m = in->is_shell || i + 1 == word.n ? OPTION_AND_WORD : OPTION;
                        if (!in->is_shell)
                                return m;
                }
        }
        return m;
}

struct str script_of(struct str exe_path, struct str args)
{
        struct str name = base_name(exe_path), title = str_cut(&args, '\0');
        if (str_is(name, "busybox")) { /* which program it is, its first argument says, or the second */
                name = base_name(title);
                if (str_is(name, "busybox") && args.p)
                        name = str_cut(&args, '\0');
        }
        if (name.n && name.p[0] == '-') /* a login shell */
                name = str_from(name, 1);
        const struct interpreter *in = name.n ? find(name) : NULL;
        while (in && args.p && args.n) {
                struct str word = str_cut(&args, '\0');
                if (str_is(word, "--")) {
                        word = str_cut(&args, '\0');
                        return word;
                }
                switch (meaning_of(in, word)) {
                case OPTION:
                        break;
                case OPTION_AND_WORD:
                        str_cut(&args, '\0');
                        break;
                case NO_FILE:
                        return STR_NONE;
                case FILE_NEXT:
                        return str_cut(&args, '\0');
                case IS_FILE:
                        return word;
                }
        }
        return STR_NONE;
}

void script_interpreters(void (*each)(void *arg, struct str name, const struct script_letters *letters), void *arg)
{
        for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++) {
                const struct interpreter *in = &interpreters[i];
                const struct script_letters letters = { .no_file = in->no_file,
                                                        .takes = in->takes,
                                                        .attached = in->attached,
                                                        .file = in->file,
                                                        .is_shell = in->is_shell };
                if (in->long_takes == loader_words)
                        continue;
                for (struct str names = str_of(in->names); names.p;)
                        each(arg, str_cut(&names, ' '), &letters);
        }
}

struct str script_absolute(struct str path, struct str cwd, struct arena *arena)
{
        bool is_absolute = path.n && path.p[0] == '/';
        struct str parts[] = { is_absolute ? STR_NONE : cwd, path };
        char *p = arena_alloc(arena, cwd.n + path.n + 3);
        size_t n = 0;
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                for (struct str rest = parts[i]; rest.p;) {
                        struct str name = str_cut(&rest, '/');
                        if (name.n == 0 || str_is(name, "."))
                                continue;
                        if (str_is(name, "..")) {
                                while (n > 0 && p[--n] != '/')
                                        ;
                                continue;
                        }
                        p[n++] = '/';
                        memcpy(p + n, name.p, name.n);
                        n += name.n;
                }
        if (n == 0)
                p[n++] = '/';
        return str_span(p, n);
}
