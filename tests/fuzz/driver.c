/*
 * Runs a fuzzer without libFuzzer: over each file of its corpus as it is, then over mutations of them for a fixed
 * number of rounds (the same ones each time, so a failure repeats). Prints TAP and executions per second.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

#define FILE_MAX_BYTES  (4u << 20)
#define ROUNDS_PER_FILE 200

static uint64_t state = 0x5e4150c0ffee1234;

static uint64_t next_random(void)
{
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
}

/* An exact copy on the heap, so that a sanitizer sees a read past the end. */
static void run_one(const uint8_t *data, size_t size)
{
        uint8_t *copy = malloc(size ? size : 1);
        if (!copy)
                abort();
        memcpy(copy, data, size);
        LLVMFuzzerTestOneInput(copy, size);
        free(copy);
}

static size_t mutate(uint8_t *p, size_t n)
{
        static const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, ' ', '\n', '/', '0', '9' };
        for (unsigned changes = 1 + next_random() % 8; changes && n; changes--) {
                size_t at = next_random() % n;
                switch (next_random() % 5) {
                case 0:
                        p[at] ^= (uint8_t)(1u << next_random() % 8);
                        break;
                case 1:
                        p[at] = odd[next_random() % sizeof(odd)];
                        break;
                case 2:
                        n = at + 1;
                        break;
                case 3: {
                        size_t from = next_random() % n, len = next_random() % 64;
                        if (from + len <= n && at + len <= n)
                                memmove(p + at, p + from, len);
                        break;
                }
                default:
                        p[at] = (uint8_t)next_random();
                }
        }
        return n;
}

int main(int argc, char **argv)
{
        if (LLVMFuzzerInitialize)
                LLVMFuzzerInitialize(&argc, &argv);
        uint8_t *bytes = malloc(FILE_MAX_BYTES), *work = malloc(FILE_MAX_BYTES);
        struct dirent **names = NULL;
        int n = argc > 1 ? scandir(argv[1], &names, NULL, alphasort) : -1;
        size_t files = 0;
        unsigned long executions = 0;
        if (!bytes || !work || n < 0) {
                printf("1..0 # SKIP no corpus directory given\n");
                return 0;
        }
        clock_t started = clock();
        for (int i = 0; i < n; i++) {
                char path[4096];
                struct stat st;
                snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
                if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
                        continue;
                FILE *f = fopen(path, "rb");
                if (!f)
                        continue;
                size_t size = fread(bytes, 1, FILE_MAX_BYTES, f);
                fclose(f);
                files++;
                run_one(bytes, size);
                executions++;
                size_t rounds = size > (256u << 10) ? ROUNDS_PER_FILE / 10 : ROUNDS_PER_FILE;
                for (size_t r = 0; r < rounds; r++, executions++) {
                        memcpy(work, bytes, size);
                        run_one(work, mutate(work, size));
                }
        }
        for (int i = 0; i < n; i++)
                free(names[i]);
        free(names);
        free(bytes);
        free(work);
        double seconds = (double)(clock() - started) / CLOCKS_PER_SEC;
        printf("1..1\n%s 1 - %zu corpus files, %lu executions, %.0f per second\n", files ? "ok" : "not ok", files,
               executions, seconds > 0 ? (double)executions / seconds : 0.0);
        return files ? 0 : 1;
}
