/*
 * What must be true of a call for a check to hold, as atoms of bpf/shared/filter.h: a row of the table for each field
 * of which something is known. What a getter (record-call.c, record-fd.c) makes of an event decides what may be said
 * here: where it can answer with another value than the kernel sees, nothing is said.
 */
#include "rule/operator.h"
#include "serve/arguments.h"
#include "serve/calls-private.h"

#include <fcntl.h>
#include <limits.h>

/* ---------------------------------------------------------------------------------------------------- texts ---- */

/* The atom of a check: one of its own, as long as there are any; the last one is shared by all that come after. */
static uint64_t atom_of(struct calls_compiling *c, struct call_dictionary *d, uint32_t check, bool *ret_is_new)
{
        uint64_t *slot = map64_put(&c->atoms, (uint64_t)check << 8 | d->first, ret_is_new);
        if (*ret_is_new)
                *slot = CALL_ATOM(d->first + MIN(d->n_used++, d->n - 1));
        return *slot;
}

static void add_text(struct calls_compiling *c, struct call_dictionary *d, struct str text, uint64_t atom)
{
        size_t at = (size_t)(uintptr_t)map_str_get(&d->index, text);
        if (at == 0) {
                text = arena_str(c->arena, text);
                *vec_push(&d->texts) = (struct sensor_text){ .text = text };
                at = d->texts.n;
                *map_str_put(&d->index, text, NULL) = (void *)(uintptr_t)at;
        }
        d->texts.v[at - 1].atoms |= atom;
}

typedef bool make_text(const struct rule_check *check, struct str constant, struct buf *text);

/* One atom for all constants of a check: true if the path (or name) is like one of them. 0: a constant is not sayable.
 */
static uint64_t texts_atom(struct calls_compiling *c, struct call_dictionary *d, const struct rule_check *check,
                           make_text *make)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(4096);
        bool is_new;
        for (size_t i = 0; i < check->n; i++) {
                buf_clear(&text);
                if (check->constants[i].type != VALUE_STRING || !make(check, check->constants[i].text, &text) ||
                    buf_is_full(&text))
                        return 0;
        }
        if (check->n == 0 || check->n > d->most - d->texts.n)
                return 0;
        uint64_t atom = atom_of(c, d, check->id, &is_new);
        for (size_t i = 0; is_new && i < check->n; i++) {
                buf_clear(&text);
                (void)make(check, check->constants[i].text, &text);
                add_text(c, d, buf_str(&text), atom);
        }
        return atom;
}

/* ---------------------------------------------------------------------------------------------------- paths ---- */

static bool is_pattern(char c) { return c == '*' || c == '?' || c == '[' || c == '\\'; }

static struct str before_pattern(struct str s)
{
        size_t n = 0;
        while (n < s.n && !is_pattern(s.p[n]))
                n++;
        return str_upto(s, n);
}

static struct str after_pattern(struct str s)
{
        size_t n = s.n;
        while (n > 0 && !is_pattern(s.p[n - 1]) && s.p[n - 1] != ']')
                n--;
        return str_from(s, n);
}

/* How a file's path begins if it compares so. Paths of files begin with a slash, and only those are compared. */
static bool make_prefix(const struct rule_check *check, struct str constant, struct buf *text)
{
        bool is_directory = check->ref->field->id == FIELD_fd_directory;
        bool is_whole = check->op->id == OP_EQ || check->op->id == OP_IN;
        if (check->op->id == OP_GLOB || check->op->id == OP_PMATCH)
                constant = before_pattern(constant);
        while (check->op->id == OP_PMATCH && constant.n > 1 && constant.p[constant.n - 1] == '/')
                constant.n--;
        if (constant.n == 0 || constant.p[0] != '/' || memchr(constant.p, 0, constant.n) ||
            str_find(constant, STR("//")) >= 0)
                return false;
        if (is_whole && is_directory && constant.n == 1) /* every path begins with that */
                return false;
        buf_add_str(text, str_upto(constant, CALL_PREFIX_BYTES));
        if (is_whole && text->n < CALL_PREFIX_BYTES)
                buf_putc(text, is_directory ? '/' : '\0');
        return true;
}

