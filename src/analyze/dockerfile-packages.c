/*
 * Dockerfile rules about package managers: versions that are not pinned, questions that nobody answers, caches that
 * stay in a layer. What a rule asks of one manager is a row of data.
 */
#include "analyze/dockerfile-lint.h"

#define THE(w) STR_FMT(str_upto((w), 80))

#define APT_VALUED "-o -t -c -a --option --target-release --default-release --config-file --host-architecture"
#define APK_VALUED "-t --virtual -X --repository -p --root --keys-dir --repositories-file --arch --cache-dir --wait"
#define PIP_VALUED                                                                                                     \
        "-r --requirement -c --constraint -i --index-url --extra-index-url -f --find-links -t --target --prefix "      \
        "--root "                                                                                                      \
        "--trusted-host --timeout --retries --proxy --cert --log --cache-dir --platform --python-version "             \
        "--implementation --abi --progress-bar --no-binary --only-binary --config-settings --global-option --src -e "  \
        "--editable --python --group"
#define NPM_VALUED "--prefix --registry --cache --loglevel --tag -w --workspace --omit --include --userconfig"
#define GEM_VALUED                                                                                                     \
        "-v --version -i --install-dir -n --bindir -s --source -p --http-proxy --platform --config-file -P "           \
        "--trust-policy"
#define DNF_VALUED                                                                                                     \
        "-c --config --enablerepo --disablerepo --installroot --releasever -x --exclude --repo --repoid --setopt "     \
        "--disableplugin --enableplugin -d -e --forcearch --comment"
#define ZYPPER_VALUED "-R --root -r --repo -t --type --from -p --plus-repo --installroot -C --capability --reposd-dir"
#define GO_VALUED     "-C -p -o -mod -modfile -tags -ldflags -gcflags -asmflags -buildmode -overlay -pgo"

static bool is_path(struct str w)
{
        return str_starts(w, STR("./")) || str_starts(w, STR("/")) || str_starts(w, STR("../")) || str_is(w, ".") ||
               str_starts(w, STR("~")) || str_starts(w, STR("file:"));
}

static bool is_url(struct str w) { return str_find(w, STR("://")) >= 0; }

/* --- versions --- */

struct pinned {
        const char *programs, *valued, *installs;
        bool (*is_pinned)(struct str package);
        const char *unless;  /* options that bring the versions in another way */
        const char *modules; /* python -m NAME */
};

static bool apt_pinned(struct str w)
{
        return str_find_char(w, '=') >= 0 || str_find_char(w, '/') >= 0 || str_ends(w, STR(".deb")) ||
               str_ends(w, STR("-"));
}

static bool apk_pinned(struct str w)
{
        return str_find_char(w, '=') >= 0 || str_find_char(w, '<') >= 0 || str_find_char(w, '>') >= 0 ||
               str_find_char(w, '~') >= 0 || str_ends(w, STR(".apk")) || str_starts(w, STR("!"));
}

static bool pip_pinned(struct str w)
{
        bool is_file = str_ends(w, STR(".whl")) || str_ends(w, STR(".tar.gz")) || str_ends(w, STR(".zip"));
        bool is_git = str_starts(w, STR("git+"));
        ptrdiff_t at = str_rfind_char(w, '@');
        if (is_git) /* ...@commit behind the last slash */
                return at > str_rfind_char(w, '/');
        return is_path(w) || is_url(w) || is_file || str_find_char(w, '/') >= 0 || str_find_char(w, '=') >= 0 ||
               str_find_char(w, '<') >= 0 || str_find_char(w, '>') >= 0 || at > 0;
}

static bool npm_pinned(struct str w)
{
        ptrdiff_t at = str_rfind_char(w, '@');
        bool is_tarball = str_ends(w, STR(".tgz")) || str_ends(w, STR(".tar.gz"));
        bool is_repository = str_find_char(w, ':') >= 0 || (str_find_char(w, '/') > 0 && !str_starts(w, STR("@")));
        if (is_path(w) || is_tarball)
                return true;
        if (is_repository)
                return str_find_char(w, '#') >= 0 || at > 0;
        return at > 0 && !str_is(str_from(w, (size_t)at + 1), "latest");
}

