/* Which of several builds of an image fits a machine. Names are Go's GOOS and GOARCH (image-spec, image-index.md). */
#include "source/image.h"

#include <sys/utsname.h>

const char *platform_here(void)
{
        static const struct {
                const char *machine, *platform;
        } names[] = {
                { "x86_64", "linux/amd64" },
                { "aarch64", "linux/arm64" },
                { "armv7l", "linux/arm/v7" },
                { "armv6l", "linux/arm/v6" },
                { "i686", "linux/386" },
                { "i386", "linux/386" },
                { "ppc64le", "linux/ppc64le" },
                { "s390x", "linux/s390x" },
                { "riscv64", "linux/riscv64" },
                { "mips64", "linux/mips64le" },
                { "loongarch64", "linux/loong64" },
        };
        struct utsname u;
        if (uname(&u) == 0)
                for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                        if (strcmp(u.machine, names[i].machine) == 0)
                                return names[i].platform;
        return "linux/amd64";
}

bool platform_is_valid(struct str platform)
{
        struct str os = str_cut(&platform, '/'), arch = str_cut(&platform, '/');
        return os.n && arch.n && str_find_char(platform, '/') < 0;
}

int platform_fits(struct str platform, struct str os, struct str arch, struct str variant)
{
        struct str want = platform.n ? platform : str_of(platform_here());
        struct str want_os = str_cut(&want, '/'), want_arch = str_cut(&want, '/');
        if (!str_eq(os, want_os) || !str_eq(arch, want_arch))
                return 0;
        if (!want.n || !variant.n)
                return 1;
        return str_eq(variant, want) ? 2 : 0;
}
