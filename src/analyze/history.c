/*
 * See history.h. First all objects are numbered, each blob being looked at as it comes by; then commits are walked from
 * the oldest to the newest, each tree once, and the blobs with finds get the commit and path that come first.
 */
#include "analyze/history-store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct history_find {
        size_t blob;             /* number of the object */
        struct fact_secret fact; /* path empty; in the arena */
};

struct history_commit {
        size_t object;
        struct git_commit c;
        bool is_reachable;
};

/* Where a blob with finds was first seen. */
struct place {
        size_t commit; /* index in commits, or SIZE_MAX */
        struct str path, head_path;
};

struct history {
        struct git_store store;
        struct sink *out;
        struct secret_texts *texts;
        VEC(struct history_find) finds;
        VEC(struct history_commit) commits;
        struct map64 commit_of; /* object -> 1 + index in commits */
        struct map64 places;    /* object of a blob with finds -> 1 + index in place */
        VEC(struct place) place;
        VEC(struct str) references; /* "name SP hex" in the arena */
        struct str head;
        struct set64 seen_trees;
        struct arena arena;
        struct buf content;
        size_t object; /* that is being looked at */
        uint64_t broken, missing, submodules, unsafe, more;
        bool is_at_head; /* the walk at hand is HEAD's */
        size_t commit;   /* the walk's */
};

/* --- blobs --- */

struct find_sink {
        struct sink sink; /* first: put casts back */
        struct history *h;
};

static void put_find(struct sink *sink, enum fact_kind kind, const void *fact)
{
        struct history *h = ((struct find_sink *)sink)->h;
        if (kind != FACT_secret)
                return;
        if (h->finds.n >= HISTORY_FOUND_MAX) {
                h->more++;
                return;
        }
        struct history_find *f = vec_push(&h->finds);
        f->blob = h->object;
        fact_copy(FACT_secret, &h->arena, fact, &f->fact);
        bool is_new;
        uint64_t *at = map64_put(&h->places, h->object, &is_new);
        if (is_new) {
                *vec_push(&h->place) = (struct place){ .commit = SIZE_MAX };
                *at = h->place.n;
        }
}

static void look_at_blob(struct history *h, size_t object, struct str content)
{
        struct find_sink sink = { .sink = { put_find }, .h = h };
        h->object = object;
        secret_texts_look(h->texts, STR_NONE, content, &sink.sink);
}

static void take_object(struct history *h, enum git_type type, struct str content, uint32_t pack, uint64_t offset)
{
        struct stored_object o = { .pack = pack, .offset = offset, .type = (uint8_t)type };
        struct git_commit c;
        git_id_of(h->store.hash, type, content, &o.id);
        if (!git_store_add(&h->store, &o))
                return;
        size_t number = h->store.objects.n - 1;
        if (type == GIT_BLOB) {
                look_at_blob(h, number, content);
        } else if (type == GIT_COMMIT) {
                if (!git_commit_parse(h->store.hash, content, &c)) {
                        h->broken++;
                        return;
                }
                *vec_push(&h->commits) = (struct history_commit){ .object = number, .c = c };
                *map64_put(&h->commit_of, number, NULL) = h->commits.n;
        }
}

/* --- packs --- */

struct pending {
        uint32_t pack;
        uint64_t offset;
};

struct pendings {
        struct pending *v;
        size_t n, size;
};

static void note_size(struct history *h, int r)
{
        if (r == -EFBIG)
                h->store.too_large++;
        else
                h->broken++;
}

