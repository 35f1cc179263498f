/*
 * See view.h. hidden.c finds what hides each entry and owners.c knows who claims it; here both are joined, in one
 * reading of each layer's list of files, from the base layer up.
 */
#include "flow/view.h"

#include "base/map.h"
#include "flow/hidden.h"
#include "flow/owners.h"

#include <errno.h>
#include <stdlib.h>

struct link_target {
        struct fact_file file; /* digests and format */
};

struct sample {
        VEC(struct report_file) files;
        struct str limit;  /* what sorts after it is not kept any more */
        struct arena text; /* of the files, but for their packages */
};

struct merge {
        const struct layers *layers;
        struct arena *arena;
        const struct ledger *ledger;
        struct view *view;
        struct hidden hidden;
        struct owners owners;
        struct map64 evidence;     /* path of a file that facts rest on -> 1 + layer that has it in the view, or 0 */
        struct set64 link_targets; /* path and layer */
        struct map64 links;        /* path and layer -> 1 + index in link_files */
        VEC(struct link_target) link_files;
        struct sample modified, unknown;
        VEC(struct report_program) programs;
        struct map64 malware; /* path and layer -> 1 + index of the first in view->malware */
        struct set64 skipped; /* path and layer of files that were not looked at */
        struct map64 secrets; /* path and layer of a file with secrets -> 1 + index of the first in the view's */
};

struct pass {
        struct merge *m;
        size_t layer;
};

static uint64_t path_in_layer(uint64_t path_hash, size_t layer)
{
        return hash_str_more(path_hash, str_span(&layer, sizeof(layer)));
}

/* What hidden_find meets in the view: the files that facts rest on, links at the root, targets of hard links. */
static void note_visible(void *arg, size_t layer, uint64_t path_hash, const struct fact_file *f)
{
        struct merge *m = arg;
        uint64_t *evidence = map64_get(&m->evidence, path_hash);
        if (evidence && f->type != FILE_DIRECTORY)
                *evidence = layer + 1;
        if (f->type == FILE_HARDLINK)
                set64_add(&m->link_targets, path_in_layer(hash_str(f->link), layer));
        owners_alias(&m->owners, f);
}

/* --- packages and systems --- */

static bool is_database(struct str path)
{
        static const char *const below[] = { "var/lib/dpkg/",       "lib/apk/db/",           "usr/lib/apk/db/",
                                             "var/lib/rpm/",        "usr/lib/sysimage/rpm/", "usr/share/rpm/",
                                             "var/lib/rpmmanifest/" };
        for (size_t i = 0; i < ARRAY_SIZE(below); i++)
                if (str_starts(path, str_of(below[i])))
                        return true;
        return false;
}

bool is_package_list(struct str path) { return is_database(path) && !str_starts(path, STR("var/lib/dpkg/info/")); }

static void add_evidence(struct merge *m, struct str path) { (void)map64_put(&m->evidence, hash_str(path), NULL); }

static size_t evidence_layer(const struct merge *m, struct str path)
{
        const uint64_t *v = map64_get(&m->evidence, hash_str(path));
        return v && *v ? (size_t)*v - 1 : NONE;
}

static void collect_evidence(struct merge *m)
{
        for (size_t k = 0; k < m->layers->n; k++) {
                const struct layer_facts *l = &m->layers->v[k];
                for (size_t i = 0; i < l->packages.n; i++)
                        add_evidence(m, l->packages.v[i].database);
                for (size_t i = 0; i < l->os.n; i++)
                        add_evidence(m, l->os.v[i].path);
                for (size_t i = 0; i < l->unread.n; i++)
                        if (is_package_list(l->unread.v[i].path))
                                add_evidence(m, l->unread.v[i].path);
                for (size_t i = 0; i < l->databases.n; i++)
                        add_evidence(m, l->databases.v[i]);
        }
}

static uint64_t package_key(const struct fact_package *p)
{
        uint64_t h = hash_str(p->database);
        h = hash_str_more(h, p->name);
        h = hash_str_more(h, p->version);
        return hash_str_more(h, p->arch);
}

