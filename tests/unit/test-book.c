/* store/: what is recorded, and what follows from it: artefacts, tags, findings over time, waivers, history, stock. */
#include "book-fixture.h"

/* --- scans --- */

static void test_scan_once_and_again(void **state)
{
        (void)state;
        struct shelf s;
        struct book_scan_outcome o;
        struct book_status status;
        shelf_begin(&s);
        ok(&s, scan_numbered(&s, 1, 30, 1, 6, T0, &o));
        assert_int_equal(o.sequence, 1);
        assert_false(o.is_known);
        assert_false(o.is_same);
        assert_int_equal(o.n_new, 6);
        ok(&s, book_status(s.b, &status, &s.err));
        uint64_t size = status.size_bytes;
        ok(&s, scan_numbered(&s, 1, 30, 1, 6, T0 + DAY, &o));
        assert_int_equal(o.sequence, 2);
        assert_true(o.is_known);
        assert_true(o.is_same);
        assert_int_equal(o.n_new + o.n_gone, 0);
        ok(&s, book_status(s.b, &status, &s.err));
        assert_int_equal(status.records, 2);
        assert_int_equal(status.artefacts, 1);
        assert_int_equal(status.package_lists, 1);
        assert_int_equal(status.size_bytes, size); /* it fits into the page that is there */
        ok(&s, scan_numbered(&s, 1, 30, 3, 6, T0 + 2 * DAY, &o));
        assert_false(o.is_same);
        assert_int_equal(o.n_new, 6); /* other ids at the same packages */
        assert_int_equal(o.n_gone, 6);
        whole(&s);
        shelf_end(&s);
}

static void test_order_does_not_matter(void **state)
{
        (void)state;
        struct shelf s;
        struct book_scan_outcome o;
        shelf_begin(&s);
        struct book_package p[3] = { { .p = { .type = STR("deb"), .name = STR("a"), .version = STR("1") } },
                                     { .p = { .type = STR("deb"), .name = STR("b"), .version = STR("1") } },
                                     { .p = { .type = STR("deb"), .name = STR("c"), .version = STR("1") } } };
        struct book_scan scan = { .artefact = { .kind = STR("dir"), .name = STR("/srv"), .host = STR("h") },
                                  .packages = p,
                                  .n_packages = 3 };
        ok(&s, book_add_scan(s.b, STAMP("x", T0), &scan, &o, &s.err));
        struct book_package q[4] = { p[2], p[0], p[1], p[0] }; /* another order, one twice */
        scan.packages = q;
        scan.n_packages = 4;
        ok(&s, book_add_scan(s.b, STAMP("x", T0), &scan, &o, &s.err));
        assert_true(o.is_same);
        q[3].origin = STR("base");
        ok(&s, book_add_scan(s.b, STAMP("x", T0), &scan, &o, &s.err));
        assert_false(o.is_same);
        shelf_end(&s);
}

static void test_fields_are_apart(void **state)
{
        (void)state;
        struct shelf s;
        struct book_scan_outcome o;
        shelf_begin(&s);
        struct book_package p = { .p = { .name = STR("ab"), .version = STR("c") } };
        struct book_scan scan = { .artefact = { .digest = STR("sha256:1"), .kind = STR("dir") },
                                  .packages = &p,
                                  .n_packages = 1 };
        ok(&s, book_add_scan(s.b, STAMP("x", T0), &scan, &o, &s.err));
        p.p = (struct fact_package){ .name = STR("a"), .version = STR("bc") };
        ok(&s, book_add_scan(s.b, STAMP("x", T0), &scan, &o, &s.err));
        assert_false(o.is_same);
        shelf_end(&s);
}