/* The objects of a pack in their order. Deltas wait until everything whole is known. */
static void read_pack(struct history *h, uint32_t number, struct pendings *waiting)
{
        const struct history_pack *pack = &h->store.packs[number];
        struct error why = ERROR_NONE;
        uint32_t n = 0;
        uint64_t offset = GIT_PACK_HEADER;
        if (git_pack_open(pack->bytes, h->store.hash, &n, &why) < 0) {
                sink_unread(h->out, pack->name, "corrupt", "%s", why.text);
                return;
        }
        if (!git_pack_is_whole(pack->bytes, h->store.hash))
                sink_unread(h->out, pack->name, "corrupt", "its content does not have the digest at its end");
        for (uint32_t i = 0; i < n; i++) {
                struct git_packed p;
                size_t used = 0;
                int r = git_packed_at(pack->bytes, h->store.hash, offset, &p) ? 0 : -EBADMSG;
                if (r == 0)
                        r = git_inflate(str_from(pack->bytes, (size_t)p.data), p.size, &h->content, &used);
                if (r < 0) {
                        sink_unread(h->out, pack->name, r == -EFBIG ? "too-large" : "corrupt",
                                    "object %u of %u, at byte %llu, cannot be inflated: what follows was not read",
                                    i + 1, n, (unsigned long long)offset);
                        return;
                }
                if (p.type <= GIT_TAG)
                        take_object(h, p.type, buf_str(&h->content), number, offset);
                else
                        *vec_push(waiting) = (struct pending){ number, offset };
                offset = p.data + used;
        }
}

/* Deltas may rest on objects of other packs that are deltas themselves: rounds, as long as one brings something. */
static void resolve(struct history *h, struct pendings *waiting)
{
        size_t before = SIZE_MAX;
        while (waiting->n && waiting->n < before) {
                size_t kept = 0;
                before = waiting->n;
                for (size_t i = 0; i < waiting->n; i++) {
                        struct pending p = waiting->v[i];
                        enum git_type type;
                        int r = git_store_packed(&h->store, p.pack, p.offset, &type, &h->content);
                        if (r == 0)
                                take_object(h, type, buf_str(&h->content), p.pack, p.offset);
                        else if (r == -ENOENT)
                                waiting->v[kept++] = p;
                        else
                                note_size(h, r);
                }
                waiting->n = kept;
        }
        h->missing += waiting->n;
}

/* --- records: loose objects, references, configuration --- */

static int read_exactly(int fd, void *p, size_t n)
{
        size_t done = 0;
        while (done < n) {
                ssize_t r = read(fd, (char *)p + done, n - done);
                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        return -errno;
                if (r == 0)
                        return done ? -EPIPE : 1;
                done += (size_t)r;
        }
        return 0;
}

static bool is_loose_name(struct history *h, struct str name, struct git_id *ret)
{
        char hex[2 * GIT_ID_MAX];
        size_t digits = 2 * git_id_size(h->store.hash);
        if (!str_starts(name, STR("objects/")) || name.n != 8 + 1 + digits || name.p[10] != '/')
                return false;
        memcpy(hex, name.p + 8, 2);
        memcpy(hex + 2, name.p + 11, digits - 2);
        return git_id_parse(h->store.hash, str_span(hex, digits), ret);
}

static void take_loose(struct history *h, struct str name, struct git_id *id, struct str stored)
{
        enum git_type type;
        struct git_id found;
        int r = git_loose(stored, &type, &h->content);
        if (r < 0) {
                sink_unread(h->out, name, r == -EFBIG ? "too-large" : "corrupt",
                            "a loose object that cannot be inflated");
                return;
        }
        git_id_of(h->store.hash, type, buf_str(&h->content), &found);
        if (memcmp(&found, id, sizeof(found)) != 0)
                sink_unread(h->out, name, "corrupt", "the object does not have the digest that its name says");
        if (h->store.arena.used_bytes + stored.n > HISTORY_LOOSE_MAX) {
                h->store.too_large++;
                return;
        }
        if (store_find(&h->store, &found) != SIZE_MAX)
                return;
        *vec_push(&h->store.loose) = arena_str(&h->store.arena, stored);
        take_object(h, type, buf_str(&h->content), STORE_LOOSE, h->store.loose.n - 1);
}