static bool gem_pinned(struct str w) { return str_find_char(w, ':') > 0 || str_ends(w, STR(".gem")) || is_path(w); }

static bool go_pinned(struct str w)
{
        ptrdiff_t at = str_rfind_char(w, '@');
        return is_path(w) || str_find_char(w, '.') < 0 || str_is(w, "...") ||
               (at > 0 && !str_is(str_from(w, (size_t)at + 1), "latest"));
}

/* rpm: NAME-VERSION, where the version begins with a digit; groups and files are not packages. */
static bool rpm_pinned(struct str w)
{
        for (size_t k = 0; k + 1 < w.n; k++)
                if ((w.p[k] == '-' || w.p[k] == ':') && w.p[k + 1] >= '0' && w.p[k + 1] <= '9')
                        return true;
        return str_find_char(w, '=') >= 0 || str_find_char(w, '<') >= 0 || str_find_char(w, '>') >= 0 || is_path(w) ||
               is_url(w) || str_ends(w, STR(".rpm")) || str_starts(w, STR("@"));
}

static const struct pinned apt_pin = { "apt-get apt", APT_VALUED, "install", apt_pinned, "-t --target-release", NULL };
static const struct pinned apk_pin = { "apk", APK_VALUED, "add", apk_pinned, NULL, NULL };
static const struct pinned pip_pin = { "pip pip2 pip3 pipx",
                                       PIP_VALUED,
                                       "install",
                                       pip_pinned,
                                       "-r --requirement -c --constraint -e --editable --group",
                                       "pip" };
static const struct pinned npm_pin = { "npm", NPM_VALUED, "install i add", npm_pinned, NULL, NULL };
static const struct pinned gem_pin = { "gem", GEM_VALUED, "install i", gem_pinned, "-v --version", NULL };
static const struct pinned yum_pin = { "yum", DNF_VALUED, "install reinstall update-to", rpm_pinned, NULL, NULL };
static const struct pinned dnf_pin = { "dnf dnf5 microdnf", DNF_VALUED, "install reinstall", rpm_pinned, NULL, NULL };
static const struct pinned zypper_pin = { "zypper", ZYPPER_VALUED, "install in", rpm_pinned, NULL, NULL };
static const struct pinned go_pin = { "go", GO_VALUED, "install get", go_pinned, NULL, NULL };

static bool is_python(struct str name) { return str_starts(name, STR("python")) || str_starts(name, STR("pypy")); }

/* The index of the subcommand, if this is the program (pip3.11 is pip) or python -m that module. */
static size_t install_of(const struct command *c, const struct pinned *p)
{
        struct command shifted = *c;
        struct str name = c->name;
        if (p->modules && is_python(name) && c->argc > 2 && str_is(c->argv[1].value, "-m") &&
            word_is_one_of(c->argv[2].value, p->modules)) {
                shifted.argv += 2;
                shifted.argc -= 2;
                size_t k = command_subcommand(&shifted, p->valued, p->installs);
                return k ? k + 2 : 0;
        }
        if (p->modules && str_starts(name, STR("pip3.")))
                name = STR("pip3");
        return word_is_one_of(name, p->programs) ? command_subcommand(c, p->valued, p->installs) : 0;
}

static void on_version(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        const struct pinned *p = r->data;
        size_t k = install_of(c, p), more = 0;
        const struct shell_word *first = NULL;
        if (!k || (p->unless && command_has(c, p->unless)))
                return;
        if (p == &yum_pin || p == &dnf_pin) /* module streams: NAME:STREAM */
                for (size_t n = 1; n < k; n++)
                        if (str_is(c->argv[n].value, "module"))
                                return;
        while ((k = command_next_operand(c, p->valued, k))) {
                const struct shell_word *w = &c->argv[k];
                if (p->is_pinned(w->value) || !w->is_literal || !w->value.n)
                        continue;
                more += first != NULL;
                first = first ? first : w;
        }
        if (first && more)
                (void)lint_hit_command(l, r, c, first, "%.*s and %zu more", THE(first->value), more);
        else if (first)
                (void)lint_hit_command(l, r, c, first, "%.*s", THE(first->value));
}

/* --- questions --- */

