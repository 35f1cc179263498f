/* The readers of VEX documents: what each makes of good and of malformed ones, as lines of text. */
#include "intel/vex-readers.h"
#include "intel/vex.h"

#include "base/date.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct lines {
        struct sink sink; /* first: put casts back */
        struct buf text;
};

static void put_list(struct buf *b, struct str_list list)
{
        for (size_t i = 0; i < list.n; i++)
                buf_printf(b, "%s%.*s", i ? "|" : "", STR_FMT(list.v[i]));
}

static void put_text(struct buf *b, const char *mark, struct str s)
{
        if (s.n)
                buf_printf(b, " %s%.*s", mark, STR_FMT(str_upto(s, 100)));
}

/* "1 CVE-2024-1+GHSA-1 not_affected product > part justification i:impact a:action d:detail @date ?vague" */
static void put(struct sink *sink, enum fact_kind kind, const void *fact)
{
        struct buf *b = &((struct lines *)sink)->text;
        char day[DATE_TEXT_MAX];
        if (kind == FACT_unread) {
                const struct fact_unread *u = fact;
                buf_printf(b, "! %.*s %.*s: %.*s\n", STR_FMT(u->path), STR_FMT(u->code), STR_FMT(u->detail));
                return;
        }
        const struct fact_vex *f = fact;
        assert_int_equal(kind, FACT_vex);
        buf_printf(b, "%llu %.*s", (unsigned long long)f->position, STR_FMT(f->vulnerability));
        for (size_t i = 0; i < f->aliases.n; i++)
                buf_printf(b, "+%.*s", STR_FMT(f->aliases.v[i]));
        buf_printf(b, " %.*s ", STR_FMT(f->status));
        put_list(b, f->product);
        if (f->subcomponent.n)
                buf_puts(b, " > ");
        put_list(b, f->subcomponent);
        put_text(b, "", f->justification);
        put_text(b, "i:", f->impact);
        put_text(b, "a:", f->action);
        put_text(b, "d:", f->detail);
        for (size_t i = 0; i < f->responses.n; i++)
                put_text(b, "r:", f->responses.v[i]);
        put_text(b, "@", str_of(date_day(f->timestamp, day)));
        put_text(b, "?", f->vague);
        for (size_t i = 0; i < f->subjects.n; i++)
                put_text(b, "s:", f->subjects.v[i]);
        buf_putc(b, '\n');
}

static int read_text(const struct vex_reader *reader, struct str document, struct lines *l, struct error *err)
{
        char *copy = xmalloc(document.n + 1); /* of its exact size, for sanitizers */
        if (document.n)
                memcpy(copy, document.p, document.n);
        *l = (struct lines){ .sink = { .put = put }, .text = BUF_INIT(16u << 20) };
        *err = ERROR_NONE;
        int r = vex_read(reader, str_span(copy, document.n), &l->sink, err);
        free(copy);
        return r;
}

static void expect(const char *document, const char *wanted)
{
        struct lines l;
        struct error err;
        if (read_text(NULL, str_of(document), &l, &err) < 0)
                fail_msg("%s", err.text);
        if (!str_is(buf_str(&l.text), wanted))
                fail_msg("got\n%.*s\nwanted\n%s", STR_FMT(buf_str(&l.text)), wanted);
        buf_done(&l.text);
}

#define HEX "1111111111111111111111111111111111111111111111111111111111111111"
#define V02                                                                                                            \
        "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"@id\":\"d1\",\"author\":\"A\",\"timestamp\":"               \
        "\"2024-01-02T00:00:00Z\",\"statements\":["

