/* AES for the codecs (protocol/codec.h), by OpenSSL. */
#ifndef ONEKEY_EDGE_CIPHER_H
#define ONEKEY_EDGE_CIPHER_H

#include "protocol/codec.h"

extern const struct cipher openssl_cipher;

#endif
