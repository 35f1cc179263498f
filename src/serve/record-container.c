/* What rules ask of the container that an event is of, and of its pod: what the engine's and the runtime's files say.
 */
#include "base/buf.h"
#include "serve/record-private.h"

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