/* A package belongs to the layer where its database first listed this version of it. */
static void merge_packages(struct merge *m)
{
        VEC(struct report_package) all = { 0 };
        struct map64 known = { 0 };  /* key -> 1 + index in all */
        struct set64 listed = { 0 }; /* key and layer */
        struct set64 databases = { 0 };
        for (size_t k = 0; k < m->layers->n; k++) {
                const struct layer_facts *l = &m->layers->v[k];
                for (size_t i = 0; i < l->packages.n; i++) {
                        uint64_t key = package_key(&l->packages.v[i]);
                        uint64_t *at = map64_put(&known, key, NULL);
                        if (!*at) {
                                vec_push(&all)->layer = k;
                                *at = all.n;
                        }
                        all.v[*at - 1].p = l->packages.v[i];
                        set64_add(&listed, path_in_layer(key, k));
                }
        }
        m->view->packages = arena_array(m->arena, all.n, sizeof(*all.v));
        for (size_t i = 0; i < all.n; i++) {
                const struct fact_package *p = &all.v[i].p;
                size_t k = evidence_layer(m, p->database);
                if (k == NONE || !set64_has(&listed, path_in_layer(package_key(p), k)))
                        continue;
                struct report_package *to = &m->view->packages[m->view->n_packages++];
                *to = all.v[i];
                fact_copy(FACT_package, m->arena, p, &to->p);
                to->licence = to->p.licence;
                m->view->databases += set64_add(&databases, hash_str(p->database));
        }
        set64_done(&databases);
        set64_done(&listed);
        map64_done(&known);
        vec_done(&all);
}

/* Derivatives ship their parent's debian_version and redhat-release: those speak last. */
static unsigned os_rank(struct str path)
{
        if (str_is(path, "etc/os-release"))
                return 4;
        if (str_is(path, "usr/lib/os-release"))
                return 3;
        return str_is(path, "etc/debian_version") || str_is(path, "etc/redhat-release") ? 1 : 2;
}

static void merge_os(struct merge *m)
{
        const struct fact_os *best = NULL;
        for (size_t k = 0; k < m->layers->n; k++) {
                const struct layer_facts *l = &m->layers->v[k];
                for (size_t i = 0; i < l->os.n; i++) {
                        if (evidence_layer(m, l->os.v[i].path) != k)
                                continue;
                        if (!best || os_rank(l->os.v[i].path) > os_rank(best->path) ||
                            (os_rank(l->os.v[i].path) == os_rank(best->path) &&
                             str_cmp(l->os.v[i].path, best->path) < 0)) {
                                best = &l->os.v[i];
                                m->view->os_layer = k;
                        }
                }
        }
        m->view->has_os = best;
        if (best)
                fact_copy(FACT_os, m->arena, best, &m->view->os);
}

/* --- owners --- */

static int merge_owners(struct merge *m)
{
        struct map_str by_name = { 0 };
        int e = 0;
        for (size_t i = 0; i < m->view->n_packages; i++)
                *map_str_put(&by_name, m->view->packages[i].p.name, NULL) = &m->view->packages[i];
        for (size_t k = 0; k < m->layers->n && e == 0; k++) {
                struct spool_reader r;
                struct str record;
                const struct report_package *p = NULL; /* that claims the file: mostly the same as before */
                spool_read_init(&r, &m->layers->v[k].owned);
                while ((e = spool_read(&r, &record)) > 0) {
                        struct fact_owned o;
                        struct cursor c = cursor_from(record);
                        if (!fact_decode(FACT_owned, &c, NULL, &o) || evidence_layer(m, o.database) != k)
                                continue;
                        if (!p || !str_eq(p->p.name, o.package))
                                p = map_str_get(&by_name, o.package);
                        if (p)
                                owners_add(&m->owners, &o, (uint32_t)(p - m->view->packages));
                }
                spool_read_done(&r);
        }
        map_str_done(&by_name);
        return e;
}

/* --- secrets --- */

static int by_file(const void *a, const void *b)
{
        const struct view_secret *x = a, *y = b;
        if (x->layer != y->layer)
                return x->layer < y->layer ? -1 : 1;
        int r = str_cmp(x->secret.path, y->secret.path);
        if (r == 0)
                r = str_cmp(x->secret.members, y->secret.members);
        if (r == 0 && x->secret.offset != y->secret.offset)
                return x->secret.offset < y->secret.offset ? -1 : 1;
        return r ? r : str_cmp(x->secret.rule, y->secret.rule);
}