static void test_hostile_text(void **state)
{
        (void)state;
        struct shelf s;
        struct book_scan_outcome o;
        shelf_begin(&s);
        struct str longer = arena_str(&s.arena, STR("x"));
        char *much = arena_alloc(&s.arena, BOOK_TEXT_MAX + 10);
        memset(much, 0xc3, BOOK_TEXT_MAX + 10); /* every second byte of a character is missing */
        (void)longer;
        struct book_package p = { .p = { .type = STR("deb"),
                                         .name = STR("a\0b\xff\"\\\n'; DROP TABLE record; --"),
                                         .version = str_span(much, BOOK_TEXT_MAX + 10) } };
        struct str tags[] = { STR("ev\xc0il\0:1"), STR("") };
        struct book_scan scan = {
                .artefact = { .digest = STR("sha256:\xfe\xff"), .kind = STR("k"), .tags = { tags, 2 } },
                .os = { .id = STR("\xff"), .version = STR("\x1b[2J") },
                .packages = &p,
                .n_packages = 1
        };
        struct book_inventory inventory;
        struct fact_package *kept;
        struct fact_os os;
        size_t n;
        ok(&s, book_add_scan(s.b, STAMP("m\xe4llory", T0), &scan, &o, &s.err));
        ok(&s, book_inventory(s.b, &s.arena, &inventory, &s.err));
        assert_int_equal(inventory.n, 1);
        assert_true(str_is(inventory.v[0].key, "sha256:\xef\xbf\xbd\xef\xbf\xbd"));
        ok(&s, book_packages(s.b, inventory.v[0].key, &s.arena, &os, &kept, &n, &s.err));
        assert_int_equal(n, 1);
        assert_true(str_is(kept->name, "a\xef\xbf\xbd"
                                       "b\xef\xbf\xbd\"\\\n'; DROP TABLE record; --"));
        assert_true(kept->version.n <= 3 * BOOK_TEXT_MAX);
        assert_true(str_is(os.version, "\x1b[2J"));
        whole(&s);
        shelf_end(&s);
}

static void test_refused(void **state)
{
        (void)state;
        struct shelf s;
        struct book_scan_outcome o;
        struct book_scan scan = { .artefact = { .kind = STR("dir") } };
        shelf_begin(&s);
        assert_int_equal(book_add_scan(s.b, STAMP("x", T0), &scan, &o, &s.err), -EINVAL);
        says(&s, "an artefact needs a digest");
        scan.artefact.name = STR("/srv");
        assert_int_equal(book_add_scan(s.b, STAMP("", T0), &scan, &o, &s.err), -EINVAL);
        says(&s, "somebody who made it");
        struct book_status status;
        ok(&s, book_status(s.b, &status, &s.err));
        assert_int_equal(status.records, 0);
        assert_int_equal(status.artefacts, 0);
        shelf_close(&s);
        shelf_open(&s, BOOK_READ);
        assert_int_equal(book_add_scan(s.b, STAMP("x", T0), &scan, &o, &s.err), -EROFS);
        says(&s, "read only");
        shelf_end(&s);
}

/* --- over time --- */

static const struct book_item *item_of(const struct book_inventory *i, struct str key)
{
        for (size_t k = 0; k < i->n; k++)
                if (str_eq(i->v[k].key, key))
                        return &i->v[k];
        fail_msg("no item %.*s", STR_FMT(key));
        return NULL;
}

static void test_inventory(void **state)
{
        (void)state;
        struct shelf s;
        struct book_inventory inventory;
        shelf_begin(&s);
        fill(&s);
        ok(&s, book_inventory(s.b, &s.arena, &inventory, &s.err));
        assert_int_equal(inventory.n, 2);
        assert_true(inventory.v[0].last >= inventory.v[1].last);
        const struct book_item *one = item_of(&inventory, digest_numbered(&s, 1)),
                               *two = item_of(&inventory, digest_numbered(&s, 2));
        assert_int_equal(one->first, T0);
        assert_int_equal(one->last, T0 + 70); /* not T0 + 5, which came later */
        assert_int_equal(one->n_scans, 3);
        assert_int_equal(one->n_packages, 20);
        assert_int_equal(one->n_findings, 6);
        assert_int_equal(one->n_fixable, 3);
        assert_true(str_is(one->os, "debian 12"));
        assert_true(str_is(one->verdict, "deny"));
        assert_int_equal(one->n_tags, 1);
        assert_true(one->tags[0].is_current);
        assert_true(str_is(one->tags[0].reference, "registry.example/app-1:1"));
        assert_int_equal(one->n_places, 1);
        assert_int_equal(two->n_places, 2);
        assert_true(str_is(two->places[1].container, "c0ffee"));
        assert_int_equal(two->last, T0 + 50);
        assert_int_equal(two->n_scans, 1);
        assert_true(str_is(two->artefact.kind, "podman")); /* as last seen */
        assert_true(str_is(two->artefact.name, "app-2"));
        assert_true(str_is(two->artefact.target, "registry.example/app-2:1")); /* the sighting did not say */
        shelf_end(&s);
}