struct asking {
        const char *programs, *valued, *subcommands, *yes;
        char letter;
};

static const struct asking apt_asks = { "apt-get apt", APT_VALUED, "install", "--yes --assume-yes -qq -q=2 --force-yes",
                                        'y' };
static const struct asking yum_asks = { "yum", DNF_VALUED, "install groupinstall localinstall reinstall update upgrade",
                                        "--assumeyes", 'y' };
static const struct asking dnf_asks = { "dnf dnf5 microdnf", DNF_VALUED,
                                        "install groupinstall localinstall reinstall update upgrade", "--assumeyes",
                                        'y' };
static const struct asking zypper_asks = { "zypper", ZYPPER_VALUED,
                                           "install in remove rm patch update up source-install si",
                                           "--no-confirm --non-interactive -n -y", 'y' };

/* An option right behind the subcommand: the same command with it. */
static void add_option(struct lint *l, const struct command *c, size_t subcommand, const char *option)
{
        if (!c->script->is_editable || c->shell->depth)
                return;
        size_t end = lint_offset(c->script, c->argv[subcommand].end - 1) + 1;
        check_page_edit(l->page, end, 0, arena_printf(l->arena, " %s", option));
}

static void on_question(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        const struct asking *a = r->data;
        size_t k = command_is(c, a->programs) ? command_subcommand(c, a->valued, a->subcommands) : 0;
        size_t quiet = 0; /* two times, together or apart, mean yes to apt (apt-get(8)) */
        for (size_t n = 1; n < c->argc; n++)
                if (a == &apt_asks && str_starts(c->argv[n].value, STR("-q")))
                        quiet += str_find(c->argv[n].value, STR("qq")) >= 0 ? 2 : 1;
        if (!k || quiet >= 2 || command_has(c, a->yes) || command_has_letter(c, a->letter))
                return;
        /* Somebody may pipe the answers in: yes | apt-get install */
        if (c->shell->position == 0 &&
            lint_hit_command(l, r, c, &c->argv[0], "%.*s %.*s", THE(c->name), THE(c->argv[k].value)))
                add_option(l, c, k, "-y");
}

static void on_recommends(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        size_t k = command_is(c, "apt-get apt") ? command_subcommand(c, APT_VALUED, "install") : 0;
        if (!k || command_has(c, "--no-install-recommends --install-recommends"))
                return;
        for (size_t n = 1; n < c->argc; n++)
                if (str_find(c->argv[n].value, STR("Install-Recommends=")) >= 0)
                        return;
        if (lint_hit_command(l, r, c, &c->argv[k], "%.*s install", THE(c->name)))
                add_option(l, c, k, "--no-install-recommends");
}

/* --- caches --- */

struct leaving {
        const char *programs, *valued, *subcommands; /* what leaves something behind */
        const char *cleaning;                        /* subcommands that clean up */
        const char *directory;                       /* or removing this, or a cache mount there */
};

static const struct leaving apt_leaves = { "apt-get apt", APT_VALUED, "update install", "dist-clean distclean",
                                           "/var/lib/apt" };
static const struct leaving yum_leaves = { "yum", DNF_VALUED,
                                           "install groupinstall localinstall reinstall update upgrade", "clean",
                                           "/var/cache/yum" };
static const struct leaving dnf_leaves = { "dnf dnf5 microdnf", DNF_VALUED,
                                           "install groupinstall localinstall reinstall update upgrade", "clean",
                                           "/var/cache/" };
static const struct leaving zypper_leaves = { "zypper", ZYPPER_VALUED, "install in update up patch dist-upgrade dup",
                                              "clean cc", "/var/cache/zypp" };
static const struct leaving yarn_leaves = { "yarn yarnpkg", "--cwd --cache-folder --registry", "install add", "cache",
                                            "/usr/local/share/.cache" };

static bool removes(const struct command *c, const char *directory)
{
        for (size_t k = 1; command_is(c, "rm find") && k < c->argc; k++)
                if (str_starts(c->argv[k].value, str_of(directory)))
                        return true;
        return false;
}

static bool is_apt_update(const struct command *c)
{
        return command_is(c, "apt-get apt") && command_subcommand(c, APT_VALUED, "update");
}

