/*
 * Waivers: asked for, approved, ended, each by a record; what they are now is derived. Nothing ends by itself here: a
 * waiver past its expiry does not hold, and whoever notices ends it.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>

const char *waiver_state_name(enum waiver_state s)
{
        static const char *const names[] = { "requested", "active", "ended" };
        return names[s];
}

bool book_waiver_holds(const struct book_waiver *w, int64_t t)
{
        return w->approved && w->approved <= t && t < w->expires && (w->state != WAIVER_ENDED || t < w->ended);
}

bool book_waiver_number(struct str id, uint64_t *ret)
{
        if (str_starts(id, STR("W-")) || str_starts(id, STR("w-")))
                id = str_from(id, 2);
        return str_u64(id, ret) && *ret > 0 && *ret <= INT64_MAX;
}

/* --- reading --- */

#define WAIVER_COLUMNS                                                                                                 \
        "waiver, condition, finding, owner, requester, approver, reason, response, control, digest, repository, "      \
        "package, path, on_fix, on_kev, on_control_gone, on_exposed, on_epss, created, approved, expires, state, "     \
        "ended, ended_by, ended_why"

static void waiver_read(struct query *q, struct arena *arena, struct book_waiver *ret)
{
        *ret = (struct book_waiver){ .id = arena_printf(arena, "W-%lld", (long long)column_number(q)) };
        struct str *const texts[] = {
                &ret->condition,    &ret->finding,          &ret->owner,         &ret->requester,
                &ret->approver,     &ret->reason,           &ret->response,      &ret->control,
                &ret->scope.digest, &ret->scope.repository, &ret->scope.package, &ret->scope.path
        };
        bool *const flags[] = { &ret->ends_on.fix, &ret->ends_on.kev, &ret->ends_on.control_gone,
                                &ret->ends_on.exposed };
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                *texts[i] = column_text(q, arena);
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                *flags[i] = column_number(q) != 0;
        ret->ends_on.epss = (uint64_t)column_number(q);
        ret->created = column_number(q);
        ret->approved = column_number(q);
        ret->expires = column_number(q);
        int64_t state = column_number(q);
        ret->state = state == WAIVER_REQUESTED || state == WAIVER_ACTIVE ? (enum waiver_state)state : WAIVER_ENDED;
        ret->ended = column_number(q);
        ret->ended_by = column_text(q, arena);
        ret->ended_why = column_text(q, arena);
}

static int unknown(struct book *b, struct str id, struct error *err)
{
        return error_set(err, -ENOENT, "ledger %s has no waiver \"%.*s\"", b->path, STR_FMT(id));
}

int book_waiver_get(struct book *b, struct str id, struct arena *arena, struct book_waiver *ret, struct error *err)
{
        uint64_t number;
        if (!book_waiver_number(id, &number))
                return unknown(b, id, err);
        _cleanup_(query_end) struct query q = query_of(b, "SELECT " WAIVER_COLUMNS " FROM waiver WHERE waiver = ?");
        query_number(&q, (int64_t)number);
        int r = query_next(&q, err);
        if (r == 0)
                return unknown(b, id, err);
        if (r > 0)
                waiver_read(&q, arena, ret);
        return r < 0 ? r : 0;
}

VEC_TYPE(waiver_vec, struct book_waiver);

static int list_waivers(struct book *b, bool at, int64_t t, struct arena *arena, struct book_waiver_list *ret,
                        struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT " WAIVER_COLUMNS " FROM waiver ORDER BY waiver");
        struct waiver_vec found = { 0 };
        int r;
        while ((r = query_next(&q, err)) > 0) {
                struct book_waiver w;
                waiver_read(&q, arena, &w);
                if (!at || book_waiver_holds(&w, t))
                        *vec_push(&found) = w;
        }
        ret->v = arena_array(arena, found.n, sizeof(*ret->v));
        ret->n = found.n;
        if (found.n)
                memcpy(ret->v, found.v, found.n * sizeof(*ret->v));
        vec_done(&found);
        return r;
}

int book_waivers(struct book *b, struct arena *arena, struct book_waiver_list *ret, struct error *err)
{
        return list_waivers(b, false, 0, arena, ret, err);
}

int book_waivers_at(struct book *b, int64_t t, struct arena *arena, struct book_waiver_list *ret, struct error *err)
{
        return list_waivers(b, true, t, arena, ret, err);
}

/* --- asking for one --- */

static const char *missing_of(const struct book_waiver *w, int64_t now)
{
        static const char *const responses[] = { "update", "replace", "mitigate", "accept" };
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_SIZE(responses); i++)
                is_known = is_known || str_is(w->response, responses[i]);
        if (!w->condition.n && !w->finding.n)
                return "needs a condition or a finding: what is waived?";
        if (!w->owner.n)
                return "needs an owner: who answers for it?";
        if (!w->reason.n)
                return "needs a reason";
        if (!is_known)
                return "needs a response: update, replace, mitigate or accept";
        if (str_is(w->response, "mitigate") && !w->control.n)
                return "needs the control that mitigates, like waf:9301";
        if (!w->expires)
                return "needs an expiry";
        if (w->expires <= now)
                return "would expire before it begins";
        return NULL;
}

