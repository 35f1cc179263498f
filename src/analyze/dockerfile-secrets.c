/*
 * Dockerfile rules about secrets, by names and places; what values look like is not judged here. No finding shows a
 * value.
 */
#include "analyze/dockerfile-lint.h"
#include "analyze/exposure.h"

#define THE(w) STR_FMT(str_upto((w), 80))

static bool is_placeholder(struct str value)
{
        return !value.n || str_starts(value, STR("/run/secrets/")) || str_starts(value, STR("/var/run/secrets/")) ||
               word_is_one_of(value, "true false 0 1 yes no none null");
}

static void on_variable(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        bool is_arg = i->keyword == DOCKERFILE_ARG;
        for (size_t k = 0; (is_arg || i->keyword == DOCKERFILE_ENV) && k < i->n_pairs; k++) {
                const struct dockerfile_pair *p = &i->pairs[k];
                bool is_empty_arg = is_arg && !p->has_value;
                if (is_secret_name(p->name.text) && (is_empty_arg || !is_placeholder(p->value.value)))
                        (void)lint_hit(l, r, i, p->name.offset, "%s %.*s", is_arg ? "ARG" : "ENV", THE(p->name.text));
        }
}

/* --- credentials in URLs --- */

/* The offset of the user in SCHEME://USER:PASSWORD@HOST with a literal password, or -1. */
static ptrdiff_t url_with_password(struct str s, size_t from)
{
        for (;;) {
                ptrdiff_t found = str_find(str_from(s, from), STR("://"));
                if (found < 0)
                        return -1;
                size_t user = from + (size_t)found + 3, end = user;
                while (end < s.n && !strchr(" \t\"'`/?#<>\n", s.p[end]))
                        end++;
                struct str authority = str_from(str_upto(s, end), user);
                ptrdiff_t at = str_rfind_char(authority, '@'), colon = str_find_char(authority, ':');
                struct str password = at > 0 && colon >= 0 && colon < at
                                              ? str_from(str_upto(authority, (size_t)at), (size_t)colon + 1)
                                              : STR_NONE;
                if (password.n && password.p[0] != '$' && password.p[0] != '<' && password.p[0] != '{')
                        return (ptrdiff_t)user;
                from = end;
        }
}

static void on_url(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        ptrdiff_t at = url_with_password(i->line_text.text, 0);
        if (at >= 0)
                (void)lint_hit(l, r, i, dockerfile_offset(&i->line_text, (size_t)at),
                               "a URL with a user and a password");
        for (size_t k = 0; k < i->n_heredocs; k++) {
                at = url_with_password(i->heredocs[k].body.text, 0);
                if (at >= 0)
                        (void)lint_hit(l, r, i, dockerfile_offset(&i->heredocs[k].body, (size_t)at),
                                       "a URL with a user and a password");
        }
}

/* --- files --- */

static bool is_secret_file(struct str path)
{
        struct str name = str_from(path, (size_t)(str_rfind_char(path, '/') + 1));
        static const char *const ends[] = { ".docker/config.json",
                                            ".aws/credentials",
                                            ".kube/config",
                                            ".config/gcloud",
                                            "_rsa",
                                            "_ed25519",
                                            "_ecdsa",
                                            "_dsa",
                                            ".p12",
                                            ".pfx",
                                            ".jks",
                                            ".keystore",
                                            ".kdbx",
                                            ".ppk",
                                            ".key",
                                            "-key.pem",
                                            "_key.pem",
                                            "privkey.pem",
                                            ".tfstate",
                                            ".vault-token" };
        if (str_starts(name, STR(".env"))) /* .env.example and the like are made to be shared */
                return word_is_one_of(name, ".env .envrc .env.local .env.production .env.prod .env.staging .env.secret "
                                            ".env.development.local .env.production.local");
        if (word_is_one_of(
                    name,
                    ".npmrc .netrc _netrc .pypirc .git-credentials .dockercfg .dockerconfigjson .htpasswd .pgpass "
                    ".my.cnf .s3cfg .boto kubeconfig credentials.json service-account.json "
                    "terraform.tfvars .ssh .aws .gnupg .kube"))
                return true;
        return str_ends_in_nocase(path, ends, ARRAY_SIZE(ends));
}