static void test_tag_moves(void **state)
{
        (void)state;
        struct shelf s;
        struct book_inventory inventory;
        struct str tag = STR("registry.example/app:latest");
        shelf_begin(&s);
        for (unsigned i = 0; i < 3; i++) { /* to 1, to 2, back to 1 */
                struct book_artefact a = { .digest = digest_numbered(&s, 1 + i % 2),
                                           .kind = STR("registry"),
                                           .tags = { &tag, 1 } };
                ok(&s, book_add_observation(s.b, STAMP("poll", T0 + i * DAY), &a, NULL, &s.err));
                ok(&s, book_inventory(s.b, &s.arena, &inventory, &s.err));
                size_t current = 0;
                for (size_t k = 0; k < inventory.n; k++)
                        for (size_t t = 0; t < inventory.v[k].n_tags; t++)
                                current += inventory.v[k].tags[t].is_current;
                assert_int_equal(current, 1);
                assert_true(item_of(&inventory, a.digest)->tags[0].is_current);
        }
        assert_int_equal(item_of(&inventory, digest_numbered(&s, 1))->tags[0].first, T0);
        assert_int_equal(item_of(&inventory, digest_numbered(&s, 1))->tags[0].last, T0 + 2 * DAY);
        struct book_artefact other = {
                .digest = digest_numbered(&s, 3), .kind = STR("podman"), .host = STR("h"), .tags = { &tag, 1 }
        };
        ok(&s, book_add_observation(s.b, STAMP("agent", T0), &other, NULL, &s.err));
        ok(&s, book_inventory(s.b, &s.arena, &inventory, &s.err));
        /* another host's idea of the name moves nobody else's */
        assert_true(item_of(&inventory, digest_numbered(&s, 1))->tags[0].is_current);
        shelf_end(&s);
}

static void test_sightings(void **state)
{
        (void)state;
        struct shelf s;
        struct book_sighting *seen;
        size_t n, open = 0;
        int64_t first;
        shelf_begin(&s);
        ok(&s, scan_numbered(&s, 1, 10, 1, 2, T0, NULL));           /* 1 2 */
        ok(&s, scan_numbered(&s, 1, 10, 1, 1, T0 + DAY, NULL));     /* 1 */
        ok(&s, scan_numbered(&s, 1, 10, 1, 1, T0 + 2 * DAY, NULL)); /* 1: nothing is new */
        ok(&s, book_sightings(s.b, digest_numbered(&s, 1), &s.arena, &seen, &n, &s.err));
        assert_int_equal(n, 2);
        assert_true(seen[0].is_open);
        assert_int_equal(seen[0].first, T0);
        assert_int_equal(seen[0].last, T0 + 2 * DAY);
        assert_false(seen[1].is_open);
        assert_true(str_is(seen[1].finding.id, "CVE-2026-0002"));
        assert_int_equal(seen[1].last, T0);
        ok(&s, scan_numbered(&s, 1, 10, 1, 2, T0 + 3 * DAY, NULL)); /* 2 is back */
        ok(&s, scan_numbered(&s, 1, 10, 1, 0, T0 + 4 * DAY, NULL)); /* none */
        ok(&s, book_sightings(s.b, digest_numbered(&s, 1), &s.arena, &seen, &n, &s.err));
        for (size_t i = 0; i < n; i++) {
                open += seen[i].is_open;
                assert_int_equal(seen[i].first, T0);
                assert_int_equal(seen[i].last, T0 + 3 * DAY);
        }
        assert_int_equal(n, 2);
        assert_int_equal(open, 0);
        ok(&s, book_first_seen(s.b, STR("CVE-2026-0002"), &first, &s.err));
        assert_int_equal(first, T0);
        ok(&s, book_first_seen(s.b, STR("CVE-1999-0001"), &first, &s.err));
        assert_int_equal(first, 0);
        assert_int_equal(book_sightings(s.b, STR("sha256:none"), &s.arena, &seen, &n, &s.err), -ENOENT);
        shelf_end(&s);
}

