/* What the terminal and the environment allow: colours, width, today's date. */
#include "base/date.h"
#include "base/fs.h"
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

int64_t now_seconds(void)
{
        int64_t t;
        return date_parse(str_of(env_or("SEKISHO_TODAY", "")), &t) ? t : time(NULL);
}

int64_t today(void)
{
        int64_t t = now_seconds();
        return t - t % 86400;
}

bool stream_is_terminal(int fd) { return isatty(fd); }

bool may_colour(int fd)
{
        return isatty(fd) && !*env_or("NO_COLOR", "") && strcmp(env_or("TERM", "dumb"), "dumb") != 0;
}

unsigned terminal_width(int fd)
{
        struct winsize size;
        if (!isatty(fd))
                return 0;
        return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}
