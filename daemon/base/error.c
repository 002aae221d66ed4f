#include "daemon/base/error.h"

#include "daemon/base/attributes.h"

static const char *const texts[] = {
    [-ERR_FULL] = "no room",
    [-ERR_MISSING] = "not found",
    [-ERR_EXISTS] = "exists already",
    [-ERR_INVALID] = "invalid",
    [-ERR_TOO_LARGE] = "too large",
    [-ERR_CORRUPT] = "corrupt",
    [-ERR_IO] = "input or output failed",
    [-ERR_NO_SPACE] = "no space left",
    [-ERR_CLOSED] = "closed by the other side",
    [-ERR_TIMEOUT] = "timed out",
    [-ERR_REFUSED] = "refused",
    [-ERR_LIBRARY] = "library failure",
};

const char *error_text(int error)
{
    if (error >= 0 || error <= -(int)ARRAY_SIZE(texts))
        return error == 0 ? "no error" : "unknown error";
    return texts[-error];
}
