/* The languages that `sekisho check` reads. To add one: its file, its line here, one in meson.build. */
#include "analyze/check.h"

const struct checker *const checkers[] = {
        NULL,
};