/* The certificate that belongs to a private key: the first, from the base layer up. */
static struct str certificate_of(struct merge *m, const struct fact_secret *s)
{
        for (size_t k = 0; s->public_key.n && k < m->layers->n; k++) {
                const struct certificate_vec *v = &m->layers->v[k].certificates;
                for (size_t i = 0; i < v->n; i++)
                        if (str_eq(v->v[i].public_key, s->public_key))
                                return arena_printf(m->arena, "/%.*s%s%.*s%s", STR_FMT(v->v[i].path),
                                                    v->v[i].subject.n ? " (" : "", STR_FMT(v->v[i].subject),
                                                    v->v[i].subject.n ? ")" : "");
        }
        return STR_NONE;
}

/* All of them, those of one file in a row; end_entry then tells what became of the file. */
static void merge_secrets(struct merge *m)
{
        struct view *v = m->view;
        size_t n = 0;
        for (size_t k = 0; k < m->layers->n; k++)
                n += m->layers->v[k].secrets.n;
        v->secrets = arena_array(m->arena, n, sizeof(*v->secrets));
        for (size_t k = 0; k < m->layers->n; k++)
                for (size_t i = 0; i < m->layers->v[k].secrets.n; i++) {
                        struct view_secret *s = &v->secrets[v->n_secrets++];
                        s->layer = k;
                        s->deleted_by = NONE;
                        fact_copy(FACT_secret, m->arena, &m->layers->v[k].secrets.v[i], &s->secret);
                        s->certificate = certificate_of(m, &s->secret);
                }
        if (n)
                qsort(v->secrets, n, sizeof(*v->secrets), by_file);
        for (size_t i = n; i-- > 0;)
                *map64_put(&m->secrets, path_in_layer(hash_str(v->secrets[i].secret.path), v->secrets[i].layer), NULL) =
                        i + 1;
}

static void end_secrets(struct merge *m, uint64_t h, const struct ledger_entry *e)
{
        const uint64_t *at = map64_get(&m->secrets, path_in_layer(h, e->layer));
        for (size_t i = at ? (size_t)*at - 1 : m->view->n_secrets; i < m->view->n_secrets; i++) {
                struct view_secret *s = &m->view->secrets[i];
                if (s->layer != e->layer || !str_eq(s->secret.path, e->file->path))
                        break;
                s->deleted_by = e->deleted_by;
                s->package = e->package;
                s->is_verified = e->deleted_by == NONE && e->state == STATE_VERIFIED;
        }
}

/* --- third reading: how each file ends --- */

static struct str digest_of(const struct fact_file *f, size_t bytes)
{
        return bytes == 16 ? f->md5 : bytes == 20 ? f->sha1 : bytes == 32 ? f->sha256 : STR_NONE;
}

static struct str hex(struct arena *a, struct str bytes)
{
        char *text = arena_alloc(a, bytes.n * 2 + 1);
        for (size_t i = 0; i < bytes.n; i++) {
                static const char digits[] = "0123456789abcdef";
                text[2 * i] = digits[(uint8_t)bytes.p[i] >> 4];
                text[2 * i + 1] = digits[(uint8_t)bytes.p[i] & 15];
        }
        return str_span(text, bytes.n * 2);
}

static bool is_executable(const struct fact_file *f)
{
        if (f->type != FILE_REGULAR && f->type != FILE_HARDLINK)
                return false;
        if (f->mode & 06000)
                return true;
        return f->format == FORMAT_ELF || f->format == FORMAT_PE || (f->format == FORMAT_SCRIPT && (f->mode & 0111));
}

/* What a file holds: of hard links, what the file they name holds. */
static const struct fact_file *content_of(struct merge *m, const struct fact_file *f, size_t layer)
{
        if (f->type != FILE_HARDLINK)
                return f;
        const uint64_t *at = map64_get(&m->links, path_in_layer(hash_str(f->link), layer));
        return at ? &m->link_files.v[*at - 1].file : f;
}

static void remember_link_target(struct merge *m, const struct fact_file *f, uint64_t path_hash, size_t layer)
{
        uint64_t h = path_in_layer(path_hash, layer);
        if (f->type != FILE_REGULAR || !set64_has(&m->link_targets, h))
                return;
        struct link_target *t = vec_push(&m->link_files);
        fact_copy(FACT_file, m->arena, f, &t->file);
        *map64_put(&m->links, h, NULL) = m->link_files.n;
}