/* How a last name ends: four bytes that no slash is among, or all of a shorter name. */
static bool make_suffix(const struct rule_check *check, struct str constant, struct buf *text)
{
        bool is_whole = check->op->id == OP_EQ || check->op->id == OP_IN;
        if (check->op->id == OP_GLOB)
                constant = after_pattern(constant);
        if (constant.n == 0 || memchr(constant.p, 0, constant.n) || (constant.n < CALL_SUFFIX_BYTES && !is_whole))
                return false;
        struct str tail =
                constant.n > CALL_SUFFIX_BYTES ? str_from(constant, constant.n - CALL_SUFFIX_BYTES) : constant;
        if (str_find_char(tail, '/') >= 0)
                return false;
        buf_add_str(text, tail);
        return true;
}

static uint64_t of_path(struct calls_compiling *c, const struct rule_check *check)
{
        static const enum operator_id by_prefix[] = { OP_EQ, OP_IN, OP_STARTSWITH, OP_PMATCH, OP_GLOB };
        uint64_t atoms = 0;
        for (size_t i = 0; !check->is_negated && i < ARRAY_SIZE(by_prefix); i++)
                if (check->op->id == by_prefix[i])
                        atoms |= texts_atom(c, &c->prefixes, check, make_prefix);
        bool by_suffix = check->op->id == OP_ENDSWITH || check->op->id == OP_GLOB;
        if (!check->is_negated && by_suffix && check->ref->field->id == FIELD_fd_name)
                atoms |= texts_atom(c, &c->suffixes, check, make_suffix);
        return atoms;
}

static uint64_t of_filename(struct calls_compiling *c, const struct rule_check *check)
{
        bool is_sayable = check->op->id == OP_EQ || check->op->id == OP_IN || check->op->id == OP_ENDSWITH;
        return is_sayable && !check->is_negated ? texts_atom(c, &c->suffixes, check, make_suffix) : 0;
}

/* Only the opens have a path there as it was given. */
static uint64_t of_raw_name(struct calls_compiling *c, const struct rule_check *check)
{
        if (check->op->id != OP_CONTAINS || check->is_negated || !(call_forms[c->call].traits & CALL_OPENS))
                return 0;
        for (size_t i = 0; i < check->n; i++)
                if (check->constants[i].type != VALUE_STRING || str_find(check->constants[i].text, STR("..")) < 0)
                        return 0;
        return check->n ? ATOM_RAW_DOTS : 0;
}

#define COMM_BYTES 15u
#define ERRNO_END  134 /* past the errors that programs get */

/* A longer name than a process can have is none of any; keys are filled up with zeros. */
static bool make_comm(const struct rule_check *check, struct str constant, struct buf *text)
{
        if (constant.n == 0 || memchr(constant.p, 0, constant.n))
                return false;
        buf_add_str(text, str_upto(constant, COMM_BYTES));
        return true;
}

static uint64_t of_comm(struct calls_compiling *c, const struct rule_check *check)
{
        bool is_sayable = check->op->id == OP_EQ || check->op->id == OP_IN;
        return is_sayable && !check->is_negated ? texts_atom(c, &c->comms, check, make_comm) : 0;
}

/* ---------------------------------------------------------------------------------------------------- tests ---- */

/* The atom of a test of an argument: of an equal one that is there, or a new one; 0 if there is no room. */
static uint64_t test_atom(struct calls_compiling *c, struct call_test test)
{
        struct call_filter *f = &c->to->filters[c->call];
        uint32_t i = 0;
        while (i < f->n_tests && memcmp(&f->tests[i], &test, sizeof(test)) != 0)
                i++;
        if (i == CALL_TESTS_MAX)
                return 0;
        if (i == f->n_tests)
                f->tests[f->n_tests++] = test;
        return CALL_ATOM(CALL_TEST_FIRST + i);
}

