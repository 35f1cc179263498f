/* SPDX licence ids, and the expressions made of them (SPDX 2.3, annex D). */
#ifndef SEKISHO_INTEL_SPDX_H
#define SEKISHO_INTEL_SPDX_H

#include "base/str.h"

bool spdx_is_id(struct str s);         /* in any case; with a + behind it, too */
bool spdx_is_expression(struct str s); /* "MIT", "(GPL-2.0-only WITH x) OR Apache-2.0", "LicenseRef-x" */

#endif
