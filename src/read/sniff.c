/* See sniff.h. */
#include "read/sniff.h"

enum sniffed sniff(struct str s)
{
        if (s.n == 0)
                return SNIFFED_EMPTY;
        if (str_starts(s, STR("\x7f"
                              "ELF")))
                return SNIFFED_ELF;
        if (str_starts(s, STR("#!")))
                return SNIFFED_SCRIPT;
        if (str_starts(s, STR("MZ")))
                return SNIFFED_PE;
        return SNIFFED_OTHER;
}
