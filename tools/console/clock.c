#include "tools/console/clock.h"

#include <stdio.h>
#include <time.h>

#include "daemon/base/instant.h"

int64_t clock_mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

void clock_print(char out[CLOCK_TEXT_SIZE])
{
    struct timespec now;
    struct tm parts;
    char date[24];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out, CLOCK_TEXT_SIZE, "%s.%03dZ", date, (int)(now.tv_nsec / 1000000));
}
