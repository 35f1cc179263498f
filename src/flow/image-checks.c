/* See image-checks.h: the checks, as rows of a table. Each looks at the report and the noted files, and says what it
 * found. */
#include "flow/image-checks.h"

#include "analyze/exposure.h"
#include "base/date.h"

#define DAY INT64_C(86400)

struct image {
        const struct report *r;
        struct image_files *f;
        struct arena *arena;
};

struct image_check {
        struct check check;
        enum image_list list; /* for on_list */
        /* True: the image fails it; *ret_detail says what was found, *ret_path where, if it is about a file. */
        bool (*fails)(struct image *i, const struct image_check *c, struct str *ret_detail, struct str *ret_path);
};

/* --- words --- */

struct words {
        struct buf text;
        uint64_t n;
};

/* "a, b, c and 4 more" */
static void add(struct words *w, struct str item)
{
        if (w->n++ < IMAGE_LISTED_MAX)
                buf_printf(&w->text, "%s%.*s", w->n > 1 ? ", " : "", STR_FMT(str_upto(item, 200)));
}

static bool finish(struct image *i, struct words *w, uint64_t total, struct str *ret)
{
        if (total > IMAGE_LISTED_MAX)
                buf_printf(&w->text, " and %llu more", (unsigned long long)(total - IMAGE_LISTED_MAX));
        *ret = arena_str(i->arena, buf_str(&w->text));
        buf_done(&w->text);
        return total > 0;
}

#define WORDS_INIT ((struct words){ .text = BUF_INIT(8192) })

/* --- configuration --- */

static bool runs_as_root(struct image *i, const struct image_check *c, struct str *ret_detail, struct str *ret_path)
{
        struct str group = i->r->image.user, user = str_cut(&group, ':');
        *ret_detail = user.n ? arena_printf(i->arena, "User is %.*s", STR_FMT(user)) : STR("no User is set");
        return !user.n || str_is(user, "0") || str_is(user, "root");
}

static bool exposes_maintenance(struct image *i, const struct image_check *c, struct str *ret_detail,
                                struct str *ret_path)
{
        struct words w = WORDS_INIT;
        for (size_t k = 0; k < i->r->image.ports.n; k++) {
                struct str protocol = i->r->image.ports.v[k], last = str_cut(&protocol, '/'),
                           first = str_cut(&last, '-');
                uint64_t a, b;
                if (!str_u64(first, &a))
                        continue;
                const char *what = maintenance_port(a, str_u64(last, &b) ? b : a);
                if (what)
                        add(&w, arena_printf(i->arena, "%.*s (%s)", STR_FMT(i->r->image.ports.v[k]), what));
        }
        return finish(i, &w, w.n, ret_detail);
}

/* Names alone: what values look like is judged elsewhere, and none is shown. */
static bool has_secret_names(struct image *i, const struct image_check *c, struct str *ret_detail, struct str *ret_path)
{
        struct words w = WORDS_INIT;
        for (size_t k = 0; k < i->r->image.env.n; k++) {
                struct str value = i->r->image.env.v[k], name = str_cut(&value, '=');
                if (value.n && is_secret_name(name))
                        add(&w, name);
        }
        return finish(i, &w, w.n, ret_detail);
}

static bool has_no_healthcheck(struct image *i, const struct image_check *c, struct str *ret_detail,
                               struct str *ret_path)
{
        return !i->r->image.healthcheck;
}

/* Tools that make the same image from the same sources set a date of long ago. */
#define OLDEST_DATE (INT64_C(365) * 20 * DAY)

static bool is_old(struct image *i, const struct image_check *c, struct str *ret_detail, struct str *ret_path)
{
        char day[DATE_TEXT_MAX];
        int64_t created = i->r->image.created, age = i->r->today - created;
        if (created < OLDEST_DATE || age <= IMAGE_AGE_DAYS * DAY)
                return false;
        *ret_detail =
                arena_printf(i->arena, "created %s, %lld days ago", date_day(created, day), (long long)(age / DAY));
        return true;
}

