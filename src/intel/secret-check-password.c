/*
 * Checks of what people choose: whether a value that stands where a password would is one, or a variable, a word of
 * documentation, or code. See secret-rule.h.
 */
#include "intel/secret-rule.h"
#include "read/base64.h"

#include <stdio.h>

#define DECODED_MAX (8u << 10)

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Words that documentation and code put where the secret would stand. */
static bool is_stand_in(struct str s)
{
        static const char *const words[] = {
                "password",  "passwd",        "passw0rd",   "pass",         "pwd",           "pw",
                "secret",    "token",         "user",       "username",     "none",          "null",
                "true",      "false",         "nil",        "undefined",    "empty",         "string",
                "xxx",       "xxxx",          "xxxxx",      "xxxxxx",       "yyy",           "foo",
                "bar",       "baz",           "test",       "required",     "optional",      "prompt",
                "disabled",  "enabled",       "default",    "hidden",       "credentials",   "key",
                "mypass",    "mypassword",    "mysecret",   "userpass",     "user_password", "s3cr3t",
                "sekret",    "pswd",          "port",       "hunter2",      "abc123",        "repopwd",
                "xyzzy",     "passwort",      "motdepasse", "yourpassword", "my-password",   "my_password",
                "proxypass", "proxypassword",
        };
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (str_eq_nocase(s, str_of(words[i])))
                        return true;
        return false;
}

/* Variables and forms of templates: $X, ${X}, {{x}}, %s, <x>, *** and ... */
static bool is_template(struct str s)
{
        bool is_masked = true;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                if (c == '$' || c == '{' || c == '}' || c == '<' || c == '>' || c == '`')
                        return true;
                if (c == '%' && !(i + 2 < s.n && s.p[i + 1] >= '0' && s.p[i + 1] <= '9')) /* not %40 */
                        return true;
                is_masked = is_masked && (c == '*' || c == '.' || c == '-' || c == '_' || c == '#' || c == 'x' ||
                                          c == 'X' || c == '?');
        }
        return is_masked;
}

/* Whether the host that follows the password is one of those kept for documentation (RFC 2606), or a word for it. */
static bool is_example_host(const struct secret_match *m)
{
        size_t end = (size_t)(m->value.p + m->value.n - m->text.p);
        struct str host = str_upto(str_from(m->text, end), 80);
        size_t n = 0;
        while (n < host.n && (is_letter(host.p[n]) || is_digit(host.p[n]) || strchr("@.-_", host.p[n])))
                n++;
        host = str_upto(host, n);
        return n && host.p[0] == '@' &&
               (str_find(host, STR("example")) >= 0 || str_ends(host, STR(".invalid")) || str_is(host, "@host") ||
                str_is(host, "@hostname") || str_is(host, "@server") || str_starts(host, STR("@foo")) ||
                str_starts(host, STR("@bar")) || str_starts(host, STR("@proxy.com")));
}

void secret_check_url_password(struct secret_match *m)
{
        m->is_none = is_stand_in(m->value) || is_template(m->value) || is_example_host(m);
}

static bool is_printable(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\n' && s.p[i] != '\r' && s.p[i] != '\t')
                        return false;
        return s.n != 0;
}

/* The text that the value stands for in base 64; false if it is none. */
static bool decoded(const struct secret_match *m, struct buf *to)
{
        return base64_decode(m->value, to) && is_printable(buf_str(to));
}

void secret_check_user_colon(struct secret_match *m)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(DECODED_MAX);
        if (!decoded(m, &b)) {
                m->is_none = true;
                return;
        }
        struct str password = buf_str(&b), user = str_cut(&password, ':');
        bool is_example = str_is(user, "s6BhdRkqt3") || str_is(user, "Aladdin"); /* RFC 6749, RFC 7617 */
        m->is_none = !user.n || !password.n || is_example || is_stand_in(password) || is_template(password) ||
                     secret_is_placeholder(password);
        if (!m->is_none)
                m->validity = VALIDITY_VALID;
}

void secret_check_base64_text(struct secret_match *m)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(DECODED_MAX);
        m->is_none = !decoded(m, &b) || is_stand_in(str_trim(buf_str(&b))) || is_template(buf_str(&b)) ||
                     secret_is_placeholder(buf_str(&b));
        if (!m->is_none)
                m->validity = VALIDITY_VALID;
}

/* Text that has the variety of a secret and does not look like a name, a path, a number or a call. */
void secret_check_assigned(struct secret_match *m)
{
        struct str s = m->value;
        bool letters = false, others = false;
        size_t hyphens = 0, digits = 0;
        for (size_t i = 0; i < s.n; i++) {
                letters = letters || is_letter(s.p[i]);
                digits += is_digit(s.p[i]);
                hyphens += s.p[i] == '-' || s.p[i] == '_' || s.p[i] == '.';
                others = others || !(is_letter(s.p[i]) || is_digit(s.p[i]) || strchr("-_./ :", s.p[i]));
        }
        bool is_path = s.p[0] == '/' || s.p[0] == '.' || str_find(s, STR("://")) >= 0 || str_find(s, STR("/")) >= 0;
        /* words joined: a name, a version, a host; a type of a program has a digit at most */
        bool is_name = !others && (hyphens * 8 >= s.n || (s.n >= 16 && digits < 2 && secret_entropy(s) < 40));
        m->is_none = is_stand_in(s) || is_template(s) || !letters || !(digits || others) || (is_path && !others) ||
                     is_name || secret_is_placeholder(s);
}
