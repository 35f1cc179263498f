/* See vex.h: the table of formats, and what their readers share. */
#include "intel/vex.h"

#include "intel/json.h"
#include "intel/vex-readers.h"
#include "read/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const struct vex_reader *const vex_readers[] = { &vex_openvex, &vex_cyclonedx, &vex_csaf, NULL };

static const char *const statuses[VEX_STATUSES] = {
        [VEX_NOT_AFFECTED] = "not_affected",
        [VEX_AFFECTED] = "affected",
        [VEX_FIXED] = "fixed",
        [VEX_UNDER_INVESTIGATION] = "under_investigation",
};

const char *vex_status_name(enum vex_status s) { return s < VEX_STATUSES ? statuses[s] : ""; }

bool vex_status_parse(struct str s, enum vex_status *ret)
{
        for (size_t i = 0; i < VEX_STATUSES; i++)
                if (str_is(s, statuses[i])) {
                        *ret = (enum vex_status)i;
                        return true;
                }
        return false;
}

/* OpenVEX's words are CISA's and CSAF's too. CycloneDX has finer ones, which lose something on the way. */
struct str vex_justification(struct str word)
{
        static const struct {
                const char *word, *openvex;
        } words[] = {
                { "component_not_present", "component_not_present" },
                { "vulnerable_code_not_present", "vulnerable_code_not_present" },
                { "vulnerable_code_not_in_execute_path", "vulnerable_code_not_in_execute_path" },
                { "vulnerable_code_cannot_be_controlled_by_adversary",
                  "vulnerable_code_cannot_be_controlled_by_adversary" },
                { "inline_mitigations_already_exist", "inline_mitigations_already_exist" },
                { "code_not_present", "vulnerable_code_not_present" },
                { "code_not_reachable", "vulnerable_code_not_in_execute_path" },
                { "requires_configuration", "vulnerable_code_not_in_execute_path" },
                { "requires_dependency", "vulnerable_code_not_in_execute_path" },
                { "requires_environment", "vulnerable_code_cannot_be_controlled_by_adversary" },
                { "protected_by_compiler", "inline_mitigations_already_exist" },
                { "protected_at_runtime", "inline_mitigations_already_exist" },
                { "protected_at_perimeter", "inline_mitigations_already_exist" },
                { "protected_by_mitigating_control", "inline_mitigations_already_exist" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (str_is(word, words[i].word))
                        return str_of(words[i].openvex);
        return STR_NONE;
}

static uint64_t text_of(const struct fact_vex *f)
{
        const struct fact_info *info = &fact_infos[FACT_vex];
        uint64_t n = 0;
        for (size_t i = 0; i < info->n_fields; i++) {
                const void *at = (const char *)f + info->fields[i].offset;
                if (info->fields[i].type == TYPE_STR)
                        n += ((const struct str *)at)->n;
                for (size_t k = 0; info->fields[i].type == TYPE_LIST && k < ((const struct str_list *)at)->n; k++)
                        n += ((const struct str_list *)at)->v[k].n;
        }
        return n;
}

static void put_unread(struct vex_reading *r, uint64_t position, const char *why)
{
        char where[64] = "document";
        if (position)
                snprintf(where, sizeof(where), "statement %llu", (unsigned long long)position);
        sink_unread(r->out, str_of(where), "corrupt", "%s", why);
}

void vex_put(struct vex_reading *r, struct str_list product, struct str_list subcomponent)
{
        if (r->over)
                return;
        r->now.product = product;
        r->now.subcomponent = subcomponent;
        r->text_bytes += text_of(&r->now);
        if (r->facts == VEX_FACTS_MAX)
                r->over = "it names more products than are read";
        else if (r->text_bytes > VEX_TEXT_MAX_BYTES)
                r->over = "it says more of its products than is read";
        if (r->over)
                return;
        r->facts++;
        sink_put(r->out, FACT_vex, &r->now);
}

void vex_unread(struct vex_reading *r, uint64_t position, const char *fmt, ...)
{
        char why[512];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        if (r->unread++ < VEX_UNREAD_MAX)
                put_unread(r, position, why);
}

void vex_name(struct vex_reading *r, struct vex_names *names, struct str name)
{
        name = str_trim(name);
        for (size_t i = 0; i < names->list.n; i++)
                if (str_eq(names->list.v[i], name))
                        return;
        if (!name.n)
                return;
        if (names->list.n == VEX_NAMES_MAX) {
                r->now.vague = STR("it has more names for one thing than are read");
                return;
        }
        if (names->list.n == names->size) {
                size_t size = names->size ? 2 * names->size : 4;
                struct str *v = arena_array(&r->arena, size, sizeof(*v));
                if (names->list.n)
                        memcpy(v, names->list.v, names->list.n * sizeof(*v));
                names->list.v = v;
                names->size = size;
        }
        names->list.v[names->list.n++] = name;
}

void vex_hash(struct vex_reading *r, struct vex_names *names, struct str algorithm, struct str hex)
{
        uint8_t bytes[32];
        bool is_sha256 = str_eq_nocase(algorithm, STR("sha-256")) || str_eq_nocase(algorithm, STR("sha256"));
        if (!is_sha256 || !str_hex(hex, sizeof(bytes), bytes))
                return;
        struct str text = arena_printf(&r->arena, "sha256:%.*s", STR_FMT(hex));
        for (size_t i = 0; i < text.n; i++)
                if (text.p[i] >= 'A' && text.p[i] <= 'F')
                        ((char *)text.p)[i] += 'a' - 'A';
        vex_name(r, names, text);
}

int vex_read(const struct vex_reader *reader, struct str bytes, struct sink *out, struct error *err)
{
        _cleanup_(json_dropp) json_t *document = NULL;
        struct vex_reading reading = { .out = out };
        int r = json_document(bytes, VEX_DOCUMENT_MAX_BYTES, &document, err);
        if (r < 0)
                return r;
        for (size_t i = 0; !reader && vex_readers[i]; i++)
                if (vex_readers[i]->recognises(document))
                        reader = vex_readers[i];
        if (!reader)
                return error_set(err, -ENOMSG,
                                 "this JSON is neither OpenVEX, nor CycloneDX with vulnerabilities, nor CSAF");
        reading.now.format = str_of(reader->name);
        reader->read(&reading, document);
        if (reading.unread > VEX_UNREAD_MAX) {
                char why[64];
                snprintf(why, sizeof(why), "%llu more statements cannot be used",
                         (unsigned long long)(reading.unread - VEX_UNREAD_MAX));
                put_unread(&reading, 0, why);
        }
        arena_done(&reading.arena);
        return reading.over ? error_set(err, -EFBIG, "%s, at statement %llu", reading.over,
                                        (unsigned long long)reading.now.position)
                            : 0;
}
