/*
 * CVSS base scores: FIRST's specifications of 2.0 (section 3.2.1), 3.0 and 3.1 (section 7.1, appendix A) and 4.0
 * (section 8).
 *
 * A vector is a list of METRIC:VALUE between slashes, after "CVSS:3.1" or the like for 3.0 and later. All base metrics
 * must be there, none twice, and no metric that the version does not have; their order is not checked. Temporal,
 * threat, environmental and supplemental metrics are checked in the same way and do not count.
 */
#include "intel/cvss.h"

#include <math.h>

struct metric {
        const char *name;
        const char *values; /* between spaces */
        bool is_base;
};

enum { METRICS_MAX = 32 };

/* The value of each metric by its place in the table; n == 0: not given. */
struct vector {
        const struct metric *metrics;
        struct str values[METRICS_MAX];
};

static const struct metric metrics_2[] = {
        { "AV", "L A N", true },     { "AC", "H M L", true },  { "Au", "M S N", true },
        { "C", "N P C", true },      { "I", "N P C", true },   { "A", "N P C", true },
        { "E", "U POC F H ND" },     { "RL", "OF TF W U ND" }, { "RC", "UC UR C ND" },
        { "CDP", "N L LM MH H ND" }, { "TD", "N L M H ND" },   { "CR", "L M H ND" },
        { "IR", "L M H ND" },        { "AR", "L M H ND" },     { NULL },
};

static const struct metric metrics_3[] = {
        { "AV", "N A L P", true },
        { "AC", "L H", true },
        { "PR", "N L H", true },
        { "UI", "N R", true },
        { "S", "U C", true },
        { "C", "N L H", true },
        { "I", "N L H", true },
        { "A", "N L H", true },
        { "E", "X U P F H" },
        { "RL", "X O T W U" },
        { "RC", "X U R C" },
        { "CR", "X L M H" },
        { "IR", "X L M H" },
        { "AR", "X L M H" },
        { "MAV", "X N A L P" },
        { "MAC", "X L H" },
        { "MPR", "X N L H" },
        { "MUI", "X N R" },
        { "MS", "X U C" },
        { "MC", "X N L H" },
        { "MI", "X N L H" },
        { "MA", "X N L H" },
        { NULL },
};

static const struct metric metrics_4[] = {
        { "AV", "N A L P", true },
        { "AC", "L H", true },
        { "AT", "N P", true },
        { "PR", "N L H", true },
        { "UI", "N P A", true },
        { "VC", "H L N", true },
        { "VI", "H L N", true },
        { "VA", "H L N", true },
        { "SC", "H L N", true },
        { "SI", "H L N", true },
        { "SA", "H L N", true },
        { "E", "X A P U" },
        { "CR", "X H M L" },
        { "IR", "X H M L" },
        { "AR", "X H M L" },
        { "MAV", "X N A L P" },
        { "MAC", "X L H" },
        { "MAT", "X N P" },
        { "MPR", "X N L H" },
        { "MUI", "X N P A" },
        { "MVC", "X H L N" },
        { "MVI", "X H L N" },
        { "MVA", "X H L N" },
        { "MSC", "X H L N" },
        { "MSI", "X S H L N" },
        { "MSA", "X S H L N" },
        { "S", "X N P" },
        { "AU", "X N Y" },
        { "R", "X A U I" },
        { "V", "X D C" },
        { "RE", "X L M H" },
        { "U", "X Clear Green Amber Red" },
        { NULL },
};
_Static_assert(ARRAY_SIZE(metrics_4) - 1 <= METRICS_MAX, "room for every metric");

static bool has_value(const struct metric *m, struct str value)
{
        struct str values = str_of(m->values);
        while (values.p)
                if (str_eq(str_cut(&values, ' '), value))
                        return true;
        return false;
}

