/*
 * From installed packages to the ecosystem and name under which the feeds know them, and from there to advisories.
 * Debian, Ubuntu and Alpine match by source package and source version; rpm distributions by binary package.
 */
#ifndef SEKISHO_INTEL_MATCH_H
#define SEKISHO_INTEL_MATCH_H

#include "intel/db.h"

/* "Debian:11", "Ubuntu:22.04:LTS", "Alpine:v3.18", "AlmaLinux:9", ...; empty if no feed is known for it. */
struct str os_ecosystem(const struct fact_os *os, struct arena *arena);

/* How to ask the database about an installed OS package. False if nothing can be asked (no ecosystem, no version). */
bool package_query(const struct fact_os *os, const struct fact_package *p, struct arena *arena, struct db_query *ret);

#endif
