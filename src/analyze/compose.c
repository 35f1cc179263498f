/*
 * Compose files (compose-spec.io): the checker. Values with variables (${TAG}) are not judged where they decide: what
 * they will be is not in the file.
 */
#include "analyze/check-rules.h"
#include "analyze/yaml-page.h"
#include "base/vec.h"

enum compose_rule {
        DUPLICATE_KEY,
        ENGINE_SOCKET,
        HOST_DIRECTORY,
        CAPABILITIES,
        PUBLISHED,
        SECRET,
        IMAGE_MOVES,
        IMAGE_UNPINNED,
        RULES,
};

static const struct check rules[RULES] = {
        [DUPLICATE_KEY] = { "SK-COMPOSE-001", NULL, SEVERITY_HIGH, "A key stands twice in one object",
                            "Tools disagree about which one counts: what is reviewed is not what runs.",
                            "Remove one of them", "NIST-800-190:4.1.2 CWE-694", false },
        [ENGINE_SOCKET] = { "SK-COMPOSE-102", NULL, SEVERITY_CRITICAL, "The socket of the container engine is mounted",
                            "Whoever speaks to it can start any container: that is root on the host.",
                            "Remove it, or put a proxy before it that lets through only what is needed",
                            "NIST-800-190:4.4.3 T1611 T1610", false },
        [HOST_DIRECTORY] = { "SK-COMPOSE-103", NULL, SEVERITY_HIGH, "A directory that gives the host away",
                             "With it, the service can read the host's secrets or change its programs.",
                             "Mount only the directory that is needed, read-only, or use a named volume",
                             "NIST-800-190:4.5.5 T1611", false },
        [CAPABILITIES] = { "SK-COMPOSE-106", NULL, SEVERITY_HIGH, "Capabilities beyond the default set",
                           "Capabilities such as SYS_ADMIN or NET_ADMIN are most of the way to root on the host.",
                           "Remove them from cap_add", "NIST-800-190:4.4.3 T1611", false },
        [PUBLISHED] = { "SK-COMPOSE-112", NULL, SEVERITY_MEDIUM, "A port on all addresses of the host",
                        "It is open to whoever reaches the host; docker's rules come before those of the firewall.",
                        "Give the address: 127.0.0.1:8080:80, or use expose for other services",
                        "NIST-800-190:4.4.2 T1133", false },
        [SECRET] = { "SK-COMPOSE-113", NULL, SEVERITY_HIGH, "A secret in clear in the environment",
                     "It is in the repository, and in every listing of the container.",
                     "Use secrets, or a variable that is set where it runs", "NIST-800-190:4.1.4 T1552.001 CWE-798",
                     false },
        [IMAGE_MOVES] = { "SK-COMPOSE-114", NULL, SEVERITY_MEDIUM, "An image whose tag moves",
                          "What runs tomorrow is not what was looked at today.",
                          "Name a version, or better the digest: image@sha256:...", "NIST-800-190:4.2.2 T1525", false },
        [IMAGE_UNPINNED] = { "SK-COMPOSE-115", NULL, SEVERITY_LOW, "An image that is not named by its digest",
                             "Whoever may push to the registry decides what runs under this tag.",
                             "Name the digest: image:tag@sha256:...", "NIST-800-190:4.1.5 T1525", true },
};

struct service {
        struct check_page *page;
        struct str name;
        const struct yaml_node *key, *node;
};

static void say(const struct service *s, enum compose_rule rule, const struct yaml_node *at, struct str what)
{
        yaml_page_add(s->page, &rules[rule], at ? at : s->key, "service %.*s%s%.*s", STR_FMT(str_upto(s->name, 64)),
                      what.n ? ": " : "", STR_FMT(str_upto(what, 150)));
}

/* --- isolation --- */

static void check_capabilities(const struct service *s)
{
        static const char *const usual[] = {
                "AUDIT_WRITE",      "CHOWN",   "DAC_OVERRIDE", "FOWNER",  "FSETID", "KILL",       "MKNOD",
                "NET_BIND_SERVICE", "SETFCAP", "SETGID",       "SETPCAP", "SETUID", "SYS_CHROOT", "NET_RAW"
        }; /* what docker gives anyway */
        const struct yaml_node *add = yaml_at(s->node, "cap_add", NULL);
        for (size_t i = 0; add && add->kind == YAML_SEQUENCE && i < add->n; i++) {
                struct str name = yaml_text(add->items[i]);
                bool is_usual = false;
                if (name.n > 4 && str_eq_nocase(str_upto(name, 4), STR("CAP_")))
                        name = str_from(name, 4);
                for (size_t k = 0; k < ARRAY_SIZE(usual); k++)
                        is_usual = is_usual || str_eq_nocase(name, str_of(usual[k]));
                if (!is_usual)
                        say(s, CAPABILITIES, add->items[i], name);
        }
}

/* What the rules of data/checks/ see. */
static void run_rules(const struct service *s)
{
        check_rules_run(s->page, &(struct resource){ .format = "compose",
                                                     .part = "service",
                                                     .kind = STR("service"),
                                                     .name = str_upto(s->name, 64),
                                                     .line = s->key->line,
                                                     .column = s->key->column,
                                                     .end_line = s->key->line,
                                                     .node = s->node,
                                                     .object = s->node });
}

/* --- mounts --- */