static bool all_numbers(const struct rule_check *check, int64_t *ret_least, int64_t *ret_most)
{
        *ret_least = INT64_MAX;
        *ret_most = INT64_MIN;
        for (size_t i = 0; i < check->n; i++) {
                if (check->constants[i].type != VALUE_NUMBER && check->constants[i].type != VALUE_FLAG)
                        return false;
                *ret_least = MIN(*ret_least, check->constants[i].number);
                *ret_most = MAX(*ret_most, check->constants[i].number);
        }
        return check->n > 0;
}

/* The range that a number must be in. False: nothing is said. */
static bool range_of(const struct rule_check *check, int64_t *ret_low, int64_t *ret_high)
{
        int64_t least, most;
        if (!all_numbers(check, &least, &most))
                return false;
        bool is_negated = check->is_negated;
        *ret_low = INT64_MIN;
        *ret_high = INT64_MAX;
        switch (check->op->id) {
        case OP_EQ:
        case OP_IN:
                *ret_low = least;
                *ret_high = most;
                return !is_negated;
        case OP_GE:
        case OP_LT:
                if ((check->op->id == OP_GE) != is_negated)
                        *ret_low = least;
                else if (least > INT64_MIN)
                        *ret_high = least - 1;
                return true;
        case OP_GT:
        case OP_LE:
                if ((check->op->id == OP_LE) != is_negated)
                        *ret_high = most;
                else if (most < INT64_MAX)
                        *ret_low = most + 1;
                return true;
        default:
                return false;
        }
}

static uint64_t of_result(struct calls_compiling *c, const struct rule_check *check)
{
        int64_t low, high;
        if (!range_of(check, &low, &high) || (low == INT64_MIN && high == INT64_MAX))
                return 0;
        if (low == 0 && high == INT64_MAX)
                return ATOM_SUCCESS;
        if (high == -1)
                return ATOM_FAILURE;
        uint64_t sign = low >= 0 ? ATOM_SUCCESS : high < 0 ? ATOM_FAILURE : 0;
        return sign | test_atom(c, (struct call_test){
                                           .mask = UINT64_MAX, .low = low, .high = high, .source = CALL_TEST_RESULT });
}

/* Only where the call returns the descriptor does its number say how it went: -1 if it did not. */
static uint64_t of_fd_number(struct calls_compiling *c, const struct rule_check *check)
{
        int64_t low, high;
        if (call_columns[c->call].fd != AT_RESULT || check->is_negated || !range_of(check, &low, &high))
                return 0;
        return low >= 0 ? ATOM_SUCCESS : high < 0 ? ATOM_FAILURE : 0;
}

static bool is_error(int error, struct str name)
{
        const char *known = strerrorname_np(error);
        return known && str_is(name, known);
}

/* The results that errors of these names are: a test of their range. 0: not all of them are errors. */
static uint64_t of_errors(struct calls_compiling *c, const struct rule_check *check)
{
        struct call_test t = { .mask = UINT64_MAX, .low = 0, .high = INT64_MIN, .source = CALL_TEST_RESULT };
        for (size_t i = 0; i < check->n; i++) {
                int error = 1;
                while (error < ERRNO_END && !is_error(error, check->constants[i].text))
                        error++;
                if (error == ERRNO_END)
                        return 0;
                t.low = MIN(t.low, -error);
                t.high = MAX(t.high, -error);
        }
        return test_atom(c, t);
}

/* SUCCESS, or the name of an error. */
static uint64_t of_result_name(struct calls_compiling *c, const struct rule_check *check)
{
        size_t n_success = 0;
        if (check->n == 0)
                return 0;
        for (size_t i = 0; i < check->n; i++)
                n_success += str_is(check->constants[i].text, "SUCCESS");
        bool all = n_success == check->n, none = n_success == 0;
        switch (check->op->id) {
        case OP_EQ:
        case OP_IN:
                if (check->is_negated)
                        return n_success ? ATOM_FAILURE : 0;
                return all ? ATOM_SUCCESS : none ? ATOM_FAILURE | of_errors(c, check) : 0;
        case OP_NE:
                return all && !check->is_negated ? ATOM_FAILURE : all ? ATOM_SUCCESS : 0;
        case OP_STARTSWITH:
                return !check->is_negated && check->constants[0].text.n && check->constants[0].text.p[0] == 'E'
                               ? ATOM_FAILURE
                               : 0;
        default:
                return 0;
        }
}