static bool is_latest(struct image *i, const struct image_check *c, struct str *ret_detail, struct str *ret_path)
{
        for (size_t k = 0; k < i->r->tags.n; k++) {
                struct str tag = i->r->tags.v[k];
                ptrdiff_t colon = str_rfind_char(tag, ':');
                bool has_tag = colon >= 0 && str_rfind_char(tag, '/') < colon;
                if (!has_tag || !str_is(str_from(tag, (size_t)colon + 1), "latest"))
                        continue;
                *ret_detail = tag;
                return true;
        }
        return false;
}

/* --- history --- */

static bool adds_url(struct str step)
{
        ptrdiff_t add_at = str_find(step, STR("ADD "));
        struct str rest = add_at < 0 ? STR_NONE : str_from(step, (size_t)add_at + 4);
        while (str_starts(rest, STR("--"))) {
                if (str_starts(rest, STR("--checksum")))
                        return false;
                (void)str_cut(&rest, ' ');
        }
        return str_starts(rest, STR("http://")) || str_starts(rest, STR("https://")) || str_starts(rest, STR("git@"));
}

/* curl or wget, and behind it a pipe into a shell or another interpreter. No parsing: this text is hostile. */
static bool pipes_download(struct str step)
{
        static const char *const interpreters[] = { "sh",     "bash",    "dash", "ash",  "zsh",
                                                    "python", "python3", "perl", "ruby", "node" };
        if (str_find(step, STR("curl ")) < 0 && str_find(step, STR("wget ")) < 0)
                return false;
        for (struct str rest = step; rest.p;) {
                (void)str_cut(&rest, '|');
                struct str command = str_trim(rest);
                if (str_starts(command, STR("sudo ")))
                        command = str_trim(str_from(command, 5));
                size_t n = 0;
                while (n < command.n && !strchr(" \t;&|)\n", command.p[n]))
                        n++;
                struct str name = str_upto(command, n);
                name = str_from(name, (size_t)(str_rfind_char(name, '/') + 1));
                for (size_t k = 0; rest.p && k < ARRAY_SIZE(interpreters); k++)
                        if (str_is(name, interpreters[k]))
                                return true;
        }
        return false;
}

static bool any_step(struct image *i, bool (*is)(struct str step), struct str *ret_detail)
{
        struct words w = WORDS_INIT;
        for (size_t k = 0; k < i->r->n_layers; k++)
                if (is(i->r->layers[k].created_by))
                        add(&w, arena_printf(i->arena, "layer %zu", k + 1));
        return finish(i, &w, w.n, ret_detail);
}

static bool has_added_url(struct image *i, const struct image_check *c, struct str *ret_detail, struct str *ret_path)
{
        return any_step(i, adds_url, ret_detail);
}

static bool has_piped_download(struct image *i, const struct image_check *c, struct str *ret_detail,
                               struct str *ret_path)
{
        return any_step(i, pipes_download, ret_detail);
}

/* --- files --- */

static bool has_listed(struct image *i, const struct image_check *c, struct str *ret_detail, struct str *ret_path)
{
        struct words w = WORDS_INIT;
        for (size_t k = 0; k < i->f->lists[c->list].n; k++) {
                const struct image_file *f = &i->f->lists[c->list].v[k];
                add(&w, f->words.n ? arena_printf(i->arena, "/%.*s (%.*s)", STR_FMT(f->path), STR_FMT(f->words))
                                   : arena_printf(i->arena, "/%.*s", STR_FMT(f->path)));
                if (k == 0)
                        *ret_path = f->path;
        }
        return finish(i, &w, i->f->counts[c->list], ret_detail);
}

static bool has_writable_directories(struct image *i, const struct image_check *c, struct str *ret_detail,
                                     struct str *ret_path)
{
        struct words w = WORDS_INIT;
        for (size_t k = 0; k < i->f->in_order.n; k++) {
                const struct image_directory *d = i->f->in_order.v[k];
                if (!(d->mode & 0002) || d->mode & 01000)
                        continue;
                if (!w.n)
                        *ret_path = d->path;
                add(&w, arena_printf(i->arena, "/%.*s", STR_FMT(d->path)));
        }
        return finish(i, &w, w.n, ret_detail);
}

static bool advises_read_only(struct image *i, const struct image_check *c, struct str *ret_detail,
                              struct str *ret_path)
{
        return image_read_only_advice(i->r, i->f, i->arena, ret_detail);
}

