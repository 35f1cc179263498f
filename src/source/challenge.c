/*
 * WWW-Authenticate, RFC 9110 section 11.6.1: a list of challenges, each a scheme with a token68 or with parameters,
 * separated by commas that also separate the parameters. See auth.h.
 */
#include "source/auth.h"

#include "base/cursor.h"

#include <errno.h>
#include <stdio.h>

static bool is_token_char(uint8_t c) { return c > 0x20 && c < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c); }

static int peek(const struct cursor *c) { return cursor_left(c) ? *c->at : -1; }

static void skip_any(struct cursor *c, const char *set)
{
        while (peek(c) > 0 && strchr(set, peek(c)))
                cursor_skip(c, 1);
}

static struct str take_token(struct cursor *c)
{
        size_t n = 0;
        while (n < cursor_left(c) && is_token_char(c->at[n]))
                n++;
        return cursor_bytes(c, n);
}

/* A token or a quoted string, into text of size bytes. False if malformed or too long, or if it holds a control. */
static bool take_value(struct cursor *c, char *text, size_t size)
{
        size_t n = 0;
        if (peek(c) != '"') {
                struct str token = take_token(c);
                if (!token.n || token.n >= size)
                        return false;
                snprintf(text, size, "%.*s", STR_FMT(token));
                return true;
        }
        cursor_skip(c, 1);
        for (;;) {
                int byte = cursor_u8(c);
                if (!cursor_ok(c))
                        return false;
                if (byte == '"')
                        break;
                if (byte == '\\')
                        byte = cursor_u8(c);
                if (byte < 0x20 || byte == 0x7f || n + 1 >= size)
                        return false;
                text[n++] = (char)byte;
        }
        text[n] = 0;
        return true;
}

/* NAME BWS "=" BWS VALUE. False, with the cursor where it was, if no parameter stands here. */
static bool take_parameter(struct cursor *c, struct challenge *to, bool *ret_malformed)
{
        struct cursor at = *c;
        char unused[1024], *value = unused;
        size_t size = sizeof(unused);
        struct str name = take_token(&at);
        skip_any(&at, " \t");
        if (!name.n || peek(&at) != '=')
                return false;
        cursor_skip(&at, 1);
        skip_any(&at, " \t");
        if (to && str_eq_nocase(name, STR("realm"))) {
                value = to->realm;
                size = sizeof(to->realm);
        } else if (to && str_eq_nocase(name, STR("service"))) {
                value = to->service;
                size = sizeof(to->service);
        } else if (to && str_eq_nocase(name, STR("scope"))) {
                value = to->scope;
                size = sizeof(to->scope);
        }
        if (value != unused && value[0])
                *ret_malformed = true; /* a parameter must not occur twice */
        if (!take_value(&at, value, size)) {
                value[0] = 0;
                *ret_malformed = true;
        }
        *c = at;
        return true;
}

/* A token68 ("Negotiate YIIB...==") is stepped over. */
static void skip_token68(struct cursor *c)
{
        struct cursor at = *c;
        size_t n = cursor_left(&at);
        while (cursor_left(&at) && (is_token_char(*at.at) || *at.at == '/'))
                cursor_skip(&at, 1);
        if (cursor_left(&at) == n)
                return;
        skip_any(&at, "=");
        skip_any(&at, " \t");
        if (!cursor_left(&at) || peek(&at) == ',') {
                skip_any(&at, ", \t");
                *c = at;
        }
}

/* The scheme's name was read; the rest of its challenge. False if malformed. */
static bool take_challenge(struct cursor *c, struct challenge *to)
{
        bool malformed = false;
        for (;;) {
                struct cursor before = *c;
                if (!take_parameter(c, to, &malformed)) {
                        *c = before;
                        break;
                }
                skip_any(c, " \t");
                if (peek(c) == ',')
                        skip_any(c, ", \t");
                else if (cursor_left(c))
                        malformed = true;
                if (malformed)
                        break;
        }
        return !malformed;
}

static void note_other(struct challenge *ret, struct str scheme)
{
        size_t n = strlen(ret->other);
        snprintf(ret->other + n, sizeof(ret->other) - n, "%s%.*s", n ? ", " : "", STR_FMT(str_upto(scheme, 40)));
}

int challenge_parse(struct str header, struct challenge *ret)
{
        struct challenge best = { 0 };
        struct cursor c = cursor_from(header);
        bool any = false;
        for (;;) {
                struct challenge one = { 0 };
                skip_any(&c, ", \t");
                struct str scheme = take_token(&c);
                if (!scheme.n)
                        break;
                int next = peek(&c);
                if (next >= 0 && next != ' ' && next != '\t' && next != ',')
                        break;
                if (str_eq_nocase(scheme, STR("Bearer")))
                        one.scheme = CHALLENGE_BEARER;
                else if (str_eq_nocase(scheme, STR("Basic")))
                        one.scheme = CHALLENGE_BASIC;
                else
                        note_other(&best, scheme);
                skip_any(&c, " \t");
                if (next == ',')
                        skip_any(&c, ", \t");
                else
                        skip_token68(&c);
                if (!take_challenge(&c, &one) || (one.scheme == CHALLENGE_BEARER && !one.realm[0])) {
                        if (best.scheme == CHALLENGE_NONE)
                                return -EBADMSG;
                        break;
                }
                any = true;
                if (one.scheme > best.scheme) {
                        memcpy(one.other, best.other, sizeof(one.other));
                        best = one;
                }
        }
        if (!any)
                return -EBADMSG;
        *ret = best;
        return 0;
}
