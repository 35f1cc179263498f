/*
 * Dockerfile rules where style linters are blind: code from the network that nobody verified, checks that were switched
 * off, rights that are too wide, ways in that were left open.
 */
#include "analyze/dockerfile-lint.h"
#include "analyze/exposure.h"

#define THE(w) STR_FMT(str_upto((w), 80))

#define INTERPRETERS "sh bash dash ash ksh zsh python python2 python3 perl ruby node php lua pwsh source . eval"

/* --- code from the network --- */

static bool is_download(const struct command *c) { return command_is(c, "curl wget fetch aria2c"); }

static bool is_interpreter(const struct command *c) { return command_is(c, INTERPRETERS); }

/* curl ... | sh: both in one pipeline, the interpreter behind; what runs a file of its own reads no pipe. */
static bool reads_pipe(const struct command *c)
{
        for (size_t k = 1; k < c->argc; k++) {
                struct str w = c->argv[k].value;
                if (str_is(w, "-s") || str_is(w, "-"))
                        return true;
                if (str_is(w, "-c") || str_is(w, "-e") || str_is(w, "-m") || !str_starts(w, STR("-")))
                        return false;
        }
        return true;
}

static void on_piped(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        if (!is_interpreter(c) || !c->shell->position || !reads_pipe(c))
                return;
        for (const struct command *b = c; b-- > l->commands.v && b->script == c->script;) {
                if (b->shell->depth != c->shell->depth)
                        continue;
                if (b->shell->pipeline != c->shell->pipeline)
                        return;
                if (is_download(b)) {
                        (void)lint_hit_command(l, r, b, &b->argv[0], "%.*s | %.*s", THE(b->name), THE(c->name));
                        return;
                }
        }
}

/* sh -c "$(curl ...)", bash <(curl ...), eval "$(...)": the interpreter's words hold a substitution with a download. */
static void on_substituted(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        if (!is_interpreter(c))
                return;
        for (size_t k = 1; k < c->argc; k++) {
                struct str w = c->argv[k].value;
                bool is_start = str_starts(w, STR("$(")) || str_starts(w, STR("<(")) || str_starts(w, STR("`"));
                struct str inside = str_trim(str_from(w, str_starts(w, STR("`")) ? 1 : 2));
                if (is_start && (str_starts(inside, STR("curl")) || str_starts(inside, STR("wget"))))
                        (void)lint_hit_command(l, r, c, &c->argv[0], "%.*s of what is downloaded", THE(c->name));
        }
}

static void on_download_run(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        on_piped(l, r, c);
        on_substituted(l, r, c);
}

static bool is_git(struct str source)
{
        return str_ends(source, STR(".git")) || str_find(source, STR(".git#")) >= 0 ||
               str_starts(source, STR("git@")) || str_starts(source, STR("git:"));
}

static void on_add_url(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        if (i->keyword != DOCKERFILE_ADD || dockerfile_flag(i, "checksum"))
                return;
        for (size_t k = 0; k + 1 < i->n_words; k++) {
                struct str w = i->words[k].value;
                bool is_pinned_git = is_git(w) && w.n > 40 && str_rfind_char(w, '#') == (ptrdiff_t)w.n - 41;
                if ((str_find(w, STR("://")) > 0 || is_git(w)) && !is_pinned_git)
                        (void)lint_hit(l, r, i, i->words[k].offset, "%s", is_git(w) ? "a git repository" : "a URL");
        }
}

static bool is_plain_http(struct str w)
{
        if (!str_starts(w, STR("http://")))
                return false;
        struct str host = str_from(w, 7);
        return !str_starts(host, STR("localhost")) && !str_starts(host, STR("127.")) && !str_starts(host, STR("$")) &&
               !str_starts(host, STR("[::1]"));
}

/* A checksum or signature that the same RUN verifies makes good what the connection lacks. */
static bool verifies(const struct lint *l, const struct dockerfile_instruction *i)
{
        size_t n;
        const struct command *c = lint_commands(l, i, &n);
        for (size_t k = 0; k < n; k++)
                if (command_is(&c[k], "sha256sum sha512sum sha384sum shasum gpg gpgv cosign minisign openssl signify"))
                        return true;
        return false;
}

