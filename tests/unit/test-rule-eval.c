/*
 * What conditions mean: for every operator and type, conditions, records, and whether they hit. The expectations follow
 * Falco's documentation (docs/concepts/rules/conditions) and the comparisons of falcosecurity/libs.
 */
#include "rule-case.h"

#include "rule/literals.h"
#include "rule/match.h"

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
        const char *condition, *record;
        bool hits;
} cases[] = {
        /* Equality of texts; quotes make no difference. */
        { "proc.name = sh", "proc.name=sh", true },
        { "proc.name == sh", "proc.name=sh", true },
        { "proc.name=\"sh\"", "proc.name=sh", true },
        { "proc.name='sh'", "proc.name=bash", false },
        { "proc.name != sh", "proc.name=bash", true },
        { "proc.name != sh", "proc.name=sh", false },
        { "proc.name = ''", "proc.name=", true },
        { "proc.name = Sh", "proc.name=sh", false },
        { "proc.args = \"a b\"", "proc.args=a b", true },
        { "proc.args = 'a\\'b'", "proc.args=a'b", true },
        { "proc.args = \"a\\\"b\"", "proc.args=a\"b", true },
        { "proc.args = \"a\\\\b\"", "proc.args=a\\\\b", true },
        { "proc.args = \"a\\tb\\x41\"", "proc.args=a\tbA", true },
        { "proc.name = 80", "proc.name=80", true },
        { "proc.name = a.b-c/d:e@f[0]*", "proc.name=a.b-c/d:e@f[0]*", true },
        { "proc.name = <NA>", "proc.pid=1", false },
        { "not proc.name in (\"<NA>\", \"N/A\")", "proc.name=x", true },

        /* Absent: every comparison is false, "not" of it true. */
        { "proc.name = sh", "proc.pid=1", false },
        { "proc.name != sh", "proc.pid=1", false },
        { "not proc.name = sh", "proc.pid=1", true },
        { "not proc.name != sh", "proc.pid=1", true },
        { "proc.name in (a, b)", "proc.pid=1", false },
        { "proc.pid < 5", "proc.name=a", false },
        { "proc.pid >= 0", "proc.name=a", false },
        { "proc.name exists", "proc.name=a", true },
        { "proc.name exists", "proc.name=", true },
        { "proc.name exists", "proc.pid=1", false },
        { "not proc.name exists", "proc.pid=1", true },
        { "proc.name contains ''", "proc.pid=1", false },
        { "proc.name = val(proc.pname)", "proc.name=a", false },
        { "not proc.name = val(proc.pname)", "proc.name=a", true },

        /* Order of texts is by bytes. */
        { "proc.name < b", "proc.name=a", true },
        { "proc.name >= b", "proc.name=a", false },

        /* Numbers: signed, decimal or hexadecimal. */
        { "proc.pid = 10", "proc.pid=10", true },
        { "proc.pid = 0x0a", "proc.pid=10", true },
        { "proc.pid = 0XFF", "proc.pid=255", true },
        { "proc.pid != 10", "proc.pid=11", true },
        { "evt.rawres < 0", "evt.rawres=-2", true },
        { "evt.rawres >= -2", "evt.rawres=-2", true },
        { "fd.num>=0", "fd.num=0", true },
        { "fd.num=-1", "fd.num=-1", true },
        { "proc.pid in (1, 2, 0x3)", "proc.pid=3", true },
        { "proc.pid in (1, 2, 3, 4, 5, 6, 7)", "proc.pid=7", true },
        { "proc.pid in (1, 2, 3, 4, 5, 6, 7)", "proc.pid=8", false },
        { "proc.pid <= 9223372036854775807", "proc.pid=5", true },
        { "fd.sport = https", "fd.sport=443", true },

        /* Flags. */
        { "evt.is_open_write = true", "evt.is_open_write=true", true },
        { "evt.is_open_write=false", "evt.is_open_write=true", false },
        { "evt.is_open_write != true", "evt.is_open_write=false", true },

        /* Durations and times: nanoseconds as in Falco, or with units. */
        { "proc.duration <= 5000000000", "proc.duration=5s", true },
        { "proc.duration <= 5000000000", "proc.duration=5000000001", false },
        { "proc.duration > 1h30m", "proc.duration=2h", true },
        { "proc.exe_ino.ctime_duration_proc_start < 10s", "proc.exe_ino.ctime_duration_proc_start=9999ms", true },
        { "proc.exe_ino.mtime > 2026-01-01", "proc.exe_ino.mtime=2026-01-01T00:00:01Z", true },

        /* Contains and its kin. */
        { "proc.cmdline contains nc", "proc.cmdline=run nc -l", true },
        { "proc.cmdline contains NC", "proc.cmdline=run nc -l", false },
        { "proc.cmdline icontains \"RUN n\"", "proc.cmdline=run nc -l", true },
        { "proc.cmdline contains ''", "proc.cmdline=x", true },
        { "proc.cmdline startswith \"run n\"", "proc.cmdline=run nc -l", true },
        { "proc.cmdline startswith un", "proc.cmdline=run", false },
        { "proc.cmdline startswith ''", "proc.cmdline=", true },
        { "proc.cmdline endswith -l", "proc.cmdline=run nc -l", true },
        { "proc.cmdline endswith longer", "proc.cmdline=ger", false },
        { "evt.arg.flags contains O_TRUNC", "evt.arg.flags=O_TRUNC\\|O_WRONLY", true },

        /* Bytes. */
        { "evt.buffer contains AB", "evt.buffer=xABx", true },
        { "evt.buffer bcontains 4142", "evt.buffer=xABx", true },
        { "evt.buffer bcontains 4143", "evt.buffer=xABx", false },
        { "evt.buffer bstartswith 78", "evt.buffer=xABx", true },
        { "evt.buffer bstartswith CAFE", "evt.buffer=\xca\xfe\x01", true },
        { "evt.buffer startswith x", "evt.buffer=xABx", true },

        /* Globs match a slash too. */
        { "fd.name glob '/home/*/.ssh/*'", "fd.name=/home/a/.ssh/id_rsa", true },
        { "fd.name glob '/home/*/.ssh/*'", "fd.name=/home/a/b/.ssh/c/d", true },
        { "fd.name glob /etc/*.conf", "fd.name=/etc/a.conf.d", false },
        { "fd.name glob /etc/?", "fd.name=/etc/ab", false },
        { "fd.name glob '/etc/[a-c]*'", "fd.name=/etc/bcd", true },
        { "fd.name glob '/etc/[!a-c]*'", "fd.name=/etc/bcd", false },
        { "fd.name glob 'a\\\\*b'", "fd.name=a*b", true },
        { "fd.name glob 'a\\\\*b'", "fd.name=axb", false },
        { "fd.name glob ''", "fd.name=", true },
        { "fd.name glob *", "fd.name=", true },
        { "fd.name iglob /ETC/*", "fd.name=/etc/x", true },
        { "fd.name glob /ETC/*", "fd.name=/etc/x", false },

        /* Regular expressions match the whole text. */
        { "fd.name regex '[a-z]*/proc/[0-9]+/cmdline'", "fd.name=/proc/12/cmdline", true },
        { "fd.name regex '/proc/[0-9]+'", "fd.name=/proc/12/cmdline", false },
        { "fd.name regex '^/proc/[0-9]+/.*$'", "fd.name=/proc/12/cmdline", true },
        { "proc.name regex '(a|b){2,3}'", "proc.name=aba", true },
        { "proc.name regex '(a|b){2,3}'", "proc.name=abab", false },
        { "proc.name regex ''", "proc.name=", true },
        { "proc.name regex 'bad.'", "proc.name=bad\xff", true },
        { "proc.name regex 'a.b'", "proc.name=a\nb", false },

        /* pmatch: by components. */
        { "fd.name pmatch (/tmp/hello)", "fd.name=/tmp/hello", true },
        { "fd.name pmatch (/tmp/hello)", "fd.name=/tmp/hello/world", true },
        { "fd.name pmatch (/tmp/hello)", "fd.name=/tmp/hello_world", false },
        { "fd.name pmatch (/var/run, /etc, /lib, /usr/lib)", "fd.name=/var/run/docker", true },
        { "fd.name pmatch (/var/run, /etc, /lib, /usr/lib)", "fd.name=/boot", false },
        { "fd.name pmatch (/var/run, /etc)", "fd.name=/var/lib/messages", false },
        { "fd.name pmatch (/var/run)", "fd.name=/var", false },
        { "fd.name pmatch (/var/*/*.txt, /etc)", "fd.name=/var/log/a.txt/b", true },
        { "fd.name pmatch (/var/*)", "fd.name=/var/run/file.txt", true },
        { "fd.name pmatch (/var/*)", "fd.name=/var", false },
        { "fd.name pmatch (/)", "fd.name=/anything", true },
        { "fd.name pmatch (/usr, /usr/lib/x)", "fd.name=/usr/bin", true },
        { "fd.name pmatch (/usr/lib/x, /usr)", "fd.name=/usr/bin", true },
        { "fd.name pmatch (/etc/)", "fd.name=/etc//passwd", true },

        /* Sets. */
        { "proc.name in (sh, 'ba sh', \"zsh\")", "proc.name=ba sh", true },
        { "proc.name in(sh,bash)", "proc.name=bash", true },
        { "proc.name in ()", "proc.name=bash", false },
        { "not proc.name in ()", "proc.name=bash", true },
        { "proc.args intersects (\"-V\", \"-l\")", "proc.args=-l", true },
        { "proc.args intersects (\"-V\", \"-l\")", "proc.args=-l x", false },
        { "fd.types in (file, ipv4)", "fd.types=file|ipv4", true },
        { "fd.types in (file, ipv4)", "fd.types=file|pipe", false },
        { "fd.types intersects (file, ipv4)", "fd.types=file|pipe", true },
        { "fd.types intersects (ipv4)", "fd.types=file|pipe", false },
        { "fd.types[0] in (ipv4, ipv6)", "fd.types[0]=ipv4", true },
        { "len(fd.types) = 2", "fd.types=file|pipe", true },

        /* anyof, allof, oneof. */
        { "fd.name startswith anyof (/etc, /usr)", "fd.name=/usr/bin", true },
        { "fd.name startswith anyof (/etc, /usr)", "fd.name=/var", false },
        { "proc.cmdline contains allof (a, b)", "proc.cmdline=xbya", true },
        { "proc.cmdline contains allof (a, b)", "proc.cmdline=xby", false },
        { "proc.cmdline contains oneof (a, b)", "proc.cmdline=xby", true },
        { "proc.cmdline contains oneof (a, b)", "proc.cmdline=ab", false },
        { "proc.name = anyof (a, b, c, d, e, f)", "proc.name=f", true },
        { "proc.name != allof (a, b)", "proc.name=c", true },
        { "proc.name = anyof", "proc.name=anyof", true },

        /* Many of them are searched together; so are alternatives of one kind. */
        { "proc.cmdline contains anyof (she, he, hers, his)", "proc.cmdline=ushers", true },
        { "proc.cmdline contains anyof (abcd, bcx, cy, dz)", "proc.cmdline=abcx", true },
        { "proc.cmdline contains anyof (abcd, bcx, cy, dz)", "proc.cmdline=abcabcd", true },
        { "proc.cmdline contains anyof (abcd, bcx, cy, dz)", "proc.cmdline=abc", false },
        { "proc.cmdline contains anyof (abcd, bcx, cy, '')", "proc.cmdline=", true },
        { "proc.cmdline icontains anyof (AB, cd, EF, gh)", "proc.cmdline=xxEfx", true },
        { "fd.name startswith anyof (/etc, /usr/lib, /usr/bin, /v)", "fd.name=/usr/bin/x", true },
        { "fd.name startswith anyof (/etc, /usr/lib, /usr/bin, /v)", "fd.name=/usr/local", false },
        { "fd.name startswith anyof (/etc, /usr/lib, /usr/bin, /v)", "fd.name=x/etc", false },
        { "proc.args contains ab or proc.args contains cd or proc.args contains ef or proc.args contains gh",
          "proc.args=xgh", true },
        { "proc.args contains ab or proc.args contains cd or proc.args contains ef or proc.args contains gh",
          "proc.args=x", false },
        { "not (proc.args contains a or proc.args contains b or proc.args contains c or proc.args contains d)",
          "proc.pid=1", true },
        { "proc.name=a or proc.name in (b, c) or proc.name = d or proc.name intersects (e)", "proc.name=e", true },
        { "proc.name=a or proc.name in (b, c) or proc.name = d or proc.name intersects (e)", "proc.name=f", false },
        { "proc.aname=a or proc.aname in (b, c) or proc.aname = d or proc.aname = e", "proc.aname=x|d", true },
        { "evt.type=open or evt.type=close or evt.type=read or evt.type=write", "evt.type=read", true },
        { "evt.type=open or evt.type=close or evt.type=read or evt.type=write", "evt.type=connect", false },

        /* Addresses and networks. */
        { "fd.sip = 10.0.0.1", "fd.sip=10.0.0.1", true },
        { "fd.sip = '::1'", "fd.sip=::1", true },
        { "fd.sip = 10.0.0.1", "fd.sip=::1", false },
        { "fd.sip != 10.0.0.1", "fd.sip=::1", true },
        { "fd.sip in (\"10.0.0.0/8\")", "fd.sip=10.200.0.1", true },
        { "fd.sip in (\"10.0.0.0/8\")", "fd.sip=11.0.0.1", false },
        { "fd.snet in (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16)", "fd.snet=172.31.255.255", true },
        { "fd.snet in (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16)", "fd.snet=172.32.0.1", false },
        { "fd.rnet = \"fe80::/10\"", "fd.rnet=fe80::1", true },
        { "fd.sip = 0.0.0.0/0", "fd.sip=1.2.3.4", true },
        { "fd.ip = 10.0.0.1", "fd.ip=1.1.1.1|10.0.0.1", true },
        { "fd.ip != 10.0.0.1", "fd.ip=1.1.1.1|10.0.0.1", false },
        { "fd.ip != 10.0.0.1", "fd.ip=1.1.1.1|2.2.2.2", true },
        { "fd.net != 127.0.0.0/8", "fd.net=127.0.0.1|10.0.0.1", false },
        { "fd.port = 443", "fd.port=5000|443", true },
        { "fd.port != 443", "fd.port=5000|443", false },
        { "fd.port in (80, 443)", "fd.port=5000|443", true },
        { "fd.port < 1024", "fd.port=5000|443", true },

        /* Ancestors: any of them, or one by number. */
        { "proc.aname = sshd", "proc.aname=bash|sshd|systemd", true },
        { "proc.aname = nginx", "proc.aname=bash|sshd|systemd", false },
        { "proc.aname != sshd", "proc.aname=bash|sshd", true },
        { "not proc.aname = sshd", "proc.aname=bash|sshd", false },
        { "proc.aname in (sshd, x)", "proc.aname=bash|sshd", true },
        { "proc.aname[2] = sshd", "proc.aname[2]=sshd", true },
        { "proc.aname[2] = sshd", "proc.aname[3]=sshd", false },
        { "proc.aname startswith ss", "proc.aname=bash|sshd", true },
        { "proc.env[HOME] = /root", "proc.env[HOME]=/root", true },
        { "proc.env[\"HOME\"] = /root", "proc.env[HOME]=/root", true },

        /* Arguments of the event. */
        { "evt.arg.uid = 0", "evt.arg.uid=0", true },
        { "evt.arg[0] contains x", "evt.arg[0]=axb", true },
        { "evt.rawarg.uid >= 1000", "evt.rawarg.uid=1000", true },
        { "evt.rawarg.uid in (0, 1000)", "evt.rawarg.uid=1000", true },
        { "evt.rawarg.name = abc", "evt.rawarg.name=abc", true },

        /* Transformers. */
        { "tolower(proc.name) = bash", "proc.name=BaSh", true },
        { "toupper(proc.name) in (BASH)", "proc.name=BaSh", true },
        { "b64(proc.args) contains secret", "proc.args=YSBzZWNyZXQ=", true },
        { "b64(proc.args) exists", "proc.args=!!", false },
        { "basename(proc.exepath) = cat", "proc.exepath=/usr/bin/cat", true },
        { "basename(proc.exepath) = ''", "proc.exepath=/usr/bin/", true },
        { "len(proc.cmdline) > 3", "proc.cmdline=abcd", true },
        { "basename(tolower(proc.exepath)) = cat", "proc.exepath=/USR/CAT", true },
        { "tolower(proc.aname) = sshd", "proc.aname=BASH|SSHD", true },
        { "proc.name = val(proc.pname)", "proc.name=a; proc.pname=a", true },
        { "tolower(proc.name) = tolower(proc.pname)", "proc.name=a; proc.pname=A", true },
        { "proc.pid = val(proc.ppid)", "proc.pid=1; proc.ppid=2", false },
        { "join(',', fd.types) = 'file,pipe'", "fd.types=file|pipe", true },
        { "concat(proc.name, ':', user.name) = 'sh:root'", "proc.name=sh; user.name=root", true },
        { "concat(proc.name, ':', user.name) exists", "proc.name=sh", false },

        /* and, or, not, and what binds tighter. */
        { "proc.pid=1 or proc.pid=2 and proc.name=x", "proc.pid=1", true },
        { "(proc.pid=1 or proc.pid=2) and proc.name=x", "proc.pid=1", false },
        { "not proc.pid=1 and proc.name=x", "proc.pid=2; proc.name=x", true },
        { "not(proc.pid=1 or proc.name=x)", "proc.pid=2; proc.name=x", false },
        { "not not proc.pid=1", "proc.pid=1", true },
        { "proc.pid=1 and(proc.name=x)or(proc.pid=3)", "proc.pid=3", true },
        { "proc.pid=1\n  and\tproc.name=x", "proc.pid=1; proc.name=x", true },

        /* The event's direction: exits only. */
        { "evt.dir=< and evt.type=open", "evt.dir=<; evt.type=open", true },
        { "evt.dir=>", "evt.dir=<", false },
        { "evt.dir = < and evt.type in (open, openat)", "evt.dir=<; evt.type=openat", true },

        /* An event whose type has no rule, or a name that nobody knows. */
        { "evt.type != open", "evt.type=close", true },
        { "not evt.type in (open)", "evt.type=some_new_call", true },
        { "evt.type = open", "evt.type=some_new_call", false },
        { "proc.name=a and not evt.type=open", "evt.type=close; proc.name=a", true },
};