static const struct image_check checks[] = {
        { .check = { .id = "SK-IMAGE-001",
                     .aliases = "DL3002",
                     .severity = SEVERITY_MEDIUM,
                     .title = "Runs as root",
                     .why = "Whoever takes over the process is root in the container, and one mistake of the kernel or "
                            "of its "
                            "configuration away from root on the host.",
                     .fix = "end the Dockerfile with USER and a number, or start it with --user",
                     .tags = "NIST-800-190:4.1.2 NIST-800-190:4.4.3 CWE-250 T1611" },
          .fails = runs_as_root },
        { .check = { .id = "SK-IMAGE-002",
                     .severity = SEVERITY_HIGH,
                     .title = "Setuid or setgid files of no package",
                     .why = "Whoever runs one has its owner's rights, and nobody vouches for what it does.",
                     .fix = "remove the bit or the file: chmod a-s",
                     .tags = "NIST-800-190:4.1.2 CWE-732 T1548.001" },
          .list = IMAGE_SETID_UNKNOWN,
          .fails = has_listed },
        { .check = { .id = "SK-IMAGE-003",
                     .severity = SEVERITY_LOW,
                     .title = "Setuid or setgid files of packages",
                     .why = "They are there for systems with several users; in a container they only help an intruder "
                            "to root.",
                     .fix = "chmod a-s in the build, and run with --security-opt no-new-privileges",
                     .tags = "NIST-800-190:4.1.2 CWE-732 T1548.001" },
          .list = IMAGE_SETID_OWNED,
          .fails = has_listed },
        { .check = { .id = "SK-IMAGE-004",
                     .severity = SEVERITY_MEDIUM,
                     .title = "Directories that anybody may write",
                     .why = "Without the sticky bit any process may also replace and delete what others have put "
                            "there.",
                     .fix = "chmod o-w, or chmod +t where it must be shared",
                     .tags = "NIST-800-190:4.1.2 CWE-732 T1222.002" },
          .fails = has_writable_directories },
        { .check = { .id = "SK-IMAGE-005",
                     .severity = SEVERITY_MEDIUM,
                     .title = "Files that anybody may write",
                     .why = "Any process in the container can change what another one runs or reads.",
                     .fix = "chmod o-w",
                     .tags = "NIST-800-190:4.1.2 CWE-732 T1222.002" },
          .list = IMAGE_WRITABLE_FILES,
          .fails = has_listed },
        { .check = { .id = "SK-IMAGE-006",
                     .severity = SEVERITY_MEDIUM,
                     .title = "Files with capabilities",
                     .why = "Whoever runs one has a part of root's rights, as far as the container has it.",
                     .fix = "setcap -r, or drop the capability when the container is started",
                     .tags = "NIST-800-190:4.1.2 CWE-250 T1548" },
          .list = IMAGE_CAPABLE,
          .fails = has_listed },
        { .check = { .id = "SK-IMAGE-007",
                     .severity = SEVERITY_LOW,
                     .title = "Package managers in the image",
                     .why = "An intruder installs with them what the image lacks.",
                     .fix = "use a minimal base image, or copy the program into one",
                     .tags = "NIST-800-190:4.1.2 CWE-1125 T1105" },
          .list = IMAGE_MANAGERS,
          .fails = has_listed },
        { .check = { .id = "SK-IMAGE-008",
                     .severity = SEVERITY_MEDIUM,
                     .title = "Compilers in the image",
                     .why = "They are of no use at run time, and make of an intruder's source a program.",
                     .fix = "build in one stage, and copy the result into another",
                     .tags = "NIST-800-190:4.1.2 CWE-1125 T1027.004" },
          .list = IMAGE_COMPILERS,
          .fails = has_listed },
        { .check = { .id = "SK-IMAGE-009",
                     .severity = SEVERITY_LOW,
                     .title = "Shells in the image",
                     .why = "Most attacks go on in a shell.",
                     .fix = "use a base image without one, where the program needs none",
                     .tags = "NIST-800-190:4.1.2 CWE-1125 T1059.004" },
          .list = IMAGE_SHELLS,
          .fails = has_listed },
        { .check = { .id = "SK-IMAGE-010",
                     .severity = SEVERITY_LOW,
                     .title = "Network and debugging tools in the image",
                     .why = "An intruder downloads, connects and looks around with them.",
                     .fix = "remove them in the build",
                     .tags = "NIST-800-190:4.1.2 CWE-1125 T1105 T1046" },
          .list = IMAGE_TOOLS,
          .fails = has_listed },
        { .check = { .id = "SK-IMAGE-011",
                     .aliases = "SK-DOCKER-117",
                     .severity = SEVERITY_MEDIUM,
                     .title = "A port for maintenance is exposed",
                     .why = "It is a way to control the container or its host, not a service that it gives.",
                     .fix = "remove the EXPOSE and what listens there",
                     .tags = "NIST-800-190:4.1.2 CWE-1125 T1133" },
          .fails = exposes_maintenance },
        { .check = { .id = "SK-IMAGE-012",
                     .aliases = "DL3064",
                     .severity = SEVERITY_HIGH,
                     .title = "Variables that hold secrets, by their names",
                     .why = "The configuration is readable for whoever can pull the image.",
                     .fix = "give secrets at run time, and change those that were in it",
                     .tags = "NIST-800-190:4.1.4 CWE-538 CWE-798 T1552.001" },
          .fails = has_secret_names },
        { .check = { .id = "SK-IMAGE-013",
                     .aliases = "DL3057",
                     .severity = SEVERITY_LOW,
                     .title = "No HEALTHCHECK",
                     .why = "An engine can only tell whether the process lives, not whether it works.",
                     .fix = "add HEALTHCHECK, or probes where an orchestrator runs it",
                     .tags = "NIST-800-190:4.1.2" },
          .fails = has_no_healthcheck },
        { .check = { .id = "SK-IMAGE-014",
                     .aliases = "SK-DOCKER-106",
                     .severity = SEVERITY_MEDIUM,
                     .title = "Built with ADD from the network",
                     .why = "Whatever the server sent became part of the image.",
                     .fix = "verify a checksum in the build",
                     .tags = "NIST-800-190:4.1.3 CWE-494 T1195.002" },
          .fails = has_added_url },
        { .check = { .id = "SK-IMAGE-015",
                     .aliases = "SK-DOCKER-105",
                     .severity = SEVERITY_HIGH,
                     .title = "Built by running what was downloaded",
                     .why = "Nobody has seen what ran; whoever controlled the server or the connection controls the "
                            "image.",
                     .fix = "download to a file and verify it before it runs",
                     .tags = "NIST-800-190:4.1.3 CWE-494 T1059.004" },
          .fails = has_piped_download },
        { .check = { .id = "SK-IMAGE-016",
                     .severity = SEVERITY_LOW,
                     .title = "An old image",
                     .why = "What was repaired since then is not in it.",
                     .fix = "build it again",
                     .tags = "NIST-800-190:4.2.2 CWE-1104" },
          .fails = is_old },
        { .check = { .id = "SK-IMAGE-017",
                     .aliases = "DL3007",
                     .severity = SEVERITY_LOW,
                     .title = "Called latest",
                     .why = "The tag moves: tomorrow it means another image.",
                     .fix = "give releases tags of their own",
                     .tags = "NIST-800-190:4.2.2 T1525" },
          .fails = is_latest },
        { .check = { .id = "SK-IMAGE-020",
                     .severity = SEVERITY_NONE,
                     .title = "Read-only root",
                     .why = "On a read-only root nothing can be changed or installed; what must be written gets a "
                            "mount.",
                     .fix = "start it with --read-only and these mounts, and try whether it works",
                     .tags = "NIST-800-190:4.4.3 T1525" },
          .fails = advises_read_only },
};

const struct check *image_check_at(size_t i) { return i < ARRAY_SIZE(checks) ? &checks[i].check : NULL; }

const struct fact_check *image_checks(const struct report *r, struct image_files *f, struct arena *arena, size_t *ret_n)
{
        struct image image = { r, f, arena };
        struct fact_check *v = arena_array(arena, ARRAY_SIZE(checks), sizeof(*v));
        *ret_n = 0;
        for (size_t i = 0; r->has_image && i < ARRAY_SIZE(checks); i++) {
                struct str detail = STR_NONE, path = STR_NONE;
                if (!checks[i].fails(&image, &checks[i], &detail, &path))
                        continue;
                struct fact_check *c = &v[(*ret_n)++];
                check_describe(&checks[i].check, arena, c);
                c->file = path;
                c->detail = detail;
        }
        return v;
}