static void test_clock_set_back(void **state)
{
        (void)state;
        struct shelf s;
        struct book_record r;
        struct book_status status;
        int64_t newest;
        shelf_begin(&s);
        ok(&s, book_newest_time(s.b, &newest, &s.err));
        assert_int_equal(newest, 0);
        fill(&s);
        ok(&s, book_record(s.b, FILLED, &s.arena, &r, &s.err));
        assert_int_equal(r.time, T0 + 5);
        assert_int_equal(r.behind, 75);
        ok(&s, book_newest_time(s.b, &newest, &s.err));
        assert_int_equal(newest, T0 + 80);
        ok(&s, book_status(s.b, &status, &s.err));
        assert_int_equal(status.behind, 1);
        assert_int_equal(status.records, FILLED);
        assert_int_equal(book_record(s.b, FILLED + 1, &s.arena, &r, &s.err), -ENOENT);
        whole(&s);
        shelf_end(&s);
}

/* --- waivers --- */

static void test_waiver_life(void **state)
{
        (void)state;
        struct shelf s;
        struct book_waiver w = waiver_for("CVE-2026-0001"), got;
        struct book_waiver_list all;
        char id[WAIVER_ID_MAX];
        shelf_begin(&s);
        ok(&s, book_waiver_request(s.b, STAMP("bob", T0), &w, id, &s.err));
        assert_string_equal(id, "W-1");
        ok(&s, book_waiver_get(s.b, STR("w-1"), &s.arena, &got, &s.err));
        assert_int_equal(got.state, WAIVER_REQUESTED);
        assert_true(str_is(got.requester, "bob") && str_is(got.finding, "CVE-2026-0001") && got.ends_on.fix);
        assert_true(str_eq(got.scope.repository, w.scope.repository) && !got.scope.digest.n && !got.ends_on.exposed);
        assert_int_equal(got.ends_on.epss, 10000);
        assert_false(book_waiver_holds(&got, T0 + 1));
        assert_int_equal(book_waiver_approve(s.b, STAMP("Bob", T0 + 1), STR("W-1"), true, &s.err), -EINVAL);
        says(&s, "another person");
        ok(&s, book_waiver_approve(s.b, STAMP("alice", T0 + 10), STR("1"), true, &s.err));
        assert_int_equal(book_waiver_approve(s.b, STAMP("alice", T0 + 10), STR("W-1"), false, &s.err), -EINVAL);
        says(&s, "active already");
        static const struct {
                int64_t at;
                size_t n;
        } moments[] = { { T0, 0 }, { T0 + 9, 0 }, { T0 + 10, 1 }, { T0 + 30 * DAY - 1, 1 }, { T0 + 30 * DAY, 0 } };
        for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
                ok(&s, book_waivers_at(s.b, moments[i].at, &s.arena, &all, &s.err));
                assert_int_equal(all.n, moments[i].n);
        }
        ok(&s, book_waiver_end(s.b, STAMP("sweep", T0 + DAY), STR("W-1"), STR("fix 1.2"), &s.err));
        ok(&s, book_waivers_at(s.b, T0 + DAY, &s.arena, &all, &s.err));
        assert_int_equal(all.n, 0);
        ok(&s, book_waivers_at(s.b, T0 + DAY - 1, &s.arena, &all, &s.err)); /* it held then, and that is remembered */
        assert_int_equal(all.n, 1);
        assert_true(str_is(all.v[0].approver, "alice") && str_is(all.v[0].ended_why, "fix 1.2"));
        assert_int_equal(book_waiver_end(s.b, STAMP("sweep", T0), STR("W-1"), STR("kev"), &s.err), -EINVAL);
        says(&s, "has ended already: fix 1.2");
        ok(&s, book_waiver_accept(s.b, STAMP("carol", T0 + DAY), &w, id, &s.err));
        assert_string_equal(id, "W-2");
        ok(&s, book_waivers(s.b, &s.arena, &all, &s.err));
        assert_int_equal(all.n, 2);
        assert_int_equal(all.v[1].state, WAIVER_ACTIVE);
        whole(&s);
        shelf_end(&s);
}