static const struct {
        const char *condition, *record;
        bool hits;
} policy_cases[] = {
        { "vuln.severity >= high", "vuln.severity=critical", true },
        { "vuln.severity >= high", "vuln.severity=medium", false },
        { "vuln.severity >= important", "vuln.severity=high", true },
        { "vuln.severity in (high, critical)", "vuln.severity=high", true },
        { "vuln.severity != high", "finding.kind=secret", false },
        { "vuln.severity >= high and vuln.fixed_version exists", "vuln.severity=high", false },
        { "vuln.cvss.score >= 7.5", "vuln.cvss.score=7.5", true },
        { "vuln.epss > 0.1", "vuln.epss=0.099999", false },
        { "vuln.published_age > 30d", "vuln.published_age=31d", true },
        { "vuln.kev = true or vuln.epss >= 0.5", "vuln.kev=true", true },
        { "image.labels[org.opencontainers.image.source] startswith https\\://",
          "image.labels[org.opencontainers.image.source]=x", false },
        { "image.tags intersects (latest)", "image.tags=1.0|latest", true },
        { "image.tag = latest or not image.by_digest = true", "image.by_digest=true", false },
        { "package.version < 1.2", "package.version=1.1", true },
};

static void check(const char *condition, const char *record, bool hits, unsigned stages, enum stage stage)
{
        struct rule_set *s = case_set(condition, stages, true);
        if (!s)
                fail_msg("does not load: %s", condition);
        if (case_hits(s, record, stage) != hits)
                fail_msg("%s should%s hit %s", condition, hits ? "" : " not", record);
        rule_set_free(s);
}