/* A flag that is never absent: which value the check wants; -1 if that is not clear. */
static int wanted_flag(const struct rule_check *check)
{
        bool is_ne = check->op->id == OP_NE;
        if ((check->op->id != OP_EQ && !is_ne) || check->n != 1 || check->constants[0].type != VALUE_FLAG)
                return -1;
        return (check->constants[0].number != 0) != (is_ne != check->is_negated);
}

static uint64_t of_failed(struct calls_compiling *c, const struct rule_check *check)
{
        int wanted = wanted_flag(check);
        return wanted < 0 ? 0 : wanted ? ATOM_FAILURE : ATOM_SUCCESS;
}

#define CREATING (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))

static uint64_t of_open(struct calls_compiling *c, const struct rule_check *check)
{
        struct call_test t = { .source = CALL_TEST_OPEN_FLAGS };
        if (wanted_flag(check) != 1)
                return 0;
        switch (check->ref->field->id) {
        case FIELD_evt_is_open_read: /* O_RDONLY or O_RDWR */
                t.mask = O_WRONLY;
                break;
        case FIELD_evt_is_open_write:
                t.mask = O_ACCMODE;
                t.low = O_WRONLY;
                t.high = O_RDWR;
                break;
        default: /* what creates, executable or not */
                t.mask = CREATING;
                t.low = 1;
                t.high = INT64_MAX;
        }
        return test_atom(c, t);
}

/* ------------------------------------------------------------------------------------------------- arguments ---- */

static const struct argument *find_argument(const struct calls_compiling *c, const struct field_ref *ref)
{
        const struct call_form *form = &call_forms[c->call];
        uint64_t index = ref->index;
        bool is_index = ref->has_index || str_u64(ref->key, &index);
        for (size_t i = 0; form->arguments[i].name; i++)
                if (is_index ? i == index : str_is(ref->key, form->arguments[i].name))
                        return &form->arguments[i];
        return NULL;
}

/* Where a test finds the argument. False: nowhere. */
static bool source_of(const struct argument *a, struct call_test *t)
{
        if (a->from <= FROM_5)
                t->source = a->from;
        else if (a->from == FROM_FLAGS)
                t->source = CALL_TEST_OPEN_FLAGS;
        else
                return false;
        return true;
}

/* Could the text be part of a number, which stands there if no word fits? */
static bool may_be_number(struct str text)
{
        for (size_t i = 0; i < text.n; i++)
                if (!strchr("0123456789-", text.p[i]))
                        return false;
        return true;
}

/*
 * The words of a flags argument that hold the text. One: its bits. Several: some bit of theirs, if each of them needs
 * one; of an argument that is one word, a value between theirs.
 */
static uint64_t of_words(struct calls_compiling *c, const struct argument *a, struct str text, bool is_whole)
{
        struct call_test t = { .low = INT64_MAX, .high = INT64_MIN };
        uint64_t any_bits = 0;
        size_t n = 0;
        bool needs_bits = true;
        if (may_be_number(text) || str_find_char(text, '|') >= 0 || !source_of(a, &t))
                return 0;
        for (const struct argument_word *w = a->words; w && w->name; w++) {
                struct str name = str_of(w->name);
                if (is_whole ? !str_eq(name, text) : str_find(name, text) < 0)
                        continue;
                uint64_t mask = w->mask & UINT32_MAX;
                n++;
                needs_bits &= w->value != 0 && (w->value & ~mask) == 0;
                any_bits |= w->value & mask;
                t.mask = n == 1 ? mask : t.mask & mask;
                t.low = MIN(t.low, (int64_t)(w->value & mask));
                t.high = MAX(t.high, (int64_t)(w->value & mask));
        }
        if (n == 0)
                return 0;
        if (n > 1 && a->form == FORM_WORD && t.mask != UINT32_MAX)
                return 0;
        if (n > 1 && a->form == FORM_FLAGS) {
                t.mask = any_bits;
                t.low = 1;
                t.high = INT64_MAX;
                if (!needs_bits)
                        return 0;
        }
        return test_atom(c, t);
}