static void on_http(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        size_t n;
        const struct command *c = lint_commands(l, i, &n);
        for (size_t k = 0; i->keyword == DOCKERFILE_ADD && !dockerfile_flag(i, "checksum") && k + 1 < i->n_words; k++)
                if (is_plain_http(i->words[k].value))
                        (void)lint_hit(l, r, i, i->words[k].offset, "ADD over http");
        for (size_t k = 0; k < n; k++)
                for (size_t w = 1; is_download(&c[k]) && w < c[k].argc; w++)
                        if (is_plain_http(c[k].argv[w].value) && !verifies(l, i)) {
                                (void)lint_hit_command(l, r, &c[k], &c[k].argv[w], "%.*s over http", THE(c[k].name));
                                break;
                        }
}

/* --- checks that were switched off --- */

static const struct {
        const char *programs, *options;
        char letter; /* of a cluster, or 0 */
} insecure_tls[] = {
        { "curl", "--insecure --proxy-insecure --doh-insecure", 'k' },
        { "wget", "--no-check-certificate", 0 },
        { "pip pip2 pip3", "--trusted-host", 0 },
        { "helm kubectl oc", "--insecure-skip-tls-verify", 0 },
        { "skopeo podman buildah", "--tls-verify=false --src-tls-verify=false", 0 },
        { "aria2c", "--check-certificate=false", 0 },
};

static const char *const insecure_words[] = {
        "http.sslVerify=false",
        "strict-ssl=false",
        "sslverify=0",
        "sslverify=false",
        "Acquire::https::Verify-Peer=false",
};

/* Environment variables that switch verification off, and the value that does. */
static bool is_insecure_variable(struct str name, struct str value)
{
        return (str_is(name, "NODE_TLS_REJECT_UNAUTHORIZED") && str_is(value, "0")) ||
               (str_is(name, "PYTHONHTTPSVERIFY") && str_is(value, "0")) ||
               (str_is(name, "GIT_SSL_NO_VERIFY") && value.n && !str_is(value, "0") && !str_is(value, "false")) ||
               (str_eq_nocase(name, STR("npm_config_strict_ssl")) && str_is(value, "false")) ||
               (str_is(name, "PIP_TRUSTED_HOST") && value.n) || (str_is(name, "GONOSUMCHECK") && value.n) ||
               (str_is(name, "GOINSECURE") && value.n);
}

static void on_tls_command(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        for (size_t k = 0; k < ARRAY_SIZE(insecure_tls); k++)
                if (command_is(c, insecure_tls[k].programs) &&
                    (command_has(c, insecure_tls[k].options) ||
                     (insecure_tls[k].letter && command_has_letter(c, insecure_tls[k].letter)))) {
                        (void)lint_hit_command(l, r, c, &c->argv[0], "%.*s without verifying certificates",
                                               THE(c->name));
                        return;
                }
        for (size_t k = 1; k < c->argc; k++) {
                struct str w = c->argv[k].value;
                for (size_t n = 0; n < ARRAY_SIZE(insecure_words); n++)
                        if (str_ends(w, str_of(insecure_words[n])))
                                (void)lint_hit_command(l, r, c, &c->argv[k], "%.*s", THE(w));
                bool sets = word_is_one_of(w, "strict-ssl http.sslVerify http.sslverify") && k + 1 < c->argc;
                if (sets && str_is(c->argv[k + 1].value, "false"))
                        (void)lint_hit_command(l, r, c, &c->argv[k], "%.*s false", THE(w));
        }
        for (size_t k = 0; k < c->shell->n_assignments; k++) {
                struct str value = c->shell->assignments[k].value, name = str_cut(&value, '=');
                if (is_insecure_variable(name, value))
                        (void)lint_hit_command(l, r, c, &c->shell->assignments[k], "%.*s", THE(name));
        }
}

static void on_tls_variable(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        for (size_t k = 0; (i->keyword == DOCKERFILE_ENV || i->keyword == DOCKERFILE_ARG) && k < i->n_pairs; k++)
                if (is_insecure_variable(i->pairs[k].name.text, i->pairs[k].value.value))
                        (void)lint_hit(l, r, i, i->pairs[k].name.offset, "%.*s=%.*s", THE(i->pairs[k].name.text),
                                       THE(i->pairs[k].value.value));
}

static const struct {
        const char *programs, *options;
} unsigned_packages[] = {
        { "apt-get apt", "--allow-unauthenticated --force-yes --allow-insecure-repositories" },
        { "apk", "--allow-untrusted" },
        { "yum dnf dnf5 microdnf", "--nogpgcheck --no-gpgchecks" },
        { "zypper", "--no-gpg-checks --allow-unsigned-rpm" },
        { "rpm", "--nosignature --nodigest" },
};

