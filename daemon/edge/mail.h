/*
 * Notices as mails, by SMTP. The server's yes to the whole mail is the delivery; a no for good (5xx)
 * is no, except to name and password.
 */
#ifndef ONEKEY_EDGE_MAIL_H
#define ONEKEY_EDGE_MAIL_H

#include "daemon/base/attributes.h"
#include "daemon/base/settings.h"
#include "daemon/edge/notice.h"

struct event_base;
struct mail;

extern const struct notice_transport mail_transport;

/* Reads password and authorities. NULL, and one sentence in `error`, if they cannot be read. */
struct mail *mail_open(struct event_base *base, const struct config_mail *config, char *error,
                       size_t error_size) MUST_USE;

#endif
