/* store/: opening, making, older and newer schemas, and everything that can go wrong with a file while it is written.
 */
#include "book-fixture.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* --- faults on purpose: the n-th write or sync from now on fails, after a half of it was done --- */

static int writes_left = -1, syncs_left = -1; /* < 0: none fails */

static ssize_t failing_pwrite(int fd, const void *p, size_t n, off_t at)
{
        if (writes_left < 0 || writes_left-- > 0)
                return pwrite(fd, p, n, at);
        writes_left = 0;
        (void)!pwrite(fd, p, n / 2, at);
        errno = ENOSPC;
        return -1;
}

static int failing_sync(int fd)
{
        if (syncs_left < 0 || syncs_left-- > 0)
                return fsync(fd);
        syncs_left = 0;
        errno = EIO;
        return -1;
}

/* SQLite calls these of the program before those of the C library. */
int fdatasync(int fd);
int fdatasync(int fd) { return failing_sync(fd); }

static void watch_writes(void)
{
        sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
        static const char *const names[] = { "pwrite", "pwrite64" };
        size_t set = 0;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                set += vfs->xSetSystemCall(vfs, names[i], (sqlite3_syscall_ptr)failing_pwrite) == SQLITE_OK;
        assert_true(set > 0);
}

/* --- making and opening --- */