static void on_unsigned(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        for (size_t k = 0; k < ARRAY_SIZE(unsigned_packages); k++)
                if (command_is(c, unsigned_packages[k].programs) && command_has(c, unsigned_packages[k].options))
                        (void)lint_hit_command(l, r, c, &c->argv[0], "%.*s without verifying signatures", THE(c->name));
        for (size_t k = 1; k < c->argc; k++) {
                struct str w = c->argv[k].value;
                bool trusts = str_find(w, STR("[trusted=yes")) >= 0 || str_find(w, STR("trusted=yes]")) >= 0;
                if (trusts || str_is(w, "gpgcheck=0") || str_ends(w, STR(".gpgcheck=0")) ||
                    str_find(w, STR("AllowUnauthenticated=true")) >= 0)
                        (void)lint_hit_command(l, r, c, &c->argv[k], "%s", trusts ? "trusted=yes" : "signatures off");
        }
}

/* --- rights --- */

struct mode {
        bool is_world_writable, is_setid;
};

/* What chmod's mode grants: octal, or clauses like u+s,o+w. A sticky bit makes a shared directory of it. */
static struct mode mode_of(struct str s)
{
        struct mode m = { 0 };
        bool is_octal = s.n >= 3 && s.n <= 5;
        for (size_t k = 0; k < s.n; k++)
                is_octal = is_octal && s.p[k] >= '0' && s.p[k] <= '7';
        if (is_octal) {
                char special = s.n >= 4 ? s.p[s.n - 4] : '0', other = s.p[s.n - 1];
                m.is_world_writable = ((other - '0') & 2) && !((special - '0') & 1);
                m.is_setid = (special - '0') & 6;
                return m;
        }
        bool is_sticky = str_find(s, STR("t")) >= 0;
        while (s.p) {
                struct str clause = str_cut(&s, ',');
                ptrdiff_t op = str_find_char(clause, '+');
                op = op < 0 ? str_find_char(clause, '=') : op;
                if (op < 0)
                        continue;
                struct str who = str_upto(clause, (size_t)op), what = str_from(clause, (size_t)op + 1);
                bool others = str_find_char(who, 'o') >= 0 || str_find_char(who, 'a') >= 0;
                m.is_world_writable |= others && str_find_char(what, 'w') >= 0 && !is_sticky;
                m.is_setid |= str_find_char(what, 's') >= 0 && !(others && who.n == 1 && who.p[0] == 'o');
        }
        return m;
}

static const struct shell_word *chmod_mode(const struct command *c)
{
        size_t k = command_is(c, "chmod") ? command_next_operand(c, "--reference", 0) : 0;
        if (k)
                return &c->argv[k];
        for (k = 1; command_is(c, "install mkdir") && k + 1 < c->argc; k++)
                if (word_is_one_of(c->argv[k].value, "-m --mode"))
                        return &c->argv[k + 1];
        return NULL;
}

static void on_writable(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        const struct shell_word *w = chmod_mode(c);
        if (w && w->is_literal && mode_of(w->value).is_world_writable)
                (void)lint_hit_command(l, r, c, w, "%.*s %.*s", THE(c->name), THE(w->value));
}

static void on_writable_copy(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const struct dockerfile_flag *f = dockerfile_flag(i, "chmod");
        if (f && mode_of(f->value.value).is_world_writable)
                (void)lint_hit(l, r, i, f->value.offset, "--chmod=%.*s", THE(f->value.value));
}

static void on_setid(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        const struct shell_word *w = chmod_mode(c);
        if (w && w->is_literal && mode_of(w->value).is_setid)
                (void)lint_hit_command(l, r, c, w, "%.*s %.*s", THE(c->name), THE(w->value));
}

static void on_setid_copy(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const struct dockerfile_flag *f = dockerfile_flag(i, "chmod");
        if (f && mode_of(f->value.value).is_setid)
                (void)lint_hit(l, r, i, f->value.offset, "--chmod=%.*s", THE(f->value.value));
}

/* --- ways in --- */

static const struct shell_word *installed(const struct command *c, const char *packages)
{
        if (!command_is(c, "apt-get apt apk yum dnf dnf5 microdnf zypper") ||
            !command_subcommand(c, "-o -t -c --setopt --repo", "install add in groupinstall"))
                return NULL;
        for (size_t k = 2; k < c->argc; k++) {
                struct str version = c->argv[k].value, name = str_cut(&version, '=');
                if (word_is_one_of(name, packages))
                        return &c->argv[k];
        }
        return NULL;
}