static const char openvex_good[] =
        V02 "{\"vulnerability\":{\"name\":\"CVE-2024-1\",\"aliases\":[\"GHSA-1\",\"GHSA-1\",\"\"]},\"products\":["
            "{\"@id\":\"pkg:oci/web@sha256%3A" HEX
            "\",\"identifiers\":{\"purl\":\"pkg:oci/web\",\"cpe23\":\"cpe:2.3:a:x:y\"},"
            "\"hashes\":{\"sha-256\":\"" HEX "\",\"md5\":\"00\"},\"subcomponents\":[{\"@id\":\"pkg:deb/debian/a\"},"
            "{\"@id\":\"pkg:deb/debian/b\"}]},{\"@id\":\"web@sha256:" HEX "\"}],\"status\":\"not_affected\","
            "\"justification\":\"component_not_present\",\"impact_statement\":\"not there\",\"status_notes\":\"n\"},"
            "{\"vulnerability\":{\"@id\":\"https://nvd.nist.gov/vuln/detail/"
            "CVE-2024-2\"},\"timestamp\":\"2024-03-04T00:00:00Z\","
            "\"products\":[{\"@id\":\"pkg:deb/debian/a@1\"}],\"status\":\"affected\",\"action_statement\":\"update\"},"
            "{\"vulnerability\":{\"name\":\"CVE-2024-3\"},\"last_updated\":\"2024-05-06T00:00:00Z\","
            "\"products\":[{\"identifiers\":{\"purl\":\"pkg:deb/debian/a@1\"}}],\"status\":\"under_investigation\"}]}";

static void test_openvex(void **state)
{
        expect(openvex_good,
               "1 CVE-2024-1+GHSA-1 not_affected pkg:oci/web@sha256%3A" HEX "|pkg:oci/web|cpe:2.3:a:x:y|sha256:" HEX
               " > pkg:deb/debian/a component_not_present i:not there d:n @2024-01-02\n"
               "1 CVE-2024-1+GHSA-1 not_affected pkg:oci/web@sha256%3A" HEX "|pkg:oci/web|cpe:2.3:a:x:y|sha256:" HEX
               " > pkg:deb/debian/b component_not_present i:not there d:n @2024-01-02\n"
               "1 CVE-2024-1+GHSA-1 not_affected sha256:" HEX " component_not_present i:not there d:n @2024-01-02\n"
               "2 CVE-2024-2 affected pkg:deb/debian/a@1 a:update @2024-03-04\n"
               "3 CVE-2024-3 under_investigation pkg:deb/debian/a@1 @2024-05-06\n");
}

/* Before 0.2.0 vulnerabilities, products and subcomponents were plain text. */
static void test_openvex_drafts(void **state)
{
        expect("{\"@context\":\"https://openvex.dev/ns/"
               "v0.0.1\",\"statements\":[{\"vulnerability\":\"CVE-2024-1\",\"products\":"
               "[\"pkg:oci/web\"],\"subcomponents\":[\"pkg:deb/debian/a\"],\"status\":\"fixed\"}]}",
               "1 CVE-2024-1 fixed pkg:oci/web > pkg:deb/debian/a\n");
        expect("{\"@context\":\"https://openvex.dev/"
               "ns\",\"statements\":[{\"vulnerability\":\"CVE-2024-1\",\"products\":"
               "[\"pkg:deb/debian/a\"],\"status\":\"fixed\"}]}",
               "1 CVE-2024-1 fixed pkg:deb/debian/a\n");
}

static void test_openvex_attested(void **state)
{
        expect("{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicateType\":\"https://openvex.dev/ns/v0.2.0\","
               "\"subject\":[{\"name\":\"x\",\"digest\":{\"sha256\":\"" HEX "\"}}],\"predicate\":{\"statements\":["
               "{\"vulnerability\":{\"name\":\"CVE-2024-1\"},\"status\":\"fixed\"}]}}",
               "1 CVE-2024-1 fixed sha256:" HEX " s:sha256:" HEX "\n");
        expect("{\"predicateType\":\"https://openvex.dev/ns\",\"predicate\":{\"statements\":["
               "{\"vulnerability\":{\"name\":\"CVE-2024-1\"},\"status\":\"fixed\",\"products\":[{\"@id\":\"pkg:a/"
               "b\"}]}]}}",
               "! document corrupt: the attestation names no subject by a sha256\n");
}