static uint64_t of_argument(struct calls_compiling *c, const struct rule_check *check)
{
        const struct argument *a = find_argument(c, check->ref);
        bool is_whole = check->op->id == OP_EQ;
        if (!a || check->is_negated || check->n != 1 || check->constants[0].type != VALUE_STRING)
                return 0;
        if (a->form == FORM_WORD || (a->form == FORM_FLAGS && !is_whole))
                return is_whole || check->op->id == OP_CONTAINS ? of_words(c, a, check->constants[0].text, is_whole)
                                                                : 0;
        return 0;
}

/* Numbers that fill their register, or an int of which the upper half counts for nothing. */
static uint64_t of_raw_argument(struct calls_compiling *c, const struct rule_check *check)
{
        const struct argument *a = find_argument(c, check->ref);
        struct call_test t = { .mask = UINT32_MAX };
        int64_t low, high;
        bool is_equal = check->op->id == OP_EQ || check->op->id == OP_IN;
        if (!a || check->is_negated || !is_equal || !source_of(a, &t) || !all_numbers(check, &low, &high))
                return 0;
        if (low < 0 || high > INT32_MAX)
                return 0;
        t.low = low;
        t.high = high;
        return test_atom(c, t);
}

/* ----------------------------------------------------------------------------------------- descriptors and more ----
 */

static uint64_t of_fd_type(struct calls_compiling *c, const struct rule_check *check)
{
        static const char *const internet[] = { "ipv4", "ipv6", "4", "6" };
        static const char *const plain[] = { "file", "directory", "pipe", "memfd", "f", "d", "p", "m" };
        size_t n_internet = 0, n_plain = 0;
        if (check->is_negated || (check->op->id != OP_EQ && check->op->id != OP_IN) || check->n == 0)
                return 0;
        for (size_t i = 0; i < check->n; i++) {
                for (size_t k = 0; k < ARRAY_SIZE(internet); k++)
                        n_internet += str_is(check->constants[i].text, internet[k]);
                for (size_t k = 0; k < ARRAY_SIZE(plain); k++)
                        n_plain += str_is(check->constants[i].text, plain[k]);
        }
        if (n_plain == check->n)
                return ATOM_FD_PLAIN;
        return n_internet == check->n                                      ? ATOM_FD_IP
               : check->n == 1 && str_is(check->constants[0].text, "unix") ? ATOM_FD_UNIX
                                                                           : 0;
}

static uint64_t of_protocol(struct calls_compiling *c, const struct rule_check *check)
{
        if (check->is_negated)
                return 0;
        bool excludes_tcp = check->op->id == OP_NE && check->n == 1 && str_is(check->constants[0].text, "tcp");
        bool has_tcp = check->op->id != OP_EQ && check->op->id != OP_IN;
        for (size_t i = 0; i < check->n; i++)
                has_tcp |= str_is(check->constants[i].text, "tcp");
        return ATOM_FD_IP | (excludes_tcp || !has_tcp ? ATOM_FD_NO_TCP : 0);
}

/* Absent of all that is no connection. */
static uint64_t of_address(struct calls_compiling *c, const struct rule_check *check)
{
        return check->is_negated ? 0 : ATOM_FD_IP;
}

static uint64_t of_socket_family(struct calls_compiling *c, const struct rule_check *check)
{
        if (check->is_negated || check->op->id != OP_EQ || check->n != 1)
                return 0;
        return str_is(check->constants[0].text, "ip") ? ATOM_FD_IP : ATOM_FD_UNIX;
}

