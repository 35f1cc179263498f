/*
 * What the kernel's side of the guard decides, compiled for the host: which file may run, and which word of an
 * interpreter's arguments is its script. The second must agree with sense/script.c, which knows more options.
 */
#include "bpf/shared/guard.h"
#include "sense/script.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROOT  (8u << 20 | 1)
#define OTHER (8u << 20 | 2)

static void test_judge(void **state)
{
        static const struct guard_file as_scanned = { 100, 5000 }, larger = { 101, 5000 }, later = { 100, 5001 };
        const struct exe_facts lower = { .magic = EXE_MAGIC_OVERLAY, .is_on_root = 1 };
        const struct exe_facts upper = { .magic = EXE_MAGIC_OVERLAY, .is_on_root = 1, .has_upper = 1 };
        const struct exe_facts memfd = { .magic = EXE_MAGIC_TMPFS, .is_rootless = 1, .is_deleted = 1 };
        const struct exe_facts tmpfs = { .magic = EXE_MAGIC_TMPFS };
        const struct exe_facts tmpfs_root = { .magic = EXE_MAGIC_TMPFS, .is_on_root = 1 };
        const struct exe_facts volume = { .magic = 0xef53 };
        const struct exe_facts plain = { .magic = 0xef53, .is_on_root = 1 };
        const struct exe_facts gone = { .magic = EXE_MAGIC_OVERLAY, .is_on_root = 1, .is_deleted = 1 };
        const struct exe_facts chrooted = { .magic = EXE_MAGIC_OVERLAY, .is_on_root = 1 };
        static const struct guard_policy layers = { .mode = GUARD_ENFORCE, .root_dev = ROOT };
        static const struct guard_policy list = { .mode = GUARD_ENFORCE, .root_dev = ROOT, .image = 1 };
        static const struct guard_policy unknown = { .mode = GUARD_ENFORCE };
        const struct {
                const char *what;
                const struct exe_facts *facts;
                uint32_t dev;
                const struct guard_policy *policy;
                const struct guard_file *listed, *seen;
                enum guard_verdict verdict;
        } cases[] = {
                { "of the image's layers", &lower, ROOT, &layers, NULL, &as_scanned, GUARD_FINE },
                { "of the manifest", &lower, ROOT, &list, &as_scanned, &as_scanned, GUARD_FINE },
                { "not in the manifest", &lower, ROOT, &list, NULL, &as_scanned, GUARD_UNLISTED },
                { "larger below", &lower, ROOT, &list, &as_scanned, &larger, GUARD_CHANGED },
                { "changed below", &lower, ROOT, &list, &as_scanned, &later, GUARD_CHANGED },
                { "dropped", &upper, ROOT, &list, NULL, &as_scanned, GUARD_DROPPED },
                { "copied up", &upper, ROOT, &list, &as_scanned, &as_scanned, GUARD_CHANGED },
                { "dropped, by layers", &upper, ROOT, &layers, NULL, &as_scanned, GUARD_DROPPED },
                { "in memory", &memfd, OTHER, &list, NULL, &as_scanned, GUARD_MEMFD },
                { "in memory, with a number of the list", &memfd, ROOT, &list, &as_scanned, &as_scanned, GUARD_MEMFD },
                { "tmpfs", &tmpfs, OTHER, &list, NULL, &as_scanned, GUARD_TMPFS },
                { "tmpfs, with a number of the list", &tmpfs, OTHER, &list, &as_scanned, &as_scanned, GUARD_TMPFS },
                { "a root that is a tmpfs", &tmpfs_root, ROOT, &list, &as_scanned, &as_scanned, GUARD_FINE },
                { "volume", &volume, OTHER, &list, NULL, &as_scanned, GUARD_MOUNTED },
                { "volume, with a number of the list", &volume, OTHER, &list, &as_scanned, &as_scanned, GUARD_MOUNTED },
                { "an overlay of its own", &chrooted, OTHER, &layers, NULL, &as_scanned, GUARD_MOUNTED },
                { "deleted", &gone, ROOT, &list, &as_scanned, &as_scanned, GUARD_DELETED },
                { "a plain root, by layers", &plain, ROOT, &layers, NULL, &as_scanned, GUARD_FINE },
                { "a plain root, dropped", &plain, ROOT, &list, NULL, &as_scanned, GUARD_UNLISTED },
                { "a plain root, changed", &plain, ROOT, &list, &as_scanned, &later, GUARD_CHANGED },
                { "a root that nobody knows", &lower, OTHER, &unknown, NULL, &as_scanned, GUARD_FINE },
                { "a volume beside it", &volume, OTHER, &unknown, NULL, &as_scanned, GUARD_MOUNTED },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                enum guard_verdict v =
                        guard_judge(cases[i].facts, cases[i].dev, cases[i].policy, cases[i].listed, cases[i].seen);
                if (v != cases[i].verdict)
                        fail_msg("%s: %d, not %d", cases[i].what, v, cases[i].verdict);
        }
}