static void test_openvex_malformed(void **state)
{
        expect(V02 "1,{},{\"vulnerability\":{}},{\"vulnerability\":{\"name\":\"V\"}},"
                   "{\"vulnerability\":{\"name\":\"V\"},\"status\":\"safe\"},"
                   "{\"vulnerability\":{\"name\":\"V\"},\"status\":\"fixed\"},"
                   "{\"vulnerability\":{\"name\":\"V\"},\"status\":\"not_affected\",\"products\":[{\"@id\":\"p\"}]},"
                   "{\"vulnerability\":{\"name\":\"V\"},\"status\":\"not_affected\",\"justification\":\"because\"},"
                   "{\"vulnerability\":{\"name\":\"V\"},\"status\":\"fixed\",\"products\":[7,{},{\"@id\":\"p\","
                   "\"subcomponents\":[{},\"q\"]}]}]}",
               "! statement 1 corrupt: it names no vulnerability\n"
               "! statement 2 corrupt: it names no vulnerability\n"
               "! statement 3 corrupt: it names no vulnerability\n"
               "! statement 4 corrupt: its status \"\" is none of OpenVEX\n"
               "! statement 5 corrupt: its status \"safe\" is none of OpenVEX\n"
               "! statement 6 corrupt: it names no product\n"
               "! statement 7 corrupt: not_affected without a justification or an impact statement\n"
               "! statement 8 corrupt: its justification \"because\" is none of OpenVEX\n"
               "! statement 9 corrupt: a product without a name\n"
               "! statement 9 corrupt: a product without a name\n"
               "! statement 9 corrupt: a subcomponent without a name\n"
               "9 V fixed p > q @2024-01-02\n");
        expect("{\"@context\":\"https://openvex.dev/ns\",\"statements\":{}}",
               "! document corrupt: \"statements\" is no list\n");
}

#define CDX "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"serialNumber\":\"urn:uuid:aa-bb\","

static const char cyclonedx_good[] = CDX
        "\"metadata\":{\"timestamp\":\"2024-01-02T00:00:00Z\",\"authors\":[{\"name\":\"A\"},{\"email\":\"b@c\"}],"
        "\"component\":{\"type\":\"container\",\"bom-ref\":\"image\",\"name\":\"web\",\"version\":\"sha256:" HEX "\"}},"
        "\"components\":[{\"bom-ref\":\"c1\",\"name\":\"a\",\"purl\":\"pkg:deb/debian/"
        "a@1\",\"components\":[{\"bom-ref\":\"c2\","
        "\"name\":\"words only\"}]}],\"vulnerabilities\":["
        "{\"id\":\"CVE-2024-1\",\"references\":[{\"id\":\"GHSA-1\"}],\"analysis\":{\"state\":\"not_affected\","
        "\"justification\":\"code_not_reachable\",\"response\":[\"will_not_fix\"],\"detail\":\"never called\"},"
        "\"affects\":[{\"ref\":\"c1\"},{\"ref\":\"c2\"},{\"ref\":\"image\"}]},"
        "{\"id\":\"CVE-2024-2\",\"recommendation\":\"wait\",\"analysis\":{\"state\":\"exploitable\",\"response\":"
        "\"update\",\"detail\":\"yes\","
        "\"lastUpdated\":\"2024-02-03T00:00:00Z\"},\"affects\":[{\"ref\":\"urn:cdx:aa-bb/1#c1\"},"
        "{\"ref\":\"urn:cdx:cc-dd/1#pkg:deb/debian/x@2\"},{\"ref\":\"urn:cdx:cc-dd/1#pkg%3Adeb%2Fdebian%2Fy%402\"}]},"
        "{\"id\":\"CVE-2024-3\",\"affects\":[{\"ref\":\"c1\"}]},"
        "{\"id\":\"CVE-2024-4\",\"analysis\":{\"state\":\"resolved\"},\"affects\":[{\"ref\":\"c1\",\"versions\":["
        "{\"version\":\"1\"},{\"version\":\"2\",\"status\":\"unaffected\"},{\"version\":\"3\",\"status\":\"unknown\"},"
        "{\"range\":\"vers:deb/<4\"}]}]},"
        "{\"id\":\"CVE-2024-5\",\"analysis\":{\"state\":\"exploitable\"},\"affects\":[{\"ref\":\"c1\",\"versions\":["
        "{\"version\":\"2\",\"status\":\"unaffected\"}]},{\"ref\":\"c2\",\"versions\":[{\"version\":\"2\"}]}]}]}";

