#include "daemon/edge/cipher.h"

#include <openssl/evp.h>

static const EVP_CIPHER *cipher_for(size_t key_size)
{
    if (key_size == 16)
        return EVP_aes_128_cbc();
    if (key_size == 24)
        return EVP_aes_192_cbc();
    return key_size == 32 ? EVP_aes_256_cbc() : NULL;
}

static bool aes_cbc(bool encrypt, struct bytes key, const uint8_t iv[16], struct bytes in,
                    uint8_t *out)
{
    const EVP_CIPHER *cipher = cipher_for(key.size);
    EVP_CIPHER_CTX *context;
    int size = 0, rest = 0;
    bool ok = false;

    if (!cipher || in.size % 16 != 0 || in.size > 65536)
        return false;
    context = EVP_CIPHER_CTX_new();
    if (context && EVP_CipherInit_ex(context, cipher, NULL, key.data, iv, encrypt) == 1) {
        EVP_CIPHER_CTX_set_padding(context, 0);
        ok = EVP_CipherUpdate(context, out, &size, in.data, (int)in.size) == 1 &&
             EVP_CipherFinal_ex(context, out + size, &rest) == 1;
    }
    EVP_CIPHER_CTX_free(context);
    return ok;
}

const struct cipher openssl_cipher = {aes_cbc};
