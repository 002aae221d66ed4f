/*
 * What can go wrong outside our own code, as negative numbers. A function that returns int and can
 * fail returns 0 or more for success and one of these for failure.
 */
#ifndef ONEKEY_BASE_ERROR_H
#define ONEKEY_BASE_ERROR_H

enum error {
    ERR_FULL = -1,      /* a fixed table, pool or queue has no room */
    ERR_MISSING = -2,   /* no such thing */
    ERR_EXISTS = -3,    /* already there, or held by another process */
    ERR_INVALID = -4,   /* an argument or input that cannot be used */
    ERR_TOO_LARGE = -5, /* longer than its limit */
    ERR_CORRUPT = -6,   /* stored bytes that fail their check */
    ERR_IO = -7,        /* the system refused to read, write or sync */
    ERR_NO_SPACE = -8,  /* the disk or the budget on it is full */
    ERR_CLOSED = -9,    /* the other side has gone */
    ERR_TIMEOUT = -10,  /* it took too long */
    ERR_REFUSED = -11,  /* not allowed, or turned away */
    ERR_LIBRARY = -12   /* a foreign library failed; its own text is in the log */
};

/* A few words for a code, for log lines; "unknown error" for any other number. */
const char *error_text(int error);

#endif
