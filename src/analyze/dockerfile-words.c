/* What Dockerfile rules ask about commands, mounts and image names; see dockerfile-lint.h. */
#include "analyze/dockerfile-lint.h"

bool word_is_one_of(struct str word, const char *words)
{
        struct str rest = str_of(words);
        while (word.n && rest.p)
                if (str_eq(str_cut(&rest, ' '), word))
                        return true;
        return false;
}

bool command_is(const struct command *c, const char *names) { return word_is_one_of(c->name, names); }

bool command_has(const struct command *c, const char *words)
{
        for (size_t k = 1; k < c->argc; k++) {
                struct str word = c->argv[k].value, name = word;
                if (str_starts(word, STR("--")))
                        name = str_cut(&word, '=');
                if (word_is_one_of(name, words))
                        return true;
        }
        return false;
}

bool command_has_letter(const struct command *c, char letter)
{
        for (size_t k = 1; k < c->argc; k++) {
                struct str w = c->argv[k].value;
                if (w.n > 1 && w.p[0] == '-' && w.p[1] != '-' && str_find_char(w, '=') < 0 &&
                    str_find_char(w, letter) > 0)
                        return true;
        }
        return false;
}

size_t command_next_operand(const struct command *c, const char *valued, size_t k)
{
        bool only_operands = false;
        for (k++; k < c->argc; k++) {
                struct str w = c->argv[k].value;
                if (str_is(w, "--") && !only_operands)
                        only_operands = true;
                else if (only_operands || !str_starts(w, STR("-")) || w.n == 1)
                        return k;
                else if (word_is_one_of(w, valued))
                        k++;
        }
        return 0;
}

size_t command_subcommand(const struct command *c, const char *valued, const char *names)
{
        size_t k = command_next_operand(c, valued, 0);
        return k && word_is_one_of(c->argv[k].value, names) ? k : 0;
}

/* The value of key= in the fields of a --mount, which commas separate. */
static struct str mount_field(struct str mount, const char *key)
{
        while (mount.p) {
                struct str value = str_cut(&mount, ','), name = str_cut(&value, '=');
                if (str_is(str_trim(name), key))
                        return value;
        }
        return STR_NONE;
}

bool lint_has_cache(const struct dockerfile_instruction *i, const char *path)
{
        for (size_t k = 0; k < i->n_flags; k++) {
                struct str mount = i->flags[k].value.value, type = mount_field(mount, "type"), target = STR_NONE;
                static const char *const names[] = { "target", "dst", "destination" };
                if (!str_is(i->flags[k].name.value, "mount") || !(str_is(type, "cache") || str_is(type, "tmpfs")))
                        continue;
                for (size_t n = 0; n < ARRAY_SIZE(names) && !target.n; n++)
                        target = mount_field(mount, names[n]);
                while (target.n > 1 && target.p[target.n - 1] == '/')
                        target.n--;
                struct str p = str_of(path);
                if (target.n && str_starts(p, target) && (p.n == target.n || p.p[target.n] == '/'))
                        return true;
                if (target.n && str_starts(target, p)) /* a cache within it: apt's archives, pip's wheels */
                        return true;
        }
        return false;
}

struct image_name image_name_of(struct str reference)
{
        struct image_name n = { .registry = STR("docker.io") };
        ptrdiff_t at = str_find_char(reference, '@');
        if (at >= 0) {
                n.digest = str_from(reference, (size_t)at + 1);
                reference = str_upto(reference, (size_t)at);
        }
        ptrdiff_t slash = str_find_char(reference, '/');
        struct str first = slash > 0 ? str_upto(reference, (size_t)slash) : STR_NONE;
        bool has_registry = first.n && (str_find_char(first, '.') >= 0 || str_find_char(first, ':') >= 0 ||
                                        str_is(first, "localhost"));
        if (has_registry) {
                n.registry = first;
                reference = str_from(reference, (size_t)slash + 1);
        }
        ptrdiff_t colon = str_rfind_char(reference, ':');
        if (colon >= 0 && str_rfind_char(reference, '/') < colon) {
                n.tag = str_from(reference, (size_t)colon + 1);
                reference = str_upto(reference, (size_t)colon);
        }
        n.name = reference;
        return n;
}

bool is_external_image(const struct lint *l, const struct dockerfile_word *w, size_t before_stage)
{
        return w->value.n && !str_is(w->value, "scratch") && !str_starts(w->value, STR("$")) &&
               dockerfile_stage_named(l->d, w->value, before_stage) == DOCKERFILE_NONE;
}
