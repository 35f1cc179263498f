/*
 * The configuration file of the agent: every option of `sekisho agent` by its name, in YAML (docs/agent.md).
 *
 *         rules: [/etc/sekisho/rules.yaml]
 *         alerts: /var/log/sekisho/alerts.jsonl
 *         sink: [syslog, "falcosidekick=http://127.0.0.1:2801"]
 */
#ifndef SEKISHO_CLI_AGENT_CONFIG_H
#define SEKISHO_CLI_AGENT_CONFIG_H

#include "base/arena.h"
#include "cli/command.h"

#define CONFIG_BYTES_MAX (1u << 20)

/*
 * Gives each option of the file to `option`, in the order of the file; a list is an option that is given several times,
 * true a flag. Values live in the arena. 0, or -EINVAL with words that begin with file, line and column: a key that no
 * option has is an error, and so is one that stands there twice.
 */
int agent_config_load(const char *path, const struct option_spec *options,
                      int (*option)(void *state, const struct option_spec *o, const char *value, struct error *err),
                      void *state, struct arena *arena, struct error *err);

#endif
