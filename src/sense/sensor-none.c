/* See sensor.h. What stands in where clang, bpftool or libbpf were missing when the program was built. */
#include "sense/sensor.h"

#include <errno.h>
#include <stdio.h>

#define WORDS "built without BPF (clang, bpftool and libbpf were not there)"

int sensor_open(uint32_t ring_bytes, struct sensor **ret, struct error *err)
{
        return error_set(err, -EOPNOTSUPP, WORDS);
}

int sensor_open_kept(uint32_t ring_bytes, const char *pins, struct sensor **ret, bool *ret_taken_over,
                     struct error *err)
{
        return error_set(err, -EOPNOTSUPP, WORDS);
}

int sensor_forget(const char *pins, struct error *err) { return error_set(err, -EOPNOTSUPP, WORDS); }

void sensor_close(struct sensor *s) {}

bool sensor_sees_host(void) { return true; }

int sensor_fd(const struct sensor *s) { return -1; }

size_t sensor_read(struct sensor *s, size_t most, void (*each)(void *arg, struct str record), void *arg) { return 0; }

void sensor_drops(const struct sensor *s, uint64_t ret[OBSERVE_KINDS])
{
        for (size_t i = 0; i < OBSERVE_KINDS; i++)
                ret[i] = 0;
}

int sensor_set(struct sensor *s, const struct observe_settings *settings) { return -EOPNOTSUPP; }

int sensor_mark_container(struct sensor *s, uint64_t cgroup_id, bool is_container) { return -EOPNOTSUPP; }

int sensor_go_full(struct sensor *s, const struct sensor_recipes *recipes, struct error *err)
{
        return error_set(err, -EOPNOTSUPP, WORDS);
}

int sensor_go_lean(struct sensor *s, const struct sensor_recipes *recipes, struct error *err)
{
        return error_set(err, -EOPNOTSUPP, WORDS);
}

bool sensor_is_full(const struct sensor *s) { return false; }

bool sensor_hears_rights(const struct sensor *s) { return false; }

enum sensor_asks sensor_call_asks(enum observe_call_id call) { return SENSOR_ASKS_NEVER; }

void sensor_call_drops(const struct sensor *s, uint64_t ret[CALL_CLASSES])
{
        for (size_t i = 0; i < CALL_CLASSES; i++)
                ret[i] = 0;
}

void sensor_probe(struct sensor_probe ret[SENSOR_PROGRAMS])
{
        static const char *const gives[SENSOR_PROGRAMS] = { "exec", "fork", "exit", "system calls",
                                                            "calls with rights" };
        for (size_t i = 0; i < SENSOR_PROGRAMS; i++) {
                ret[i] = (struct sensor_probe){ .name = gives[i], .gives = gives[i], .r = -EOPNOTSUPP };
                snprintf(ret[i].words, sizeof(ret[i].words), "%s", WORDS);
        }
}