static void test_cyclonedx(void **state)
{
        expect(cyclonedx_good,
               "1 CVE-2024-1+GHSA-1 not_affected sha256:" HEX
               " > pkg:deb/debian/a@1 vulnerable_code_not_in_execute_path "
               "i:never called r:will_not_fix @2024-01-02\n"
               "1 CVE-2024-1+GHSA-1 not_affected sha256:" HEX " > words only vulnerable_code_not_in_execute_path "
               "i:never called r:will_not_fix @2024-01-02\n"
               "1 CVE-2024-1+GHSA-1 not_affected sha256:" HEX " vulnerable_code_not_in_execute_path "
               "i:never called r:will_not_fix @2024-01-02\n"
               "2 CVE-2024-2 affected sha256:" HEX " > pkg:deb/debian/a@1 a:wait d:yes r:update @2024-02-03\n"
               "2 CVE-2024-2 affected pkg:deb/debian/x@2 a:wait d:yes r:update @2024-02-03\n"
               "2 CVE-2024-2 affected pkg:deb/debian/y@2 a:wait d:yes r:update @2024-02-03\n"
               "4 CVE-2024-4 fixed sha256:" HEX " > pkg:deb/debian/a@1 @2024-01-02\n"
               "4 CVE-2024-4 fixed sha256:" HEX " > pkg:deb/debian/a@2 @2024-01-02\n"
               "4 CVE-2024-4 fixed sha256:" HEX
               " > pkg:deb/debian/a@1 @2024-01-02 ?it names a range of versions, which is "
               "not evaluated\n"
               "5 CVE-2024-5 affected sha256:" HEX
               " > words only @2024-01-02 ?it names a version of something that has no "
               "purl\n");
}

static void test_cyclonedx_malformed(void **state)
{
        expect(CDX "\"vulnerabilities\":[{\"analysis\":{\"state\":\"resolved\"}},{\"id\":\"V\",\"analysis\":{\"state\":"
                   "\"fine\"}},"
                   "{\"id\":\"V\",\"analysis\":{\"state\":\"not_affected\",\"justification\":\"x\"}},"
                   "{\"id\":\"V\",\"analysis\":{\"state\":\"resolved\"}},"
                   "{\"id\":\"V\",\"analysis\":{\"state\":\"resolved\"},\"affects\":[{},{\"ref\":\"nowhere\"},"
                   "{\"ref\":\"urn:cdx:aa-bb/1#nowhere\"},{\"ref\":\"pkg:deb/debian/a\"}]}]}",
               "! statement 1 corrupt: it names no vulnerability\n"
               "! statement 2 corrupt: its state \"fine\" is none of CycloneDX\n"
               "! statement 3 corrupt: its justification \"x\" is none of CycloneDX\n"
               "! statement 4 corrupt: it affects no component\n"
               "! statement 5 corrupt: \"\" leads to no component and is no purl\n"
               "! statement 5 corrupt: \"nowhere\" leads to no component and is no purl\n"
               "! statement 5 corrupt: \"urn:cdx:aa-bb/1#nowhere\" leads to no component and is no purl\n"
               "5 V fixed pkg:deb/debian/a\n");
}

#define CSAF                                                                                                           \
        "{\"document\":{\"category\":\"csaf_vex\",\"csaf_version\":\"2.0\",\"publisher\":{\"name\":\"A\"},"            \
        "\"tracking\":{\"id\":\"T-1\",\"current_release_date\":\"2024-01-02T00:00:00Z\"}},\"product_tree\":"