static void test_conditions(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check(cases[i].condition, cases[i].record, cases[i].hits, STAGE_SYSCALL, STAGE_SYSCALL);
}

static void test_policy_conditions(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(policy_cases); i++)
                check(policy_cases[i].condition, policy_cases[i].record, policy_cases[i].hits, STAGES_POLICY,
                      STAGE_ADMIT);
}

/* The canonical text, with lists and macros expanded or not, means the same. */
static void test_printed_conditions(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct rule_set *s = case_set(cases[i].condition, STAGE_SYSCALL, true);
                for (int expand = 0; expand < 2; expand++) {
                        struct buf once = BUF_INIT(10000), twice = BUF_INIT(10000);
                        rule_print_condition(s, 0, expand, &once);
                        struct rule_set *again = case_set(once.p, STAGE_SYSCALL, true);
                        assert_non_null(again);
                        assert_int_equal(case_hits(again, cases[i].record, STAGE_SYSCALL), cases[i].hits);
                        rule_print_condition(again, 0, expand, &twice);
                        assert_string_equal(once.p, twice.p);
                        rule_set_free(again);
                        buf_done(&once);
                        buf_done(&twice);
                }
                rule_set_free(s);
        }
}

/* The truth of the whole in an explanation is that of the evaluation, and every part is there. */
static void test_explanations(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct rule_set *s = case_set(cases[i].condition, STAGE_SYSCALL, true);
                struct rule_eval *e = rule_eval_new(s);
                struct case_record r;
                struct arena arena = ARENA_INIT;
                const struct rule_step *steps;
                const uint32_t *hits;
                case_parse(cases[i].record, &r);
                struct record record = { case_get, &r };
                rule_eval(e, &record, STAGE_SYSCALL, &hits);
                assert_true(rule_explain(e, 0, &record, &arena, &steps) > 0);
                assert_int_equal(steps[0].is_true, cases[i].hits);
                arena_done(&arena);
                rule_eval_free(e);
                rule_set_free(s);
        }
}

