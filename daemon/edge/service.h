/*
 * What the service manager is told: ready, reloading, stopping, alive, and one line of status. Without
 * systemd (no NOTIFY_SOCKET) every call does nothing.
 */
#ifndef ONEKEY_EDGE_SERVICE_H
#define ONEKEY_EDGE_SERVICE_H

#include <stdint.h>

/* Everything listens and the journal is replayed; also the end of a reload. */
void service_ready(void);
/* A reload begins; `monotonic_us` is clock_monotonic_us(). service_ready ends it, whatever came of it. */
void service_reloading(int64_t monotonic_us);
void service_stopping(void);
/* One line for `systemctl status`. */
void service_status(const char *text);
/* How often service_alive must be called, microseconds: half the watchdog's patience. 0: not asked. */
int64_t service_watchdog_interval_us(void);
void service_alive(void);

#endif
