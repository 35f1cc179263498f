/*
 * Which layers came with the base image, and which the image's own build added. An image does not say so; what it has
 * is its history, in which the base image's steps come first. Heuristics, and no more than that: docs/format/policy.md
 * ("Base layers") tells what follows from it.
 */
#ifndef SEKISHO_FLOW_BASE_LAYERS_H
#define SEKISHO_FLOW_BASE_LAYERS_H

#include "base/str.h"
#include "fact/fact.h"

/* How many of the n layers, from below, are the base image's; 0 if it cannot be told. All of n: nothing was added. */
size_t base_layers(const struct fact_step *steps, size_t n_steps, size_t n_layers);

#endif