#define HELPER(kind, value) "\"product_identification_helper\":{\"" kind "\":\"" value "\"}"

static const char csaf_good[] = CSAF
        "{\"branches\":[{\"category\":\"vendor\",\"branches\":[{\"category\":\"product_version\",\"product\":{"
        "\"product_id\":\"P1\","
        "\"name\":\"a 1\"," HELPER(
                "purl", "pkg:rpm/redhat/a@1-1") "}},{\"category\":\"product_version_range\",\"product\":{"
                                                "\"product_id\":\"P2\",\"name\":\"a\"," HELPER(
                                                        "purl",
                                                        "pkg:rpm/redhat/a") "}}]}],\"full_product_names\":["
                                                                            "{\"product_id\":\"OS\",\"name\":\"RHEL "
                                                                            "9\"," HELPER("cpe",
                                                                                          "cpe:/"
                                                                                          "o:redhat:enterprise_linux:"
                                                                                          "9") "},"
                                                                                               "{\"product_id\":\"M\","
                                                                                               "\"name\":\"module\"}],"
                                                                                               "\"relationships\":[{"
                                                                                               "\"category\":"
                                                                                               "\"default_component_"
                                                                                               "of\","
                                                                                               "\"full_product_name\":"
                                                                                               "{\"product_id\":\"OS:"
                                                                                               "P1\",\"name\":\"a in "
                                                                                               "9\"},\"product_"
                                                                                               "reference\":\"P1\","
                                                                                               "\"relates_to_product_"
                                                                                               "reference\":\"OS\"},{"
                                                                                               "\"full_product_name\":"
                                                                                               "{\"product_id\":\"OS:"
                                                                                               "M\",\"name\":\"m in "
                                                                                               "9\"},"
                                                                                               "\"product_reference\":"
                                                                                               "\"M\",\"relates_to_"
                                                                                               "product_reference\":"
                                                                                               "\"OS\"},{\"full_"
                                                                                               "product_name\":{"
                                                                                               "\"product_id\":\"OS:M:"
                                                                                               "P1\","
                                                                                               "\"name\":\"a in m in "
                                                                                               "9\"},\"product_"
                                                                                               "reference\":\"P1\","
                                                                                               "\"relates_to_product_"
                                                                                               "reference\":\"OS:M\"}]"
                                                                                               ","
                                                                                               "\"product_groups\":[{"
                                                                                               "\"group_id\":\"G\","
                                                                                               "\"product_ids\":["
                                                                                               "\"P1\",\"P2\"]}]},"
                                                                                               "\"vulnerabilities\":["
                                                                                               "{\"cve\":\"CVE-2024-"
                                                                                               "1\",\"ids\":[{"
                                                                                               "\"system_name\":\"x\","
                                                                                               "\"text\":\"RH-1\"}],"
                                                                                               "\"product_status\":{"
                                                                                               "\"known_not_"
                                                                                               "affected\":[\"OS:P1\","
                                                                                               "\"P2\"],\"known_"
                                                                                               "affected\":[\"OS:M:"
                                                                                               "P1\"]},"
                                                                                               "\"flags\":[{\"label\":"
                                                                                               "\"vulnerable_code_not_"
                                                                                               "present\",\"product_"
                                                                                               "ids\":[\"OS:P1\"]}],"
                                                                                               "\"threats\":[{"
                                                                                               "\"category\":"
                                                                                               "\"impact\","
                                                                                               "\"details\":\"old "
                                                                                               "code\",\"group_ids\":["
                                                                                               "\"G\"]},"
                                                                                               "{\"category\":"
                                                                                               "\"exploit_status\","
                                                                                               "\"details\":\"none\","
                                                                                               "\"product_ids\":["
                                                                                               "\"P2\"]}],"
                                                                                               "\"remediations\":[{"
                                                                                               "\"category\":\"none_"
                                                                                               "available\","
                                                                                               "\"details\":"
                                                                                               "\"nothing\",\"product_"
                                                                                               "ids\":[\"OS:M:P1\"]},"
                                                                                               "{\"category\":"
                                                                                               "\"workaround\","
                                                                                               "\"details\":\"turn it "
                                                                                               "off\",\"product_ids\":"
                                                                                               "[\"OS:M:P1\"]}]},"
                                                                                               "{\"cve\":\"CVE-2024-"
                                                                                               "2\",\"product_"
                                                                                               "status\":{\"first_"
                                                                                               "fixed\":[\"P1\"],"
                                                                                               "\"recommended\":["
                                                                                               "\"P1\",\"OS:P1\"],"
                                                                                               "\"under_"
                                                                                               "investigation\":[\"OS:"
                                                                                               "M\"]}}]}";

