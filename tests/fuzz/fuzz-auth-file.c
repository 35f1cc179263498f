/* The credential files of podman and docker. */
#include "source/auth.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct registry_name name;
        struct credential c = { 0 };
        char helper[AUTH_HELPER_MAX];
        if (registry_name_parse(STR("r.example:5000/team/app"), &name, NULL) < 0)
                abort();
        int r = auth_file_find(str_span(data, size), &name, &c, helper, NULL);
        if (r == 0 && (strchr(helper, '/') || (c.password && !c.username)))
                abort();
        if (r == 0 && c.password)
                free(basic_authorization(&c));
        credential_done(&c);
        return 0;
}
