/* Names of images in registries: what parses is printed and parses again to the same. */
#include "source/registry-name.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct registry_name name, again;
        char text[REGISTRY_TEXT_MAX], text_again[REGISTRY_TEXT_MAX];
        struct str input = str_span(data, size);
        (void)host_is_loopback(input);
        (void)registry_name_has_host(input);
        if (registry_name_parse(input, &name, NULL) < 0)
                return 0;
        registry_name_print(&name, text);
        if (strpbrk(text, " ?#%\\\"'\n") || registry_name_parse(str_of(text), &again, NULL) < 0)
                abort();
        if (strcmp(registry_name_print(&again, text_again), text) != 0)
                abort();
        return 0;
}
