/*
 * What can be configured, as one plain struct: fixed sizes, nothing to free, copied by assignment.
 * config.h reads it from files, config_table.c says what each member is called and may hold.
 */
#ifndef ONEKEY_BASE_SETTINGS_H
#define ONEKEY_BASE_SETTINGS_H

#include "daemon/base/settings_console.h"
#include "daemon/base/settings_sections.h"
#include "daemon/base/settings_words.h"

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_LISTENERS_MAX 32
#define CONFIG_TARGETS_MAX 8 /* of each transport of notices */
#define CONFIG_AT_ONCE_MAX 16

struct config_listener {
    char name[CONFIG_NAME_SIZE];
    char address[CONFIG_NAME_SIZE];  /* IPv4 or IPv6 in numbers */
    char protocol[CONFIG_NAME_SIZE]; /* name of a codec, or "any": told by the first bytes */
    int32_t port;
    int32_t transport; /* enum config_transport */
    char certificate[CONFIG_PATH_SIZE], key[CONFIG_PATH_SIZE], client_ca[CONFIG_PATH_SIZE];
    int32_t idle_timeout_s, handshake_timeout_s, connections_max, accepts_per_second;
    int32_t client_identity, meter_status; /* enums config_client_identity, config_meter_status */
};

struct config_webhook {
    char name[CONFIG_NAME_SIZE];
    char url[CONFIG_PATH_SIZE], secret_file[CONFIG_PATH_SIZE], ca_file[CONFIG_PATH_SIZE];
    bool allow_http;
    int32_t include; /* enum config_include */
    int32_t timeout_s, at_once;
};

struct config_mail {
    char name[CONFIG_NAME_SIZE];
    char server[CONFIG_PATH_SIZE];
    int32_t port;
    int32_t security; /* enum config_security */
    char ca_file[CONFIG_PATH_SIZE], username[CONFIG_PATH_SIZE], password_file[CONFIG_PATH_SIZE];
    char from[CONFIG_PATH_SIZE], to[CONFIG_PATH_SIZE]; /* to: separated by blanks */
    int32_t language;                                  /* enum config_language */
    int32_t include;                                   /* enum config_include */
    int32_t timeout_s;
};

struct config_exec {
    char name[CONFIG_NAME_SIZE];
    char program[CONFIG_PATH_SIZE];
    int32_t include; /* enum config_include */
    int32_t timeout_s, at_once;
};

struct config {
    struct {
        char name[CONFIG_NAME_SIZE];
        int32_t district;
        char state_directory[CONFIG_PATH_SIZE];
        int32_t devices_max, sessions_max;
    } gateway;
    struct {
        bool enabled;
        char host[CONFIG_PATH_SIZE];
        int32_t port;
        char username[CONFIG_NAME_SIZE];
        char password_file[CONFIG_PATH_SIZE], ca_file[CONFIG_PATH_SIZE];
        char client_id[CONFIG_NAME_SIZE]; /* never empty: gateway.name unless set */
        int32_t keepalive_s, receive_maximum, reconnect_max_s;
        int32_t proof, meter_status; /* enums config_mqtt_proof, config_meter_status */
    } mqtt;
    struct {
        char directory[CONFIG_PATH_SIZE]; /* never empty: state_directory/journal unless set */
        int64_t segment_bytes, total_bytes;
    } journal;
    struct {
        char conninfo[CONFIG_PATH_SIZE];
        int32_t batch_records, in_flight;
        int32_t statement_timeout_ms;
    } database;
    struct {
        struct config_scheme scheme; /* nameless, of the homes that name none */
        int32_t datum;               /* enum config_datum */
        bool leak;
        int32_t report_interval_s, grace_s, care_call_s, radius_m, outside_s;
    } silence;
    struct {
        bool explain;
        int32_t meters, percent, window_h, hours;
    } mains;
    struct {
        int32_t call_box_s, wristband_s, meter_s, hold_off_s, startup_grace_s, early_s, alarm_s;
        int32_t interval_min_s, interval_max_s, outage_devices, outage_percent, outage_window_s;
    } supervise;
    struct {
        char address[CONFIG_NAME_SIZE];
        int32_t port; /* 0: not served */
    } http;
    struct {
        char socket[CONFIG_PATH_SIZE];
    } control;
    struct config_console console;
    struct {
        int32_t level; /* enum log_level */
    } log;
    struct {
        int32_t time_window_before_s, time_window_after_s;
    } dc09;
    struct {
        int32_t clock_wrong_s, command_answer_s;
    } admit;
    struct {
        int32_t interval_s, waiting_max;
    } observation;
    struct {
        int32_t low_percent, restored_percent;
    } battery;
    struct {
        bool mqtt;
        int32_t mqtt_include; /* enum config_include */
        int32_t first_retry_s, longest_retry_s, give_up_s, ticket_after_s;
    } notice;
    int32_t listener_count, webhook_count, mail_count, exec_count, scheme_count, mapping_count;
    struct config_listener listeners[CONFIG_LISTENERS_MAX];
    struct config_webhook webhooks[CONFIG_TARGETS_MAX];
    struct config_mail mails[CONFIG_TARGETS_MAX];
    struct config_exec execs[CONFIG_TARGETS_MAX];
    struct config_scheme schemes[CONFIG_SCHEMES_MAX];
    struct config_mapping mappings[CONFIG_MAPPINGS_MAX];
};

#endif
