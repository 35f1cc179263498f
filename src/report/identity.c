/* See identity.h. */
#include "report/identity.h"

#include "report/text.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* Our own name space: the UUID of version 5 of "sekisho" in RFC 4122's name space for DNS names. */
static const uint8_t name_space[16] = { 0xee, 0xfd, 0xc3, 0x76, 0x92, 0xcb, 0x52, 0x01,
                                        0xbc, 0x28, 0xc4, 0xba, 0x11, 0xf7, 0xaa, 0x0e };

/* Parts are separated by their length, so that no two lists of parts give the same bytes. */
static void add_part(struct buf *b, struct str s)
{
        buf_varint(b, s.n);
        buf_add_str(b, s);
}

static void digest(const struct buf *b, const EVP_MD *md, uint8_t ret[static EVP_MAX_MD_SIZE])
{
        unsigned n = 0;
        if (b->full || !EVP_Digest(b->p, b->n, ret, &n, md, NULL))
                abort(); /* no memory: the algorithms are always there */
}

struct str finding_fingerprint(const struct report *r, struct arena *a, const struct finding *f)
{
        struct buf b = BUF_INIT((size_t)1 << 30);
        const struct fact_vulnerability *v = f->vulnerability;
        const struct fact_package *p = f->n_packages ? &r->packages[f->packages[0]].p : NULL;
        add_part(&b, str_of(finding_kind_name(f->kind)));
        add_part(&b, f->id);
        add_part(&b, v ? v->id : STR_NONE);
        add_part(&b, v ? v->ecosystem : STR_NONE);
        add_part(&b, p ? p->type : STR_NONE);
        add_part(&b, v && v->matched_name.n ? v->matched_name : p ? p->name : STR_NONE);
        add_part(&b, v && v->installed.n ? v->installed : p ? p->version : STR_NONE);
        add_part(&b, f->path);
        if (f->secret) {
                add_part(&b, f->secret->fingerprint);
                add_part(&b, f->secret->commit);
        }
        uint8_t hash[EVP_MAX_MD_SIZE];
        digest(&b, EVP_sha256(), hash);
        buf_clear(&b);
        buf_hex(&b, str_span(hash, 16));
        return text_take(a, &b);
}

void identity_begin(struct identity_parts *p)
{
        p->b = BUF_INIT((size_t)1 << 30);
        buf_add(&p->b, name_space, sizeof(name_space));
}

void identity_add(struct identity_parts *p, struct str s) { add_part(&p->b, s); }

struct str identity_uuid(struct identity_parts *p, struct arena *a)
{
        uint8_t h[EVP_MAX_MD_SIZE];
        digest(&p->b, EVP_sha1(), h);
        buf_done(&p->b);
        h[6] = (uint8_t)((h[6] & 0x0f) | 0x50);
        h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
        return arena_printf(a, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", h[0], h[1], h[2],
                            h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11], h[12], h[13], h[14], h[15]);
}

struct str report_uuid(const struct report *r, struct arena *a)
{
        struct identity_parts parts;
        struct str artefact = r->digest.n ? r->digest : r->image_id;
        identity_begin(&parts);
        if (artefact.n) {
                identity_add(&parts, artefact);
        } else {
                identity_add(&parts, r->target);
                for (size_t i = 0; i < r->n_packages; i++)
                        identity_add(&parts, r->packages[i].purl);
        }
        identity_add(&parts, r->data_digest);
        return identity_uuid(&parts, a);
}
