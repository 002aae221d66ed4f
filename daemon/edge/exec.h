/*
 * Notices through a program of the operator's, such as a gateway for text messages or voice calls
 * (docs/NOTICES.md). It gets the notice as JSON on its standard input and says by its exit status
 * what came of it: 0 sent, 75 (EX_TEMPFAIL) again later, another: given up.
 *
 * No shell, no argument, nothing of the daemon's environment or descriptors; what it prints is thrown
 * away. It leads a process group, which is killed as a whole when its time is up, and at close.
 */
#ifndef ONEKEY_EDGE_EXEC_H
#define ONEKEY_EDGE_EXEC_H

#include "daemon/base/settings.h"
#include "daemon/edge/notice.h"

struct event_base;
struct exec;

extern const struct notice_transport exec_transport;

struct exec *exec_open(struct event_base *base, const struct config_exec *config);

#endif