static void on_sudo_package(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        const struct shell_word *w = installed(c, "sudo doas");
        const struct stage_facts *s = lint_stage(l, c->script->in);
        if (w && s && s->ships)
                (void)lint_hit_command(l, r, c, w, "%.*s", THE(w->value));
}

static void on_remote_shell(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        const struct shell_word *w =
                installed(c, "openssh-server openssh-sftp-server dropbear dropbear-bin telnetd "
                             "inetutils-telnetd telnet-server rsh-server tigervnc-server x11vnc xrdp "
                             "vsftpd proftpd");
        const struct stage_facts *s = lint_stage(l, c->script->in);
        if (w && s && s->ships)
                (void)lint_hit_command(l, r, c, w, "%.*s", THE(w->value));
        else if (command_is(c, "sshd dropbear telnetd in.telnetd"))
                (void)lint_hit_command(l, r, c, &c->argv[0], "%.*s", THE(c->name));
}

static void on_maintenance_port(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        for (size_t k = 0; i->keyword == DOCKERFILE_EXPOSE && k < i->n_words; k++) {
                struct str rest = i->words[k].value, last = str_cut(&rest, '/'), first = str_cut(&last, '-');
                uint64_t a, b;
                if (!str_u64(first, &a))
                        continue;
                b = str_u64(last, &b) ? b : a;
                const char *what = maintenance_port(a, b);
                if (what)
                        (void)lint_hit(l, r, i, i->words[k].offset, "%.*s, %s", THE(i->words[k].value), what);
        }
}

static void on_run_flag(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        const char *const *flag = r->data; /* name and value */
        const struct dockerfile_flag *f = i->keyword == DOCKERFILE_RUN ? dockerfile_flag(i, flag[0]) : NULL;
        if (f && str_is(f->value.value, flag[1]))
                (void)lint_hit(l, r, i, f->name.offset, "--%s=%s", flag[0], flag[1]);
}

static const char *const flag_security[] = { "security", "insecure" }, *const flag_network[] = { "network", "host" };

static void on_docker_socket(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        static const char *const sockets[] = { "docker.sock", "containerd.sock", "crio.sock", "podman.sock" };
        for (size_t k = 0; k < ARRAY_SIZE(sockets); k++) {
                for (size_t n = 0; i->keyword == DOCKERFILE_VOLUME && n < i->n_words; n++)
                        if (str_ends(i->words[n].value, str_of(sockets[k])))
                                (void)lint_hit(l, r, i, i->words[n].offset, "VOLUME %.*s", THE(i->words[n].value));
                for (size_t n = 0; n < i->n_flags; n++)
                        if (str_is(i->flags[n].name.value, "mount") &&
                            str_find(i->flags[n].value.value, str_of(sockets[k])) >= 0)
                                (void)lint_hit(l, r, i, i->flags[n].name.offset, "--mount of %s", sockets[k]);
                for (size_t n = 0; i->keyword == DOCKERFILE_ENV && n < i->n_pairs; n++)
                        if (str_is(i->pairs[n].name.text, "DOCKER_HOST") &&
                            str_ends(i->pairs[n].value.value, str_of(sockets[k])))
                                (void)lint_hit(l, r, i, i->pairs[n].name.offset, "DOCKER_HOST is %s", sockets[k]);
        }
}

