/* See store-settings.h. Docker's own files, the OCI runtime specification's config.json, libcontainer's state. */
#include "read/store-settings.h"

#define CAPABILITIES_ALL                                                                                               \
        38u /* up to CAP_AUDIT_READ; kernels since 5.9 have three more, which older engines do not know */
#define MS_READ_ONLY 1u

struct settings {
        struct arena *arena;
        struct json_list list;
};

static void begin(struct settings *s, struct arena *arena)
{
        *s = (struct settings){ arena, { arena_array(arena, STORE_SETTINGS_MAX, sizeof(struct str)), 0 } };
}

static void add(struct settings *s, struct str text)
{
        if (s->list.n < STORE_SETTINGS_MAX)
                s->list.v[s->list.n++] = text;
}

static struct str text(const struct settings *s, const json_t *j, const char *key)
{
        return json_text_of(j, key, s->arena);
}

static void add_mount(struct settings *s, struct str source, struct str destination, struct str mode, bool is_writable,
                      struct str propagation)
{
        if (source.n && destination.n)
                add(s, arena_printf(s->arena, "mount=%.*s:%.*s:%.*s:%s:%.*s", STR_FMT(source), STR_FMT(destination),
                                    STR_FMT(mode), is_writable ? "true" : "false", STR_FMT(propagation)));
}

/* ["CMD", "curl", "-f", "x"], ["CMD-SHELL", "curl -f x"], ["NONE"]: the command as one text. */
static void add_healthcheck(struct settings *s, const json_t *test)
{
        struct str kind = json_text(json_array_get(test, 0), s->arena), command = STR_NONE;
        if (!str_is(kind, "CMD") && !str_is(kind, "CMD-SHELL"))
                return;
        for (size_t i = 1; i < json_array_size(test); i++) {
                struct str word = json_text(json_array_get(test, i), s->arena);
                command = i == 1 ? word : arena_printf(s->arena, "%.*s %.*s", STR_FMT(command), STR_FMT(word));
        }
        add(s, arena_printf(s->arena, "healthcheck=%.*s", STR_FMT(command)));
}

struct json_list settings_of_docker(const json_t *config, struct arena *arena)
{
        struct settings s;
        const char *key;
        json_t *one;
        begin(&s, arena);
        json_object_foreach((json_t *)json_object_get(config, "MountPoints"), key, one)
                add_mount(&s, text(&s, one, "Source"), text(&s, one, "Destination"), text(&s, one, "Relabel"),
                          json_is_true(json_object_get(one, "RW")), text(&s, one, "Propagation"));
        add_healthcheck(&s, json_object_get(json_object_get(json_object_get(config, "Config"), "Healthcheck"), "Test"));
        json_object_foreach((json_t *)json_object_get(json_object_get(config, "NetworkSettings"), "Networks"), key, one)
        {
                struct str ip = text(&s, one, "IPAddress");
                if (ip.n) {
                        add(&s, arena_printf(arena, "ip=%.*s", STR_FMT(ip)));
                        break;
                }
        }
        return s.list;
}

static bool has_text(const json_t *list, const char *wanted)
{
        for (size_t i = 0; i < json_array_size(list); i++) {
                const char *s = json_string_value(json_array_get(list, i));
                if (s && strcmp(s, wanted) == 0)
                        return true;
        }
        return false;
}

static struct str propagation_of(const json_t *options)
{
        static const char *const words[] = { "rprivate", "rshared", "rslave", "private", "shared", "slave" };
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (has_text(options, words[i]))
                        return str_of(words[i]);
        return STR_NONE;
}

static void add_flag(struct settings *s, const char *text, bool is_true)
{
        if (is_true)
                add(s, str_of(text));
}

/* Shared with the host is what it has no namespace of its own for; if it has none at all, nothing was said. */
static void add_namespaces(struct settings *s, const json_t *list, const char *pid, const char *network,
                           const char *ipc)
{
        bool has_pid = false, has_network = false, has_ipc = false;
        for (size_t i = 0; i < json_array_size(list); i++) {
                struct str type = text(s, json_array_get(list, i), "type");
                has_pid |= str_is(type, pid);
                has_network |= str_is(type, network);
                has_ipc |= str_is(type, ipc);
        }
        if (json_array_size(list) == 0)
                return;
        add_flag(s, "host_pid=true", !has_pid);
        add_flag(s, "host_network=true", !has_network);
        add_flag(s, "host_ipc=true", !has_ipc);
}

struct json_list settings_of_bundle(const json_t *config, struct arena *arena)
{
        struct settings s;
        begin(&s, arena);
        const json_t *linux_part = json_object_get(config, "linux"), *mounts = json_object_get(config, "mounts");
        const json_t *capabilities = json_object_get(json_object_get(config, "process"), "capabilities");
        add_flag(&s, "privileged=true",
                 json_array_size(json_object_get(capabilities, "bounding")) >= CAPABILITIES_ALL &&
                         json_array_size(json_object_get(linux_part, "maskedPaths")) == 0);
        add_namespaces(&s, json_object_get(linux_part, "namespaces"), "pid", "network", "ipc");
        for (size_t i = 0; i < json_array_size(mounts); i++) {
                const json_t *one = json_array_get(mounts, i), *options = json_object_get(one, "options");
                bool is_bind = has_text(options, "bind") || has_text(options, "rbind");
                if (is_bind)
                        add_mount(&s, text(&s, one, "source"), text(&s, one, "destination"), STR_NONE,
                                  !has_text(options, "ro"), propagation_of(options));
        }
        return s.list;
}

struct json_list settings_of_runtime(const json_t *state, struct arena *arena)
{
        struct settings s;
        begin(&s, arena);
        const json_t *config = json_object_get(state, "config"), *mounts = json_object_get(config, "mounts");
        const json_t *capabilities = json_object_get(config, "capabilities");
        add_flag(&s, "privileged=true",
                 json_array_size(json_object_get(capabilities, "Bounding")) >= CAPABILITIES_ALL &&
                         json_array_size(json_object_get(config, "mask_paths")) == 0);
        add_namespaces(&s, json_object_get(config, "namespaces"), "NEWPID", "NEWNET", "NEWIPC");
        for (size_t i = 0; i < json_array_size(mounts); i++) {
                const json_t *one = json_array_get(mounts, i);
                if (str_is(text(&s, one, "device"), "bind"))
                        add_mount(&s, text(&s, one, "source"), text(&s, one, "destination"), STR_NONE,
                                  !(json_number_of(one, "flags") & MS_READ_ONLY), STR_NONE);
        }
        return s.list;
}
