/* GET /api/report: the report of onekey-report as a file, with what whoever is logged in may see. */
#ifndef ONEKEY_CONSOLE_REPORT_H
#define ONEKEY_CONSOLE_REPORT_H

#include "tools/console/call.h"

/* Takes a call of ROUTE_REPORT: asks the database, writes the file on a thread of its own, answers. */
void report_begin(struct call *call);

#endif
