/* The rules that are compiled into the program: data/rules/, joined by the build. */
#include "serve/rules.h"

extern const char sekisho_runtime_rules[], sekisho_runtime_rules_end[];

struct str rules_embedded(void)
{
        return str_span(sekisho_runtime_rules, (size_t)(sekisho_runtime_rules_end - sekisho_runtime_rules));
}