static const struct lint_rule rules[] = {
        { .check = { .id = "SK-DOCKER-105",
                     .severity = SEVERITY_HIGH,
                     .title = "What is downloaded runs at once",
                     .why = "Nobody has seen what runs; whoever controls the server or the connection controls the "
                            "image.",
                     .fix = "Download to a file, verify its checksum or signature, then run it",
                     .tags = "NIST-800-190:4.1.3 CWE-494 T1059.004 T1195.002" },
          .on_command = on_download_run },
        { .check = { .id = "SK-DOCKER-106",
                     .severity = SEVERITY_MEDIUM,
                     .title = "ADD from the network without a checksum",
                     .why = "Whatever the server sends becomes part of the image.",
                     .fix = "Add --checksum=sha256:..., or #commit to a git repository",
                     .tags = "NIST-800-190:4.1.3 CWE-494 T1195.002" },
          .on_instruction = on_add_url },
        { .check = { .id = "SK-DOCKER-121",
                     .severity = SEVERITY_MEDIUM,
                     .title = "A download over plain http",
                     .why = "Anybody on the way can send something else.",
                     .fix = "Use https, or verify a checksum in the same RUN",
                     .tags = "NIST-800-190:4.1.3 CWE-319 CWE-494 T1557" },
          .on_instruction = on_http },
        { .check = { .id = "SK-DOCKER-107",
                     .severity = SEVERITY_HIGH,
                     .title = "Certificates are not verified",
                     .why = "The connection is encrypted, but with anybody: whoever is on the way can send something "
                            "else.",
                     .fix = "Remove the option; add the certificate authority that is missing",
                     .tags = "NIST-800-190:4.1.3 CWE-295 T1557" },
          .on_command = on_tls_command,
          .on_instruction = on_tls_variable },
        { .check = { .id = "SK-DOCKER-108",
                     .severity = SEVERITY_HIGH,
                     .title = "Packages are installed unverified",
                     .why = "A package that nobody signed runs as root while it is installed.",
                     .fix = "Remove the option; add the repository's key",
                     .tags = "NIST-800-190:4.1.3 CWE-347 T1195.002" },
          .on_command = on_unsigned },
        { .check = { .id = "SK-DOCKER-109",
                     .severity = SEVERITY_MEDIUM,
                     .title = "Files that anybody may write",
                     .why = "Any process in the container can change what another one runs or reads.",
                     .fix = "Give them to the user that needs them: chown, or COPY --chown",
                     .tags = "NIST-800-190:4.1.2 CWE-732 T1222.002" },
          .on_command = on_writable,
          .on_instruction = on_writable_copy },
        { .check = { .id = "SK-DOCKER-110",
                     .severity = SEVERITY_MEDIUM,
                     .title = "A setuid or setgid file is made",
                     .why = "Whoever runs it has the rights of its owner: the usual way from a user to root.",
                     .fix = "Remove the bit; run the process as a user that may do the thing",
                     .tags = "NIST-800-190:4.1.2 CWE-732 T1548.001" },
          .on_command = on_setid,
          .on_instruction = on_setid_copy },
        { .check = { .id = "SK-DOCKER-112",
                     .severity = SEVERITY_MEDIUM,
                     .title = "sudo is installed",
                     .why = "A container's process has one user and needs no way to become another.",
                     .fix = "Remove it; set USER",
                     .tags = "NIST-800-190:4.1.2 CWE-250 T1548.003" },
          .on_command = on_sudo_package },
        { .check = { .id = "SK-DOCKER-113",
                     .severity = SEVERITY_HIGH,
                     .title = "A server for remote access in the image",
                     .why = "It is a way in with keys and passwords of its own, which no orchestrator sees or "
                            "controls.",
                     .fix = "Remove it; use docker exec or kubectl exec where it is needed",
                     .tags = "NIST-800-190:4.1.2 CWE-1125 T1021.004 T1133" },
          .on_command = on_remote_shell },
        { .check = { .id = "SK-DOCKER-114",
                     .severity = SEVERITY_HIGH,
                     .title = "RUN --security=insecure",
                     .why = "The build step has the rights of a privileged container on the build host.",
                     .fix = "Remove the flag",
                     .tags = "NIST-800-190:4.4.3 CWE-250 T1611" },
          .on_instruction = on_run_flag,
          .data = flag_security },
        { .check = { .id = "SK-DOCKER-115",
                     .severity = SEVERITY_MEDIUM,
                     .title = "RUN --network=host",
                     .why = "The build step reaches all that listens on the build host.",
                     .fix = "Remove the flag, or use --network=none",
                     .tags = "NIST-800-190:4.4.2 CWE-668" },
          .on_instruction = on_run_flag,
          .data = flag_network },
        { .check = { .id = "SK-DOCKER-116",
                     .severity = SEVERITY_HIGH,
                     .title = "The container engine's socket",
                     .why = "Whoever may write to it can start a privileged container: it is root on the host.",
                     .fix = "Do without it, or put a proxy with a list of permitted calls before it",
                     .tags = "NIST-800-190:4.4.3 CWE-250 T1611 T1610" },
          .on_instruction = on_docker_socket },
        { .check = { .id = "SK-DOCKER-117",
                     .severity = SEVERITY_MEDIUM,
                     .title = "A port for maintenance is exposed",
                     .why = "It is a way to control the container or its host, not a service that it gives.",
                     .fix = "Remove the EXPOSE and what listens there",
                     .tags = "NIST-800-190:4.1.2 CWE-1125 T1133" },
          .on_instruction = on_maintenance_port },
};

const struct lint_table dockerfile_rules_danger = { rules, ARRAY_SIZE(rules) };