static bool vector_parse(struct str s, const struct metric *metrics, struct vector *ret)
{
        *ret = (struct vector){ .metrics = metrics };
        while (s.p) {
                struct str value = str_cut(&s, '/'), name = str_cut(&value, ':');
                size_t i = 0;
                while (metrics[i].name && !str_is(name, metrics[i].name))
                        i++;
                if (!metrics[i].name || ret->values[i].n || !has_value(&metrics[i], value))
                        return false;
                ret->values[i] = value;
        }
        for (size_t i = 0; metrics[i].name; i++)
                if (metrics[i].is_base && !ret->values[i].n)
                        return false;
        return true;
}

/* The first letter of a base metric's value: no two values of one base metric share it. */
static char value_of(const struct vector *v, const char *name)
{
        for (size_t i = 0; v->metrics[i].name; i++)
                if (str_is(str_of(v->metrics[i].name), name))
                        return v->values[i].p[0];
        return 0;
}

/* Which of the letters the value is; the tables below give one number for each letter. */
static size_t level_of(const struct vector *v, const char *name, const char *letters)
{
        const char *at = strchr(letters, value_of(v, name));
        return at ? (size_t)(at - letters) : 0;
}

static unsigned score_2(const struct vector *v)
{
        static const double av[] = { 0.395, 0.646, 1.0 }, ac[] = { 0.35, 0.61, 0.71 }, au[] = { 0.45, 0.56, 0.704 },
                            cia[] = { 0.0, 0.275, 0.660 };
        double impact = 10.41 * (1 - (1 - cia[level_of(v, "C", "NPC")]) * (1 - cia[level_of(v, "I", "NPC")]) *
                                             (1 - cia[level_of(v, "A", "NPC")]));
        double exploitability =
                20 * av[level_of(v, "AV", "LAN")] * ac[level_of(v, "AC", "HML")] * au[level_of(v, "Au", "MSN")];
        if (impact <= 0)
                return 0;
        return (unsigned)lround((0.6 * impact + 0.4 * exploitability - 1.5) * 1.176 * 10);
}

/* The smallest tenth that is not below x; appendix A of 3.1 says how without the traps of binary fractions. */
static unsigned tenths_up(double x)
{
        unsigned long n = (unsigned long)lround(x * 100000);
        return (unsigned)((n + 9999) / 10000);
}

static unsigned score_3(const struct vector *v)
{
        static const double av[] = { 0.85, 0.62, 0.55, 0.2 }, ac[] = { 0.77, 0.44 }, ui[] = { 0.85, 0.62 },
                            pr[2][3] = { { 0.85, 0.62, 0.27 }, { 0.85, 0.68, 0.5 } }, cia[] = { 0, 0.22, 0.56 };
        bool changed = value_of(v, "S") == 'C';
        double iss = 1 - (1 - cia[level_of(v, "C", "NLH")]) * (1 - cia[level_of(v, "I", "NLH")]) *
                                 (1 - cia[level_of(v, "A", "NLH")]);
        double impact = changed ? 7.52 * (iss - 0.029) - 3.25 * pow(iss - 0.02, 15) : 6.42 * iss;
        double exploitability = 8.22 * av[level_of(v, "AV", "NALP")] * ac[level_of(v, "AC", "LH")] *
                                pr[changed][level_of(v, "PR", "NLH")] * ui[level_of(v, "UI", "NR")];
        if (impact <= 0)
                return 0;
        return tenths_up(fmin((changed ? 1.08 : 1) * (impact + exploitability), 10));
}

/*
 * 4.0. A base score takes the other metrics at their worst (E:A, CR:H, IR:H, AR:H, no modified ones), so of the
 * specification's MacroVectors only those with EQ5 = 0 and, of EQ4, 1 and 2 occur, and EQ6 follows from EQ3 but for the
 * "next lower" ones. The scores are times ten: [EQ1][EQ2][EQ3 and EQ6: 00, 01, 10, 11, 21][EQ4: 1, 2].
 */