static void test_csaf(void **state)
{
        expect(csaf_good,
               "1 CVE-2024-1+RH-1 not_affected cpe:/o:redhat:enterprise_linux:9 > pkg:rpm/redhat/a@1-1 "
               "vulnerable_code_not_present @2024-01-02\n"
               "1 CVE-2024-1+RH-1 not_affected pkg:rpm/redhat/a i:old code @2024-01-02 ?it names a range of versions, "
               "which "
               "is not evaluated\n"
               "1 CVE-2024-1+RH-1 affected cpe:/o:redhat:enterprise_linux:9 > pkg:rpm/redhat/a@1-1 a:turn it off "
               "@2024-01-02\n"
               "2 CVE-2024-2 fixed pkg:rpm/redhat/a@1-1 @2024-01-02\n"
               "2 CVE-2024-2 under_investigation cpe:/o:redhat:enterprise_linux:9 > module @2024-01-02\n"
               "2 CVE-2024-2 fixed cpe:/o:redhat:enterprise_linux:9 > pkg:rpm/redhat/a@1-1 @2024-01-02\n");
}

static void test_csaf_malformed(void **state)
{
        expect(CSAF
               "{\"full_product_names\":[{\"product_id\":\"P\",\"name\":\"p\"},{\"product_id\":\"Q\",\"name\":\"q\"},"
               "{\"product_id\":\"Q\",\"name\":\"other\"}],"
               "\"relationships\":[{\"full_product_name\":{\"product_id\":\"R\",\"name\":\"r\"},\"product_reference\":"
               "\"R\","
               "\"relates_to_product_reference\":\"R\"},{}]},\"vulnerabilities\":[{},{\"cve\":\"V\",\"flags\":["
               "{\"label\":\"sure\"},{\"label\":\"component_not_present\"}],\"product_status\":{\"fixed\":[\"P\",\"R\","
               "\"X\",5,"
               "\"Q\"],\"known_affected\":[\"P\"],\"known_not_affected\":[\"Q2\"]}},"
               "{\"cve\":\"W\",\"product_status\":{\"known_not_affected\":[\"P\"]}}]}",
               "! statement 1 corrupt: it has neither a CVE nor another id\n"
               "! statement 2 corrupt: a flag \"sure\" that CSAF does not know\n"
               "! statement 2 corrupt: a flag that names no product\n"
               "! statement 2 corrupt: the product \"Q2\" is not in the product tree\n"
               "! statement 2 corrupt: the product \"P\" has two statuses that contradict each other\n"
               "! statement 2 corrupt: the product \"R\" is not in the product tree\n"
               "! statement 2 corrupt: the product \"X\" is not in the product tree\n"
               "2 V fixed q @2024-01-02 ?its product id is given twice\n"
               "! statement 3 corrupt: the product \"P\" is not affected without a flag or an impact\n");
}

