/* What every answer says: its status in words, the date, and the headers that keep browsers safe. */
#ifndef ONEKEY_CONSOLE_HTTP_STATUS_H
#define ONEKEY_CONSOLE_HTTP_STATUS_H

#include <stddef.h>

/* Nothing from elsewhere, nothing inline, no framing, no guessing of types, no address passed on. */
#define STATUS_GUARD                                                                               \
    "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; "           \
    "frame-ancestors 'none'; object-src 'none'\r\n"                                                \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "X-Frame-Options: DENY\r\n"                                                                    \
    "Referrer-Policy: no-referrer\r\n"                                                             \
    "Cross-Origin-Opener-Policy: same-origin\r\n"                                                  \
    "Cross-Origin-Resource-Policy: same-origin\r\n"                                                \
    "Permissions-Policy: camera=(), microphone=(), geolocation=()\r\n"
/* The same for what is never kept. */
#define STATUS_HEADERS STATUS_GUARD "Cache-Control: no-store\r\n"

const char *status_text(int status);
/* "Sun, 22 Nov 2026 05:08:00 GMT" of now. */
void status_date(char *out, size_t size);

#endif