enum { EQ36_00, EQ36_01, EQ36_10, EQ36_11, EQ36_21, EQ36_COUNT };

static const uint8_t macro_scores[3][2][EQ36_COUNT][2] = {
        { { { 100, 93 }, { 96, 90 }, { 93, 88 }, { 92, 80 }, { 79, 69 } },
          { { 95, 92 }, { 91, 81 }, { 92, 84 }, { 82, 70 }, { 71, 63 } } },
        { { { 94, 87 }, { 89, 75 }, { 86, 72 }, { 76, 57 }, { 65, 53 } },
          { { 90, 77 }, { 77, 66 }, { 74, 61 }, { 59, 52 }, { 58, 23 } } },
        { { { 86, 70 }, { 74, 54 }, { 72, 53 }, { 57, 36 }, { 47, 24 } },
          { { 73, 54 }, { 55, 43 }, { 61, 46 }, { 51, 18 }, { 24, 10 } } },
};

/* How far a vector is from the worst one of its MacroVector: the first of the worst ones that is nowhere below it. */
struct worst {
        uint8_t levels[3];
};

static int distance(const uint8_t levels[3], const struct worst *worst, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                int sum = 0;
                bool fits = true;
                for (size_t k = 0; k < 3; k++) {
                        sum += levels[k] - worst[i].levels[k];
                        fits &= levels[k] >= worst[i].levels[k];
                }
                if (fits)
                        return sum;
        }
        return 0;
}

static unsigned score_4(const struct vector *v)
{
        uint8_t av = (uint8_t)level_of(v, "AV", "NALP"), pr = (uint8_t)level_of(v, "PR", "NLH");
        uint8_t ui = (uint8_t)level_of(v, "UI", "NPA"), ac = (uint8_t)level_of(v, "AC", "LH");
        uint8_t at = (uint8_t)level_of(v, "AT", "NP");
        uint8_t vc = (uint8_t)level_of(v, "VC", "HLN"), vi = (uint8_t)level_of(v, "VI", "HLN");
        uint8_t va = (uint8_t)level_of(v, "VA", "HLN"), sc = (uint8_t)level_of(v, "SC", "HLN");
        uint8_t si = (uint8_t)level_of(v, "SI", "HLN"), sa = (uint8_t)level_of(v, "SA", "HLN");
        if (vc == 2 && vi == 2 && va == 2 && sc == 2 && si == 2 && sa == 2)
                return 0;

        unsigned eq1 = !av && !pr && !ui ? 0 : (!av || !pr || !ui) && av != 3 ? 1 : 2;
        unsigned eq2 = !ac && !at ? 0 : 1;
        unsigned eq36 = !vc && !vi ? EQ36_00 : !vc || !vi || !va ? EQ36_10 : EQ36_21;
        unsigned eq4 = !sc || !si || !sa ? 0 : 1;

        static const struct worst worst1[3][3] = { { { { 0, 0, 0 } } },
                                                   { { { 1, 0, 0 } }, { { 0, 1, 0 } }, { { 0, 0, 1 } } },
                                                   { { { 3, 0, 0 } }, { { 1, 1, 1 } } } };
        static const struct worst worst2[2][2] = { { { { 0, 0, 0 } } }, { { { 1, 0, 0 } }, { { 0, 1, 0 } } } };
        static const struct worst worst36[EQ36_COUNT][2] = { [EQ36_00] = { { { 0, 0, 0 } } },
                                                             [EQ36_10] = { { { 1, 0, 0 } }, { { 0, 1, 0 } } },
                                                             [EQ36_21] = { { { 1, 1, 1 } } } };
        static const struct worst worst4[2] = { { { 0, 0, 0 } }, { { 1, 1, 1 } } };
        static const size_t count1[] = { 1, 3, 2 }, count2[] = { 1, 2 };
        static const size_t count36[EQ36_COUNT] = { [EQ36_00] = 1, [EQ36_10] = 2, [EQ36_21] = 1 };
        /* The depth of each MacroVector, in steps of one level. */
        static const int depth1[] = { 1, 4, 5 }, depth2[] = { 1, 2 }, depth4[] = { 5, 4 };
        static const int depth36[EQ36_COUNT] = { [EQ36_00] = 7, [EQ36_10] = 8, [EQ36_21] = 10 };

        int score = macro_scores[eq1][eq2][eq36][eq4];
        /* All proportions have 280 as a common denominator. EQ5 has a lower one too, at no distance. */
        enum { DENOMINATOR = 280 };
        int lost = 0, lower = 1;
        if (eq1 < 2) {
                int d = distance((const uint8_t[]){ av, pr, ui }, worst1[eq1], count1[eq1]);
                lost += (score - macro_scores[eq1 + 1][eq2][eq36][eq4]) * d * (DENOMINATOR / depth1[eq1]);
                lower++;
        }
        if (eq2 < 1) {
                int d = distance((const uint8_t[]){ ac, at, 0 }, worst2[eq2], count2[eq2]);
                lost += (score - macro_scores[eq1][eq2 + 1][eq36][eq4]) * d * (DENOMINATOR / depth2[eq2]);
                lower++;
        }
        if (eq36 != EQ36_21) {
                int d = distance((const uint8_t[]){ vc, vi, va }, worst36[eq36], count36[eq36]);
                int next = macro_scores[eq1][eq2][eq36 == EQ36_00 ? EQ36_01 : EQ36_11][eq4];
                if (eq36 == EQ36_00)
                        next = MAX(next, macro_scores[eq1][eq2][EQ36_10][eq4]);
                lost += (score - next) * d * (DENOMINATOR / depth36[eq36]);
                lower++;
        }
        if (eq4 < 1) {
                int d = distance((const uint8_t[]){ sc, si, sa }, &worst4[eq4], 1);
                lost += (score - macro_scores[eq1][eq2][eq36][eq4 + 1]) * d * (DENOMINATOR / depth4[eq4]);
                lower++;
        }
        int scale = DENOMINATOR * lower;
        return (unsigned)MAX(0, (2 * (score * scale - lost) + scale) / (2 * scale)); /* halves go up */
}