/* No later RUN relies on lists that this one leaves: each that uses apt updates them itself. */
static bool nobody_needs_lists(const struct lint *l, const struct dockerfile_instruction *i)
{
        for (size_t k = (size_t)(i - l->d->instructions) + 1; k < l->d->n_instructions; k++) {
                size_t n;
                const struct command *c = lint_commands(l, &l->d->instructions[k], &n);
                bool updates = false;
                for (size_t m = 0; m < n; m++) {
                        updates = updates || is_apt_update(&c[m]);
                        if (!updates && command_is(&c[m], "apt-get apt apt-cache aptitude"))
                                return false;
                }
        }
        return true;
}

/* Whether what is added at the end of the RUN runs after all of it went well: a chain of && and nothing else. */
static bool is_plain_chain(const struct dockerfile_instruction *i, const struct script *s)
{
        if (!s->is_editable || !s->shell.n || i->n_heredocs || i->is_onbuild || s->shell.why || s->shell.has_pipe)
                return false;
        for (size_t k = 0; k < s->shell.n; k++) {
                const struct shell_command *x = &s->shell.commands[k];
                if (x->depth || (k && x->join != SHELL_AND) || x->n_redirects || !x->n_words)
                        return false;
        }
        /* No comment, brace or parenthesis may swallow it, and nothing may stand behind the last word. */
        struct str rest = str_from(i->line_text.text, i->command_at);
        const struct shell_command *last = &s->shell.commands[s->shell.n - 1];
        return !str_trim(str_from(rest, last->words[last->n_words - 1].end)).n && str_find_char(rest, '(') < 0 &&
               str_find_char(rest, '{') < 0;
}

static void remove_lists(struct lint *l, const struct dockerfile_instruction *i, const struct script *s)
{
        if (!is_plain_chain(i, s) || !nobody_needs_lists(l, i))
                return;
        const struct shell_command *last = &s->shell.commands[s->shell.n - 1];
        size_t end = lint_offset(s, last->words[last->n_words - 1].end - 1) + 1;
        check_page_edit(l->page, end, 0, STR(" && rm -rf /var/lib/apt/lists/*"));
}

static void on_leftovers(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const struct leaving *v = r->data;
        const struct stage_facts *stage = lint_stage(l, i);
        const struct command *leaves = NULL;
        size_t n;
        if (i->keyword != DOCKERFILE_RUN || !stage || !stage->ships)
                return;
        const struct command *c = lint_commands(l, i, &n);
        for (size_t k = 0; k < n; k++) {
                bool is_it = command_is(&c[k], v->programs);
                if ((is_it && command_subcommand(&c[k], v->valued, v->cleaning)) || removes(&c[k], v->directory))
                        leaves = NULL;
                else if (is_it && !leaves && command_subcommand(&c[k], v->valued, v->subcommands))
                        leaves = &c[k];
                /* Yarn without a word is yarn install. */
                else if (is_it && !leaves && v == &yarn_leaves && !command_next_operand(&c[k], v->valued, 0) &&
                         c[k].argc == 1)
                        leaves = &c[k];
                if (command_is(&c[k], "apt-dist-clean") && v == &apt_leaves)
                        leaves = NULL;
        }
        if (!leaves || lint_has_cache(i, v->directory))
                return;
        if (lint_hit_command(l, r, leaves, &leaves->argv[0], "%.*s leaves files in %s", THE(leaves->name),
                             v->directory) &&
            v == &apt_leaves)
                remove_lists(l, i, c[0].script);
}

static void on_apk_cache(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        size_t k = command_is(c, "apk") ? command_subcommand(c, APK_VALUED, "add") : 0;
        if (!k || command_has(c, "--no-cache") || lint_has_cache(c->script->in, "/var/cache/apk") ||
            lint_has_cache(c->script->in, "/etc/apk/cache"))
                return;
        if (lint_hit_command(l, r, c, &c->argv[k], "apk add"))
                add_option(l, c, k, "--no-cache");
}

