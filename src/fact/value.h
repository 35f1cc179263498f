/*
 * Values: what a rule field holds for one record. "Absent" is a state of its own, neither empty nor zero: the record
 * has no such thing, or nobody could tell. rule/ defines what comparisons make of it (all of them false, "exists" too).
 *
 * The views inside a value belong to whoever made it and must stay valid as long as the record that it is of.
 */
#ifndef SEKISHO_FACT_VALUE_H
#define SEKISHO_FACT_VALUE_H

#include "fact/fact.h"

enum value_type {
        VALUE_ABSENT,   /* zero: a zeroed value is absent */
        VALUE_STRING,   /* text as found */
        VALUE_BYTES,    /* binary; the b-operators take hexadecimal text for it */
        VALUE_NUMBER,   /* signed, 64 bits */
        VALUE_DECIMAL,  /* a number with a fraction, in millionths: CVSS scores, EPSS probabilities */
        VALUE_IP,       /* an address, IPv4 or IPv6; in a condition also a network, which holds it or not */
        VALUE_NET,      /* an address that is only asked for its network; or a network */
        VALUE_TIME,     /* nanoseconds since 1970 in UTC */
        VALUE_DURATION, /* nanoseconds */
        VALUE_VERSION,  /* a version with the order of its ecosystem */
        VALUE_SEVERITY, /* enum severity, ordered */
        VALUE_FLAG,     /* true or false */
        VALUE_LIST,     /* several values of the field's type */
        VALUE_TYPES,
};

#define VALUE_DECIMAL_ONE 1000000
#define VALUE_SECOND      INT64_C(1000000000)
#define VALUE_DAY         (86400 * VALUE_SECOND)

/* An address or a network. IPv4 stands in the first 4 bytes. Bits past the prefix are zero in a network. */
struct ip {
        uint8_t bytes[16];
        uint8_t family; /* 4 or 6 */
        uint8_t prefix; /* bits that count: 32 or 128 of an address */
};

/* "10.0.0.1", "fe80::1", "10.0.0.0/8". False if it is neither; a network's bits past its prefix are cleared. */
bool ip_parse(struct str s, struct ip *ret);

/* True if the network (or address) holds the address. Families never hold each other. */
bool ip_in(const struct ip *address, const struct ip *network);

/* A version compares by its ecosystem's function (intel/version.h has them): < 0, 0, > 0. NULL: byte order. */
typedef int version_order(struct str a, struct str b);

struct value {
        enum value_type type;
        union {
                struct str text;
                int64_t number; /* NUMBER, DECIMAL, TIME, DURATION, SEVERITY, FLAG */
                struct ip ip;
                struct {
                        struct str text;
                        version_order *order;
                } version;
                struct {
                        const struct value *v;
                        size_t n;
                } list; /* elements are neither absent nor lists */
        };
};

static inline struct value value_absent(void) { return (struct value){ VALUE_ABSENT }; }
static inline struct value value_string(struct str s) { return (struct value){ VALUE_STRING, { .text = s } }; }
static inline struct value value_bytes(struct str s) { return (struct value){ VALUE_BYTES, { .text = s } }; }
static inline struct value value_number(int64_t n) { return (struct value){ VALUE_NUMBER, { .number = n } }; }
static inline struct value value_flag(bool f) { return (struct value){ VALUE_FLAG, { .number = f } }; }
static inline struct value value_decimal(int64_t millionths)
{
        return (struct value){ VALUE_DECIMAL, { .number = millionths } };
}
static inline struct value value_severity(enum severity s) { return (struct value){ VALUE_SEVERITY, { .number = s } }; }
static inline struct value value_ip(struct ip ip) { return (struct value){ VALUE_IP, { .ip = ip } }; }
static inline struct value value_version(struct str s, version_order *order)
{
        return (struct value){ VALUE_VERSION, { .version = { s, order } } };
}
static inline struct value value_list(const struct value *v, size_t n)
{
        return (struct value){ VALUE_LIST, { .list = { v, n } } };
}

/* From seconds, as facts carry them; 0, "not known", gives absent. Beyond the range of nanoseconds: its end. */
struct value value_time(int64_t seconds);
struct value value_duration(int64_t nanoseconds);

/* From an empty text: absent. For facts, where "" means that nobody said. */
static inline struct value value_string_or_absent(struct str s) { return s.n ? value_string(s) : value_absent(); }

/* For people, and for output templates: "high", "12d", "2026-11-20T10:00:00Z", "(a,b)"; absent is "<NA>". */
void value_print(const struct value *v, struct buf *to);

/* "string", "number", "list"... */
const char *value_type_name(enum value_type t);

/*
 * Reads a constant of the given type as a condition writes it. NUMBER: decimal or 0x, with sign; DECIMAL: "7.5"; TIME:
 * RFC 3339, a date, or nanoseconds since 1970; DURATION: "90s", "12h", "30d", "1h30m" (units ns us ms s m h d w) or
 * nanoseconds; SEVERITY: its name; FLAG: true, false, 1, 0, yes, no; IP and NET: ip_parse; VERSION, STRING, BYTES: as
 * it is. The text must outlive the value. False if it is none.
 */
bool value_parse(enum value_type type, struct str s, struct value *ret);

#endif
