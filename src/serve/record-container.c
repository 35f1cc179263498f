/* What rules ask of the container that an event is of, and of its pod: what the engine's and the runtime's files say.
 */
#include "base/buf.h"
#include "serve/record-private.h"

#include <fnmatch.h>

/* registry:5000/name:tag@digest taken apart; the colon of a port is no tag's. */
static struct str image_part(struct str image, enum field_id id)
{
        ptrdiff_t at = str_find_char(image, '@');
        struct str digest = at < 0 ? STR_NONE : str_from(image, (size_t)at + 1);
        image = at < 0 ? image : str_upto(image, (size_t)at);
        ptrdiff_t colon = str_rfind_char(image, ':'), slash = str_rfind_char(image, '/');
        bool has_tag = colon > slash;
        if (id == FIELD_container_image_digest)
                return digest;
        if (id == FIELD_container_image_tag)
                return has_tag ? str_from(image, (size_t)colon + 1) : STR_NONE;
        return has_tag ? str_upto(image, (size_t)colon) : image;
}

static struct str all_labels(const struct container_entry *c, struct arena *arena)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(64 << 10);
        for (size_t i = 0; i < c->facts.labels.n; i++) {
                struct str value = c->facts.labels.v[i], key = str_cut(&value, '=');
                buf_printf(&b, "%s%.*s:%.*s", i ? "," : "", STR_FMT(key), STR_FMT(value));
        }
        return arena_str(arena, buf_str(&b));
}

void get_container(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        const struct container_entry *c = r->container;
        if (!c) { /* what Falco says of the host */
                bool says_host = ref->field->id == FIELD_container_id || ref->field->id == FIELD_container_name ||
                                 ref->field->id == FIELD_container_type || ref->field->id == FIELD_container_info;
                if (says_host)
                        *ret = value_string(STR("host"));
                return;
        }
        switch (ref->field->id) {
        case FIELD_container_id:
                *ret = value_string(str_upto(c->id, CONTAINER_ID_SHORT));
                break;
        case FIELD_container_full_id:
                *ret = value_string(c->id);
                break;
        case FIELD_container_name: /* runc knows no other name than the id */
                *ret = value_string(c->facts.name.n ? c->facts.name : c->id);
                break;
        case FIELD_container_image:
                *ret = value_string_or_absent(c->facts.image);
                break;
        case FIELD_container_image_id:
                *ret = value_string_or_absent(c->facts.image_id);
                break;
        case FIELD_container_image_repository:
        case FIELD_container_image_tag:
        case FIELD_container_image_digest:
                *ret = value_string_or_absent(image_part(c->facts.image, ref->field->id));
                break;
        case FIELD_container_type:
                *ret = text_or_absent(c->facts.engine);
                break;
        case FIELD_container_label:
                *ret = value_string_or_absent(container_label(c, ref->key));
                break;
        case FIELD_container_labels:
                *ret = value_string_or_absent(all_labels(c, r->arena));
                break;
        case FIELD_container_info:
                *ret = value_string(arena_printf(r->arena, "container_id=%.*s container_name=%.*s",
                                                 STR_FMT(str_upto(c->id, CONTAINER_ID_SHORT)),
                                                 STR_FMT(c->facts.name.n ? c->facts.name : c->id)));
                break;
        case FIELD_k8s_pod_name:
                *ret = value_string_or_absent(c->pod);
                break;
        case FIELD_k8s_ns_name:
                *ret = value_string_or_absent(c->pod_namespace);
                break;
        default: /* k8s.pod.uid, and its older name */
                *ret = value_string_or_absent(c->pod_uid);
        }
}

/* --------------------------------------------------------------------------------------------------- settings ---- */

enum mount_part { MOUNT_SOURCE, MOUNT_DESTINATION, MOUNT_MODE, MOUNT_WRITABLE, MOUNT_PROPAGATION, MOUNT_PARTS };

/* source:destination:mode:writable:propagation, as the engine's files were read; paths may hold colons themselves. */
static bool split_mount(struct str mount, struct str ret[MOUNT_PARTS])
{
        for (size_t i = MOUNT_PARTS - 1; i > MOUNT_DESTINATION; i--) {
                ptrdiff_t at = str_rfind_char(mount, ':');
                if (at < 0)
                        return false;
                ret[i] = str_from(mount, (size_t)at + 1);
                mount = str_upto(mount, (size_t)at);
        }
        ptrdiff_t at = str_find(mount, STR(":/"));
        if (at < 0)
                return false;
        ret[MOUNT_SOURCE] = str_upto(mount, (size_t)at);
        ret[MOUNT_DESTINATION] = str_from(mount, (size_t)at + 1);
        return true;
}

/* The mount that a field's argument means: by number, or by a glob over one of its paths. */
static struct str find_mount(const struct event_record *r, const struct field_ref *ref, enum mount_part by)
{
        const struct container_entry *c = r->container;
        uint64_t index = ref->index;
        if (ref->has_index || str_u64(ref->key, &index))
                return container_setting(c, "mount", (size_t)index);
        const char *pattern = arena_cstr(r->arena, ref->key);
        for (size_t i = 0;; i++) {
                struct str mount = container_setting(c, "mount", i), part[MOUNT_PARTS];
                if (!mount.p)
                        return STR_NONE;
                if (split_mount(mount, part) && fnmatch(pattern, arena_cstr(r->arena, part[by]), 0) == 0)
                        return mount;
        }
}

