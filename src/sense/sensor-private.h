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
        struct sensor_calls *calls; /* NULL until calls were asked for */
        int epoll, cpus;
        bool is_kept; /* it stays when the process ends */
        uint32_t ring_bytes;

        /* During sensor_read. */
        void (*each)(void *arg, struct str record);
        void *arg;
        size_t n, most;
};

/* ---- sensor-keep.c: what is kept below `pins` ---- */

#define SENSOR_PATH_MAX 512

/* Says of the maps that are kept where: before they are made. What is there already is taken over. */
int sensor_keep_maps(struct observe *bpf, const char *pins, struct error *err);

/* Puts the links of the programs in the place of those that are there. */
int sensor_keep_links(struct observe *bpf, const char *pins, struct error *err);

/* Is there something of this layout to take over? */
bool sensor_is_kept(const char *pins);

/* A counter by key, of all processors together. */
uint64_t sensor_count(const struct sensor *s, int map, uint32_t key);

/* Hands over the calls that are not younger, oldest first, up to s->most records. */
void sensor_calls_until(struct sensor *s, uint64_t time_ns);

/* Is there a call that was taken out of the ring and not handed over yet? */
bool sensor_calls_wait(const struct sensor *s);

/* Full mode loaded and attached alone, for sensor_probe(). 0, or < 0 with words. */
int sensor_calls_probe(struct error *err);

/* The same of calls that ask for a right. */
int sensor_rights_probe(struct error *err);

void sensor_calls_free(struct sensor_calls *c); /* NULL is fine */

#endif
