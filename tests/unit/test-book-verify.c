/* store/: somebody changed the ledger with another tool. What is noticed, and what is said of it. */
#include "book-fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Changes the file as another tool would: without our settings, triggers dropped first. */
static void tamper(struct shelf *s, bool drop, const char *sql)
{
        sqlite3 *db;
        char *words = NULL;
        static const char *const triggers[] = {
                "record_at_end",          "record_no_update",       "record_no_delete",  "package_no_update",
                "package_no_delete",      "package_list_no_update", "finding_no_update", "finding_no_delete",
                "finding_list_no_delete", "package_list_no_delete", "os_no_update",      "program_no_update",
                "program_no_delete",      "program_list_no_update"
        };
        shelf_close(s);
        assert_int_equal(sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
        for (size_t i = 0; drop && i < ARRAY_SIZE(triggers); i++) {
                char text[100];
                snprintf(text, sizeof(text), "DROP TRIGGER %s", triggers[i]);
                assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
        }
        if (sqlite3_exec(db, sql, NULL, NULL, &words) != SQLITE_OK)
                fail_msg("%s", words);
        sqlite3_close(db);
}

struct forgery {
        const char *sql;
        uint64_t sequence; /* of the record that is named; 0: none */
        const char *words;
};

static const struct forgery forgeries[] = {
        { "UPDATE record SET time = time + 1 WHERE sequence = 4", 4, "content was changed" },
        { "UPDATE record SET behind = 1 WHERE sequence = 4", 4, "content was changed" },
        { "UPDATE record SET kind = 'decision' WHERE sequence = 4", 4, "content was changed" },
        { "UPDATE record SET subject = 'W-2' WHERE sequence = 4", 4, "content was changed" },
        { "UPDATE record SET actor = 'bob' WHERE sequence = 4", 4, "content was changed" },
        { "UPDATE record SET body = replace(body, '6', '7') WHERE sequence = 3", 3, "content was changed" },
        { "UPDATE record SET body = body || ' ' WHERE sequence = 10", 10, "does not give the hash" },
        { "UPDATE record SET hash = randomblob(32) WHERE sequence = 4", 4, "its hash was changed" },
        { "UPDATE record SET hash = x'00' WHERE sequence = 4", 4, "its hash was changed" },
        { "UPDATE record SET previous = randomblob(32) WHERE sequence = 4", 4, "names another record than 3" },
        { "UPDATE record SET previous = randomblob(32) WHERE sequence = 1", 1, "names another record than 0" },
        { "DELETE FROM record WHERE sequence = 5", 6, "it follows record 4: 1 records between them are missing" },
        { "DELETE FROM record WHERE sequence < 3", 3, "it follows record 0: 2 records" },
        { "UPDATE record SET sequence = 99 WHERE sequence = 5; UPDATE record SET sequence = 5 WHERE sequence = 6;"
          "UPDATE record SET sequence = 6 WHERE sequence = 99",
          5, "names another record than 4" },
        { "DELETE FROM record WHERE sequence > 7", 7, "ends with record 10: the records after it were cut off" },
        { "DELETE FROM record", 0, "ends with record 10" },
        { "DELETE FROM head", 0, "no head" },
        { "UPDATE head SET hash = randomblob(32)", 10, "the head of the log is not of this record" },
        { "UPDATE head SET id = randomblob(32)", 1, "names another record than 0" },
        { "UPDATE head SET newest = newest - 1", 10, "the head of the log" },
        { "SELECT 1", 0, "tables or triggers are not those" },
        { "CREATE TRIGGER evil AFTER INSERT ON record BEGIN DELETE FROM waiver; END", 0, "tables or triggers" },
};

static void test_forgeries(void **state)
{
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(forgeries); i++) {
                struct shelf s;
                struct book_flaw flaw;
                shelf_begin(&s);
                fill(&s);
                tamper(&s, true, forgeries[i].sql);
                shelf_open(&s, BOOK_CHECK);
                if (verified(&s, &flaw) != 1)
                        fail_msg("not noticed: %s", forgeries[i].sql);
                if (!strstr(flaw.words, forgeries[i].words) || flaw.record.sequence != forgeries[i].sequence)
                        fail_msg("%s\nrecord %llu: %s", forgeries[i].sql, (unsigned long long)flaw.record.sequence,
                                 flaw.words);
                assert_int_equal(flaw.has_record, forgeries[i].sequence != 0);
                if (flaw.has_record)
                        assert_true(flaw.record.kind.n && flaw.record.actor.n && flaw.record.time);
                shelf_end(&s);
        }
}

