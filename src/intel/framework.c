/* See framework.h. Tables are sorted by id, made from data/ when the program is built (tools/frameworks/tables-to-c).
 */
#include "intel/framework.h"

#include "intel/framework-table.h"

#include <ctype.h>
#include <stdlib.h>

#define REPLACEMENTS_MAX 8 /* one after another */
#define ID_MAX           16

/* ATT&CK's for Enterprise, in the order of its matrix. */
const struct tactic tactics[] = {
        { "TA0043", "reconnaissance" },  { "TA0042", "resource-development" },
        { "TA0001", "initial-access" },  { "TA0002", "execution" },
        { "TA0003", "persistence" },     { "TA0004", "privilege-escalation" },
        { "TA0005", "defense-evasion" }, { "TA0006", "credential-access" },
        { "TA0007", "discovery" },       { "TA0008", "lateral-movement" },
        { "TA0009", "collection" },      { "TA0011", "command-and-control" },
        { "TA0010", "exfiltration" },    { "TA0040", "impact" },
};
const size_t n_tactics = ARRAY_SIZE(tactics);

const struct nist_section *nist_all(size_t *ret_n)
{
        *ret_n = ARRAY_SIZE(nist_sections);
        return nist_sections;
}

const struct technique *technique_all(size_t *ret_n)
{
        *ret_n = ARRAY_SIZE(techniques);
        return techniques;
}

const struct nist_section *nist_find(struct str id)
{
        for (size_t i = 0; i < ARRAY_SIZE(nist_sections); i++)
                if (str_is(id, nist_sections[i].id))
                        return &nist_sections[i];
        return NULL;
}

/* Letters of either case, "-" and "_" alike. */
static bool same_word(struct str a, const char *b)
{
        size_t i = 0;
        for (; i < a.n && b[i]; i++) {
                char x = a.p[i] == '_' ? '-' : a.p[i], y = b[i] == '_' ? '-' : b[i];
                if (tolower((unsigned char)x) != tolower((unsigned char)y))
                        return false;
        }
        return i == a.n && !b[i];
}

const struct tactic *tactic_find(struct str id_or_name)
{
        for (size_t i = 0; i < n_tactics; i++)
                if (same_word(id_or_name, tactics[i].id) || same_word(id_or_name, tactics[i].name))
                        return &tactics[i];
        return NULL;
}

static int by_id(const void *key, const void *row) { return strcmp(key, ((const struct technique *)row)->id); }

static const struct technique *row_of(const char *id)
{
        return bsearch(id, techniques, ARRAY_SIZE(techniques), sizeof(*techniques), by_id);
}

const struct technique *technique_find(struct str id)
{
        char text[ID_MAX] = "";
        if (id.n >= sizeof(text))
                return NULL;
        for (size_t i = 0; i < id.n; i++)
                text[i] = (char)toupper((unsigned char)id.p[i]);
        const struct technique *t = row_of(text);
        for (size_t i = 0; t && *t->replaced_by && i < REPLACEMENTS_MAX; i++) {
                const struct technique *next = row_of(t->replaced_by);
                if (!next)
                        break;
                t = next;
        }
        return t;
}

static bool has_word(const char *list, const char *word)
{
        struct str rest = str_of(list);
        while (rest.p)
                if (str_is(str_cut(&rest, ','), word))
                        return true;
        return false;
}

bool technique_is(const struct technique *t, const char *tactic_name) { return has_word(t->tactics, tactic_name); }

bool technique_runs_on(const struct technique *t, const char *platform) { return has_word(t->platforms, platform); }

const struct technique *technique_parent(const struct technique *t)
{
        struct str rest = str_of(t->id), parent = str_cut(&rest, '.');
        return rest.p ? technique_find(parent) : NULL;
}

/* --- tags --- */

static bool starts_with_word(struct str s, const char *word) { return same_word(str_upto(s, strlen(word)), word); }

static struct framework_tag nist_tag(struct str rest)
{
        struct framework_tag tag = { .kind = TAG_NIST_ALL };
        if (!rest.n)
                return tag;
        if (rest.p[0] != ':' && rest.p[0] != '_' && rest.p[0] != '-')
                return (struct framework_tag){ .kind = TAG_OTHER }; /* NIST_800-1901 is another document */
        tag.nist = nist_find(str_from(rest, 1));
        tag.kind = tag.nist ? TAG_NIST : TAG_UNKNOWN;
        return tag;
}

/* "T1059", "T1059.004": a T, four digits, and three more. */
static bool looks_like_technique(struct str s)
{
        uint64_t n;
        if (s.n != 5 && s.n != 9)
                return false;
        return (s.p[0] == 'T' || s.p[0] == 't') && str_u64(str_upto(str_from(s, 1), 4), &n) &&
               (s.n == 5 || (s.p[5] == '.' && str_u64(str_from(s, 6), &n)));
}

static bool looks_like_tactic_id(struct str s)
{
        uint64_t n;
        return s.n == 6 && starts_with_word(s, "TA") && str_u64(str_from(s, 2), &n);
}

struct framework_tag framework_tag_parse(struct str tag)
{
        struct framework_tag found = { .kind = TAG_OTHER };
        if (starts_with_word(tag, "NIST-800-190"))
                return nist_tag(str_from(tag, strlen("NIST-800-190")));
        if (starts_with_word(tag, "NIST-SP-800-190"))
                return nist_tag(str_from(tag, strlen("NIST-SP-800-190")));
        bool is_mitre = starts_with_word(tag, "mitre-");
        struct str id = is_mitre ? str_from(tag, strlen("mitre-")) : tag;
        /* Some write the name behind the id: MITRE_T1059_command_and_scripting_interpreter. */
        size_t n = 0;
        while (n < id.n && id.p[n] != '_' && id.p[n] != '-')
                n++;
        struct str first = str_upto(id, n);
        if (looks_like_technique(first) && (n == id.n || is_mitre)) {
                found.technique = technique_find(first);
                found.kind = found.technique ? TAG_TECHNIQUE : TAG_UNKNOWN;
                found.is_renumbered = found.technique && !str_eq_nocase(first, str_of(found.technique->id));
        } else if (looks_like_tactic_id(first) && (n == id.n || is_mitre)) {
                found.tactic = tactic_find(first);
                found.kind = found.tactic ? TAG_TACTIC : TAG_UNKNOWN;
        } else if (is_mitre) {
                found.tactic = tactic_find(id);
                found.kind = found.tactic ? TAG_TACTIC : TAG_UNKNOWN;
        }
        return found;
}
