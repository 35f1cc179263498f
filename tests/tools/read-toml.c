/* Reads TOML on standard input and prints it as the toml-test project's tagged JSON, for tests/cli/test-toml.py. */
#include "base/fs.h"
#include "read/toml.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static void print_text(struct str s)
{
        putchar('"');
        for (size_t i = 0; i < s.n; i++) {
                unsigned char c = (unsigned char)s.p[i];
                if (c == '"' || c == '\\')
                        printf("\\%c", c);
                else if (c < 0x20 || c == 0x7f)
                        printf("\\u%04x", c);
                else
                        putchar(c);
        }
        putchar('"');
}

static void print_value(const struct toml *v)
{
        static const char *const types[] = { "string", "integer", "float", "bool", "datetime" };
        if (v->type == TOML_ARRAY || v->type == TOML_TABLE) {
                putchar(v->type == TOML_ARRAY ? '[' : '{');
                for (const struct toml_entry *e = v->entries; e; e = e->next) {
                        if (v->type == TOML_TABLE) {
                                print_text(e->key);
                                putchar(':');
                        }
                        print_value(e->value);
                        if (e->next)
                                putchar(',');
                }
                putchar(v->type == TOML_ARRAY ? ']' : '}');
                return;
        }
        printf("{\"type\":\"%s\",\"value\":", types[v->type]);
        if (v->type == TOML_INTEGER)
                printf("\"%lld\"", (long long)v->integer);
        else if (v->type == TOML_FLOAT)
                printf("\"%s%.17g\"",
                       isnan(v->real)     ? ""
                       : signbit(v->real) ? "-"
                                          : "",
                       isnan(v->real) ? NAN : fabs(v->real));
        else if (v->type == TOML_BOOLEAN)
                printf("\"%s\"", v->boolean ? "true" : "false");
        else
                print_text(v->text);
        putchar('}');
}

int main(void)
{
        struct buf b = BUF_INIT(TOML_BYTES_MAX + 1);
        struct arena arena = ARENA_INIT;
        struct error err = ERROR_NONE;
        struct toml *root;
        int r = read_all(STDIN_FILENO, &b);
        if (r == 0)
                r = toml_parse(buf_str(&b), &arena, &root, &err);
        if (r == 0)
                print_value(root);
        else
                fprintf(stderr, "%s\n", err.text);
        putchar('\n');
        arena_done(&arena);
        buf_done(&b);
        return r < 0;
}
