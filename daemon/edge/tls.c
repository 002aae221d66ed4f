#include "daemon/edge/tls.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "protocol/bytes.h"

struct tls {
    SSL_CTX *context;
};

/* A session is OpenSSL's object and nothing more. */
static SSL *ssl_of(const struct tls_session *session)
{
    return (SSL *)session;
}

static const char *reason_of(unsigned long code)
{
    if (code == 0)
        return "";
    const char *text =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    return text ? text : "unknown reason";
}

/* The oldest error is the cause, later ones are its consequences. */
static bool complain(const char *path, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s: %s", path, reason_of(ERR_peek_error()));
    return false;
}

/* Called for the password of an encrypted key: without it OpenSSL would ask on the terminal. */
static int refuse_password(char *buffer, int size, int for_writing, void *asked)
{
    (void)buffer, (void)size, (void)for_writing;
    *(bool *)asked = true;
    return -1;
}

static bool load_key(SSL_CTX *context, const char *path, char *error, size_t error_size)
{
    bool asked = false;
    SSL_CTX_set_default_passwd_cb(context, refuse_password);
    SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
    bool good = SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) == 1 &&
                SSL_CTX_check_private_key(context) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    if (asked)
        snprintf(error, error_size, "%s: must not need a password", path);
    return good || (!asked && complain(path, error, error_size));
}

static bool load_identity(SSL_CTX *context, const struct tls_options *options, char *error,
                          size_t error_size)
{
    if (SSL_CTX_use_certificate_chain_file(context, options->certificate_path) != 1)
        return complain(options->certificate_path, error, error_size);
    return load_key(context, options->key_path, error, error_size);
}

static bool load_authority(SSL_CTX *context, const char *path, char *error, size_t error_size)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
    if (!names || SSL_CTX_load_verify_locations(context, path, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return complain(path, error, error_size);
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return true;
}

static void set_policy(SSL_CTX *context)
{
    static const unsigned char session_context[] = "onekeyd";

    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Tickets carry the session to the client; remembering it here as well would only cost. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_session_id_context(context, session_context, sizeof(session_context) - 1);
}

/* NULL with `error` set if any file is bad. */
static SSL_CTX *context_new(const struct tls_options *options, char *error, size_t error_size)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        abort();
    set_policy(context);
    bool good = load_identity(context, options, error, error_size) &&
                (!options->client_ca_path ||
                 load_authority(context, options->client_ca_path, error, error_size));
    ERR_clear_error();
    if (good)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

struct tls *tls_open(const struct tls_options *options, char *error, size_t error_size)
{
    SSL_CTX *context = context_new(options, error, error_size);
    if (!context)
        return NULL;
    struct tls *tls = malloc(sizeof(*tls));
    if (!tls)
        abort();
    tls->context = context;
    return tls;
}

bool tls_reload(struct tls *tls, const struct tls_options *options, char *error, size_t error_size)
{
    SSL_CTX *context = context_new(options, error, error_size);
    if (!context)
        return false;
    SSL_CTX_free(tls->context); /* counted: living sessions hold it */
    tls->context = context;
    return true;
}

void tls_close(struct tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

struct tls_session *tls_session_open(struct tls *tls, int fd)
{
    SSL *ssl = SSL_new(tls->context);
    if (!ssl)
        return NULL;
    if (SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return (struct tls_session *)ssl;
}

/* What a call that did not return a success means. */
static int outcome(SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_ENDED;
    default:
        return TLS_FAILED;
    }
}

int tls_session_handshake(struct tls_session *session)
{
    ERR_clear_error();
    int result = SSL_do_handshake(ssl_of(session));
    return result == 1 ? 0 : outcome(ssl_of(session), result);
}

static bool copy_text(const ASN1_STRING *text, char name[TLS_NAME_MAX])
{
    struct bytes view = {ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)};
    bytes_copy_text(view, name, TLS_NAME_MAX);
    return name[0] != '\0';
}

static bool copy_of_subject(const X509 *certificate, int nid, char name[TLS_NAME_MAX])
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, nid, -1);
    return at >= 0 && copy_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), name);
}

static void copy_alternative_name(const X509 *certificate, char name[TLS_NAME_MAX])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        if ((one->type == GEN_DNS || one->type == GEN_URI) && copy_text(one->d.ia5, name))
            break;
    }
    GENERAL_NAMES_free(names);
}

void tls_session_name(const struct tls_session *session, char name[TLS_NAME_MAX],
                      char serial[TLS_NAME_MAX])
{
    name[0] = serial[0] = '\0';
    const X509 *certificate = SSL_get0_peer_certificate(ssl_of(session));
    if (!certificate || SSL_get_verify_result(ssl_of(session)) != X509_V_OK)
        return;
    if (!copy_of_subject(certificate, NID_commonName, name))
        copy_alternative_name(certificate, name);
    copy_of_subject(certificate, NID_serialNumber, serial);
}

static int int_size(size_t size)
{
    return size > INT_MAX ? INT_MAX : (int)size;
}

long tls_session_read(struct tls_session *session, void *data, size_t size)
{
    ERR_clear_error();
    int result = SSL_read(ssl_of(session), data, int_size(size));
    return result > 0 ? result : outcome(ssl_of(session), result);
}

long tls_session_write(struct tls_session *session, const void *data, size_t size)
{
    assert(size > 0);
    ERR_clear_error();
    int result = SSL_write(ssl_of(session), data, int_size(size));
    return result > 0 ? result : outcome(ssl_of(session), result);
}

void tls_session_end(struct tls_session *session)
{
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_of(session)))
        (void)SSL_shutdown(ssl_of(session));
}

void tls_session_close(struct tls_session *session)
{
    SSL_free(ssl_of(session));
}

const char *tls_failure(void)
{
    return reason_of(ERR_peek_error());
}
