/* See loaded.h. */
#include "flow/loaded.h"

#include "base/fs.h"
#include "sense/mapped-file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The file names a container, and only its owner and root can write it: it is ours or it is nobody's. */
static void read_kept(struct artefact *a, const char *dir, struct loaded *l)
{
        char path[PATH_MAX];
        _cleanup_(buf_done) struct buf text = BUF_INIT(MAPPED_FILE_MAX);
        if (a->container.n == 0 || str_find_char(a->container, '/') >= 0 || a->container.p[0] == '.')
                return;
        snprintf(path, sizeof(path), "%s/%.*s", dir, STR_FMT(a->container));
        int r = read_file(path, &text, NULL);
        if (r == -ENOENT || r == -ENOTDIR)
                return;
        if (r < 0)
                artefact_note(a, str_of(path), "denied", "what the agent saw loaded cannot be read: %s", strerror(-r));
        else if (!mapped_parse_file(&l->mapped, buf_str(&text), &l->since))
                artefact_note(a, str_of(path), "corrupt", "what the agent saw loaded is not all legible");
}

static void look(struct artefact *a, const char *dir, struct loaded *ret)
{
        int r = mapped_read_container(&ret->mapped, "/proc", (uint32_t)a->container_pid);
        if (r < 0) {
                artefact_note(a, STR("(processes)"), "denied", "what they have loaded cannot be seen: %s",
                              strerror(-r));
                return;
        }
        ret->is_known = true;
        if (ret->mapped.unread)
                artefact_note(a, STR("(processes)"), "denied", "what %zu of %zu have loaded could not be read",
                              ret->mapped.unread, ret->mapped.processes);
        read_kept(a, dir, ret);
        if (ret->mapped.dropped)
                artefact_note(a, STR("(processes)"), "limit", "they have more than %u files: %zu were not looked at",
                              MAPPED_FILES_MAX, ret->mapped.dropped);
}

void loaded_look(struct artefact *a, const char *dir, struct loaded *ret)
{
        size_t before = a->n_notes;
        *ret = (struct loaded){ 0 };
        mapped_init(&ret->mapped);
        if (a->container_pid && a->container_pid <= INT32_MAX)
                look(a, dir, ret);
        ret->notes = a->n_notes - before;
}

void loaded_done(struct loaded *l) { mapped_done(&l->mapped); }

struct str loaded_words(const struct mapped_file *f, struct arena *arena)
{
        return arena_printf(arena, "%.*s (pid %u) %s /%.*s%s", STR_FMT(f->comm), f->pid, mapped_words[f->how],
                            STR_FMT(f->path), f->is_replaced ? ", an older copy: it was replaced since" : "");
}

bool loaded_is_better(const struct mapped_file *f, const struct mapped_file *than)
{
        if (!than || f->how != than->how)
                return !than || f->how < than->how;
        return str_cmp(f->path, than->path) < 0;
}

void loaded_mark(const struct loaded *l, struct owners *o, struct report_package *packages, size_t n,
                 struct arena *arena)
{
        _cleanup_(arena_done) struct arena scratch = ARENA_INIT;
        if (!l->is_known)
                return;
        const struct mapped_file **best = arena_array(&scratch, n, sizeof(*best));
        for (size_t i = 0; i < l->mapped.files.n; i++) {
                const struct mapped_file *f = &l->mapped.files.v[i];
                const struct owner *owner = owners_find_path(o, f->path);
                if (owner && loaded_is_better(f, best[owner->package]))
                        best[owner->package] = f;
        }
        for (size_t i = 0; i < n; i++) {
                struct report_package *p = &packages[i];
                if (best[i]) {
                        p->use = USE_LOADED;
                        p->use_why = loaded_words(best[i], arena);
                } else if (p->files == 0 && p->files_missing) {
                        p->use = USE_ABSENT;
                } else if (p->programs) {
                        p->use = USE_PRESENT;
                }
        }
}
