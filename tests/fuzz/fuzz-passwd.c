/* /etc/passwd and /etc/group as a container may have them: the first byte is the number that is asked for. */
#include "read/passwd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct passwd_user user;
        struct str name;
        if (size == 0)
                return 0;
        struct str text = str_span(data + 1, size - 1);
        if (passwd_user_of(text, data[0], &user) &&
            (user.name.n == 0 || user.name.p < text.p || user.shell.p + user.shell.n > text.p + text.n))
                __builtin_trap();
        if (passwd_group_of(text, data[0], &name) && name.n == 0)
                __builtin_trap();
        return 0;
}
