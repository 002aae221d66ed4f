/*
 * For LD_PRELOAD: the clocks by which onekeyd decides, wall and boot time, run so many seconds ahead as the
 * file named by SHIFTED_CLOCK says, an int64 that may change at any time. The one by which libraries wait,
 * monotonic time, is left alone.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BOOTED_S (400 * 86400) /* a machine that is just up has no past to go back to */

static const volatile int64_t *open_shift(void)
{
    int file = open(getenv("SHIFTED_CLOCK"), O_RDONLY | O_CLOEXEC);
    void *shift = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);

    if (shift == MAP_FAILED)
        abort();
    close(file);
    return shift;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    static const volatile int64_t *shift;
    int failed = (int)syscall(SYS_clock_gettime, id, now);

    if (!shift)
        shift = open_shift();
    if (id == CLOCK_REALTIME)
        now->tv_sec += *shift;
    if (id == CLOCK_BOOTTIME)
        now->tv_sec += *shift + BOOTED_S;
    return failed;
}