/* Without the triggers' help each of these fails or is noticed; with the log whole, contents and derived tables. */
static const struct forgery elsewhere[] = {
        { "UPDATE waiver SET expires = expires + 86400", 0, "the table waiver is not what the log gives" },
        { "UPDATE artefact SET verdict = 'allow'", 0, "the table artefact" },
        { "DELETE FROM sighting WHERE gone IS NULL", 0, "the table sighting" },
        { "INSERT INTO concern VALUES ('W-1', 1)", 0, "the table concern" },
        { "UPDATE tag SET current = 0", 0, "the table tag" },
};

static void test_derived(void **state)
{
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
                struct shelf s;
                struct book_flaw flaw;
                shelf_begin(&s);
                fill(&s);
                tamper(&s, false, elsewhere[i].sql);
                shelf_open(&s, BOOK_CHECK);
                assert_int_equal(verified(&s, &flaw), 1);
                if (!strstr(flaw.words, elsewhere[i].words))
                        fail_msg("%s: %s", elsewhere[i].sql, flaw.words);
                shelf_end(&s);
        }
}

static const char *const contents[] = {
        "UPDATE package SET version = '9' WHERE package = 3",
        "UPDATE package SET origin = 'base' WHERE package = 20",
        "DELETE FROM package WHERE package = 7",
        "UPDATE finding SET severity = 0 WHERE finding = 2",
        "UPDATE finding SET state = 'waived' WHERE finding = 2",
        "UPDATE os SET version = '13'",
        "UPDATE package_list SET os = NULL",
        "UPDATE package_list SET n = n - 1",
        "UPDATE package_list SET members = x'0101'",
        "UPDATE package_list SET members = CAST(members || x'80' AS BLOB)",
        "UPDATE package SET digest = randomblob(32) WHERE package = 3",
        "UPDATE program SET paths = 'usr/bin/other' WHERE program = 1",
        "DELETE FROM program WHERE program = 1",
        "UPDATE program_list SET n = 9",
};

/* Each is noticed on its own digest, before the triggers are looked at: those are put back here. */
static void test_contents(void **state)
{
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
                struct shelf s;
                char words[ERROR_TEXT_MAX] = "";
                struct stock stock;
                bool changed;
                shelf_begin(&s);
                fill(&s);
                tamper(&s, true, contents[i]);
                shelf_open(&s, BOOK_WRITE);
                if (content_verify(s.b, words, &s.err) != 1)
                        fail_msg("not noticed: %s", contents[i]);
                assert_non_null(strstr(words, "is not what its digest says"));
                assert_int_equal(book_rebuild(s.b, &changed, &s.err), -EBADMSG);
                (void)book_stock(s.b, &s.arena, &stock, NULL); /* an error or not, but no crash */
                shelf_end(&s);
        }
}

static void test_triggers(void **state)
{
        (void)state;
        static const char *const refused[] = {
                "UPDATE record SET actor = 'x'",
                "DELETE FROM record",
                "REPLACE INTO record SELECT * FROM record WHERE sequence = 1",
                "INSERT INTO record SELECT 99, time, behind, kind, subject, actor, body, previous, hash FROM record",
                "UPDATE package SET name = 'x'",
                "DELETE FROM finding_list",
        };
        struct shelf s;
        shelf_begin(&s);
        fill(&s);
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                s.err = ERROR_NONE;
                assert_true(sql_run(s.b, refused[i], &s.err) < 0);
                says(&s, "the ledger only grows");
        }
        whole(&s);
        shelf_end(&s);
}