static void take_reference(struct history *h, struct str name, struct str text)
{
        *vec_push(&h->references) =
                arena_printf(&h->arena, "%.*s %.*s", STR_FMT(name), STR_FMT(str_upto(str_trim(text), 300)));
}

/* Lines of "HEX name"; those of peeled tags begin with ^. */
static void take_packed_references(struct history *h, struct str text)
{
        while (text.n) {
                struct str rest = str_line(&text), hex = str_cut(&rest, ' ');
                if (hex.n == 2 * git_id_size(h->store.hash) && rest.n)
                        take_reference(h, rest, hex);
        }
}

static void take_record(struct history *h, struct str name, struct str bytes)
{
        struct git_id id;
        if (is_loose_name(h, name, &id))
                take_loose(h, name, &id, bytes);
        else if (str_is(name, "HEAD"))
                h->head = arena_str(&h->arena, str_upto(str_trim(bytes), HISTORY_NAME_MAX));
        else if (str_is(name, "packed-refs"))
                take_packed_references(h, bytes);
        else if (str_starts(name, STR("refs/")))
                take_reference(h, name, bytes);
        else if (str_is(name, "config") && str_find(bytes, STR("objectformat = sha256")) >= 0)
                h->store.hash = GIT_SHA256; /* the first record: it decides what the others mean */
        else if (str_is(name, "objects/info/alternates") && str_trim(bytes).n)
                sink_unread(h->out, name, "unsupported", "objects that lie in other repositories are not looked at");
}

static int read_records(struct history *h, int fd, struct error *err)
{
        char name[HISTORY_NAME_MAX];
        for (;;) {
                struct history_record r;
                int e = read_exactly(fd, &r, sizeof(r));
                if (e == 0 && (r.name_bytes > sizeof(name) || r.bytes > GIT_OBJECT_MAX))
                        e = -EPROTO;
                if (e == 0)
                        e = read_exactly(fd, name, r.name_bytes) ? -EPIPE : 0;
                if (e == 0) {
                        char *p = xmalloc(r.bytes + 1);
                        e = read_exactly(fd, p, r.bytes) && r.bytes ? -EPIPE : 0;
                        if (e == 0)
                                take_record(h, str_span(name, r.name_bytes), str_span(p, r.bytes));
                        free(p);
                }
                if (e != 0)
                        return e == 1 ? 0 : error_errno(err, e, "reading the repository's files");
        }
}

/* --- who has what --- */

static void place_blob(struct history *h, size_t object, struct str path)
{
        const uint64_t *at = map64_get(&h->places, object);
        struct place *p = at ? &h->place.v[*at - 1] : NULL;
        if (p && h->is_at_head && !p->head_path.n)
                p->head_path = arena_str(&h->arena, path);
        if (p && !h->is_at_head && p->commit == SIZE_MAX) {
                p->commit = h->commit;
                p->path = arena_str(&h->arena, path);
        }
}

struct level {
        struct buf content;
        struct cursor at;
        size_t path_bytes; /* of the directory's path with its slash */
};

/* Opens a tree that was not walked before; false if there is nothing to do. */
static bool enter_tree(struct history *h, const struct git_id *id, struct level *ret)
{
        size_t object = store_find(&h->store, id);
        if (object == SIZE_MAX || h->store.objects.v[object].type != GIT_TREE) {
                h->missing++;
                return false;
        }
        if (!set64_add(&h->seen_trees, object + 1))
                return false;
        ret->content = (struct buf){ 0 };
        if (git_store_read(&h->store, object, &ret->content) < 0) {
                buf_done(&ret->content);
                h->broken++;
                return false;
        }
        ret->at = cursor_from(buf_str(&ret->content));
        return true;
}

