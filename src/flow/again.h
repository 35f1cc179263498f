/*
 * A scan considered again, without reading the artefact once more: with other packages, or by another policy. For
 * plans, which prove what updates would do, and for waivers, which are tried before they are written down.
 */
#ifndef SEKISHO_FLOW_AGAIN_H
#define SEKISHO_FLOW_AGAIN_H

#include "flow/scan.h"

struct scan_change {
        const struct report_package
                *packages;        /* instead of those of the scan, as many, in their order; NULL: its own */
        bool without_end_of_life; /* as if the base image were one that is supported */
};

/*
 * *ret is what the scan would be; it uses the memory of `from`, which must outlive it. scan_again_done frees the rest.
 */
int scan_again(const struct scan *from, const struct scan_options *o, const struct scan_change *change,
               struct scan *ret, struct error *err);
void scan_again_done(struct scan *s);

#endif