static void test_waiver_refused(void **state)
{
        (void)state;
        struct shelf s;
        struct book_waiver_list all;
        char id[WAIVER_ID_MAX];
        const struct book_waiver good = { .finding = STR("CVE-1"),
                                          .owner = STR("a"),
                                          .reason = STR("r"),
                                          .response = STR("accept"),
                                          .expires = T0 + 1 };
        struct {
                const char *words;
                struct book_waiver w;
        } bad[] = {
                { "condition or a finding", good },
                { "an owner", good },
                { "a reason", good },
                { "a response", good },
                { "the control", good },
                { "an expiry", good },
                { "before it begins", good },
                { "not UTF-8", good },
        };
        bad[0].w.finding = bad[1].w.owner = bad[2].w.reason = STR_NONE;
        bad[3].w.response = STR("ignore");
        bad[4].w.response = STR("mitigate");
        bad[5].w.expires = 0;
        bad[6].w.expires = T0;
        bad[7].w.reason = STR("\xff");
        shelf_begin(&s);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                assert_int_equal(book_waiver_request(s.b, STAMP("bob", T0), &bad[i].w, id, &s.err), -EINVAL);
                says(&s, bad[i].words);
                assert_int_equal(book_waiver_accept(s.b, STAMP("bob", T0), &bad[i].w, id, &s.err), -EINVAL);
        }
        struct book_waiver w = good;
        char *much = arena_alloc(&s.arena, BOOK_TEXT_MAX + 1);
        memset(much, 'x', BOOK_TEXT_MAX + 1);
        w.condition = str_span(much, BOOK_TEXT_MAX + 1);
        assert_int_equal(book_waiver_request(s.b, STAMP("bob", T0), &w, id, &s.err), -EINVAL);
        says(&s, "64 KiB");
        w.condition.n--;
        ok(&s, book_waiver_request(s.b, STAMP("bob", T0), &w, id, &s.err));
        assert_int_equal(book_waiver_approve(s.b, STAMP("al", T0 + 1), STR("W-1"), false, &s.err), -EINVAL);
        says(&s, "has expired");
        static const char *const unknown[] = { "W-2", "W-0", "W-", "", "W-99999999999999999999", "seven" };
        for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
                assert_int_equal(book_waiver_end(s.b, STAMP("x", T0), str_of(unknown[i]), STR("y"), &s.err), -ENOENT);
        ok(&s, book_waivers(s.b, &s.arena, &all, &s.err));
        assert_int_equal(all.n, 1);
        whole(&s);
        shelf_end(&s);
}

/* --- finding and telling --- */

static size_t found(struct shelf *s, const char *what, int wanted)
{
        struct book_found f;
        s->err = ERROR_NONE;
        int r = book_find(s->b, str_of(what), &s->arena, &f, &s->err);
        if (r != wanted)
                fail_msg("%s: %d %s", what, r, s->err.text);
        return f.n;
}

static void test_find(void **state)
{
        (void)state;
        struct shelf s;
        shelf_begin(&s);
        fill(&s);
        struct str one = digest_numbered(&s, 1);
        assert_int_equal(found(&s, one.p, 0), 1);
        assert_int_equal(found(&s, one.p + 7, 0), 1);
        (void)found(&s, "sha256:000000", -EEXIST); /* both begin so */
        says(&s, "give more digits");
        (void)found(&s, "0000", -EEXIST);
        assert_int_equal(found(&s, "000", 0), 0); /* too short to be one */
        assert_int_equal(found(&s, "registry.example/app-1:1", 0), 1);
        assert_int_equal(found(&s, "registry.example/app-1", 0), 1);
        assert_int_equal(found(&s, "app-1", 0), 1);
        assert_int_equal(found(&s, "app-1:1", 0), 1);
        assert_int_equal(found(&s, "app-1:2", 0), 0);
        assert_int_equal(found(&s, "c0ffee", 0), 1);
        assert_int_equal(found(&s, "W-1", 0), 1);
        assert_int_equal(found(&s, "W-2", 0), 0);
        assert_int_equal(found(&s, "", 0), 0);
        assert_int_equal(found(&s, "sha256:", 0), 0);
        assert_int_equal(found(&s, "%", 0), 0);
        shelf_end(&s);
}

static void tell(struct shelf *s, struct str key, struct buf *to)
{
        struct book_history h;
        ok(s, book_history(s->b, &key, 1, &s->arena, &h, &s->err));
        buf_clear(to);
        for (size_t i = 0; i < h.n; i++)
                buf_printf(to, "%llu %.*s\n", (unsigned long long)h.v[i].sequence, STR_FMT(h.v[i].kind));
}