void get_mount(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        static const struct {
                enum field_id field;
                enum mount_part wanted, by;
        } parts[] = {
                { FIELD_container_mount_source, MOUNT_SOURCE, MOUNT_DESTINATION },
                { FIELD_container_mount_dest, MOUNT_DESTINATION, MOUNT_SOURCE },
                { FIELD_container_mount_mode, MOUNT_MODE, MOUNT_SOURCE },
                { FIELD_container_mount_rdwr, MOUNT_WRITABLE, MOUNT_SOURCE },
                { FIELD_container_mount_propagation, MOUNT_PROPAGATION, MOUNT_SOURCE },
        };
        if (!r->container)
                return;
        if (ref->field->id == FIELD_container_mount) {
                *ret = value_string_or_absent(find_mount(r, ref, MOUNT_SOURCE));
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                struct str part[MOUNT_PARTS];
                if (parts[i].field == ref->field->id && split_mount(find_mount(r, ref, parts[i].by), part))
                        *ret = value_string(part[parts[i].wanted]);
        }
}

static struct str all_mounts(const struct container_entry *c, struct arena *arena)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(256 << 10);
        for (size_t i = 0;; i++) {
                struct str mount = container_setting(c, "mount", i);
                if (!mount.p)
                        return arena_str(arena, buf_str(&b));
                buf_printf(&b, "%s%.*s", i ? "," : "", STR_FMT(mount));
        }
}

/* Is what a process was started with the container's health check? Docker runs "CMD-SHELL x" as `/bin/sh -c x`. */
static bool is_healthcheck(const struct event_record *r, const struct process *p)
{
        struct str check = container_setting(r->container, "healthcheck", 0), args = p->program->args;
        if (check.n == 0 || args.n == 0)
                return false;
        char *line = arena_cstr(r->arena, args);
        size_t n = args.n;
        while (n > 0 && line[n - 1] == '\0')
                n--;
        for (size_t i = 0; i < n; i++)
                if (line[i] == '\0')
                        line[i] = ' ';
        struct str whole = str_span(line, n), shell = STR("/bin/sh -c ");
        return str_eq(whole, check) || (str_starts(whole, shell) && str_eq(str_from(whole, shell.n), check));
}

/* "buildah-buildah721249538", and what lies below the cgroup of BuildKit. */
static bool is_build(const struct container_entry *c)
{
        struct str builder = STR("buildah-buildah"), number = str_from(c->id, builder.n);
        uint64_t n;
        return (str_starts(c->id, builder) && str_u64(number, &n)) || str_find(c->cgroup, STR("/buildkit/")) >= 0;
}

void get_setting(struct event_record *r, const struct field_ref *ref, struct value *ret)
{
        static const char *const sandboxes[] = { "io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID" };
        const struct container_entry *c = r->container;
        const struct process *p = r->process;
        struct str sandbox = STR_NONE;
        if (!c)
                return;
        switch (ref->field->id) {
        case FIELD_container_privileged:
                if (c->is_described)
                        *ret = value_flag(container_setting(c, "privileged", 0).n > 0);
                break;
        case FIELD_container_host_pid:
        case FIELD_container_host_network:
        case FIELD_container_host_ipc:
                if (c->is_described) /* container.host_pid: host_pid */
                        *ret = value_flag(container_setting(c, ref->field->name + strlen("container."), 0).n > 0);
                break;
        case FIELD_container_is_build:
                *ret = value_flag(is_build(c));
                break;
        case FIELD_container_mounts:
                *ret = value_string_or_absent(all_mounts(c, r->arena));
                break;
        case FIELD_container_healthcheck:
                *ret = value_string_or_absent(container_setting(c, "healthcheck", 0));
                break;
        case FIELD_container_ip:
        case FIELD_k8s_pod_ip:
                *ret = value_string_or_absent(container_setting(c, "ip", 0));
                if (ret->type == VALUE_ABSENT)
                        *ret = value_string_or_absent(container_label(c, STR("io.kubernetes.cri-o.IP.0")));
                break;
        case FIELD_container_start_ts: /* Falco's: the start of its first process */
                if (p && p->init_started_ns)
                        *ret = (struct value){ VALUE_TIME, { .number = r->boot_ns + (int64_t)p->init_started_ns } };
                break;
        case FIELD_container_duration:
                if (p && p->init_started_ns && r->event->head.time_ns >= p->init_started_ns)
                        *ret = value_duration((int64_t)(r->event->head.time_ns - p->init_started_ns));
                break;
        case FIELD_proc_is_container_healthcheck:
                for (bool found = false; p && !found; p = process_ancestor(r->processes, p, 1)) {
                        found = is_healthcheck(r, p);
                        *ret = value_flag(found);
                }
                break;
        default: /* k8s.pod.sandbox_id, k8s.pod.full_sandbox_id */
                for (size_t i = 0; i < ARRAY_SIZE(sandboxes) && sandbox.n == 0; i++)
                        sandbox = container_label(c, str_of(sandboxes[i]));
                *ret = value_string_or_absent(
                        str_upto(sandbox, ref->field->id == FIELD_k8s_pod_sandbox_id ? CONTAINER_ID_SHORT : sandbox.n));
        }
}
