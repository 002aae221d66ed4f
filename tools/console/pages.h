/*
 * The files of the web page, read once at start into memory: what is not there then is never served, so no
 * path of a request ever reaches the file system. FILE.gz beside FILE is its compressed form.
 */
#ifndef ONEKEY_CONSOLE_PAGES_H
#define ONEKEY_CONSOLE_PAGES_H

#include "tools/console/app.h"

struct pages;

/* Reads the folder, at most PAGES_MAX files; one that cannot be read is logged. Never NULL. */
struct pages *pages_open(const char *folder, struct log *log);
void pages_close(struct pages *pages);
/* Answers a GET or HEAD: a file, the page itself for a path of its own, 304, 404 or 405. */
void pages_serve(const struct pages *pages, struct exchange *exchange);

#endif