/* glob is fnmatch(3) without flags. */
static void test_glob_oracle(void **state)
{
        static const char pieces[] = "ab*?[]!-\\/^";
        unsigned seed = 1;
        for (int round = 0; round < 200000; round++) {
                char pattern[9], text[9];
                size_t n_pattern = (unsigned)rand_r(&seed) % 8, n_text = (unsigned)rand_r(&seed) % 8;
                for (size_t i = 0; i < n_pattern; i++)
                        pattern[i] = pieces[(unsigned)rand_r(&seed) % (sizeof(pieces) - 1)];
                for (size_t i = 0; i < n_text; i++)
                        text[i] = "ab/*A]"[(unsigned)rand_r(&seed) % 6];
                pattern[n_pattern] = text[n_text] = '\0';
                if (n_pattern > 0 && pattern[n_pattern - 1] == '\\')
                        continue; /* undefined in POSIX */
                bool ours = glob_match(str_of(pattern), str_of(text), false);
                if (ours != (fnmatch(pattern, text, 0) == 0) && !strpbrk(pattern, "["))
                        fail_msg("glob \"%s\" of \"%s\": %d", pattern, text, ours);
        }
}

static const struct {
        const char *pattern;
        const char *text;
} brackets[] = {
        { "[ab]", "a" },    { "[ab]", "c" },       { "[!ab]", "c" },         { "[]a]", "]" },
        { "[a-c]x", "bx" }, { "[a-c]x", "dx" },    { "[[:alpha:]]1", "z1" }, { "[[:digit:]]", "z" },
        { "[a", "[a" },     { "[!a-c][x]", "dx" }, { "[\\]]", "]" },         { "[a\\-c]", "-" },
        { "[-a]", "-" },    { "[a-]", "-" },       { "*[0-9]", "a/9" },      { "[/]", "/" },
};