static void on_file(struct lint *l, const struct lint_rule *r, const struct dockerfile_instruction *i)
{
        if ((i->keyword != DOCKERFILE_COPY && i->keyword != DOCKERFILE_ADD) || dockerfile_flag(i, "from"))
                return;
        for (size_t k = 0; k + 1 < i->n_words; k++) {
                struct str w = i->words[k].value;
                while (w.n > 1 && w.p[w.n - 1] == '/')
                        w.n--;
                if (is_secret_file(w))
                        (void)lint_hit(l, r, i, i->words[k].offset, "%.*s", THE(w));
        }
}

/* --- passwords in commands --- */

static void on_password(struct lint *l, const struct lint_rule *r, const struct command *c)
{
        bool takes_option = command_is(c, "useradd usermod") && (command_has(c, "-p --password"));
        bool reads_passwords = command_is(c, "chpasswd") || (command_is(c, "passwd") && command_has(c, "--stdin"));
        if (takes_option)
                (void)lint_hit_command(l, r, c, &c->argv[0], "%.*s -p", THE(c->name));
        if (!reads_passwords || !c->shell->position)
                return;
        for (const struct command *b = c; b-- > l->commands.v && b->script == c->script;)
                if (b->shell->pipeline == c->shell->pipeline && command_is(b, "echo printf") && b->argc > 1 &&
                    b->argv[b->argc - 1].is_literal) {
                        (void)lint_hit_command(l, r, c, &c->argv[0], "%.*s | %.*s", THE(b->name), THE(c->name));
                        return;
                } else if (b->shell->pipeline != c->shell->pipeline) {
                        return;
                }
}

static const struct lint_rule rules[] = {
        { .check = { .id = "DL3064",
                     .aliases = "SK-DOCKER-064",
                     .severity = SEVERITY_HIGH,
                     .title = "A secret in ARG or ENV, by its name",
                     .why = "ENV stays in the image's configuration, ARG in its history: whoever can pull the image "
                            "reads it.",
                     .fix = "Use RUN --mount=type=secret in the build, and give it at run time otherwise",
                     .tags = "NIST-800-190:4.1.4 CWE-538 CWE-798 T1552.001" },
          .on_instruction = on_variable },
        { .check = { .id = "SK-DOCKER-103",
                     .severity = SEVERITY_HIGH,
                     .title = "A password in a URL",
                     .why = "It stays in the image's history: whoever can pull the image reads it.",
                     .fix = "Use RUN --mount=type=secret, and change that password",
                     .tags = "NIST-800-190:4.1.4 CWE-798 T1552.001" },
          .on_instruction = on_url },
        { .check = { .id = "SK-DOCKER-104",
                     .severity = SEVERITY_HIGH,
                     .title = "A file of secrets is copied into the image",
                     .why = "It stays in its layer even when a later one deletes it: whoever can pull the image reads "
                            "it.",
                     .fix = "Use RUN --mount=type=secret, and name the file in .dockerignore",
                     .tags = "NIST-800-190:4.1.4 CWE-538 T1552.001" },
          .on_instruction = on_file },
        { .check = { .id = "SK-DOCKER-123",
                     .severity = SEVERITY_HIGH,
                     .title = "A password is set in RUN",
                     .why = "It stays in the image's history, and every container has the same one.",
                     .fix = "Do without passwords in images, or set one at run time",
                     .tags = "NIST-800-190:4.1.4 CWE-798 T1552.001 T1078.001" },
          .on_command = on_password },
};

const struct lint_table dockerfile_rules_secrets = { rules, ARRAY_SIZE(rules) };
