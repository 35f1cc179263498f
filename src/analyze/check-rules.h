/*
 * Checks that are rules of the one language, at the stage check: those of data/checks/, and those of the user's own
 * files. A checker shows them each part of what it has parsed (a container, a service, an instruction); a rule that
 * hits is a finding of the check that the rule is: its name is the check's id.
 *
 *         - rule: SK-K8S-301
 *           stage: check
 *           desc: A port on every node                                what is wrong: the title
 *           condition: resource.kind = Service and resource.value[spec.type] = NodePort
 *           output: "%resource.object_name: %resource.value[spec.type]"   the finding's detail
 *           severity: low
 *           why: ...
 *           fix: ...
 *           tags: [T1133, "alias:KSV-0108"]
 *
 * A tag "alias:X" is another id of it; with the tag "optional" it is off until --enable names it.
 *
 * The finding stands at the first resource.value[PATH] of its output that is there, else where the part begins. Files
 * of users may change the shipped checks as any rule file may (append, override, enabled: false).
 *
 * Rules are loaded by the parent, before the worker is forked: the worker inherits them, and sends ids.
 */
#ifndef SEKISHO_ANALYZE_CHECK_RULES_H
#define SEKISHO_ANALYZE_CHECK_RULES_H

#include "analyze/check.h"
#include "read/dockerfile.h"
#include "read/yaml.h"
#include "rule/rule.h"

#define CHECK_VALUES_MAX 1000u /* of one PATH; what is beyond is not compared */
#define CHECK_PATH_NAMES 32u   /* of one PATH */

/* One part of a file, as conditions see it. Texts that it does not have are STR_NONE. */
struct resource {
        const char *format, *part;
        struct str kind, name, object_name, namespace, api_version, stage;
        uint32_t line, column, end_line; /* where it begins, and the last line that belongs to the finding */
        bool is_final;

        const struct yaml_node *node, *object; /* of YAML: the part, and the whole object or service */

        const struct dockerfile_instruction *instruction; /* of a Dockerfile */
        const struct str *commands;                       /* names of the commands that it runs */
        size_t n_commands;
};

/* A file of the user: name and bytes, which need to live during the call only. */
struct check_rule_file {
        struct str name, bytes;
};

/*
 * Takes the user's files in, behind the shipped ones; once, before anything else here, and before any check is looked
 * up by id. 0: *ret_problems may hold warnings. RULES_WRONG: nothing was taken in.
 */
int check_rules_add(const struct check_rule_file *files, size_t n, struct problems *ret_problems);

/* The i-th check that is a rule; NULL past the last. */
const struct check *check_rules_at(size_t i);

/* Shows the part to the rules; what hits goes to the page. */
void check_rules_run(struct check_page *page, const struct resource *r);

#endif