static const char *unusable_text_of(const struct book_waiver *w)
{
        const struct str *const texts[] = { &w->condition,        &w->finding,       &w->owner,
                                            &w->reason,           &w->control,       &w->scope.digest,
                                            &w->scope.repository, &w->scope.package, &w->scope.path };
        const char *words = NULL;
        struct arena arena = ARENA_INIT;
        for (size_t i = 0; i < ARRAY_SIZE(texts) && !words; i++) {
                if (texts[i]->n > BOOK_TEXT_MAX)
                        words = "has a text beyond 64 KiB";
                else if (!str_eq(body_clean(*texts[i], &arena), *texts[i]))
                        words = "has a text that is not UTF-8";
        }
        arena_done(&arena);
        return words;
}

static json_t *request_body(const struct book_waiver *w)
{
        json_t *o = json_object(), *scope = json_object(), *ends = json_object();
        body_put(o, "condition", w->condition);
        body_put(o, "finding", w->finding);
        body_put(o, "owner", w->owner);
        body_put(o, "reason", w->reason);
        body_put(o, "response", w->response);
        body_put(o, "control", w->control);
        body_put_number(o, "expires", w->expires);
        body_put(scope, "digest", w->scope.digest);
        body_put(scope, "repository", w->scope.repository);
        body_put(scope, "package", w->scope.package);
        body_put(scope, "path", w->scope.path);
        body_put_true(ends, "fix", w->ends_on.fix);
        body_put_true(ends, "kev", w->ends_on.kev);
        body_put_true(ends, "control_gone", w->ends_on.control_gone);
        body_put_true(ends, "exposed", w->ends_on.exposed);
        body_put_number(ends, "epss", (int64_t)w->ends_on.epss);
        json_object_set_new(o, "scope", scope);
        json_object_set_new(o, "ends_on", ends);
        return o;
}

static int request(struct book *b, const struct book_stamp *stamp, const struct book_waiver *w,
                   char ret_id[static WAIVER_ID_MAX], struct error *err)
{
        const char *words = missing_of(w, stamp->now);
        int64_t number = 0;
        if (!words)
                words = unusable_text_of(w);
        if (words)
                return error_set(err, -EINVAL, "the waiver %s", words);
        int r = sql_number(b, "SELECT coalesce(max(waiver), 0) + 1 FROM waiver", &number, err);
        if (r < 0)
                return r;
        snprintf(ret_id, WAIVER_ID_MAX, "W-%lld", (long long)number);
        return record_append(b, stamp, RECORD_WAIVER_REQUESTED, str_of(ret_id), request_body(w), NULL, NULL, err);
}

int book_waiver_request(struct book *b, const struct book_stamp *stamp, const struct book_waiver *w,
                        char ret_id[static WAIVER_ID_MAX], struct error *err)
{
        int r = write_begin(b, err);
        return r < 0 ? r : write_end(b, request(b, stamp, w, ret_id, err), err);
}

/* --- what becomes of it --- */

static int approve(struct book *b, const struct book_stamp *stamp, struct str id, bool must_differ, struct error *err)
{
        struct arena arena = ARENA_INIT;
        struct book_waiver w;
        int r = book_waiver_get(b, id, &arena, &w, err);
        if (r == 0 && w.state != WAIVER_REQUESTED)
                r = error_set(err, -EINVAL, "waiver %.*s is %s already", STR_FMT(w.id), waiver_state_name(w.state));
        else if (r == 0 && w.expires <= stamp->now)
                r = error_set(err, -EINVAL, "waiver %.*s has expired while nobody approved it: ask for a new one",
                              STR_FMT(w.id));
        else if (r == 0 && must_differ && str_eq_nocase(w.requester, stamp->actor))
                r = error_set(err, -EINVAL,
                              "waiver %.*s was asked for by %.*s: the policy wants another person to approve it",
                              STR_FMT(w.id), STR_FMT(w.requester));
        if (r == 0)
                r = record_append(b, stamp, RECORD_WAIVER_APPROVED, w.id, json_object(), NULL, NULL, err);
        arena_done(&arena);
        return r;
}

int book_waiver_approve(struct book *b, const struct book_stamp *stamp, struct str id, bool must_differ,
                        struct error *err)
{
        int r = write_begin(b, err);
        return r < 0 ? r : write_end(b, approve(b, stamp, id, must_differ, err), err);
}

int book_waiver_accept(struct book *b, const struct book_stamp *stamp, const struct book_waiver *w,
                       char ret_id[static WAIVER_ID_MAX], struct error *err)
{
        int r = write_begin(b, err);
        if (r < 0)
                return r;
        r = request(b, stamp, w, ret_id, err);
        if (r == 0)
                r = approve(b, stamp, str_of(ret_id), false, err);
        return write_end(b, r, err);
}

static int end(struct book *b, const struct book_stamp *stamp, struct str id, struct str why, struct error *err)
{
        struct arena arena = ARENA_INIT;
        struct book_waiver w;
        int r = book_waiver_get(b, id, &arena, &w, err);
        if (r == 0 && w.state == WAIVER_ENDED)
                r = error_set(err, -EINVAL, "waiver %.*s has ended already: %.*s", STR_FMT(w.id), STR_FMT(w.ended_why));
        else if (r == 0 && !why.n)
                r = error_set(err, -EINVAL, "why does waiver %.*s end?", STR_FMT(w.id));
        if (r == 0) {
                json_t *o = json_object();
                body_put(o, "why", why);
                r = record_append(b, stamp, RECORD_WAIVER_ENDED, w.id, o, NULL, NULL, err);
        }
        arena_done(&arena);
        return r;
}

int book_waiver_end(struct book *b, const struct book_stamp *stamp, struct str id, struct str why, struct error *err)
{
        int r = write_begin(b, err);
        return r < 0 ? r : write_end(b, end(b, stamp, id, why, err), err);
}
