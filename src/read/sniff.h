/* What kind of file content is, told by its first bytes. The values stand in the order of fact's enum file_format. */
#ifndef SEKISHO_READ_SNIFF_H
#define SEKISHO_READ_SNIFF_H

#include "base/str.h"

enum sniffed { SNIFFED_OTHER, SNIFFED_EMPTY, SNIFFED_ELF, SNIFFED_SCRIPT, SNIFFED_PE };

/* 4 bytes are enough (fewer only if the file has no more). "MZ" alone counts as PE: DOS programs too. */
enum sniffed sniff(struct str first_bytes);

#endif