/* "host" of what is in no container, and never absent. */
static uint64_t of_container(struct calls_compiling *c, const struct rule_check *check)
{
        bool has_host = check->n == 0;
        for (size_t i = 0; i < check->n; i++)
                has_host |= check->constants[i].type != VALUE_STRING || str_is(check->constants[i].text, "host");
        bool is_equal = check->op->id == OP_EQ || check->op->id == OP_IN;
        if (is_equal && check->is_negated == has_host)
                return ATOM_CONTAINER;
        return check->op->id == OP_NE && !check->is_negated && has_host && check->n == 1 ? ATOM_CONTAINER : 0;
}

static uint64_t of_inside(struct calls_compiling *c, const struct rule_check *check)
{
        return wanted_flag(check) == 1 ? ATOM_CONTAINER : 0;
}

/* Counters see the calls that are sent, and must see all. */
static uint64_t of_burst(struct calls_compiling *c, const struct rule_check *check)
{
        c->counts = true;
        return 0;
}

/* ---------------------------------------------------------------------------------------------------- table ---- */

static const struct row {
        enum field_id field;
        uint64_t (*necessary)(struct calls_compiling *c, const struct rule_check *check);
        bool asks_result;
} rows[] = {
        { FIELD_evt_res, of_result_name, true },
        { FIELD_evt_rawres, of_result, true },
        { FIELD_evt_failed, of_failed, true },
        { FIELD_evt_arg, of_argument, true },
        { FIELD_evt_rawarg, of_raw_argument, true },
        { FIELD_evt_args, NULL, true },
        { FIELD_evt_info, NULL, true },
        { FIELD_evt_is_open_read, of_open, false },
        { FIELD_evt_is_open_write, of_open, false },
        { FIELD_evt_is_open_create, of_open, false },
        { FIELD_evt_is_open_exec, of_open, false },
        { FIELD_fd_num, of_fd_number, false },
        { FIELD_fd_name, of_path, false },
        { FIELD_fd_directory, of_path, false },
        { FIELD_fd_filename, of_filename, false },
        { FIELD_fd_nameraw, of_raw_name, false },
        { FIELD_fd_type, of_fd_type, false },
        { FIELD_fd_typechar, of_fd_type, false },
        { FIELD_fd_l4proto, of_protocol, false },
        { FIELD_fd_sockfamily, of_socket_family, false },
        { FIELD_fd_ip, of_address, false },
        { FIELD_fd_cip, of_address, false },
        { FIELD_fd_sip, of_address, false },
        { FIELD_fd_lip, of_address, false },
        { FIELD_fd_rip, of_address, false },
        { FIELD_fd_port, of_address, false },
        { FIELD_fd_cport, of_address, false },
        { FIELD_fd_sport, of_address, false },
        { FIELD_fd_lport, of_address, false },
        { FIELD_fd_rport, of_address, false },
        { FIELD_fd_net, of_address, false },
        { FIELD_fd_cnet, of_address, false },
        { FIELD_fd_snet, of_address, false },
        { FIELD_fd_lnet, of_address, false },
        { FIELD_fd_rnet, of_address, false },
        { FIELD_proc_name, of_comm, false },
        { FIELD_container_id, of_container, false },
        { FIELD_proc_in_container, of_inside, false },
        { FIELD_burst_ports, of_burst, false },
        { FIELD_burst_hosts, of_burst, false },
        { FIELD_burst_removed, of_burst, false },
        { FIELD_burst_suffixed, of_burst, false },
};

uint64_t calls_necessary(void *arg, const struct rule_check *check)
{
        struct calls_compiling *c = arg;
        for (size_t i = 0; check->ref && i < ARRAY_SIZE(rows); i++)
                if (rows[i].field == check->ref->field->id) {
                        c->asks_result |= rows[i].asks_result;
                        return rows[i].necessary ? rows[i].necessary(c, check) : 0;
                }
        return 0;
}