/* Everything written anew, as who can write the file and knows the format can: only a checkpoint tells. */
static void test_checkpoint(void **state)
{
        (void)state;
        struct shelf s;
        struct book_flaw flaw;
        struct book_checkpoint none, c = { .sequence = 7 };
        struct book_record r;
        char text[80] = "7:";
        shelf_begin(&s);
        fill(&s);
        ok(&s, book_record(s.b, 7, &s.arena, &r, &s.err));
        for (size_t i = 0; i < BOOK_HASH_BYTES; i++)
                snprintf(text + 2 + 2 * i, 3, "%02x", r.hash[i]);
        assert_true(book_checkpoint_parse(str_of(text), &c));
        assert_memory_equal(c.hash, r.hash, BOOK_HASH_BYTES);
        assert_int_equal(book_verify(s.b, &c, &s.arena, &flaw, &s.err), 0);
        tamper(&s, false,
               "DROP TRIGGER record_no_delete; DELETE FROM record WHERE sequence > 6; UPDATE head SET sequence = 6, "
               "hash = (SELECT hash FROM record WHERE sequence = 6), newest = (SELECT max(time) FROM record);"
               "CREATE TRIGGER record_no_delete BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'the ledger "
               "only grows: record'); END;");
        shelf_open(&s,
                   BOOK_WRITE); /* a whole ledger by itself, but for what was derived of the records that are gone */
        bool changed;
        ok(&s, book_rebuild(s.b, &changed, &s.err));
        whole(&s);
        assert_int_equal(book_verify(s.b, &c, &s.arena, &flaw, &s.err), 1);
        assert_non_null(strstr(flaw.words, "before record 7 of the checkpoint: it was cut off"));
        ok(&s, scan_numbered(&s, 9, 3, 1, 1, T0 + 100, NULL));
        assert_int_equal(book_verify(s.b, &c, &s.arena, &flaw, &s.err), 1);
        assert_int_equal(flaw.record.sequence, 7);
        assert_non_null(strstr(flaw.words, "the log was written anew"));
        static const char *const bad[] = { "", "7", "7:", ":", "0:", "x:00", "7:00" };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(book_checkpoint_parse(str_of(bad[i]), &none));
        shelf_end(&s);
}

/* A damaged file gives words, or answers that are checked; never a crash, and never "whole" with other records. */
static void test_flipped_bytes(void **state)
{
        (void)state;
        struct shelf s;
        struct stat st;
        struct book_record true_last;
        unsigned seed = 99, refused = 0, flawed = 0;
        shelf_begin(&s);
        fill(&s);
        ok(&s, book_record(s.b, FILLED, &s.arena, &true_last, &s.err));
        shelf_close(&s);
        assert_int_equal(stat(s.path, &st), 0);
        uint8_t *image = arena_alloc(&s.arena, (size_t)st.st_size), *copy = arena_alloc(&s.arena, (size_t)st.st_size);
        int fd = open(s.path, O_RDWR | O_CLOEXEC);
        assert_int_equal(read(fd, image, (size_t)st.st_size), st.st_size);
        for (int round = 0; round < 300; round++) {
                struct book_flaw flaw;
                struct book_inventory inventory;
                struct stock stock;
                struct arena arena = ARENA_INIT;
                memcpy(copy, image, (size_t)st.st_size);
                size_t at = (size_t)rand_r(&seed) % (size_t)st.st_size, n = 1 + (size_t)rand_r(&seed) % 64;
                for (size_t i = at; i < MIN(at + n, (size_t)st.st_size); i++)
                        copy[i] = round % 2 ? (uint8_t)rand_r(&seed) : 0;
                assert_int_equal(pwrite(fd, copy, (size_t)st.st_size, 0), st.st_size);
                s.err = ERROR_NONE;
                int r = book_open(s.path, BOOK_CHECK, &s.b, &s.err);
                refused += r < 0;
                if (r < 0) {
                        assert_true(*s.err.text);
                        continue;
                }
                r = book_verify(s.b, NULL, &arena, &flaw, &s.err);
                flawed += r > 0;
                struct book_record last;
                if (r == 0 && book_record(s.b, FILLED, &arena, &last, NULL) == 0)
                        assert_memory_equal(last.hash, true_last.hash, BOOK_HASH_BYTES);
                else
                        assert_int_not_equal(r, 0);
                (void)book_inventory(s.b, &arena, &inventory, NULL);
                (void)book_stock(s.b, &arena, &stock, NULL);
                shelf_close(&s);
                arena_done(&arena);
        }
        close(fd);
        assert_true(flawed > 15); /* most of the file is free */
        assert_true(refused > 0);
        shelf_end(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forgeries),  cmocka_unit_test(test_derived),
                cmocka_unit_test(test_contents),   cmocka_unit_test(test_triggers),
                cmocka_unit_test(test_checkpoint), cmocka_unit_test(test_flipped_bytes),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
