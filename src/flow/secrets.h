/*
 * Secrets that are not in files: an image's configuration and history, the environment of a running container; and what
 * is said of every secret once it is known what became of its file.
 */
#ifndef SEKISHO_FLOW_SECRETS_H
#define SEKISHO_FLOW_SECRETS_H

#include "analyze/secrets.h"
#include "flow/view.h"
#include "source/source.h"

#define SECRETS_TEXTS_MAX (4u << 20) /* bytes of configuration, history or environment that are looked at */

/*
 * Looks at the artefact's configuration (variables, labels, commands), at the commands of its history, and at the
 * environment of a container's first process, in a worker. What is found is masked in the artefact's own texts, which
 * the report shows. What could not be looked at becomes a note of the artefact.
 * The facts' path is (config), (history) or (environment); their line is the number of the
 * variable or step, and their offset that in it. < 0 only for
 * an interrupt.
 */
int secrets_in_artefact(struct artefact *a, const struct secret_set *set, struct arena *arena, struct view *to,
                        struct error *err);

/* Fills title, proof, fix and places of the finding about a secret. */
void secret_describe(struct arena *arena, const struct view_secret *s, struct finding *ret);

#endif