static void test_make(void **state)
{
        (void)state;
        struct shelf s;
        struct stat st;
        shelf_make(&s);
        assert_int_equal(book_open(s.path, BOOK_READ, &s.b, &s.err), -ENOENT);
        says(&s, "there is no ledger at");
        assert_int_equal(book_open(s.path, BOOK_WRITE, &s.b, &s.err), -ENOENT);
        char parent[PATH_MAX + 8], deep[PATH_MAX + 24];
        snprintf(parent, sizeof(parent), "%s/state", s.directory);
        snprintf(deep, sizeof(deep), "%s/ledger.db", parent);
        ok(&s, book_open(deep, BOOK_CREATE, &s.b, &s.err));
        assert_int_equal(stat(parent, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0700);
        assert_int_equal(stat(deep, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        shelf_close(&s);
        DIR *d = opendir(parent);
        for (struct dirent *e; (e = readdir(d));)
                assert_true(e->d_name[0] == '.' || strcmp(e->d_name, "ledger.db") == 0); /* no halves left */
        closedir(d);
        unlink(deep);
        rmdir(parent);
        shelf_open(&s, BOOK_CREATE);
        ok(&s, scan_numbered(&s, 1, 3, 1, 1, T0, NULL));
        shelf_close(&s);
        shelf_open(&s, BOOK_CREATE); /* is opened, not made again */
        struct book_status status;
        ok(&s, book_status(s.b, &status, &s.err));
        assert_int_equal(status.records, 1);
        shelf_end(&s);
}

static void test_default_path(void **state)
{
        (void)state;
        _cleanup_(buf_done) struct buf path = BUF_INIT(PATH_MAX);
        setenv("SEKISHO_LEDGER", "/x/y.db", 1);
        assert_true(book_default_path(&path));
        assert_string_equal(path.p, "/x/y.db");
        unsetenv("SEKISHO_LEDGER");
        assert_true(book_default_path(&path));
        if (geteuid() == 0)
                assert_string_equal(path.p, "/var/lib/sekisho/ledger.db");
}

static void write_file(const char *path, const void *p, size_t n)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write_all(fd, p, n), 0);
        close(fd);
}

static void test_no_ledger(void **state)
{
        (void)state;
        static const struct {
                struct str content;
                const char *words;
        } files[] = {
                { STR(""), "it is empty" },
                { STR("hello\n"), "damaged: file is not a database" },
                { STR("SQLite format 3\0 and then nothing that it could be: more than a hundred bytes of rubbish so "
                      "that "
                      "the header is whole....................................................................."),
                  "damaged" },
        };
        static const enum book_mode modes[] = { BOOK_READ, BOOK_CHECK, BOOK_WRITE, BOOK_CREATE };
        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                for (size_t k = 0; k < ARRAY_SIZE(modes); k++) {
                        struct shelf s;
                        struct stat st;
                        shelf_make(&s);
                        write_file(s.path, files[i].content.p, files[i].content.n);
                        assert_int_equal(book_open(s.path, modes[k], &s.b, &s.err), -EBADMSG);
                        says(&s, files[i].words);
                        says(&s, s.path);
                        assert_int_equal(stat(s.path, &st), 0);
                        assert_int_equal((size_t)st.st_size, files[i].content.n); /* it was left as it is */
                        shelf_end(&s);
                }
        struct shelf s;
        sqlite3 *db;
        shelf_make(&s);
        assert_int_equal(sqlite3_open(s.path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, "CREATE TABLE record(x)", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        assert_int_equal(book_open(s.path, BOOK_CREATE, &s.b, &s.err), -EBADMSG);
        says(&s, "is no ledger of sekisho");
        assert_int_equal(book_open(s.directory, BOOK_CREATE, &s.b, &s.err), -EINVAL);
        says(&s, "not a regular file");
        shelf_end(&s);
}

/* --- schemas --- */

static void test_newer_schema(void **state)
{
        (void)state;
        struct shelf s;
        shelf_begin(&s);
        fill(&s);
        ok(&s, sql_run(s.b, "PRAGMA user_version = 7", &s.err));
        shelf_close(&s);
        assert_int_equal(book_open(s.path, BOOK_CREATE, &s.b, &s.err), -EPROTONOSUPPORT);
        says(&s, "was made by a newer sekisho (schema 7, this one knows 3): update sekisho");
        assert_int_equal(book_open(s.path, BOOK_READ, &s.b, &s.err), -EPROTONOSUPPORT);
        shelf_end(&s);
}

/* A log of schema 1, with what it could hold: records that name no contents. */
static void write_old_log(struct shelf *s, const struct book_history *records)
{
        for (size_t i = 0; i < records->n; i++) {
                struct query q =
                        query_of(s->b, "INSERT INTO record(" RECORD_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
                const struct book_record *r = &records->v[i];
                query_number(&q, (int64_t)r->sequence);
                query_number(&q, r->time);
                query_number(&q, r->behind);
                query_text(&q, r->kind);
                query_text(&q, r->subject);
                query_text(&q, r->actor);
                query_text(&q, r->body);
                query_bytes(&q, str_span(r->previous, BOOK_HASH_BYTES));
                query_bytes(&q, str_span(r->hash, BOOK_HASH_BYTES));
                ok(s, query_run(&q, &s->err));
        }
        struct query q = query_of(s->b, "UPDATE head SET id = ?, sequence = ?, hash = ?, newest = ?");
        query_bytes(&q, str_span(records->v[0].previous, BOOK_HASH_BYTES));
        query_number(&q, (int64_t)records->n);
        query_bytes(&q, str_span(records->v[records->n - 1].hash, BOOK_HASH_BYTES));
        query_number(&q, records->v[records->n - 1].time);
        ok(s, query_run(&q, &s->err));
}

static void test_older_schemas(void **state)
{
        (void)state;
        for (unsigned schema = 1; schema < SCHEMA_NOW; schema++) {
                struct shelf now, old;
                char id[WAIVER_ID_MAX];
                struct book_waiver w = waiver_for("CVE-2026-0001");
                struct book_artefact a = { .digest = STR("sha256:1"), .kind = STR("dir") };
                struct book_history all = { 0 };
                struct book_waiver_list waivers;
                struct book_status status;
                shelf_begin(&now);
                ok(&now, book_waiver_request(now.b, STAMP("bob", T0), &w, id, &now.err));
                ok(&now, book_waiver_approve(now.b, STAMP("alice", T0 + 1), STR("W-1"), true, &now.err));
                ok(&now, book_add_observation(now.b, STAMP("agent", T0 + 2), &a, NULL, &now.err));
                all.v = arena_array(&now.arena, 3, sizeof(*all.v));
                for (uint64_t i = 1; i <= 3; i++)
                        ok(&now, book_record(now.b, i, &now.arena, &all.v[all.n++], &now.err));
                shelf_make(&old);
                ok(&old, book_open_as(old.path, BOOK_CREATE, schema, &old.b, &old.err));
                write_old_log(&old, &all);
                shelf_close(&old);
                shelf_open(&old, BOOK_READ);
                whole(&old);
                ok(&old, book_waivers(old.b, &old.arena, &waivers, &old.err));
                assert_int_equal(waivers.n, 1);
                assert_int_equal(waivers.v[0].state, WAIVER_ACTIVE);
                ok(&old, book_status(old.b, &status, &old.err));
                assert_int_equal(status.artefacts, 1);
                shelf_close(&old);
                shelf_open(&old, BOOK_WRITE);
                ok(&old, scan_numbered(&old, 1, 5, 1, 2, T0 + 3, NULL));
                whole(&old);
                shelf_end(&old);
                shelf_end(&now);
        }
}

/* A migration that cannot be finished leaves the old ledger. */
static void test_migration_fails(void **state)
{
        (void)state;
        for (int n = 0;; n++) {
                struct shelf s;
                shelf_make(&s);
                ok(&s, book_open_as(s.path, BOOK_CREATE, 1, &s.b, &s.err));
                shelf_close(&s);
                writes_left = n;
                s.err = ERROR_NONE;
                int r = book_open(s.path, BOOK_WRITE, &s.b, &s.err);
                bool failed = writes_left == 0;
                writes_left = -1;
                if (r < 0)
                        says(&s, "no room left");
                shelf_close(&s);
                shelf_open(&s, BOOK_WRITE);
                whole(&s);
                shelf_end(&s);
                if (!failed)
                        break;
                assert_true(n < 1000);
        }
}

/* --- faults while writing --- */

static uint64_t records_in(struct shelf *s)
{
        struct book_status status;
        ok(s, book_status(s->b, &status, &s->err));
        return status.records;
}

/* Each write of a scan fails once. What was acknowledged stays, nothing half written does, and the ledger goes on. */
static void test_no_room(void **state)
{
        (void)state;
        struct shelf s;
        int failures = 0;
        shelf_begin(&s);
        ok(&s, scan_numbered(&s, 1, 30, 1, 6, T0, NULL));
        for (int n = 0; n < 1000; n++) {
                uint64_t before = records_in(&s);
                writes_left = n;
                s.err = ERROR_NONE;
                int r = scan_numbered(&s, 100 + (unsigned)n, 30 + (size_t)n, 10 * (unsigned)n, 20, T0, NULL);
                bool failed = writes_left == 0;
                writes_left = -1;
                if (r == 0) {
                        assert_int_equal(records_in(&s), before + 1);
                        if (!failed)
                                break;
                        continue;
                }
                failures++;
                assert_int_equal(r, -ENOSPC);
                says(&s, "no room left on its disk; nothing was recorded");
                assert_int_equal(records_in(&s), before);
                if (n % 2) {
                        shelf_close(&s);
                        shelf_open(&s, BOOK_WRITE);
                        assert_int_equal(records_in(&s), before);
                }
                whole(&s);
        }
        assert_true(failures > 5);
        shelf_end(&s);
}

static void test_sync_fails(void **state)
{
        (void)state;
        struct shelf s;
        int failures = 0;
        shelf_begin(&s);
        for (int n = 0; n < 100; n++) {
                uint64_t before = records_in(&s);
                syncs_left = n;
                s.err = ERROR_NONE;
                int r = scan_numbered(&s, (unsigned)n, 30, 1, 6, T0, NULL);
                bool failed = syncs_left == 0;
                syncs_left = -1;
                if (r < 0) {
                        failures++;
                        assert_true(*s.err.text);
                        assert_int_equal(records_in(&s), before);
                }
                whole(&s);
                if (!failed)
                        break;
        }
        assert_true(failures > 0); /* synchronous=FULL: what is acknowledged was synced */
        shelf_end(&s);
}

/* The same with a real file system that is full. */
static void test_full_disk(void **state)
{
        (void)state;
        struct shelf s;
        int r = 0;
        shelf_make(&s);
        if (mount("tmpfs", s.directory, "tmpfs", MS_NOSUID | MS_NODEV, "size=512k,mode=0700") < 0) {
                print_message("# no tmpfs here: %s\n", strerror(errno));
                shelf_end(&s);
                skip();
        }
        shelf_open(&s, BOOK_CREATE);
        uint64_t acknowledged = 0;
        for (unsigned i = 0; i < 2000 && r == 0; i++) {
                r = scan_numbered(&s, i, 50, i * 10, 50, T0, NULL);
                acknowledged += r == 0;
        }
        int there = (int)records_in(&s);
        shelf_close(&s);
        int again = book_open(s.path, BOOK_CHECK, &s.b, &s.err);
        struct book_flaw flaw = { 0 };
        int verdict = again == 0 ? book_verify(s.b, NULL, &s.arena, &flaw, &s.err) : again;
        shelf_close(&s);
        assert_int_equal(umount(s.directory), 0);
        assert_int_equal(r, -ENOSPC);
        assert_true(acknowledged > 0);
        assert_int_equal(there, acknowledged);
        if (verdict != 0)
                fail_msg("%d %s%s", verdict, flaw.words, s.err.text);
        shelf_end(&s);
}

/* A power cut: of the write-ahead log only a part is on the disk. The ledger is whole, with the records up to there. */
static void test_cut_log(void **state)
{
        (void)state;
        struct shelf s, copy;
        char wal[PATH_MAX + 8], copied_wal[PATH_MAX + 8];
        _cleanup_(buf_done) struct buf main_file = BUF_INIT(1 << 26), wal_file = BUF_INIT(1 << 26);
        uint64_t last = 0;
        shelf_begin(&s);
        for (unsigned i = 0; i < 8; i++)
                ok(&s, scan_numbered(&s, i, 20, i, 4, T0, NULL));
        snprintf(wal, sizeof(wal), "%s-wal", s.path);
        ok(&s, read_file(s.path, &main_file, &s.err));
        ok(&s, read_file(wal, &wal_file, &s.err));
        for (size_t cut = 0; cut <= wal_file.n; cut += MAX(wal_file.n / 60, 1)) {
                shelf_make(&copy);
                snprintf(copied_wal, sizeof(copied_wal), "%s-wal", copy.path);
                write_file(copy.path, main_file.p, main_file.n);
                write_file(copied_wal, wal_file.p, cut);
                shelf_open(&copy, BOOK_WRITE);
                uint64_t records = records_in(&copy);
                assert_true(records >= last && records <= 8);
                last = records;
                whole(&copy);
                shelf_end(&copy);
        }
        assert_true(last >= 7);
        shelf_end(&s);
}

/* --- several processes --- */

/* Writes scans one after another, and tells the pipe of each that was acknowledged. */
static void write_for_ever(struct shelf *s, int to, unsigned base, unsigned n)
{
        struct error err = ERROR_NONE;
        if (book_open(s->path, BOOK_CREATE, &s->b, &err) < 0)
                _exit(1);
        for (unsigned i = 0; i < n; i++) {
                uint64_t sequence;
                struct book_scan_outcome o;
                if (scan_numbered(s, base + i, 20 + i % 7, i, 10, T0 + i, &o) < 0)
                        _exit(2);
                sequence = o.sequence;
                if (write(to, &sequence, sizeof(sequence)) != sizeof(sequence))
                        _exit(3);
        }
        book_close(s->b);
        _exit(0);
}

static pid_t start_writer(struct shelf *s, unsigned base, unsigned n, int *ret_from)
{
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t child = fork();
        if (child == 0)
                write_for_ever(s, ends[1], base, n);
        close(ends[1]);
        *ret_from = ends[0];
        return child;
}

static void test_killed(void **state)
{
        (void)state;
        struct shelf s;
        unsigned seed = 4711, killed = 0;
        uint64_t acknowledged = 0;
        shelf_make(&s);
        for (unsigned round = 0; round < 40; round++) {
                int from, status;
                uint64_t sequence = 0;
                unsigned patience = (unsigned)rand_r(&seed) % 6, spin = (unsigned)rand_r(&seed) % 400000;
                pid_t child = start_writer(&s, round * 1000, 100000, &from);
                for (unsigned i = 0; i < patience && read(from, &sequence, sizeof(sequence)) == sizeof(sequence); i++)
                        acknowledged = sequence;
                for (volatile unsigned i = 0; i < spin; i++)
                        ;
                kill(child, SIGKILL);
                while (read(from, &sequence, sizeof(sequence)) == sizeof(sequence))
                        acknowledged = sequence;
                close(from);
                assert_int_equal(waitpid(child, &status, 0), child);
                killed += WIFSIGNALED(status);
                if (access(s.path, F_OK) < 0)
                        continue; /* it did not come as far as that */
                shelf_open(&s, BOOK_WRITE);
                assert_true(records_in(&s) >= acknowledged);
                whole(&s);
                shelf_close(&s);
        }
        assert_true(killed > 35);
        assert_true(acknowledged > 10);
        shelf_end(&s);
}

static void test_two_writers(void **state)
{
        (void)state;
        struct shelf s;
        int from[4], status;
        pid_t child[4];
        shelf_make(&s); /* all of them find no ledger, and make one */
        for (unsigned i = 0; i < 4; i++)
                child[i] = start_writer(&s, 1000 * i, 25, &from[i]);
        for (unsigned i = 0; i < 4; i++) {
                assert_int_equal(waitpid(child[i], &status, 0), child[i]);
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
                close(from[i]);
        }
        shelf_open(&s, BOOK_WRITE);
        assert_int_equal(records_in(&s), 100);
        whole(&s);
        shelf_end(&s);
}

static void test_busy(void **state)
{
        (void)state;
        struct shelf s;
        struct book *other;
        struct book_inventory inventory;
        shelf_begin(&s);
        ok(&s, scan_numbered(&s, 1, 5, 1, 1, T0, NULL));
        ok(&s, book_open(s.path, BOOK_WRITE, &other, &s.err));
        ok(&s, write_begin(other, &s.err));
        sqlite3_busy_timeout(s.b->db, 20);
        assert_int_equal(scan_numbered(&s, 2, 5, 1, 1, T0, NULL), -EBUSY);
        says(&s, "another process has been writing to it");
        ok(&s, book_inventory(s.b, &s.arena, &inventory, &s.err)); /* reading goes on */
        assert_int_equal(inventory.n, 1);
        assert_int_equal(write_end(other, 0, &s.err), 0);
        ok(&s, scan_numbered(&s, 2, 5, 1, 1, T0, NULL));
        book_close(other);
        whole(&s);
        shelf_end(&s);
}

/* Nothing that root may do beyond its own files. */
static void drop_capabilities(void)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[2] = { 0 };
        if (syscall(SYS_capset, &header, none) < 0)
                _exit(8);
}

/* A ledger that somebody else keeps, in a directory where nothing may be made: SQLite cannot read it there. */
static void test_read_only_file(void **state)
{
        (void)state;
        struct shelf s;
        shelf_begin(&s);
        fill(&s);
        shelf_close(&s);
        if (geteuid() != 0) {
                shelf_end(&s);
                skip();
        }
        assert_int_equal(chmod(s.path, 0444), 0);
        assert_int_equal(chmod(s.directory, 0755), 0);
        assert_int_equal(chown(s.path, 65534, 65534), 0);
        assert_int_equal(chown(s.directory, 65534, 65534), 0);
        pid_t child = fork();
        if (child == 0) {
                drop_capabilities();
                int r = book_open(s.path, BOOK_CHECK, &s.b, &s.err);
                _exit(r == -EROFS && strstr(s.err.text, "copy it to a directory of yours") ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        shelf_end(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_make),          cmocka_unit_test(test_default_path),
                cmocka_unit_test(test_no_ledger),     cmocka_unit_test(test_newer_schema),
                cmocka_unit_test(test_older_schemas), cmocka_unit_test(test_migration_fails),
                cmocka_unit_test(test_no_room),       cmocka_unit_test(test_sync_fails),
                cmocka_unit_test(test_full_disk),     cmocka_unit_test(test_cut_log),
                cmocka_unit_test(test_killed),        cmocka_unit_test(test_two_writers),
                cmocka_unit_test(test_busy),          cmocka_unit_test(test_read_only_file),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        watch_writes();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
