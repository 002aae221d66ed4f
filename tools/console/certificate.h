/* TLS for browsers: certificate and key from files, today's protocols only. */
#ifndef ONEKEY_CONSOLE_CERTIFICATE_H
#define ONEKEY_CONSOLE_CERTIFICATE_H

#include <stddef.h>

struct ssl_ctx_st;

/* NULL, and why in `error`, if the files do not do. Freed by certificate_free. */
struct ssl_ctx_st *certificate_load(const char *certificate, const char *key, char *error,
                                    size_t error_size);
void certificate_free(struct ssl_ctx_st *context);

#endif