static void add_program(struct merge *m, struct report_package *p, struct str path)
{
        p->programs++;
        m->view->has_programs = m->view->has_programs && m->programs.n < VIEW_PROGRAMS_MAX;
        if (m->view->has_programs)
                *vec_push(&m->programs) = (struct report_program){ p->p.name, arena_str(m->arena, path) };
}

static void judge(struct merge *m, struct ledger_entry *e, uint64_t h, const struct fact_file *content,
                  struct arena *scratch)
{
        struct owner *o = owners_find(&m->owners, h);
        if (set64_has(&m->skipped, path_in_layer(h, e->layer))) {
                e->state = STATE_SKIPPED;
                return;
        }
        if (!o) {
                e->state = is_database(e->file->path) ? STATE_DATABASE : STATE_UNKNOWN;
                return;
        }
        struct report_package *p = &m->view->packages[o->package];
        o->is_found = true;
        p->files++;
        if (content->format == FORMAT_ELF)
                add_program(m, p, e->file->path);
        e->package = p->p.name;
        e->state = STATE_OWNED;
        struct str promised = owner_digest(&m->owners, o);
        struct str found = digest_of(content, promised.n);
        if (!promised.n)
                return;
        if (content->type != FILE_REGULAR) {
                if (!o->is_config) {
                        e->state = STATE_MODIFIED;
                        e->why = STR("a link or special file stands where the package shipped a regular file");
                }
        } else if (!found.n) {
                e->why = STR("not verified: its digest was not computed");
        } else if (str_eq(promised, found)) {
                e->state = STATE_VERIFIED;
        } else if (o->is_config) {
                e->why = STR("configuration file, changed");
        } else {
                e->state = STATE_MODIFIED;
                e->why = arena_printf(scratch, "%s %.*s, not %.*s",
                                      promised.n == 16   ? "MD5"
                                      : promised.n == 20 ? "SHA-1"
                                                         : "SHA-256",
                                      STR_FMT(hex(scratch, found)), STR_FMT(hex(scratch, promised)));
        }
        p->files_modified += e->state == STATE_MODIFIED;
}

static int by_path(const void *a, const void *b)
{
        const struct report_file *x = a, *y = b;
        int r = str_cmp(x->path, y->path);
        return r ? r : (x->layer > y->layer) - (x->layer < y->layer);
}

static void move_text(struct report_file *f, struct arena *to)
{
        f->path = arena_str(to, f->path);
        f->sha256 = arena_str(to, f->sha256);
        f->why = arena_str(to, f->why);
}

/* Keeps the first VIEW_SAMPLE_MAX by path, whatever the order they come in: sorted and cut now and then. */
static void sample(struct sample *s, const struct ledger_entry *e, const struct fact_file *content)
{
        if (s->limit.p && str_cmp(e->file->path, s->limit) >= 0)
                return;
        *vec_push(&s->files) = (struct report_file){ .path = arena_str(&s->text, e->file->path),
                                                     .layer = e->layer,
                                                     .state = e->state,
                                                     .size = content->size,
                                                     .format = (enum file_format)content->format,
                                                     .sha256 = hex(&s->text, content->sha256),
                                                     .package = e->package,
                                                     .why = arena_str(&s->text, e->why) };
        if (s->files.n < 4 * VIEW_SAMPLE_MAX)
                return;
        qsort(s->files.v, s->files.n, sizeof(*s->files.v), by_path);
        s->files.n = VIEW_SAMPLE_MAX;
        struct arena kept = ARENA_INIT; /* without the text of those that were cut */
        for (size_t i = 0; i < s->files.n; i++)
                move_text(&s->files.v[i], &kept);
        arena_done(&s->text);
        s->text = kept;
        s->limit = s->files.v[VIEW_SAMPLE_MAX - 1].path;
}

