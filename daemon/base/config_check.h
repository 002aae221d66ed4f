/*
 * What no single key can tell: keys that must be given, and those that contradict each other.
 */
#ifndef ONEKEY_BASE_CONFIG_CHECK_H
#define ONEKEY_BASE_CONFIG_CHECK_H

#include "daemon/base/config_value.h"

/* Tells everything that is wrong as "[section] what; what to do": of that section of a kind, or, where
 * `kind` is NULL, of the whole. The text is lent. */
void config_check(const struct config *config, void *context,
                  void (*on_wrong)(void *context, const struct config_kind *kind, int index,
                                   const char *text));

/* The part of it that is of one [meter-json NAME]. */
void config_check_json_mapping(const struct config_mapping *mapping, bool has_broker, void *context,
                               void (*on_wrong)(void *context, const char *text));

#endif