static enum severity severity_of(unsigned major, unsigned score)
{
        if (major == 2)
                return score >= 70 ? SEVERITY_HIGH : score >= 40 ? SEVERITY_MEDIUM : SEVERITY_LOW;
        return score >= 90   ? SEVERITY_CRITICAL
               : score >= 70 ? SEVERITY_HIGH
               : score >= 40 ? SEVERITY_MEDIUM
               : score > 0   ? SEVERITY_LOW
                             : SEVERITY_NONE;
}

static bool take_prefix(struct str *s, const char *prefix)
{
        if (!str_starts(*s, str_of(prefix)))
                return false;
        *s = str_from(*s, strlen(prefix));
        return true;
}

bool cvss_parse(struct str vector, struct cvss *ret)
{
        struct cvss c = { .major = 2 };
        const struct metric *metrics = metrics_2;
        unsigned (*score)(const struct vector *v) = score_2;
        if (take_prefix(&vector, "CVSS:4.0/")) {
                c = (struct cvss){ .major = 4 };
                metrics = metrics_4;
                score = score_4;
        } else if (take_prefix(&vector, "CVSS:3.1/") || take_prefix(&vector, "CVSS:3.0/")) {
                c = (struct cvss){ .major = 3, .minor = (unsigned)(vector.p[-2] - '0') };
                metrics = metrics_3;
                score = score_3;
        }
        struct vector v;
        if (!vector.n || !vector_parse(vector, metrics, &v))
                return false;
        c.score = score(&v);
        c.severity = severity_of(c.major, c.score);
        *ret = c;
        return true;
}
