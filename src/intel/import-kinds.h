/* The importers that import.c lists. */
#ifndef SEKISHO_INTEL_IMPORT_KINDS_H
#define SEKISHO_INTEL_IMPORT_KINDS_H

#include "intel/import.h"

extern const struct importer importer_alpine, importer_debian, importer_epss, importer_facts, importer_kev,
        importer_osv, importer_scores;

#endif