static void test_history(void **state)
{
        (void)state;
        struct shelf s;
        _cleanup_(buf_done) struct buf story = BUF_INIT(4096);
        shelf_begin(&s);
        fill(&s);
        tell(&s, digest_numbered(&s, 1), &story);
        assert_string_equal(story.p, "1 scan\n3 waiver-requested\n4 waiver-approved\n5 decision\n7 rematch\n8 scan\n"
                                     "9 waiver-ended\n10 scan\n");
        tell(&s, digest_numbered(&s, 2), &story); /* the waiver is for the repository of the other */
        assert_string_equal(story.p, "2 scan\n6 observation\n7 rematch\n");
        tell(&s, STR("W-1"), &story);
        assert_string_equal(story.p, "3 waiver-requested\n4 waiver-approved\n5 decision\n9 waiver-ended\n");
        shelf_end(&s);
}

/* --- stock --- */

static void test_stock(void **state)
{
        (void)state;
        struct shelf s;
        struct stock stock;
        shelf_begin(&s);
        ok(&s, book_stock(s.b, &s.arena, &stock, &s.err));
        assert_int_equal(stock.n_artefacts, 0);
        ok(&s, scan_numbered(&s, 1, 10, 1, 2, T0, NULL));
        ok(&s, scan_numbered(&s, 2, 20, 1, 2, T0, NULL));
        ok(&s, scan_numbered(&s, 3, 20, 1, 3, T0, NULL));
        ok(&s, scan_numbered(&s, 1, 15, 1, 2, T0 + 1, NULL)); /* its list of 10 is not asked for any more */
        ok(&s, book_stock(s.b, &s.arena, &stock, &s.err));
        assert_int_equal(stock.n_oses, 1);
        assert_int_equal(stock.n_packages, 20);
        assert_int_equal(stock.n_lists, 2);
        assert_int_equal(stock.n_artefacts, 3);
        assert_int_equal(stock.n_finding_lists, 2);
        assert_int_equal(stock.n_findings, 3);
        for (size_t i = 0; i < stock.n_artefacts; i++) {
                const struct stock_list *l = &stock.lists[stock.artefacts[i].list];
                assert_true(str_eq(stock.artefacts[i].key, digest_numbered(&s, (unsigned)i + 1)));
                assert_int_equal(l->n, i == 0 ? 15 : 20);
                assert_int_equal(l->os, 0);
                for (size_t k = 0; k < l->n; k++)
                        assert_true(l->packages[k] < stock.n_packages &&
                                    (k == 0 || l->packages[k] > l->packages[k - 1]));
        }
        assert_true(str_is(stock.packages[0].name, "package-0"));
        assert_true(str_is(stock.packages[3].source, "source-1"));
        assert_true(str_is(stock.oses[0].name, "Debian GNU/Linux 12 (bookworm)"));
        shelf_end(&s);
}

/* --- what is derived can be made anew --- */

static void test_rebuild(void **state)
{
        (void)state;
        struct shelf s;
        bool changed;
        struct book_inventory before, after;
        shelf_begin(&s);
        fill(&s);
        ok(&s, book_rebuild(s.b, &changed, &s.err));
        assert_false(changed);
        ok(&s, book_inventory(s.b, &s.arena, &before, &s.err));
        ok(&s,
           sql_run(s.b, "DELETE FROM artefact; UPDATE waiver SET expires = expires * 2, state = 1; DELETE FROM concern",
                   &s.err));
        struct book_flaw flaw;
        assert_int_equal(verified(&s, &flaw), 1);
        assert_false(flaw.has_record);
        assert_non_null(strstr(flaw.words, "sekisho ledger rebuild"));
        ok(&s, book_rebuild(s.b, &changed, &s.err));
        assert_true(changed);
        whole(&s);
        ok(&s, book_inventory(s.b, &s.arena, &after, &s.err));
        assert_int_equal(after.n, before.n);
        for (size_t i = 0; i < after.n; i++)
                assert_true(str_eq(after.v[i].key, before.v[i].key) && after.v[i].n_findings == before.v[i].n_findings);
        ok(&s, scan_numbered(&s, 4, 5, 1, 1, T0, NULL)); /* and it goes on */
        whole(&s);
        shelf_end(&s);
}

