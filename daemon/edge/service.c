#include "daemon/edge/service.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

void service_ready(void)
{
    sd_notify(0, "READY=1");
}

void service_reloading(int64_t monotonic_us)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, monotonic_us);
}

void service_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void service_status(const char *text)
{
    sd_notifyf(0, "STATUS=%s", text);
}

int64_t service_watchdog_interval_us(void)
{
    uint64_t patience_us = 0;
    return sd_watchdog_enabled(0, &patience_us) > 0 ? (int64_t)(patience_us / 2) : 0;
}

void service_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}
