/*
 * Writing HTML. Markup comes only from templates in the program; text comes in through "@" in a template and is made
 * clean (text_clean) and escaped, so nothing that an image says can become markup, in content or in an attribute.
 */
#ifndef SEKISHO_REPORT_PAGE_H
#define SEKISHO_REPORT_PAGE_H

#include "base/arena.h"
#include "report/report.h"

struct page {
        FILE *to;
        struct arena arena;
        const struct report *r;
};

/* The template, each "@" in it replaced by the next text. Their number is checked. */
#define page_put(p, template, ...)                                                                                     \
        page_put_texts((p), (template), (const struct str[]){ __VA_ARGS__ },                                           \
                       sizeof((const struct str[]){ __VA_ARGS__ }) / sizeof(struct str))

void page_put_texts(struct page *p, const char *template, const struct str *texts, size_t n);

/* Markup as it is. Only for what stands in the program. */
void page_raw(struct page *p, const char *markup);

/* A class for a version: it stays on one line unless it is so long that it cannot be meant well. */
struct str page_version_class(struct str version);

extern const char page_style[], page_script[];

/* "sha256-...": what a Content-Security-Policy calls this inline text. */
struct str page_hash(struct arena *a, const char *text);

/* The sections of the page that follow the summary. */
void page_findings(struct page *p);
void page_packages(struct page *p);
void page_layers(struct page *p);
void page_files(struct page *p);
void page_provenance(struct page *p);

#endif