static void collect_malware(struct merge *m)
{
        struct view *v = m->view;
        size_t n = 0;
        for (size_t k = 0; k < m->layers->n; k++)
                n += m->layers->v[k].malware.n;
        v->malware = arena_array(m->arena, n, sizeof(*v->malware));
        for (size_t k = 0; k < m->layers->n; k++) {
                for (size_t i = 0; i < m->layers->v[k].malware.n; i++) {
                        struct view_malware *to = &v->malware[v->n_malware++];
                        *to = (struct view_malware){ .layer = k, .deleted_by = NONE };
                        fact_copy(FACT_malware, m->arena, &m->layers->v[k].malware.v[i], &to->fact);
                        bool is_new;
                        uint64_t *first = map64_put(&m->malware, path_in_layer(hash_str(to->fact.path), k), &is_new);
                        if (is_new)
                                *first = v->n_malware;
                }
        }
}

/* Of a path that a layer has twice the last entry counts, as everywhere. */
static void note_deleted_malware(struct merge *m, uint64_t path_hash, size_t layer, size_t deleted_by)
{
        const uint64_t *first = map64_get(&m->malware, path_in_layer(path_hash, layer));
        if (!first)
                return;
        struct str path = m->view->malware[*first - 1].fact.path;
        for (size_t i = *first - 1; i < m->view->n_malware && m->view->malware[i].layer == layer; i++)
                if (str_eq(m->view->malware[i].fact.path, path))
                        m->view->malware[i].deleted_by = deleted_by;
}

static int end_entry(void *arg, uint64_t i, const struct fact_file *f)
{
        struct pass *p = arg;
        struct merge *m = p->m;
        struct coverage *c = &m->view->coverage;
        uint16_t hider = m->hidden.by[p->layer][i];
        if (f->type == FILE_DIRECTORY && !hider && m->ledger && m->ledger->directory)
                m->ledger->directory(m->ledger->arg, f, p->layer);
        if (is_marker(f) || f->type == FILE_DIRECTORY)
                return 0;
        uint64_t h = hash_str(f->path);
        struct ledger_entry e = { .file = f, .layer = p->layer, .deleted_by = NONE };
        struct arena scratch = ARENA_INIT;
        remember_link_target(m, f, h, p->layer);
        if (hider) {
                e.deleted_by = hider == HIDDEN_REPLACED ? p->layer : (size_t)hider - 1;
                c->deleted++;
        } else {
                const struct fact_file *content = content_of(m, f, p->layer);
                judge(m, &e, h, content, &scratch);
                c->files[e.state]++;
                c->total++;
                if (e.state == STATE_MODIFIED) {
                        c->total_modified++;
                        sample(&m->modified, &e, content);
                } else if (e.state == STATE_UNKNOWN && (is_executable(f) || is_executable(content))) {
                        c->total_unknown_executables++;
                        sample(&m->unknown, &e, content);
                }
        }
        end_secrets(m, h, &e);
        if (m->view->n_malware)
                note_deleted_malware(m, h, p->layer, e.deleted_by);
        int r = m->ledger ? m->ledger->entry(m->ledger->arg, &e) : 0;
        arena_done(&scratch);
        return r;
}

/* Reasons that mean that the file as such was not looked at; the others are about a part of what it says. */
static bool is_skip(struct str code)
{
        static const char *const codes[] = { "too-large",   "unsupported", "denied",
                                             "unsafe-path", "encrypted",   "vanished" };
        for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
                if (str_is(code, codes[i]))
                        return true;
        return false;
}

/* More than a file is missing: packages or files of the view may be unknown. */
static bool is_loss(const struct merge *m, const struct fact_unread *u, size_t layer)
{
        if (str_is(u->path, "(layer)"))
                return !str_is(u->code, "trailing");
        return is_package_list(u->path) && evidence_layer(m, u->path) == layer;
}

static int by_unread(const void *a, const void *b)
{
        const struct fact_unread *x = a, *y = b;
        int r = str_cmp(x->path, y->path);
        if (r == 0)
                r = str_cmp(x->code, y->code);
        return r ? r : str_cmp(x->detail, y->detail);
}

