/*
 * A gateway alone in a test: its clock, a journal that takes everything, and what it handed out. Devices
 * speak watch frames or native JSON.
 */
#ifndef ONEKEY_TESTS_SUPPORT_GATEWAY_FIXTURE_H
#define ONEKEY_TESTS_SUPPORT_GATEWAY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/gateway.h"

#define STARTED_US (INT64_C(1760000000) * US_PER_SECOND)
#define ALARMS_MAX 64

struct fixture {
    struct gateway *gateway;
    void *memory;
    struct log log;
    struct gateway_settings settings;
    struct instant now;
    uint64_t number;
    uint64_t behind_from;             /* with this number the writer is behind; 0: never */
    bool database;                    /* takes soft state */
    struct signal alarms[ALARMS_MAX]; /* as journaled, all of the lane */
    int alarm_count, readings;
    struct device_touch touches[100];
    size_t touch_count;
    struct observation observed[100]; /* the batch last taken */
    size_t observed_count;
    char sent[512]; /* the last that was sent */
};

extern struct fixture fixture;

/* A gateway with room for `history` rows; settings may be changed with gateway_configure after. */
void fixture_open(uint32_t history);
/* The same, whose commands to devices go to these two ports. */
void fixture_open_with(const struct gateway_ports *commands);
/* A cmocka teardown. */
int fixture_close(void **state);
/* Makes a device of household 1 known; `secret` "" for none. */
void fixture_device(int64_t id, const char *protocol, const char *identity, enum device_kind kind,
                    const char *secret);
/* Time passes, and a turn. */
void fixture_pass(int64_t us);
/* A message of native JSON. */
void fixture_publish_json(const char *kind, const char *identity, const char *channel,
                          const char *body);

#endif