static void walk_tree(struct history *h, const struct git_id *root)
{
        struct level *levels = xcalloc(HISTORY_DEPTH_MAX, sizeof(*levels));
        struct buf path = BUF_INIT(HISTORY_NAME_MAX);
        size_t depth = enter_tree(h, root, &levels[0]) ? 1 : 0;
        while (depth) {
                struct level *l = &levels[depth - 1];
                struct git_entry e;
                int r = git_tree_next(h->store.hash, &l->at, &e);
                path.n = l->path_bytes;
                path.full = false;
                if (r <= 0) {
                        h->broken += r < 0;
                        buf_done(&l->content);
                        depth--;
                        continue;
                }
                h->unsafe += git_name_is_unsafe(e.name);
                buf_add_str(&path, e.name);
                if ((e.mode & 0170000) == 0160000) {
                        h->submodules++;
                } else if ((e.mode & 0170000) != 0040000) {
                        place_blob(h, store_find(&h->store, &e.id), buf_str(&path));
                } else if (depth == HISTORY_DEPTH_MAX || buf_is_full(&path)) {
                        h->broken++;
                } else if (enter_tree(h, &e.id, &levels[depth])) {
                        buf_putc(&path, '/');
                        levels[depth++].path_bytes = path.n;
                }
        }
        buf_done(&path);
        free(levels);
}

static int by_time(const void *a, const void *b)
{
        const struct history_commit *x = a, *y = b;
        if (x->c.committed != y->c.committed)
                return x->c.committed < y->c.committed ? -1 : 1;
        return (x->object > y->object) - (x->object < y->object);
}

static size_t commit_named(struct history *h, struct str hex)
{
        struct git_id id;
        if (!git_id_parse(h->store.hash, hex, &id))
                return SIZE_MAX;
        size_t object = store_find(&h->store, &id);
        for (int steps = 0; object != SIZE_MAX && h->store.objects.v[object].type == GIT_TAG && steps < 8; steps++) {
                struct str text, word; /* an annotated tag: "object HEX" is its first line */
                if (git_store_read(&h->store, object, &h->content) < 0)
                        return SIZE_MAX;
                text = buf_str(&h->content);
                text = str_line(&text);
                word = str_cut(&text, ' ');
                if (!str_is(word, "object") || !git_id_parse(h->store.hash, text, &id))
                        return SIZE_MAX;
                object = store_find(&h->store, &id);
        }
        const uint64_t *at = object == SIZE_MAX ? NULL : map64_get(&h->commit_of, object);
        return at ? (size_t)*at - 1 : SIZE_MAX;
}

/* Marks a commit and all before it. */
static void reach(struct history *h, size_t commit)
{
        VEC(size_t) todo = { 0 };
        *vec_push(&todo) = commit;
        while (todo.n) {
                struct history_commit *c = &h->commits.v[todo.v[--todo.n]];
                if (c->is_reachable)
                        continue;
                c->is_reachable = true;
                for (size_t i = 0; i < c->c.n_parents; i++) {
                        size_t object = store_find(&h->store, &c->c.parents[i]);
                        const uint64_t *at = object == SIZE_MAX ? NULL : map64_get(&h->commit_of, object);
                        if (at)
                                *vec_push(&todo) = (size_t)*at - 1;
                }
        }
        vec_done(&todo);
}

static struct str reference_value(struct history *h, struct str name)
{
        for (size_t i = h->references.n; i-- > 0;) { /* loose ones come after the packed and count */
                struct str rest = h->references.v[i], n = str_cut(&rest, ' ');
                if (str_eq(n, name))
                        return rest;
        }
        return STR_NONE;
}

static size_t head_commit(struct history *h)
{
        struct str value = h->head;
        for (int steps = 0; steps < 5 && str_starts(value, STR("ref: ")); steps++)
                value = reference_value(h, str_trim(str_from(value, 5)));
        return commit_named(h, value);
}

