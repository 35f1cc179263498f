/* The jobs that run in workers: reading one layer, and reading a whole archive as a stream. */
#ifndef SEKISHO_FLOW_JOB_H
#define SEKISHO_FLOW_JOB_H

#include "analyze/walk.h"
#include "source/source.h"

#define ARCHIVE_DOCUMENT_MAX (4u << 20) /* a JSON member of an archive; larger ones are layers or nothing */

/*
 * Reads a layer (compressed or not) from its input: emits the walk's facts, `progress` every few MiB, and one `layer`
 * fact at the end. Corrupt input is an `unread` fact. The input's fd is not closed.
 */
int job_layer(const struct layer_input *in, const struct walk_options *o, struct sink *out, struct error *err);

/*
 * Reads an image archive (docker-archive or OCI layout as tar, compressed or not) from front to back: each member
 * becomes a `member` fact; those that are layers are followed by the facts of the layer and its `layer` fact.
 */
int job_archive(const struct layer_input *in, const struct content_plan *content, struct sink *out, struct error *err);

#endif