/* PIP_NO_CACHE_DIR in an ENV, or before the command. */
static bool pip_cache_is_off(const struct lint *l, const struct command *c)
{
        for (size_t k = 0; k < c->shell->n_assignments; k++)
                if (str_starts(c->shell->assignments[k].text, STR("PIP_NO_CACHE_DIR=")))
                        return true;
        for (size_t k = (size_t)(c->script->in - l->d->instructions); k-- > 0;)
                for (size_t p = 0; l->d->instructions[k].keyword == DOCKERFILE_ENV && p < l->d->instructions[k].n_pairs;
                     p++)
                        if (str_is(l->d->instructions[k].pairs[p].name.text, "PIP_NO_CACHE_DIR"))
                                return true;
        return false;
}

static void on_pip_cache(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        size_t k = install_of(c, &pip_pin);
        const struct stage_facts *stage = lint_stage(l, c->script->in);
        if (!k || !stage || !stage->ships || command_is(c, "pipx") || command_has(c, "--no-cache-dir --cache-dir") ||
            lint_has_cache(c->script->in, "/root/.cache") || pip_cache_is_off(l, c))
                return;
        if (lint_hit_command(l, r, c, &c->argv[k], "%.*s install", THE(c->name)))
                add_option(l, c, k, "--no-cache-dir");
}

static void on_dist_upgrade(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        if (command_is(c, "zypper") && command_subcommand(c, ZYPPER_VALUED, "dist-upgrade dup"))
                (void)lint_hit_command(l, r, c, &c->argv[0], "zypper dist-upgrade");
}

static void on_apt(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        if (command_is(c, "apt"))
                (void)lint_hit_command(l, r, c, &c->argv[0], "apt %.*s",
                                       THE(c->argc > 1 ? c->argv[1].value : STR_NONE));
}

/* RUN apt-get update alone: the layer is cached, and later installs ask for packages that are gone. */
static void on_lone_update(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        size_t n;
        const struct command *c = lint_commands(l, i, &n);
        const struct command *update = NULL;
        for (size_t k = 0; k < n; k++) {
                if (is_apt_update(&c[k]))
                        update = &c[k];
                else if (command_is(&c[k], "apt-get apt aptitude"))
                        return;
        }
        if (update && n <= 2 && !lint_has_cache(i, "/var/lib/apt"))
                (void)lint_hit_command(l, r, update, &update->argv[0], "no install in the same RUN");
}

static bool names_snapshot(const struct lint *l)
{
        return str_find(l->d->bytes, STR("snapshot.debian.org")) >= 0 ||
               str_find(l->d->bytes, STR("snapshot.ubuntu.com")) >= 0;
}

static void on_snapshot(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        if (command_is(c, "apt-get apt") && command_subcommand(c, APT_VALUED, "install") && !names_snapshot(l))
                (void)lint_hit_command(l, r, c, &c->argv[0], "%.*s install", THE(c->name));
}

#define PIN_WHY                                                                                                        \
        "What is installed depends on the day of the build: two builds differ, and a bad release comes in unseen."

