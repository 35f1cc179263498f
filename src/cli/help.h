/* Help, made from the tables of commands and options. */
#ifndef SEKISHO_CLI_HELP_H
#define SEKISHO_CLI_HELP_H

#include "cli/command.h"

#include <stdio.h>

void help_overview(FILE *to);
void help_command(const struct command *c, FILE *to);

/* Further pages for `sekisho help TOPIC`, made from the tables they are about. */
struct help_topic {
        const char *name, *summary;
        void (*print)(FILE *to);
};
extern const struct help_topic help_topics[]; /* ends with name == NULL */

#endif
