/*
 * The child that answers Prometheus over HTTP: GET /metrics, and nothing else. It holds no numbers of its own: it asks
 * the agent over its socket, METRICS_ASK a question, and one message is the answer. Strangers may connect, so what they
 * can cost the agent is bounded: one question a second, however many of them ask.
 */
#ifndef SEKISHO_SERVE_METRICS_HTTP_H
#define SEKISHO_SERVE_METRICS_HTTP_H

#define METRICS_PATH            "/metrics"
#define METRICS_CONNECTIONS_MAX 16u                /* at once; who comes then waits in the listening socket */
#define METRICS_IDLE_SECONDS    5u                 /* a connection that says nothing for so long is closed */
#define METRICS_REQUEST_BYTES   ((size_t)16 << 10) /* of memory for a connection: the head of a request fits, or 431 */
#define METRICS_FRESH_MS        1000               /* an answer is told again for so long */
#define METRICS_ANSWER_MS       2000               /* the agent is waited for; then 503 */

enum { METRICS_ASK = '?' };

/* For child_start(): serves the listening socket that *(int *)arg is until the agent closes its end of fd. */
void metrics_serve(void *arg, int fd);

#endif