static void test_glob_brackets(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(brackets); i++)
                assert_int_equal(glob_match(str_of(brackets[i].pattern), str_of(brackets[i].text), false),
                                 fnmatch(brackets[i].pattern, brackets[i].text, 0) == 0);
}

/* Literals searched together are found where each of them alone is. */
static void test_literals_oracle(void **state)
{
        unsigned seed = 5;
        for (int round = 0; round < 20000; round++) {
                char texts[6][5], text[12];
                struct value v[6];
                struct arena arena = ARENA_INIT;
                size_t n = 1 + (unsigned)rand_r(&seed) % 6, length = (unsigned)rand_r(&seed) % 11;
                bool anywhere = false, at_start = false;
                for (size_t i = 0; i < length; i++)
                        text[i] = "abc"[rand_r(&seed) % 3];
                for (size_t i = 0; i < n; i++) {
                        size_t k = 1 + (unsigned)rand_r(&seed) % 4;
                        for (size_t at = 0; at < k; at++)
                                texts[i][at] = "abc"[rand_r(&seed) % 3];
                        v[i] = value_string(str_span(texts[i], k));
                        anywhere |= length >= k && memmem(text, length, texts[i], k);
                        at_start |= str_starts(str_span(text, length), v[i].text);
                }
                const struct rule_literals *a = rule_literals_new(&arena, v, n, LITERALS_ANYWHERE),
                                           *b = rule_literals_new(&arena, v, n, LITERALS_AT_START);
                assert_int_equal(rule_literals_match(a, str_span(text, length)), anywhere);
                assert_int_equal(rule_literals_match(b, str_span(text, length)), at_start);
                arena_done(&arena);
        }
}