/* ----------------------------------------------------------------------------------------------------- scripts ---- */

struct wanted {
        struct str name;
        struct script_letters letters;
        bool is_found;
};

static void compare(void *arg, struct str name, const struct script_letters *letters)
{
        struct wanted *w = arg;
        if (!str_eq(name, w->name))
                return;
        w->letters = *letters;
        w->is_found = true;
}

static uint64_t bits(const char *letters)
{
        uint64_t b = 0;
        for (; *letters; letters++)
                b |= script_letter(*letters);
        return b;
}

/* The last name of the script, as the kernel finds it; empty: none. */
static struct str search(const struct script_letters *l, struct str args)
{
        struct script_search s = { .no_file = bits(l->no_file),
                                   .takes = bits(l->takes),
                                   .attached = bits(l->attached),
                                   .file = bits(l->file),
                                   .is_shell = l->is_shell };
        for (size_t i = 0; i < args.n && !s.is_over; i++)
                script_step(&s, (uint32_t)i, args.p[i]);
        return s.is_found ? str_of(args.p + s.name) : STR_NONE;
}

static void test_scripts(void **state)
{
        static const struct {
                const char *program, *args; /* with "|" for the NUL behind each, argv[0] left out */
                const char *name;
        } cases[] = {
                { "sh", "x.sh|", "x.sh" },
                { "sh", "/opt/x.sh|a|b|", "x.sh" },
                { "sh", "./x|", "x" },
                { "sh", "-e|-u|x|", "x" },
                { "sh", "-eu|x|", "x" },
                { "sh", "+e|x|", "x" },
                { "sh", "-eo|pipefail|x|", "x" },
                { "sh", "-o|pipefail|-e|x|", "x" },
                { "sh", "-c|x|y|", "" },
                { "sh", "-ec|x|", "" },
                { "sh", "-s|x|", "" },
                { "sh", "|x|", "x" },
                { "sh", "", "" },
                { "sh", "-e|", "" },
                { "python", "x.py|", "x.py" },
                { "python", "-u|/opt/x.py|", "x.py" },
                { "python", "-W|ignore|x.py|", "x.py" },
                { "python", "-Wignore|x.py|", "x.py" },
                { "python", "-uW|ignore|x.py|", "x.py" },
                { "python", "-c|print()|x.py|", "" },
                { "python", "-m|http.server|", "" },
                { "perl", "-w|-T|x.pl|", "x.pl" },
                { "perl", "-I|lib|x.pl|", "x.pl" },
                { "perl", "-Ilib|x.pl|", "x.pl" },
                { "perl", "-MData::Dumper|x.pl|", "x.pl" },
                { "perl", "-e|1|", "" },
                { "perl", "-ne|1|x|", "" },
                { "awk", "-f|/opt/x.awk|data|", "x.awk" },
                { "php", "-f|x.php|", "x.php" },
                { "node", "-r|m|x.js|", "x.js" },
                { "sh", "dir/|", "" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char args[256] = { 0 }, with_title[300] = { 0 };
                struct wanted w = { .name = str_of(cases[i].program) };
                size_t n = strlen(cases[i].args);
                script_interpreters(compare, &w);
                assert_true(w.is_found);
                for (size_t k = 0; k < n; k++)
                        args[k] = cases[i].args[k] == '|' ? '\0' : cases[i].args[k];
                struct str found = search(&w.letters, str_span(args, n));
                if (!str_is(found, cases[i].name))
                        fail_msg("%s %s: \"%.*s\"", cases[i].program, cases[i].args, STR_FMT(found));
                if (cases[i].args[0] == '|') /* an empty word is no file to either, but this one goes on */
                        continue;
                memcpy(with_title, "t", 2);
                memcpy(with_title + 2, args, n);
                struct str slow = script_of(str_of(cases[i].program), str_span(with_title, n + 2));
                slow = str_from(slow, (size_t)(str_rfind_char(slow, '/') + 1));
                if (!str_eq(slow, found))
                        fail_msg("%s %s: \"%.*s\" here, \"%.*s\" in sense/script.c", cases[i].program, cases[i].args,
                                 STR_FMT(found), STR_FMT(slow));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_judge), cmocka_unit_test(test_scripts) };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
