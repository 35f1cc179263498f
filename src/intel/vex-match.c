/* See vex-match.h. */
#include "intel/vex-match.h"

#include "intel/ecosystem.h"
#include "intel/vex.h"

#include <ctype.h>

/* --- vulnerabilities --- */

static bool is_cve(struct str id) { return str_eq_nocase(str_upto(id, 4), STR("CVE-")); }

static bool has(struct str_list list, struct str id)
{
        for (size_t i = 0; i < list.n; i++)
                if (str_eq_nocase(list.v[i], id))
                        return true;
        return false;
}

bool vex_same_vulnerability(const struct fact_vex *s, const struct vex_vulnerability *v)
{
        struct str id = s->vulnerability;
        if (!id.n)
                return false;
        if (str_eq_nocase(id, v->id) || str_eq_nocase(id, v->cve) || has(v->aliases, id))
                return true;
        if (is_cve(id) && is_cve(v->cve))
                return has(s->aliases, v->cve);
        for (size_t i = 0; i < s->aliases.n; i++) {
                struct str alias = s->aliases.v[i];
                if (!is_erratum_id(alias) &&
                    (str_eq_nocase(alias, v->id) || str_eq_nocase(alias, v->cve) || has(v->aliases, alias)))
                        return true;
        }
        return false;
}

/* --- images --- */

/* "docker.io/library/nginx:1.27@sha256:..." in its parts, as container engines complete short names. */
struct reference {
        struct str host, path, tag, digest;
};

static struct reference reference_of(struct str s)
{
        struct reference r = { 0 };
        ptrdiff_t at = str_find_char(s, '@');
        if (at >= 0) {
                r.digest = str_from(s, (size_t)at + 1);
                s = str_upto(s, (size_t)at);
        }
        ptrdiff_t colon = str_rfind_char(s, ':'), slash = str_rfind_char(s, '/');
        if (colon > slash) {
                r.tag = str_from(s, (size_t)colon + 1);
                s = str_upto(s, (size_t)colon);
        }
        struct str rest = s, first = str_cut(&rest, '/');
        bool has_host = rest.p && (str_find_char(first, '.') >= 0 || str_find_char(first, ':') >= 0 ||
                                   str_is(first, "localhost"));
        r.host = has_host ? first : STR("docker.io");
        r.path = has_host ? rest : s;
        if (str_is(r.host, "index.docker.io") || str_is(r.host, "registry-1.docker.io"))
                r.host = STR("docker.io");
        if (str_is(r.host, "docker.io") && str_starts(r.path, STR("library/")))
                r.path = str_from(r.path, strlen("library/"));
        return r;
}

static bool same_repository(const struct reference *a, const struct reference *b)
{
        return str_eq_nocase(a->host, b->host) && str_eq(a->path, b->path) && a->path.n;
}

/* Whether the artefact has this name; a tag counts where it is written. */
static bool is_named(const struct vex_artefact *a, struct str repository, struct str tag)
{
        struct reference wanted = reference_of(repository);
        if (!tag.n)
                tag = wanted.tag;
        for (size_t i = 0; i < a->references.n; i++) {
                struct reference own = reference_of(a->references.v[i]);
                if (same_repository(&wanted, &own) && (!tag.n || str_eq(tag, own.tag)))
                        return true;
        }
        return false;
}

/* What a product's names say about the artefact. */
struct identity {
        enum vex_match match;
        bool is_exact; /* a digest or a version */
        const char *why;
};

/* pkg:oci: the repository is a qualifier. pkg:docker: the version is a tag. Digests were looked at before. */
static struct identity by_image_purl(const struct vex_artefact *a, const struct purl *p, struct arena *arena)
{
        bool is_oci = str_is(p->type, "oci");
        struct str url = purl_qualifier(p, "repository_url"), tag = purl_qualifier(p, "tag"), repository;
        struct str arch = purl_qualifier(p, "arch");
        if (p->version.n && !is_oci)
                tag = p->version;
        else if (p->version.n)
                return (struct identity){ VEX_NO_MATCH };
        if (arch.n && a->arch.n && !str_eq(arch, a->arch))
                return (struct identity){ VEX_NO_MATCH };
        ptrdiff_t scheme = str_find(url, STR("://"));
        url = scheme >= 0 ? str_from(url, (size_t)scheme + 3) : url;
        if (is_oci && !url.n)
                return (struct identity){ VEX_VAGUE, false, "it names an image by the last part of its name only" };
        /* repository_url of oci holds the name; that of docker is the registry only. */
        if (is_oci)
                repository = url;
        else if (p->namespace.n)
                repository = arena_printf(arena, "%.*s/%.*s/%.*s", STR_FMT(url.n ? url : STR("docker.io")),
                                          STR_FMT(p->namespace), STR_FMT(p->name));
        else
                repository =
                        arena_printf(arena, "%.*s/%.*s", STR_FMT(url.n ? url : STR("docker.io")), STR_FMT(p->name));
        if (is_named(a, repository, tag))
                return (struct identity){ VEX_MATCH, tag.n, NULL };
        if (is_oci && is_named(a, arena_printf(arena, "%.*s/%.*s", STR_FMT(url), STR_FMT(p->name)), tag))
                return (struct identity){ VEX_MATCH, tag.n, NULL };
        return (struct identity){ VEX_NO_MATCH };
}

