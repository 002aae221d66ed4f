/* The SIA DC-09 codec against arbitrary bytes; its cipher leaves them as they are, so that the
 * fuzzer can write what is inside. */
#include "tests/fuzz/codec_fuzz.h"

#include <string.h>

extern const struct codec sia_dc09_codec;

static bool copy(bool encrypt, struct bytes key, const uint8_t iv[16], struct bytes in,
                 uint8_t *out)
{
    (void)encrypt, (void)key, (void)iv;
    memmove(out, in.data, in.size);
    return true;
}

static size_t find_secret(const void *secrets, const char *identity, uint8_t out[64])
{
    (void)secrets;
    memset(out, 'A', 32);
    return strlen(identity) % 2 ? 32 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cipher cipher = {copy};
    static struct outcome whole, parts;
    struct codec_environment environment = drive_environment();
    struct message message = {.body = bytes_part((struct bytes){data, size}, 1, size)};

    if (size == 0)
        return 0;
    environment.cipher = &cipher;
    environment.find_secret = find_secret;
    environment.time_window_before_s = 40;
    drive(&sia_dc09_codec, &message, 0, &environment, &whole);
    drive(&sia_dc09_codec, &message, 1U + data[0], &environment, &parts);
    if (!drive_same(&whole, &parts))
        abort();
    return 0;
}
