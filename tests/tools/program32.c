/*
 * A 32-bit program that opens a file and removes another, without a library: cc -m32 -nostdlib -static -ffreestanding.
 */
static long call(long number, long a, long b)
{
        long result;
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(0) : "memory");
        return result;
}

void _start(void);

void _start(void)
{
        call(5 /* open */, (long)"/etc/hostname", 0);
        call(10 /* unlink */, (long)"/tmp/nothing", 0);
        call(1 /* exit */, 0, 0);
        for (;;)
                ;
}