/* --- systems --- */

/* Vendor, product and version of "cpe:/o:redhat:enterprise_linux:9" or "cpe:2.3:o:redhat:...". */
static bool cpe_parse(struct str s, struct str ret[static 3])
{
        if (str_starts(s, STR("cpe:2.3:")))
                s = str_from(s, strlen("cpe:2.3:"));
        else if (str_starts(s, STR("cpe:/")))
                s = str_from(s, strlen("cpe:/"));
        else
                return false;
        (void)str_cut(&s, ':');
        for (size_t i = 0; i < 3; i++) {
                ret[i] = s.p ? str_cut(&s, ':') : STR_NONE;
                if (str_is(ret[i], "*"))
                        ret[i] = STR_NONE;
        }
        return ret[0].n && ret[1].n;
}

static struct identity by_cpe(const struct vex_artefact *a, struct str cpe)
{
        struct str wanted[3], own[3];
        if (!cpe_parse(cpe, wanted) || !cpe_parse(a->os_cpe, own) || !str_eq_nocase(wanted[0], own[0]) ||
            !str_eq_nocase(wanted[1], own[1]))
                return (struct identity){ VEX_NO_MATCH };
        /* "9" is all of 9.4; "9.4" is not all of 9. */
        bool same = !wanted[2].n ||
                    (str_starts(own[2], wanted[2]) && (own[2].n == wanted[2].n || own[2].p[wanted[2].n] == '.'));
        return (struct identity){ same ? VEX_MATCH : VEX_NO_MATCH, false, NULL };
}

/* --- names --- */

static bool is_digest(struct str s) { return str_starts(s, STR("sha256:")); }

static bool is_image_purl(struct str name)
{
        return str_eq_nocase(str_upto(name, 8), STR("pkg:oci/")) ||
               str_eq_nocase(str_upto(name, 11), STR("pkg:docker/"));
}

static bool is_cpe(struct str s) { return str_starts(s, STR("cpe:")); }

/* A package's purl decides for the thing that has it: a digest beside it is that of the package's file. */
static bool names_package(struct str_list names)
{
        for (size_t i = 0; i < names.n; i++)
                if (is_purl(names.v[i]) && !is_image_purl(names.v[i]))
                        return true;
        return false;
}

/* The digest in "sha256:...", "name@sha256:..." or an image's purl; STR_NONE if there is none. */
static struct str digest_in(struct str name, struct arena *arena)
{
        struct purl purl;
        if (is_digest(name))
                return name;
        if (is_purl(name))
                return is_image_purl(name) && purl_parse(name, arena, &purl) && is_digest(purl.version) ? purl.version
                                                                                                        : STR_NONE;
        struct str digest = reference_of(name).digest;
        return is_digest(digest) ? digest : STR_NONE;
}

static struct identity by_name(const struct vex_artefact *a, struct str name, struct arena *arena)
{
        struct purl purl;
        if (is_image_purl(name) && purl_parse(name, arena, &purl))
                return by_image_purl(a, &purl, arena);
        if (is_purl(name))
                return (struct identity){ VEX_NO_MATCH };
        if (is_cpe(name))
                return by_cpe(a, name);
        if (is_named(a, name, STR_NONE))
                return (struct identity){ VEX_MATCH, reference_of(name).tag.n, NULL };
        return (struct identity){ VEX_VAGUE, false, "it names the product in words, without a purl or a digest" };
}

