/*
 * The configuration: one plain struct, filled from INI files by one table. The main file is read
 * first, then conf.d/ *.conf beside it in alphabetical order; the last value wins. Whatever is not
 * understood is an error with file and line, what was found and what to do; all errors are told, and
 * after any error the struct must not be used. Secrets are named by path and never stand here.
 *
 * The same table prints the effective configuration, the example file and the man page. A reload
 * reads a second struct, and the caller swaps it in only if it is sound and config_differs finds no
 * change that needs a restart.
 */
#ifndef ONEKEY_BASE_CONFIG_H
#define ONEKEY_BASE_CONFIG_H

#include "daemon/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_LISTENERS_MAX 16
#define CONFIG_NAME_SIZE 48
#define CONFIG_PATH_SIZE 256
#define CONFIG_LINE_MAX 1024

enum config_transport { CONFIG_TCP, CONFIG_TLS, CONFIG_UDP };
enum config_silence_mode { CONFIG_FIXED, CONFIG_LEARNED };

struct config_listener {
    char name[CONFIG_NAME_SIZE];
    char address[CONFIG_NAME_SIZE];  /* IPv4 or IPv6 in numbers */
    char protocol[CONFIG_NAME_SIZE]; /* name of a codec, or "any": told by the first bytes */
    int32_t port;
    int32_t transport; /* enum config_transport */
    char certificate[CONFIG_PATH_SIZE], key[CONFIG_PATH_SIZE], client_ca[CONFIG_PATH_SIZE];
    int32_t idle_timeout_s, handshake_timeout_s;
    int32_t connections_max, accepts_per_second;
};

struct config {
    struct {
        char name[CONFIG_NAME_SIZE];
        int32_t district;
        char state_directory[CONFIG_PATH_SIZE];
        int32_t devices_max, sessions_max, frames_per_turn;
    } gateway;
    struct {
        bool enabled;
        char host[CONFIG_PATH_SIZE];
        int32_t port;
        char username[CONFIG_NAME_SIZE];
        char password_file[CONFIG_PATH_SIZE], ca_file[CONFIG_PATH_SIZE];
        char client_id[CONFIG_NAME_SIZE]; /* never empty: gateway.name unless set */
        int32_t keepalive_s, receive_maximum, reconnect_max_s;
    } mqtt;
    struct {
        char directory[CONFIG_PATH_SIZE]; /* never empty: state_directory/journal unless set */
        int64_t segment_bytes, total_bytes;
    } journal;
    struct {
        char conninfo[2 * CONFIG_PATH_SIZE];
        int32_t batch_records, in_flight;
        int32_t statement_timeout_ms, reconnect_min_ms, reconnect_max_ms;
    } database;
    struct {
        int32_t mode; /* enum config_silence_mode */
        int32_t litres, hours;
        double rate; /* false alarms a home and year that the learned mode aims at */
        bool leak;
        int32_t report_interval_s, grace_s;
    } silence;
    struct {
        int32_t call_box_s, wristband_s, meter_s, hold_off_s, startup_grace_s;
    } supervise;
    struct {
        char address[CONFIG_NAME_SIZE];
        int32_t port; /* 0: not served */
    } http;
    struct {
        char socket[CONFIG_PATH_SIZE];
    } control;
    struct {
        int32_t level; /* enum log_level */
    } log;
    struct {
        int32_t time_window_before_s, time_window_after_s;
    } dc09;
    struct {
        int32_t clock_wrong_s;
    } admit;
    int32_t listener_count;
    struct config_listener listeners[CONFIG_LISTENERS_MAX];
};

/* One line of the table with one value in it: what config_each shows. Lent for the call. */
struct config_item {
    const char *section, *key;
    const char *name; /* of the listener; empty elsewhere */
    const char *value, *initial;
    const char *accepts; /* "yes or no", "1 to 65535", "tcp, tls or udp" */
    const char *help;
    bool reloadable;
};

/* All defaults, no listeners. */
void config_init(struct config *config);
/* Defaults, then the file at `path` and conf.d/ *.conf beside it. Returns the number of errors, each
 * told to on_error as "file:line: what; what to do". */
int config_load(struct config *config, const char *path, void *context,
                void (*on_error)(void *context, const char *text)) MUST_USE;
/* The same from one open stream; `file` is its name in errors. */
int config_read(struct config *config, FILE *stream, const char *file, void *context,
                void (*on_error)(void *context, const char *text)) MUST_USE;
/* Every key with its value in the table's order; the [listen] keys once for each listener. */
void config_each(const struct config *config, void *context,
                 void (*on_item)(void *context, const struct config_item *item));
/* The effective configuration as INI that config_read takes back, with the help as comments. */
void config_print(const struct config *config, FILE *out);
/* Names each key ("journal.directory", "listen watch.port") that differs and cannot be changed
 * without a restart; returns how many. */
int config_differs(const struct config *running, const struct config *wanted, void *context,
                   void (*on_key)(void *context, const char *key));

#endif