static void check_mounts(const struct service *s)
{
        const struct yaml_node *volumes = yaml_at(s->node, "volumes", NULL);
        for (size_t i = 0; volumes && volumes->kind == YAML_SEQUENCE && i < volumes->n; i++) {
                const struct yaml_node *v = volumes->items[i], *at = v;
                struct str source = yaml_text(v), rest = source;
                if (v->kind == YAML_MAPPING) {
                        bool is_bind = str_is(yaml_text(yaml_get(v, "type")), "bind");
                        at = yaml_at(v, "source", NULL);
                        source = is_bind ? yaml_text(at) : STR_NONE;
                } else {
                        source = str_cut(&rest, ':');
                        source = rest.p ? source : STR_NONE; /* only a path in the container */
                }
                const struct host_path *h = source.n ? yaml_host_path(source) : NULL;
                if (h)
                        say(s, h->is_socket ? ENGINE_SOCKET : HOST_DIRECTORY, at, source);
        }
}

/* --- ports --- */

static bool is_every_address(struct str a)
{
        return !a.n || str_is(a, "0.0.0.0") || str_is(a, "::") || str_is(a, "[::]");
}

/* [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]; an address of IPv6 stands in brackets. */
static bool is_open_to_all(struct str port)
{
        if (str_find_char(port, '$') >= 0)
                return false;
        if (str_starts(port, STR("[")))
                return str_starts(port, STR("[::]:"));
        size_t colons = 0;
        for (size_t i = 0; i < port.n; i++)
                colons += port.p[i] == ':';
        struct str rest = port;
        return colons < 2 || is_every_address(str_cut(&rest, ':'));
}

static void check_ports(const struct service *s)
{
        const struct yaml_node *ports = yaml_at(s->node, "ports", NULL);
        for (size_t i = 0; ports && ports->kind == YAML_SEQUENCE && i < ports->n; i++) {
                const struct yaml_node *p = ports->items[i];
                bool is_open = p->kind == YAML_SCALAR ? yaml_text(p).n && is_open_to_all(yaml_text(p))
                                                      : is_every_address(yaml_text(yaml_at(p, "host_ip", NULL)));
                struct str what = p->kind == YAML_SCALAR ? yaml_text(p) : yaml_text(yaml_at(p, "target", NULL));
                if (is_open)
                        say(s, PUBLISHED, p, what);
        }
}

/* --- environment and image --- */

static void check_environment(const struct service *s)
{
        const struct yaml_node *env = yaml_at(s->node, "environment", NULL);
        for (size_t i = 0; env && i < env->n; i++) {
                const struct yaml_node *at = env->kind == YAML_MAPPING ? env->pairs[i].value : env->items[i];
                struct str value = yaml_text(at), name = value;
                if (env->kind == YAML_MAPPING) {
                        name = yaml_text(env->pairs[i].key);
                        value = yaml_is_null(at) ? STR_NONE : value;
                } else {
                        name = str_cut(&value, '=');
                }
                if (yaml_looks_secret(name, value))
                        say(s, SECRET, at, name);
        }
}

/* With build, the name is what the built image will be called. */
static void check_image(const struct service *s)
{
        const struct yaml_node *image = yaml_at(s->node, "image", NULL);
        struct str name = yaml_text(image);
        if (!name.n || yaml_at(s->node, "build", NULL) || str_find_char(name, '$') >= 0)
                return;
        if (yaml_image_moves(name))
                say(s, IMAGE_MOVES, image, name);
        else if (!yaml_image_is_pinned(name))
                say(s, IMAGE_UNPINNED, image, name);
}

/* --- files --- */

static bool is_compose_name(struct str path)
{
        ptrdiff_t slash = str_rfind_char(path, '/');
        struct str name = str_from(path, (size_t)(slash + 1));
        return yaml_page_wants(name) && (str_starts(name, STR("compose")) || str_starts(name, STR("docker-compose")));
}

static bool recognises(struct str path, struct str bytes)
{
        return is_compose_name(path) || (yaml_page_has_key(bytes, "services") && !yaml_page_has_key(bytes, "kind") &&
                                         (str_find(bytes, STR("image")) >= 0 || str_find(bytes, STR("build")) >= 0));
}

static void check_document(struct check_page *page, const struct check_file *file, const struct yaml_node *root,
                           struct sink *out)
{
        const struct yaml_node *services = yaml_at(root, "services", NULL);
        if (!services || services->kind != YAML_MAPPING) {
                if (!yaml_is_null(root) && !yaml_get(root, "include") && !yaml_get(root, "volumes") &&
                    !yaml_get(root, "networks"))
                        sink_unread(out, file->path, "unsupported", "it has no services: is it a Compose file?");
                return;
        }
        for (size_t i = 0; i < services->n; i++) {
                const struct yaml_pair *p = &services->pairs[i];
                struct service s = { page, yaml_text(p->key), p->key, p->value };
                if (p->value->kind != YAML_MAPPING) {
                        sink_unread(out, file->path, "corrupt", "line %u: a service must be an object", p->key->line);
                        continue;
                }
                run_rules(&s);
                check_capabilities(&s);
                check_mounts(&s);
                check_ports(&s);
                check_environment(&s);
                check_image(&s);
        }
}

static void run(const struct check_file *files, size_t n, const struct check_settings *settings, struct sink *out)
{
        for (size_t i = 0; i < n; i++) {
                struct arena arena = ARENA_INIT;
                struct check_page page;
                struct yaml y;
                check_page_begin(&page, files[i].path, settings, &arena);
                if (yaml_page_read(&page, &files[i], &rules[DUPLICATE_KEY], &arena, &y, out))
                        for (size_t k = 0; k < y.n; k++)
                                check_document(&page, &files[i], y.documents[k], out);
                check_page_end(&page, out);
                arena_done(&arena);
        }
}

static const struct check *check(size_t i) { return i < RULES ? &rules[i] : NULL; }

const struct checker checker_compose = {
        .name = "compose",
        .summary = "Compose files",
        .wants = yaml_page_wants,
        .recognises = recognises,
        .run = run,
        .check = check,
};