static void test_not_vex(void **state)
{
        static const struct {
                const char *text;
                int r;
        } cases[] = {
                { "", -EBADMSG },
                { "{", -EBADMSG },
                { "[]", -ENOMSG },
                { "{}", -ENOMSG },
                { "{\"a\":1,\"a\":2}", -EBADMSG },
                { "{\"@context\":\"https://schema.org\"}", -ENOMSG },
                { "{\"bomFormat\":\"CycloneDX\",\"components\":[]}", -ENOMSG },
                { "{\"document\":{\"csaf_version\":\"2.0\"}}", -ENOMSG },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct lines l;
                struct error err;
                assert_int_equal(read_text(NULL, str_of(cases[i].text), &l, &err), cases[i].r);
                assert_true(err.text[0]);
                assert_int_equal(l.text.n, 0);
                buf_done(&l.text);
        }
}

/* A statement may repeat its words for as many products as it likes, but not without end; nor does it fill the report
 * with what cannot be used. */
static void test_limits(void **state)
{
        struct buf b = BUF_INIT(VEX_DOCUMENT_MAX_BYTES);
        struct lines l;
        struct error err;
        buf_puts(&b, V02 "{\"vulnerability\":{\"name\":\"V\"},\"status\":\"fixed\",\"status_notes\":\"");
        for (size_t i = 0; i < 1u << 20; i++)
                buf_putc(&b, 'x');
        buf_puts(&b, "\",\"products\":[\"p\"");
        for (size_t i = 0; i < 400; i++)
                buf_puts(&b, ",\"p\"");
        buf_puts(&b, "]}]}");
        assert_int_equal(read_text(NULL, buf_str(&b), &l, &err), -EFBIG);
        assert_string_equal(err.text, "it says more of its products than is read, at statement 1");
        assert_true(str_find(buf_str(&l.text), STR("1 V fixed p d:xxx")) == 0);
        buf_done(&l.text);

        buf_clear(&b);
        buf_puts(&b, V02 "{}");
        for (size_t i = 1; i < 100; i++)
                buf_puts(&b, ",{}");
        buf_puts(&b, "]}");
        assert_int_equal(read_text(NULL, buf_str(&b), &l, &err), 0);
        assert_true(str_ends(buf_str(&l.text), STR("! document corrupt: 80 more statements cannot be used\n")));
        buf_done(&l.text);
        buf_done(&b);
}

/* Every cut and every flipped bit of small documents: no crash, and nothing but facts. */
static void test_torture(void **state)
{
        const char *const documents[] = { openvex_good, cyclonedx_good, csaf_good };
        for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
                struct str s = str_of(documents[i]);
                char *copy = xmalloc(s.n);
                struct lines l;
                struct error err;
                memcpy(copy, s.p, s.n);
                for (size_t n = 0; n < s.n; n++) {
                        assert_true(read_text(vex_readers[i], str_upto(s, n), &l, &err) < 0);
                        buf_done(&l.text);
                }
                for (size_t at = 0; at < s.n; at++)
                        for (unsigned bit = 0; bit < 8; bit++) {
                                copy[at] = (char)(s.p[at] ^ (1 << bit));
                                (void)read_text(vex_readers[i], str_span(copy, s.n), &l, &err);
                                buf_done(&l.text);
                                copy[at] = s.p[at];
                        }
                free(copy);
        }
}

static void test_justifications(void **state)
{
        assert_true(str_is(vex_justification(STR("requires_environment")),
                           "vulnerable_code_cannot_be_controlled_by_adversary"));
        assert_true(
                str_is(vex_justification(STR("inline_mitigations_already_exist")), "inline_mitigations_already_exist"));
        assert_int_equal(vex_justification(STR("")).n, 0);
        assert_int_equal(vex_justification(STR("Component_not_present")).n, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_openvex),
                cmocka_unit_test(test_openvex_drafts),
                cmocka_unit_test(test_openvex_attested),
                cmocka_unit_test(test_openvex_malformed),
                cmocka_unit_test(test_cyclonedx),
                cmocka_unit_test(test_cyclonedx_malformed),
                cmocka_unit_test(test_csaf),
                cmocka_unit_test(test_csaf_malformed),
                cmocka_unit_test(test_not_vex),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_torture),
                cmocka_unit_test(test_justifications),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
