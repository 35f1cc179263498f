/* See scan.h: opens the target, reads its layers, merges them, matches, decides, and puts the report together. */
#include "flow/scan.h"

#include "flow/history.h"
#include "flow/secrets.h"
#include "sense/mapped-file.h"

#include <errno.h>
#include <stdlib.h>

static void describe_artefact(struct scan *s)
{
        struct artefact *a = &s->artefact;
        struct report *r = &s->report;
        r->target = a->target;
        r->kind = str_of(a->source->name);
        r->name = a->name;
        r->digest = a->digest;
        r->image_id = a->image_id;
        r->container = a->container;
        r->tags = a->tags;
        r->has_image = a->has_config;
        r->image = a->config;
}

/* The time of the next layer's build step, from *step on: the history names empty steps too. */
static int64_t next_created(const struct artefact *a, size_t *step)
{
        while (*step < a->n_steps && a->steps[*step].empty_layer)
                ++*step;
        return *step < a->n_steps ? a->steps[(*step)++].created : 0;
}

static void describe_layers(struct scan *s, const struct layers *l, const struct loaded *loaded)
{
        const struct artefact *a = &s->artefact;
        struct report_layer *to = arena_array(&s->arena, l->n, sizeof(*to));
        size_t step = 0;
        s->report.complete = !s->view.is_partial && a->n_notes == loaded->notes;
        for (size_t i = 0; i < l->n; i++) {
                struct fact_layer end;
                fact_copy(FACT_layer, &s->arena, &l->v[i].end, &end);
                to[i] = (struct report_layer){
                        .digest = end.digest.n && !a->layers[i].is_packed ? end.digest : a->layers[i].digest,
                        .diff_id = end.diff_id.n && !a->layers[i].is_packed ? end.diff_id : a->layers[i].diff_id,
                        .created_by = a->layers[i].created_by,
                        .media_type = a->layers[i].media_type,
                        .created = next_created(a, &step),
                        .stored_size = end.stored_size,
                        .size = end.size,
                        .files = end.files,
                        .complete = end.complete,
                };
                s->report.complete = s->report.complete && end.complete;
        }
        s->report.layers = to;
        s->report.n_layers = l->n;
}

static void describe_data(struct scan *s, const struct scan_options *o)
{
        struct report *r = &s->report;
        size_t n = db_feeds(o->db);
        struct report_feed *feeds = arena_array(&s->arena, n, sizeof(*feeds));
        for (size_t i = 0; i < n; i++) {
                struct db_feed f;
                if (db_feed(o->db, i, &f))
                        feeds[r->n_feeds++] = (struct report_feed){ f.name, f.source, f.date, f.records };
        }
        r->feeds = feeds;
        r->data_source = o->db_source;
        r->data_digest = db_digest(o->db);
        r->data_date = db_date(o->db);
}

/* What the source itself had to say, and what of the VEX documents could not be used, joins what the layers could not
 * read. */
static void add_notes(struct scan *s, const struct vex_set *vex)
{
        struct coverage *c = &s->report.coverage;
        size_t n_vex = vex ? vex->unread.n : 0, n = 0;
        struct fact_unread *all = arena_array(&s->arena, c->n_unread + s->artefact.n_notes + n_vex, sizeof(*all));
        for (size_t i = 0; i < c->n_unread; i++)
                all[n++] = c->unread[i];
        for (size_t i = 0; i < s->artefact.n_notes; i++)
                all[n++] = s->artefact.notes[i];
        for (size_t i = 0; i < n_vex; i++)
                all[n++] = vex->unread.v[i];
        c->unread = all;
        c->n_unread = n;
}

static void describe_search(struct scan *s, const struct scan_options *o, const struct layers *l)
{
        struct report_search *search = &s->report.search;
        search->rules = o->malware_rules;
        search->hashes = o->malware_hashes;
        search->clamd = o->clamd;
        for (size_t i = 0; i < l->n; i++) {
                if (l->v[i].is_borrowed)
                        continue;
                search->files += l->v[i].end.searched;
                search->members += l->v[i].end.searched_members;
                search->incomplete += l->v[i].end.not_searched;
        }
}

static int assemble(struct scan *s, const struct scan_options *o, const struct layers *l, const struct loaded *loaded,
                    struct error *err)
{
        struct report *r = &s->report;
        r->tool_version = STR(SEKISHO_VERSION);
        r->today = o->today;
        describe_artefact(s);
        describe_layers(s, l, loaded);
        r->has_os = s->view.has_os;
        r->os = s->view.os;
        r->coverage = s->view.coverage;
        add_notes(s, o->vex);
        describe_search(s, o, l);
        r->has_use = loaded->is_known;
        r->use_processes = loaded->mapped.processes;
        r->use_since = loaded->since;
        describe_data(s, o);
        scan_packages(s);
        int e = scan_findings(s, o, l, err);
        if (e == 0)
                scan_moves(s);
        return e;
}

int scan_run(const char *target, const struct scan_options *o, struct scan *ret, struct error *err)
{
        struct layers layers = { 0 };
        *ret = (struct scan){ .arena = ARENA_INIT };
        int r = artefact_open(target, &o->source, &ret->artefact, err);
        if (r < 0)
                return r;
        if (o->opened)
                o->opened(o->opened_arg, &ret->artefact);
        struct loaded loaded;
        loaded_look(&ret->artefact, o->loaded ? o->loaded : MAPPED_DIR, &loaded);
        struct layers_search search = { .content = o->content, .helper = o->clamd };
        r = layers_read(&ret->artefact, &search, o->progress, &layers, err);
        if (r == 0)
                r = artefact_check_platform(&ret->artefact, o->source.platform, err);
        image_files_begin(&ret->files, &ret->arena, o->ledger);
        if (r == 0)
                r = view_make(&layers, &ret->arena, &ret->files.ledger, &loaded, &ret->view, err);
        if (r == 0 && o->secrets)
                r = secrets_in_artefact(&ret->artefact, o->secrets, &ret->arena, &ret->view, err);
        if (r == 0 && o->secrets && o->history)
                r = history_of_artefact(&ret->artefact, o->secrets, &ret->arena, &ret->view, err);
        if (r == 0)
                r = assemble(ret, o, &layers, &loaded, err);
        layers_done(&layers);
        loaded_done(&loaded);
        image_files_done(&ret->files);
        if (r < 0)
                scan_done(ret);
        return r;
}

void scan_done(struct scan *s)
{
        artefact_close(&s->artefact);
        arena_done(&s->arena);
}