static void walk_commits(struct history *h)
{
        if (h->commits.n)
                qsort(h->commits.v, h->commits.n, sizeof(*h->commits.v), by_time);
        for (size_t i = 0; i < h->commits.n; i++)
                *map64_put(&h->commit_of, h->commits.v[i].object, NULL) = i + 1;
        size_t head = head_commit(h);
        if (head != SIZE_MAX) {
                reach(h, head);
                h->is_at_head = true;
                walk_tree(h, &h->commits.v[head].c.tree);
                h->is_at_head = false;
                set64_done(&h->seen_trees);
                h->submodules = 0;
        }
        for (size_t i = 0; i < h->references.n; i++) {
                struct str rest = h->references.v[i];
                (void)str_cut(&rest, ' ');
                size_t c = commit_named(h, rest);
                if (c != SIZE_MAX)
                        reach(h, c);
        }
        for (size_t i = 0; i < h->commits.n; i++) {
                h->commit = i;
                walk_tree(h, &h->commits.v[i].c.tree);
        }
}

/* --- what is told --- */

static void tell_find(struct history *h, const struct history_find *f)
{
        char id[2 * GIT_ID_MAX + 1];
        struct fact_secret fact = f->fact;
        const uint64_t *at = map64_get(&h->places, f->blob);
        const struct place *p = &h->place.v[*at - 1];
        fact.presence = p->head_path.n ? STR("head") : STR("history");
        if (p->commit == SIZE_MAX) {
                git_id_text(h->store.hash, &h->store.objects.v[f->blob].id, id);
                fact.path = arena_printf(&h->arena, "(object %s)", id);
                fact.presence = STR("unreachable");
        } else {
                const struct history_commit *c = &h->commits.v[p->commit];
                git_id_text(h->store.hash, &h->store.objects.v[c->object].id, id);
                fact.commit = str_of(id);
                fact.committed = c->c.authored;
                fact.path = p->head_path.n ? p->head_path : p->path;
                if (!c->is_reachable && !p->head_path.n)
                        fact.presence = STR("unreachable");
        }
        if (secret_path_doubt(fact.path) && !str_is(fact.validity, "valid"))
                fact.confidence =
                        str_is(fact.confidence, "high") && fact.fingerprint.n > 4 ? STR("medium") : STR("low");
        sink_put(h->out, FACT_secret, &fact);
}

static void tell_count(struct history *h, uint64_t n, const char *code, const char *words)
{
        if (n)
                sink_unread(h->out, STR("(history)"), code, "%llu %s", (unsigned long long)n, words);
}

static void tell(struct history *h)
{
        for (size_t i = 0; i < h->finds.n; i++)
                tell_find(h, &h->finds.v[i]);
        tell_count(h, h->broken, "corrupt", "objects that are not what git writes");
        tell_count(h, h->missing, "truncated",
                   "objects that are referred to are not here (a shallow or partial clone?)");
        tell_count(h, h->store.too_large, "too-large", "objects are larger than what is looked at");
        tell_count(h, h->submodules, "unsupported",
                   "submodules, which are repositories of their own: they are not followed");
        tell_count(h, h->unsafe, "unsafe-path", "names in trees that lead out of the work tree or into .git");
        tell_count(h, h->more, "limit", "more secrets that are not listed");
}

int history_scan(const struct history_input *in, const struct secret_set *set, struct sink *out, struct error *err)
{
        struct history *h = xcalloc(1, sizeof(*h));
        struct pendings waiting = { 0 };
        h->store.packs = in->packs;
        h->store.n_packs = in->n_packs;
        h->out = out;
        h->texts = secret_texts_new(set);
        int r = read_records(h, in->records_fd, err);
        if (r == 0) {
                for (size_t i = 0; i < in->n_packs; i++)
                        read_pack(h, (uint32_t)i, &waiting);
                resolve(h, &waiting);
                walk_commits(h);
                tell(h);
        }
        secret_texts_free(h->texts);
        free(waiting.v);
        vec_done(&h->finds);
        vec_done(&h->commits);
        vec_done(&h->place);
        vec_done(&h->references);
        map64_done(&h->commit_of);
        map64_done(&h->places);
        set64_done(&h->seen_trees);
        buf_done(&h->content);
        git_store_done(&h->store);
        arena_done(&h->arena);
        free(h);
        return r;
}