static const struct lint_rule rules[] = {
        { .check = { .id = "DL3008",
                     .aliases = "SK-DOCKER-008",
                     .severity = SEVERITY_LOW,
                     .title = "apt-get install without a version",
                     .why = PIN_WHY,
                     .fix = "Write package=version, or install from a snapshot of the archive",
                     .tags = "NIST-800-190:4.1.2 CWE-1357" },
          .on_command = on_version,
          .data = &apt_pin },
        { .check = { .id = "DL3013",
                     .aliases = "SK-DOCKER-013",
                     .severity = SEVERITY_MEDIUM,
                     .title = "pip install without a version",
                     .why = PIN_WHY,
                     .fix = "Write package==version, or install from a requirements file with hashes",
                     .tags = "NIST-800-190:4.1.2 CWE-1357 T1195.001" },
          .on_command = on_version,
          .data = &pip_pin },
        { .check = { .id = "DL3016",
                     .aliases = "SK-DOCKER-016",
                     .severity = SEVERITY_MEDIUM,
                     .title = "npm install without a version",
                     .why = PIN_WHY,
                     .fix = "Write package@version, or npm ci with a lock file",
                     .tags = "NIST-800-190:4.1.2 CWE-1357 T1195.001" },
          .on_command = on_version,
          .data = &npm_pin },
        { .check = { .id = "DL3018",
                     .aliases = "SK-DOCKER-018",
                     .severity = SEVERITY_LOW,
                     .title = "apk add without a version",
                     .why = PIN_WHY,
                     .fix = "Write package=version",
                     .tags = "NIST-800-190:4.1.2 CWE-1357" },
          .on_command = on_version,
          .data = &apk_pin },
        { .check = { .id = "DL3028",
                     .aliases = "SK-DOCKER-028",
                     .severity = SEVERITY_MEDIUM,
                     .title = "gem install without a version",
                     .why = PIN_WHY,
                     .fix = "Write gem install name:version",
                     .tags = "NIST-800-190:4.1.2 CWE-1357 T1195.001" },
          .on_command = on_version,
          .data = &gem_pin },
        { .check = { .id = "DL3033",
                     .aliases = "SK-DOCKER-033",
                     .severity = SEVERITY_LOW,
                     .title = "yum install without a version",
                     .why = PIN_WHY,
                     .fix = "Write package-version",
                     .tags = "NIST-800-190:4.1.2 CWE-1357" },
          .on_command = on_version,
          .data = &yum_pin },
        { .check = { .id = "DL3037",
                     .aliases = "SK-DOCKER-037",
                     .severity = SEVERITY_LOW,
                     .title = "zypper install without a version",
                     .why = PIN_WHY,
                     .fix = "Write package=version",
                     .tags = "NIST-800-190:4.1.2 CWE-1357" },
          .on_command = on_version,
          .data = &zypper_pin },
        { .check = { .id = "DL3041",
                     .aliases = "SK-DOCKER-041",
                     .severity = SEVERITY_LOW,
                     .title = "dnf install without a version",
                     .why = PIN_WHY,
                     .fix = "Write package-version",
                     .tags = "NIST-800-190:4.1.2 CWE-1357" },
          .on_command = on_version,
          .data = &dnf_pin },
        { .check = { .id = "DL3062",
                     .aliases = "SK-DOCKER-062",
                     .severity = SEVERITY_MEDIUM,
                     .title = "go install without a version",
                     .why = PIN_WHY,
                     .fix = "Write module@version",
                     .tags = "NIST-800-190:4.1.2 CWE-1357 T1195.001" },
          .on_command = on_version,
          .data = &go_pin },
        { .check = { .id = "DL3014",
                     .aliases = "SK-DOCKER-014",
                     .severity = SEVERITY_MEDIUM,
                     .title = "apt-get install that asks",
                     .why = "Nobody can answer in a build: it ends there.",
                     .fix = "Add -y" },
          .on_command = on_question,
          .data = &apt_asks },
        { .check = { .id = "DL3030",
                     .aliases = "SK-DOCKER-030",
                     .severity = SEVERITY_MEDIUM,
                     .title = "yum install that asks",
                     .why = "Nobody can answer in a build: it ends there.",
                     .fix = "Add -y" },
          .on_command = on_question,
          .data = &yum_asks },
        { .check = { .id = "DL3034",
                     .aliases = "SK-DOCKER-034",
                     .severity = SEVERITY_MEDIUM,
                     .title = "zypper install that asks",
                     .why = "Nobody can answer in a build: it ends there.",
                     .fix = "Add -y, or --non-interactive before the subcommand" },
          .on_command = on_question,
          .data = &zypper_asks },
        { .check = { .id = "DL3038",
                     .aliases = "SK-DOCKER-038",
                     .severity = SEVERITY_MEDIUM,
                     .title = "dnf install that asks",
                     .why = "Nobody can answer in a build: it ends there.",
                     .fix = "Add -y" },
          .on_command = on_question,
          .data = &dnf_asks },
        { .check = { .id = "DL3015",
                     .aliases = "SK-DOCKER-015",
                     .severity = SEVERITY_LOW,
                     .title = "apt-get install with recommended packages",
                     .why = "They are not needed, and each is more to update and more for an intruder to use.",
                     .fix = "Add --no-install-recommends",
                     .tags = "NIST-800-190:4.1.2 CWE-1125" },
          .on_command = on_recommends },
        { .check = { .id = "DL3009",
                     .aliases = "SK-DOCKER-009",
                     .severity = SEVERITY_LOW,
                     .title = "apt's lists stay in the layer",
                     .why = "They are tens of megabytes, out of date by tomorrow, and of no use in an image.",
                     .fix = "End the same RUN with rm -rf /var/lib/apt/lists/*" },
          .on_instruction = on_leftovers,
          .data = &apt_leaves },
        { .check = { .id = "DL3032",
                     .aliases = "SK-DOCKER-032",
                     .severity = SEVERITY_LOW,
                     .title = "yum's cache stays in the layer",
                     .why = "It is of no use in an image.",
                     .fix = "End the same RUN with yum clean all" },
          .on_instruction = on_leftovers,
          .data = &yum_leaves },
        { .check = { .id = "DL3036",
                     .aliases = "SK-DOCKER-036",
                     .severity = SEVERITY_LOW,
                     .title = "zypper's cache stays in the layer",
                     .why = "It is of no use in an image.",
                     .fix = "End the same RUN with zypper clean" },
          .on_instruction = on_leftovers,
          .data = &zypper_leaves },
        { .check = { .id = "DL3040",
                     .aliases = "SK-DOCKER-040",
                     .severity = SEVERITY_LOW,
                     .title = "dnf's cache stays in the layer",
                     .why = "It is of no use in an image.",
                     .fix = "End the same RUN with dnf clean all" },
          .on_instruction = on_leftovers,
          .data = &dnf_leaves },
        { .check = { .id = "DL3060",
                     .aliases = "SK-DOCKER-060",
                     .severity = SEVERITY_LOW,
                     .title = "Yarn's cache stays in the layer",
                     .why = "It is of no use in an image.",
                     .fix = "End the same RUN with yarn cache clean, or mount a cache" },
          .on_instruction = on_leftovers,
          .data = &yarn_leaves },
        { .check = { .id = "DL3019",
                     .aliases = "SK-DOCKER-019",
                     .severity = SEVERITY_LOW,
                     .title = "apk add that keeps its index",
                     .why = "The index stays in the layer, or an old one is used.",
                     .fix = "Add --no-cache" },
          .on_command = on_apk_cache },
        { .check = { .id = "DL3042",
                     .aliases = "SK-DOCKER-042",
                     .severity = SEVERITY_LOW,
                     .title = "pip install that keeps its cache",
                     .why = "The cache stays in the layer and is never used again.",
                     .fix = "Add --no-cache-dir, or mount a cache" },
          .on_command = on_pip_cache },
        { .check = { .id = "DL3035",
                     .aliases = "SK-DOCKER-035",
                     .severity = SEVERITY_MEDIUM,
                     .title = "zypper dist-upgrade in a build",
                     .why = "It may replace all of the base image by another release, and another one with every "
                            "build.",
                     .fix = "Use a newer base image, or zypper update",
                     .tags = "NIST-800-190:4.1.1" },
          .on_command = on_dist_upgrade },
        { .check = { .id = "DL3027",
                     .aliases = "SK-DOCKER-027",
                     .severity = SEVERITY_LOW,
                     .title = "apt in a script",
                     .why = "Its options and output are for people and may change with any release.",
                     .fix = "Use apt-get or apt-cache" },
          .on_command = on_apt },
        { .check = { .id = "SK-DOCKER-118",
                     .severity = SEVERITY_LOW,
                     .title = "apt-get update in a RUN of its own",
                     .why = "Its layer is taken from the cache: later installs use lists of long ago, without security "
                            "updates.",
                     .fix = "Join it with the install: apt-get update && apt-get install ...",
                     .tags = "NIST-800-190:4.1.1" },
          .on_instruction = on_lone_update },
        { .check = { .id = "SK-DOCKER-111",
                     .severity = SEVERITY_LOW,
                     .is_quiet = true,
                     .title = "apt-get install from a moving archive",
                     .why = "The same line installs other files tomorrow: the build cannot be repeated.",
                     .fix = "Install from snapshot.debian.org or snapshot.ubuntu.com",
                     .tags = "NIST-800-190:4.1.2" },
          .on_command = on_snapshot },
};

const struct lint_table dockerfile_rules_packages = { rules, ARRAY_SIZE(rules) };