static struct identity identify_artefact(struct str_list names, const struct vex_artefact *a, struct arena *arena)
{
        struct identity best = { VEX_NO_MATCH };
        bool has_digest = false, has_code = false;
        for (size_t i = 0; i < names.n; i++) {
                struct str digest = digest_in(names.v[i], arena);
                has_digest |= digest.n;
                if (digest.n && has(a->digests, digest))
                        return (struct identity){ VEX_MATCH, true, NULL };
        }
        if (has_digest)
                return best;
        for (size_t i = 0; i < names.n; i++)
                has_code |= is_purl(names.v[i]) || is_cpe(names.v[i]);
        for (size_t i = 0; i < names.n; i++) {
                struct identity id = by_name(a, names.v[i], arena);
                bool is_code = is_purl(names.v[i]) || is_cpe(names.v[i]);
                if (has_code && !is_code && id.match == VEX_VAGUE)
                        continue; /* words beside a purl or a CPE leave nothing open */
                if (id.match > best.match || (id.match == best.match && id.is_exact))
                        best = id;
        }
        return best;
}

/* --- packages --- */

/* Debian and rpm name a source package by an architecture of its own: all that was built from it is meant. */
static bool covers_source(const struct purl *wanted, const struct purl *found, const struct vex_package *p)
{
        struct purl source = *found;
        bool is_rpm = str_is(found->type, "rpm");
        const char *arch = is_rpm ? "src" : str_is(found->type, "deb") ? "source" : NULL;
        if (!arch || !p->source.n || !str_is(purl_qualifier(wanted, "arch"), arch))
                return false;
        source.name = p->source;
        source.version = p->source_version;
        ptrdiff_t colon = is_rpm ? str_find_char(source.version, ':') : -1;
        if (colon >= 0)
                source.version = str_from(source.version, (size_t)colon + 1);
        for (size_t i = 0; i < source.n_qualifiers; i++)
                if (str_is(source.qualifiers[i].key, "arch"))
                        source.qualifiers[i].value = str_of(arch);
        return purl_covers(wanted, &source);
}

static struct identity identify_package(struct str_list names, const struct vex_package *p, struct arena *arena)
{
        struct identity best = { VEX_NO_MATCH };
        struct purl found, wanted;
        bool has_purl = purl_parse(p->purl, arena, &found), only_plain = true;
        for (size_t i = 0; i < names.n; i++) {
                only_plain &= !is_purl(names.v[i]);
                if (has_purl && purl_parse(names.v[i], arena, &wanted) &&
                    (purl_covers(&wanted, &found) || covers_source(&wanted, &found, p)))
                        best = (struct identity){ VEX_MATCH, best.is_exact || wanted.version.n, NULL };
        }
        if (only_plain)
                best = (struct identity){ VEX_VAGUE, false, "it names the package without a purl" };
        return best;
}

enum vex_match vex_applies(const struct fact_vex *s, const struct vex_artefact *a, const struct vex_package *p,
                           struct str *ret_why)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct identity whole = { VEX_MATCH, false, NULL }, part = whole;
        bool is_bound = !s->subjects.n;
        for (size_t i = 0; i < s->subjects.n; i++)
                is_bound |= has(a->digests, s->subjects.v[i]);
        if (!is_bound)
                return VEX_NO_MATCH;
        if (s->subcomponent.n) {
                part = identify_package(s->subcomponent, p, &arena);
                if (part.match != VEX_NO_MATCH)
                        whole = names_package(s->product) ? (struct identity){ VEX_NO_MATCH }
                                                          : identify_artefact(s->product, a, &arena);
        } else {
                whole = names_package(s->product) ? identify_package(s->product, p, &arena)
                                                  : identify_artefact(s->product, a, &arena);
        }
        if (whole.match == VEX_NO_MATCH || part.match == VEX_NO_MATCH)
                return VEX_NO_MATCH;
        const char *why = whole.match == VEX_VAGUE  ? whole.why
                          : part.match == VEX_VAGUE ? part.why
                          : str_is(s->status, vex_status_name(VEX_FIXED)) && !whole.is_exact && !part.is_exact
                                  ? "it says fixed without saying in which version"
                                  : NULL;
        *ret_why = s->vague.n ? s->vague : str_of(why);
        return ret_why->n ? VEX_VAGUE : VEX_MATCH;
}

bool vex_sets_aside(const struct fact_vex *s)
{
        return str_is(s->status, vex_status_name(VEX_NOT_AFFECTED)) || str_is(s->status, vex_status_name(VEX_FIXED));
}
