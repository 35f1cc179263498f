/*
 * The process inside of a container that tests/cli/test-contain.py acts on. Static, so that a container needs nothing
 * else.
 *
 *     netter wait                        sleeps until it is killed
 *     netter count FILE                  adds one to the number at the beginning of FILE, for ever
 *     netter send ADDRESS PORT           connects by TCP and sends a byte again and again, for ever
 *     netter self FILE                   the same to itself through the loopback interface; counts bytes received
 *     netter bomb N                      becomes N processes, every third of them a session of its own
 *     netter pool ADDRESS PORT           connects 200 times, and keeps the connections until then
 *     netter ask ADDRESS PORT            sends 150 questions of 200 bytes, as to DNS
 *     netter greet ADDRESS PORT          connects and sends what a miner begins with
 *     netter title NAME                  takes that name
 *     netter connect|udp|bind|uring ADDRESS PORT
 *                                        tries it once; exits with 0 or the errno
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void nap(void)
{
        struct timespec t = { 0, 2000000 };
        nanosleep(&t, NULL);
}

static void wait_for_ever(void)
{
        for (;;)
                pause();
}

/* The number at the beginning of a file, shared with whoever reads it. */
static volatile uint64_t *open_counter(const char *path)
{
        int fd = open(path, O_RDWR | O_CREAT, 0666);
        if (fd < 0 || ftruncate(fd, sizeof(uint64_t)) < 0)
                _exit(errno);
        void *p = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                _exit(errno);
        return p;
}

static socklen_t make_address(const char *text, const char *port, struct sockaddr_storage *ret)
{
        struct sockaddr_in *four = (struct sockaddr_in *)ret;
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
        memset(ret, 0, sizeof(*ret));
        if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
                four->sin_family = AF_INET;
                four->sin_port = htons((uint16_t)strtoul(port, NULL, 10));
                return sizeof(*four);
        }
        if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1)
                _exit(EINVAL);
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)strtoul(port, NULL, 10));
        return sizeof(*six);
}

/* connect(2) by io_uring: no system call of that name. */
static int connect_by_uring(int fd, const struct sockaddr_storage *to, socklen_t n)
{
        struct io_uring_params p = { 0 };
        int ring = (int)syscall(SYS_io_uring_setup, 2, &p);
        if (ring < 0)
                return errno;
        char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED,
                        ring, IORING_OFF_SQ_RING);
        char *cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), PROT_READ | PROT_WRITE,
                        MAP_SHARED, ring, IORING_OFF_CQ_RING);
        struct io_uring_sqe *sqe =
                mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
        if (sq == MAP_FAILED || cq == MAP_FAILED || (void *)sqe == MAP_FAILED)
                return errno;
        memset(sqe, 0, sizeof(*sqe));
        sqe->opcode = IORING_OP_CONNECT;
        sqe->fd = fd;
        sqe->addr = (uintptr_t)to;
        sqe->off = n;
        ((unsigned *)(sq + p.sq_off.array))[0] = 0;
        __atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
        if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
                return errno;
        return -((struct io_uring_cqe *)(cq + p.cq_off.cqes))->res;
}

static int try_once(const char *what, const char *address, const char *port)
{
        struct sockaddr_storage to;
        socklen_t n = make_address(address, port, &to);
        int fd = socket(to.ss_family, strcmp(what, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM, 0);
        if (fd < 0)
                return errno;
        if (strcmp(what, "uring") == 0)
                return connect_by_uring(fd, &to, n);
        int r = strcmp(what, "connect") == 0 ? connect(fd, (struct sockaddr *)&to, n)
                : strcmp(what, "bind") == 0  ? bind(fd, (struct sockaddr *)&to, n)
                                             : (int)sendto(fd, "x", 1, 0, (struct sockaddr *)&to, n);
        return r < 0 ? errno : 0;
}

static int connect_many(const char *address, const char *port)
{
        int r = 0;
        for (int i = 0; i < 200 && r == 0; i++)
                r = try_once("connect", address, port);
        return r;
}

static int ask(const char *address, const char *port)
{
        static const char question[200] = { 0, 1, 1, 0, 0, 1 }; /* RFC 1035, 4.1.1 */
        struct sockaddr_storage to;
        socklen_t n = make_address(address, port, &to);
        int fd = socket(to.ss_family, SOCK_DGRAM, 0);
        for (int i = 0; i < 150; i++)
                if (sendto(fd, question, sizeof(question), 0, (struct sockaddr *)&to, n) < 0)
                        return errno;
        return 0;
}

static int greet(const char *address, const char *port)
{
        static const char line[] = "{\"id\": 1, \"method\": \"mining.subscribe\", \"params\": []}\n";
        struct sockaddr_storage to;
        socklen_t n = make_address(address, port, &to);
        int fd = socket(to.ss_family, SOCK_STREAM, 0);
        int r = connect(fd, (struct sockaddr *)&to, n);
        return r < 0 || send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) < 0 ? errno : 0;
}

static void send_for_ever(const char *address, const char *port)
{
        struct sockaddr_storage to;
        socklen_t n = make_address(address, port, &to);
        int fd = socket(to.ss_family, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&to, n) < 0)
                _exit(errno);
        for (;;) {
                (void)send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
                nap();
        }
}

static void talk_to_itself(volatile uint64_t *counter)
{
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t n = sizeof(to);
        char byte;
        int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(listener, (struct sockaddr *)&to, n) < 0 || listen(listener, 1) < 0 ||
            getsockname(listener, (struct sockaddr *)&to, &n) < 0 || connect(client, (struct sockaddr *)&to, n) < 0)
                _exit(errno);
        int server = accept(listener, NULL, NULL);
        for (;;) {
                (void)send(client, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
                while (recv(server, &byte, 1, MSG_DONTWAIT) == 1)
                        ++*counter;
                nap();
        }
}

static void become_many(int n)
{
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        for (int i = 0; i < n; i++) {
                pid_t pid = fork();
                if (pid != 0)
                        continue; /* also where no more processes may be made */
                if (i % 3 == 0)
                        setsid();
                if (i % 5 == 0 && fork() > 0) /* its child belongs to nobody */
                        _exit(0);
                wait_for_ever();
        }
        wait_for_ever();
}

int main(int argc, char **argv)
{
        const char *what = argc > 1 ? argv[1] : "";
        if (strcmp(what, "wait") == 0)
                wait_for_ever();
        if (argc == 3 && strcmp(what, "bomb") == 0)
                become_many((int)strtoul(argv[2], NULL, 10));
        if (argc == 3 && strcmp(what, "self") == 0)
                talk_to_itself(open_counter(argv[2]));
        if (argc == 3 && strcmp(what, "count") == 0)
                for (volatile uint64_t *counter = open_counter(argv[2]);; ++*counter)
                        nap();
        if (argc == 3 && strcmp(what, "title") == 0)
                return prctl(PR_SET_NAME, argv[2]);
        if (argc == 4 && strcmp(what, "ask") == 0)
                return ask(argv[2], argv[3]);
        if (argc == 4 && strcmp(what, "greet") == 0)
                return greet(argv[2], argv[3]);
        if (argc == 4 && strcmp(what, "send") == 0)
                send_for_ever(argv[2], argv[3]);
        if (argc == 4 && strcmp(what, "pool") == 0)
                return connect_many(argv[2], argv[3]);
        if (argc == 4)
                return try_once(what, argv[2], argv[3]);
        fprintf(stderr, "usage: netter wait | count FILE | self FILE | bomb N | title NAME | "
                        "send|pool|ask|greet|connect|udp|bind|uring "
                        "ADDRESS PORT\n");
        return 255;
}
