/* What the files of the sensor share: lean mode's programs, and beside them those of full mode. */
#ifndef SEKISHO_SENSE_SENSOR_PRIVATE_H
#define SEKISHO_SENSE_SENSOR_PRIVATE_H

#include "sense/sensor.h"

#include <bpf/libbpf.h>
#include <observe.skel.h>

struct sensor_calls;

struct sensor {
        struct observe *bpf;
        struct ring_buffer *ring;
        struct sensor_calls *calls; /* NULL until full mode was asked for */
        int epoll, cpus;
        uint32_t ring_bytes;

        /* During sensor_read. */
        void (*each)(void *arg, struct str record);
        void *arg;
        size_t n, most;
};

/* A counter by key, of all processors together. */
uint64_t sensor_count(const struct sensor *s, int map, uint32_t key);

/* Hands over the calls that are not younger, oldest first, up to s->most records. */
void sensor_calls_until(struct sensor *s, uint64_t time_ns);

/* Is there a call that was taken out of the ring and not handed over yet? */
bool sensor_calls_wait(const struct sensor *s);

/* Full mode loaded and attached alone, for sensor_probe(). 0, or < 0 with words. */
int sensor_calls_probe(struct error *err);

void sensor_calls_free(struct sensor_calls *c); /* NULL is fine */

#endif
