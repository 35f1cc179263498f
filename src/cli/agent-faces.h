/* The options of `sekisho agent` that are about its faces: control socket, sinks, metrics. */
#ifndef SEKISHO_CLI_AGENT_FACES_H
#define SEKISHO_CLI_AGENT_FACES_H

#include "cli/command.h"
#include "serve/control.h"
#include "serve/faces.h"

#define AGENT_FACES_OPTIONS                                                                                            \
        { "socket", 0, "PATH", "where ps, top and events ask (default: " CONTROL_SOCKET_DEFAULT "), or none" },        \
                { "metrics", 0, "ADDRESS:PORT", "answer Prometheus there: 127.0.0.1:9309" },                           \
                { "metrics-anywhere", 0, NULL, "that address may be one that other machines reach" },                  \
        {                                                                                                              \
                "sink", 0, "KIND[=TARGET]", "alerts also go there: falcosidekick, ocsf, syslog, webhook; repeatable"   \
        }

/* 0; -EINVAL and words; OPTION_OTHER. */
int agent_faces_option(struct faces_options *f, const struct option_spec *o, const char *value, struct error *err);

#endif
