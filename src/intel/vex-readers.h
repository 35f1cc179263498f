/* The readers of VEX documents, for the table in vex.c. */
#ifndef SEKISHO_INTEL_VEX_READERS_H
#define SEKISHO_INTEL_VEX_READERS_H

#include "intel/vex.h"

extern const struct vex_reader vex_openvex, vex_cyclonedx, vex_csaf;

#endif