/* A field is asked for once, and not at all if no rule needs it: evt.type decides first. */
static void test_lazy(void **state)
{
        struct rule_set *s =
                case_set("evt.type=open and proc.name=a and (proc.name=b or proc.name=a)", STAGE_SYSCALL, true);
        struct rule_eval *e = rule_eval_new(s);
        struct case_record r;
        const uint32_t *hits;
        struct record record = { case_get, &r };
        case_parse("evt.type=open; proc.name=a", &r);
        assert_int_equal(rule_eval(e, &record, STAGE_SYSCALL, &hits), 1);
        assert_int_equal(r.fields[1].asked, 1);
        case_parse("evt.type=close; proc.name=a", &r);
        assert_int_equal(rule_eval(e, &record, STAGE_SYSCALL, &hits), 0);
        assert_int_equal(r.fields[0].asked, 1);
        assert_int_equal(r.fields[1].asked, 0);
        rule_eval_free(e);
        rule_set_free(s);
}

/* A record that gives a value of another type than the field's has no such field. */
static void wrong_type(void *ctx, const struct field_ref *ref, struct value *ret) { *ret = value_number(5); }

static void test_wrong_value(void **state)
{
        struct rule_set *s = case_set("proc.name exists", STAGE_SYSCALL, true);
        struct rule_eval *e = rule_eval_new(s);
        struct record record = { wrong_type, NULL };
        const uint32_t *hits;
        assert_int_equal(rule_eval(e, &record, STAGE_SYSCALL, &hits), 0);
        rule_eval_free(e);
        rule_set_free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_conditions),         cmocka_unit_test(test_policy_conditions),
                cmocka_unit_test(test_printed_conditions), cmocka_unit_test(test_explanations),
                cmocka_unit_test(test_glob_oracle),        cmocka_unit_test(test_glob_brackets),
                cmocka_unit_test(test_literals_oracle),    cmocka_unit_test(test_lazy),
                cmocka_unit_test(test_wrong_value),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