/* Any order of random writes gives tables that the log alone gives again, and a chain that is whole. */
static void test_random_writes(void **state)
{
        (void)state;
        struct shelf s;
        unsigned seed = 12345;
        shelf_begin(&s);
        for (int i = 0; i < 300; i++) {
                char id[WAIVER_ID_MAX];
                struct book_waiver w = waiver_for("CVE-2026-0001");
                unsigned what = (unsigned)rand_r(&seed) % 10, image = (unsigned)rand_r(&seed) % 7;
                int64_t now = T0 + rand_r(&seed) % 1000;
                struct str number = arena_printf(&s.arena, "%u", 1 + (unsigned)rand_r(&seed) % 20);
                struct str tag = STR("registry.example/app:latest");
                struct book_artefact a = { .digest = digest_numbered(&s, image),
                                           .kind = STR("x"),
                                           .tags = { &tag, 1 } };
                if (what < 5)
                        ok(&s, scan_numbered(&s, image, (size_t)rand_r(&seed) % 30, (unsigned)rand_r(&seed) % 20,
                                             (size_t)rand_r(&seed) % 12, now, NULL));
                else if (what == 5)
                        ok(&s, book_waiver_request(s.b, STAMP("bob", now), &w, id, &s.err));
                else if (what == 6)
                        (void)book_waiver_approve(s.b, STAMP("alice", now), number, true, NULL);
                else if (what == 7)
                        (void)book_waiver_end(s.b, STAMP("alice", now), number, STR("withdrawn"), NULL);
                else
                        ok(&s, book_add_observation(s.b, STAMP("agent", now), &a, NULL, &s.err));
        }
        whole(&s);
        shelf_end(&s);
}

/* The programs of packages: of the last scan, whatever their order and however long their paths. */
static void test_programs(void **state)
{
        (void)state;
        struct shelf s;
        struct book_program *programs, given[2000];
        struct book_scan_outcome outcome;
        struct book_scan scan = { .artefact = { .digest = STR("sha256:1"), .kind = STR("dir"), .name = STR("x") },
                                  .verdict = STR("allow"),
                                  .programs = given };
        size_t n;
        shelf_begin(&s);
        ok(&s, scan_numbered(&s, 1, 3, 1, 0, T0, NULL));
        ok(&s, book_programs(s.b, digest_numbered(&s, 1), &s.arena, &programs, &n, &s.err));
        assert_int_equal(n, 3);
        assert_true(str_is(programs[2].package, "package-2") && str_is(programs[2].path, "usr/bin/program-2"));

        ok(&s, book_add_scan(s.b, STAMP("ci", T0), &scan, &outcome, &s.err)); /* nobody looked for them */
        assert_int_equal(book_programs(s.b, STR("sha256:1"), &s.arena, &programs, &n, &s.err), -ENOENT);
        scan.has_programs = true;
        ok(&s, book_add_scan(s.b, STAMP("ci", T0), &scan, &outcome, &s.err)); /* there are none */
        ok(&s, book_programs(s.b, STR("sha256:1"), &s.arena, &programs, &n, &s.err));
        assert_int_equal(n, 0);

        for (size_t i = 0; i < ARRAY_SIZE(given); i++) /* more than one text holds, from the last to the first */
                given[i] = (struct book_program){ i % 2 ? STR("odd") : STR("even"),
                                                  arena_printf(&s.arena, "usr/lib/%0150zu", ARRAY_SIZE(given) - i) };
        given[7].path = STR("usr/lib/a\nb");
        given[8].path = STR("usr/lib/\xff");
        given[9].path = STR_NONE;
        scan.n_programs = ARRAY_SIZE(given);
        ok(&s, book_add_scan(s.b, STAMP("ci", T0 + 1), &scan, &outcome, &s.err));
        ok(&s, book_programs(s.b, STR("sha256:1"), &s.arena, &programs, &n, &s.err));
        assert_int_equal(n, ARRAY_SIZE(given) - 3);
        for (size_t i = 1; i < n; i++)
                assert_true(str_cmp(programs[i - 1].package, programs[i].package) < 0 ||
                            str_cmp(programs[i - 1].path, programs[i].path) < 0);
        assert_true(str_is(programs[0].package, "even") && str_is(programs[n - 1].package, "odd"));
        whole(&s);
        shelf_end(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_scan_once_and_again),
                cmocka_unit_test(test_order_does_not_matter),
                cmocka_unit_test(test_fields_are_apart),
                cmocka_unit_test(test_hostile_text),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_inventory),
                cmocka_unit_test(test_tag_moves),
                cmocka_unit_test(test_sightings),
                cmocka_unit_test(test_clock_set_back),
                cmocka_unit_test(test_waiver_life),
                cmocka_unit_test(test_waiver_refused),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_history),
                cmocka_unit_test(test_stock),
                cmocka_unit_test(test_rebuild),
                cmocka_unit_test(test_random_writes),
                cmocka_unit_test(test_programs),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