static void merge_unread(struct merge *m)
{
        struct unread_vec all = { 0 };
        uint64_t more = 0;
        for (size_t k = 0; k < m->layers->n; k++) {
                const struct layer_facts *l = &m->layers->v[k];
                more += l->unread_more;
                for (size_t i = 0; i < l->unread.n; i++) {
                        struct fact_unread u = l->unread.v[i];
                        if (is_skip(u.code))
                                set64_add(&m->skipped, path_in_layer(hash_str(u.path), k));
                        if (is_loss(m, &u, k))
                                m->view->is_partial = true;
                        if (str_is(u.path, "(layer)"))
                                u.path = arena_printf(m->arena, "layer %zu", k + 1);
                        if (all.n < UNREAD_MAX)
                                fact_copy(FACT_unread, m->arena, &u, vec_push(&all));
                        else
                                more++;
                }
        }
        if (all.n)
                qsort(all.v, all.n, sizeof(*all.v), by_unread);
        if (more)
                *vec_push(&all) =
                        (struct fact_unread){ .path = STR("(more)"),
                                              .code = STR("limit"),
                                              .detail = arena_printf(m->arena, "%llu more that are not listed",
                                                                     (unsigned long long)more) };
        struct fact_unread *copy = arena_array(m->arena, all.n, sizeof(*copy));
        if (all.n)
                memcpy(copy, all.v, all.n * sizeof(*copy));
        m->view->coverage.unread = copy;
        m->view->coverage.n_unread = all.n;
        vec_done(&all);
}

static void sample_done(struct sample *s)
{
        vec_done(&s->files);
        arena_done(&s->text);
}

static const struct report_file *finish_sample(struct arena *arena, struct sample *s, size_t *ret_n)
{
        size_t n = s->files.n;
        if (n)
                qsort(s->files.v, n, sizeof(*s->files.v), by_path);
        *ret_n = MIN(n, (size_t)VIEW_SAMPLE_MAX);
        struct report_file *copy = arena_array(arena, *ret_n, sizeof(*copy));
        if (*ret_n)
                memcpy(copy, s->files.v, *ret_n * sizeof(*copy));
        for (size_t i = 0; i < *ret_n; i++)
                move_text(&copy[i], arena);
        sample_done(s);
        return copy;
}

static int merge_files(struct merge *m)
{
        int r = 0;
        for (size_t k = 0; k < m->layers->n && r == 0; k++) {
                struct pass p = { .m = m, .layer = k };
                r = layer_each_file(&m->layers->v[k].files, end_entry, &p);
        }
        for (size_t i = 0; i < m->owners.list.n; i++)
                if (!m->owners.list.v[i].is_found && m->owners.list.v[i].digest_bytes)
                        m->view->packages[m->owners.list.v[i].package].files_missing++;
        struct coverage *c = &m->view->coverage;
        c->modified = finish_sample(m->arena, &m->modified, &c->n_modified);
        c->unknown_executables = finish_sample(m->arena, &m->unknown, &c->n_unknown_executables);
        m->view->n_programs = m->view->has_programs ? m->programs.n : 0;
        m->view->programs = arena_array(m->arena, m->view->n_programs, sizeof(*m->view->programs));
        if (m->view->n_programs)
                memcpy(m->view->programs, m->programs.v, m->view->n_programs * sizeof(*m->view->programs));
        return r;
}

int view_make(const struct layers *l, struct arena *arena, const struct ledger *ledger, const struct loaded *loaded,
              struct view *ret, struct error *err)
{
        *ret = (struct view){ .os_layer = NONE, .has_programs = true };
        if (l->n > HIDDEN_LAYERS_MAX)
                return error_set(err, -E2BIG, "%zu layers; at most %d can be merged", l->n, HIDDEN_LAYERS_MAX);
        struct merge m = { .layers = l, .arena = arena, .ledger = ledger, .view = ret };
        owners_init(&m.owners);
        collect_evidence(&m);
        int r = hidden_find(l, note_visible, &m, &m.hidden);
        if (r == 0) {
                merge_os(&m);
                merge_packages(&m);
                merge_unread(&m);
                merge_secrets(&m);
                collect_malware(&m);
                r = merge_owners(&m);
        }
        if (r == 0)
                r = merge_files(&m);
        if (r == 0 && loaded)
                loaded_mark(loaded, &m.owners, ret->packages, ret->n_packages, arena);
        hidden_done(&m.hidden);
        owners_done(&m.owners);
        map64_done(&m.evidence);
        set64_done(&m.link_targets);
        map64_done(&m.links);
        vec_done(&m.link_files);
        vec_done(&m.programs);
        sample_done(&m.modified);
        sample_done(&m.unknown);
        map64_done(&m.malware);
        set64_done(&m.skipped);
        map64_done(&m.secrets);
        return r < 0 ? error_errno(err, r, "cannot merge the layers") : 0;
}
