#include "daemon/edge/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "daemon/edge/tcp.h"
#include "tests/unit/certificates.h"
#include "tests/unit/loop.h"

#define CONNECTIONS_MAX 64
#define OUTPUT_MAX 400000

/* Served on one listener by an owner that sends back whatever it is told. */
struct fixture {
    char folder[64];
    struct identity authority, first, second;
    struct event_base *base;
    struct tcp *tcp;
    struct tls *tls;
    struct tcp_listener *listener;
    uint64_t connection; /* the latest */
    int opened, closed;
    enum tcp_reason reason;
    char certificate[TLS_NAME_MAX]; /* of the latest peer */
    size_t received;
};

struct client {
    SSL *ssl;
    int fd;
};

static uint64_t on_open(void *context, uint64_t connection, const struct tcp_peer *peer)
{
    struct fixture *f = context;
    f->connection = connection;
    f->opened++;
    snprintf(f->certificate, sizeof(f->certificate), "%s", peer->certificate);
    return connection; /* its own token */
}

static size_t on_input(void *context, uint64_t token, const uint8_t *data, size_t size)
{
    struct fixture *f = context;
    f->received += size;
    tcp_send(f->tcp, token, data, size);
    return size;
}

static void on_close(void *context, uint64_t token, enum tcp_reason reason)
{
    struct fixture *f = context;
    (void)token;
    f->closed++;
    f->reason = reason;
}

static void start(struct fixture *f, bool with_client_certificates)
{
    char error[300] = "";
    memset(f, 0, sizeof(*f));
    folder_make(f->folder);
    f->authority = identity_make(f->folder, "authority", "Authority", NULL, NULL);
    f->first = identity_make(f->folder, "first", "first.example", NULL, NULL);
    f->second = identity_make(f->folder, "second", "second.example", NULL, NULL);
    struct tls_options options = {f->first.certificate_path, f->first.key_path, NULL};
    if (with_client_certificates)
        options.client_ca_path = f->authority.certificate_path;
    f->tls = tls_open(&options, error, sizeof(error));
    assert_string_equal(error, "");
    assert_non_null(f->tls);
    f->base = event_base_new();
    f->tcp = tcp_open(f->base, CONNECTIONS_MAX, NULL);
    struct tcp_listener_options listener = {
        .address = "127.0.0.1",
        .tls = f->tls,
        .connections_max = CONNECTIONS_MAX,
        .accepts_per_second = 10000,
        .handshake_timeout_s = 1,
        .input_max = 1000,
        .output_max = OUTPUT_MAX,
        .callbacks = {on_open, on_input, on_close},
        .context = f,
    };
    f->listener = tcp_listen(f->tcp, &listener, error, sizeof(error));
    assert_non_null(f->listener);
}

static void stop(struct fixture *f)
{
    tcp_close(f->tcp);
    tls_close(f->tls);
    event_base_free(f->base);
    identity_free(&f->authority);
    identity_free(&f->first);
    identity_free(&f->second);
    folder_remove(f->folder);
}

static SSL_CTX *client_context(const struct identity *identity, int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    if (identity) {
        assert_int_equal(SSL_CTX_use_certificate(context, identity->certificate), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(context, identity->key), 1);
    }
    return context;
}

/* A non-blocking client, its handshake not begun. Takes the context. */
static struct client client_open(struct fixture *f, SSL_CTX *context, SSL_SESSION *session)
{
    struct client client = {SSL_new(context), dial(tcp_listener_port(f->listener))};
    SSL_CTX_free(context);
    assert_true(client.fd >= 0);
    fcntl(client.fd, F_SETFL, O_NONBLOCK);
    SSL_set_fd(client.ssl, client.fd);
    SSL_set_connect_state(client.ssl);
    if (session)
        SSL_set_session(client.ssl, session);
    return client;
}

static void client_close(struct client *client)
{
    SSL_free(client->ssl);
    close(client->fd);
}

/* One step; whether it is done. Errors other than waiting count as done in *failed. */
static bool client_shakes(struct client *client, bool *failed)
{
    ERR_clear_error();
    int result = SSL_do_handshake(client->ssl);
    int cause = SSL_get_error(client->ssl, result);
    *failed = result != 1 && cause != SSL_ERROR_WANT_READ && cause != SSL_ERROR_WANT_WRITE;
    return result == 1 || *failed;
}

static struct client connect_with(struct fixture *f, SSL_CTX *context, SSL_SESSION *session)
{
    int before = f->opened;
    bool failed = false;
    struct client client = client_open(f, context, session);
    assert_true(LOOP_UNTIL(f->base, client_shakes(&client, &failed)));
    assert_false(failed);
    assert_true(LOOP_UNTIL(f->base, f->opened > before));
    return client;
}

/* Whether it gets back what it sends; also takes in the tickets that came before. */
static bool echoes(struct fixture *f, struct client *client, const char *text)
{
    char answer[64] = "";
    assert_int_equal(SSL_write(client->ssl, text, (int)strlen(text)), strlen(text));
    (void)LOOP_UNTIL_WITHIN(f->base, 3, SSL_read(client->ssl, answer, sizeof(answer)) > 0);
    return strcmp(answer, text) == 0;
}

static void assert_served_by(const struct client *client, const char *name)
{
    char common_name[64] = "";
    X509 *certificate = SSL_get1_peer_certificate(client->ssl);
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common_name,
                              sizeof(common_name));
    X509_free(certificate);
    assert_string_equal(common_name, name);
}

static void test_bytes_go_both_ways(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, false);
    struct client client = connect_with(&f, client_context(NULL, TLS1_3_VERSION), NULL);
    assert_true(echoes(&f, &client, "one"));
    assert_true(echoes(&f, &client, "two"));
    assert_string_equal(f.certificate, "");
    assert_int_equal(tcp_counters(f.tcp)->handshakes, 1);

    SSL_shutdown(client.ssl);
    client_close(&client);
    assert_true(LOOP_UNTIL(f.base, f.closed == 1));
    assert_int_equal(f.reason, TCP_PEER_CLOSED);
    stop(&f);
}

/* An end without close_notify is an end and no failure. */
static void test_rude_end_is_an_end(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, false);
    struct client client = connect_with(&f, client_context(NULL, TLS1_2_VERSION), NULL);
    assert_true(echoes(&f, &client, "one"));
    client_close(&client);
    assert_true(LOOP_UNTIL(f.base, f.closed == 1));
    assert_int_equal(f.reason, TCP_PEER_CLOSED);
    stop(&f);
}

static void test_old_versions_are_refused(void **state)
{
    struct fixture f;
    bool failed = false;
    (void)state;
    start(&f, false);
    SSL_CTX *context = client_context(NULL, TLS1_1_VERSION);
    SSL_CTX_set_security_level(context, 0); /* or the client itself would refuse */
    struct client client = client_open(&f, context, NULL);
    assert_true(LOOP_UNTIL(f.base, client_shakes(&client, &failed)));
    assert_true(failed);
    assert_true(LOOP_UNTIL(f.base, tcp_counters(f.tcp)->handshakes_failed == 1));
    assert_int_equal(f.opened, 0);
    client_close(&client);
    stop(&f);
}

static void client_is_named(struct fixture *f, const char *common_name, const char *alternatives,
                            const char *name)
{
    struct identity identity =
        identity_make(f->folder, "client", common_name, alternatives, &f->authority);
    struct client client = connect_with(f, client_context(&identity, TLS1_3_VERSION), NULL);
    assert_string_equal(f->certificate, name);
    assert_true(echoes(f, &client, "here"));
    client_close(&client);
    identity_free(&identity);
}

static void test_client_certificates_name_the_peer(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, true);
    client_is_named(&f, "box-17", "DNS:other.example", "box-17");
    client_is_named(&f, NULL, "IP:127.0.0.1,DNS:box-18.example", "box-18.example");
    client_is_named(&f, "box\n19 level=1", NULL, "box?19 level=1");
    client_is_named(&f, NULL, NULL, "");
    stop(&f);
}

/* TLS 1.3 clients believe they are connected before the server has seen their certificate: what
 * counts is that the owner never hears of them. */
static void stranger_is_refused(struct fixture *f, const struct identity *identity)
{
    bool failed;
    uint64_t before = tcp_counters(f->tcp)->handshakes_failed;
    struct client client = client_open(f, client_context(identity, TLS1_3_VERSION), NULL);
    assert_true(LOOP_UNTIL(f->base, (client_shakes(&client, &failed),
                                     tcp_counters(f->tcp)->handshakes_failed > before)));
    assert_int_equal(f->opened, 0);
    client_close(&client);
}

static void test_strangers_are_refused(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, true);
    stranger_is_refused(&f, NULL);
    stranger_is_refused(&f, &f.second); /* signed by itself */
    assert_int_equal(tcp_count(f.tcp), 0);
    stop(&f);
}

static void test_stalled_handshakes_end(void **state)
{
    struct fixture f;
    char answer[64];
    (void)state;
    start(&f, false);
    double began = seconds_now();
    int silent = dial(tcp_listener_port(f.listener)), babbler = dial(tcp_listener_port(f.listener));
    assert_int_equal(write(babbler, "GET / HTTP/1.1\r\n\r\n", 18), 18);
    assert_true(LOOP_UNTIL(f.base, tcp_counters(f.tcp)->handshakes_failed == 1));
    assert_true(seconds_now() - began < 0.9); /* nonsense need not wait */
    assert_int_equal(tcp_count(f.tcp), 1);
    assert_true(LOOP_UNTIL(f.base, tcp_counters(f.tcp)->handshakes_failed == 2));
    assert_true(seconds_now() - began >= 0.9);
    assert_int_equal(read(silent, answer, sizeof(answer)), 0);
    assert_int_equal(f.opened, 0);
    close(silent);
    close(babbler);
    stop(&f);
}

/* All at once, more than the steps that one turn allows. */
static void test_many_handshakes_all_end_well(void **state)
{
    struct fixture f;
    struct client clients[40];
    bool failed = false;
    (void)state;
    start(&f, false);
    for (int i = 0; i < 40; i++) {
        clients[i] = client_open(&f, client_context(NULL, TLS1_3_VERSION), NULL);
        client_shakes(&clients[i], &failed);
    }
    for (int i = 0; i < 40; i++) {
        assert_true(LOOP_UNTIL(f.base, client_shakes(&clients[i], &failed)));
        assert_false(failed);
    }
    assert_true(LOOP_UNTIL(f.base, f.opened == 40));
    for (int i = 0; i < 40; i++)
        client_close(&clients[i]);
    stop(&f);
}

static void test_reload_while_connections_live(void **state)
{
    struct fixture f;
    char error[300] = "";
    (void)state;
    start(&f, false);
    struct client old = connect_with(&f, client_context(NULL, TLS1_3_VERSION), NULL);
    assert_served_by(&old, "first.example");

    struct tls_options options = {f.second.certificate_path, f.second.key_path, NULL};
    assert_true(tls_reload(f.tls, &options, error, sizeof(error)));
    assert_true(echoes(&f, &old, "still here"));
    struct client fresh = connect_with(&f, client_context(NULL, TLS1_3_VERSION), NULL);
    assert_served_by(&fresh, "second.example");
    assert_true(echoes(&f, &fresh, "new"));
    client_close(&old);
    client_close(&fresh);
    stop(&f);
}

static void reload_fails(struct fixture *f, struct tls_options options, const char *path,
                         const char *reason)
{
    char error[300] = "";
    assert_false(tls_reload(f->tls, &options, error, sizeof(error)));
    if (!strstr(error, path) || !strstr(error, reason))
        fail_msg("\"%s\" says nothing of \"%s\" and \"%s\"", error, path, reason);
    struct client client = connect_with(f, client_context(NULL, TLS1_3_VERSION), NULL);
    assert_served_by(&client, "first.example");
    client_close(&client);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_bad_reload_changes_nothing(void **state)
{
    struct fixture f;
    char missing[100], nonsense[100], locked[100];
    (void)state;
    start(&f, false);
    const char *certificate = f.second.certificate_path, *key = f.second.key_path;
    snprintf(missing, sizeof(missing), "%s/missing.pem", f.folder);
    snprintf(nonsense, sizeof(nonsense), "%s/nonsense.pem", f.folder);
    snprintf(locked, sizeof(locked), "%s/locked.key", f.folder);
    write_text(nonsense, "this is no certificate\n");
    FILE *file = fopen(locked, "w");
    assert_int_equal(PEM_write_PrivateKey(file, f.second.key, EVP_aes_128_cbc(),
                                          (const unsigned char *)"secret", 6, NULL, NULL),
                     1);
    fclose(file);

    reload_fails(&f, (struct tls_options){missing, key, NULL}, missing, "No such file");
    reload_fails(&f, (struct tls_options){certificate, missing, NULL}, missing, "No such file");
    reload_fails(&f, (struct tls_options){nonsense, key, NULL}, nonsense, "no start line");
    reload_fails(&f, (struct tls_options){certificate, f.first.key_path, NULL}, f.first.key_path,
                 "mismatch");
    reload_fails(&f, (struct tls_options){certificate, locked, NULL}, locked, "password");
    reload_fails(&f, (struct tls_options){certificate, key, nonsense}, nonsense, ": ");
    stop(&f);
}

static void session_resumes(struct fixture *f, const struct identity *identity, int version,
                            const char *name)
{
    struct client client = connect_with(f, client_context(identity, version), NULL);
    assert_false(SSL_session_reused(client.ssl));
    assert_true(echoes(f, &client, "full"));
    SSL_SESSION *session = SSL_get1_session(client.ssl);
    SSL_shutdown(client.ssl); /* a client that ends rudely may not resume */
    client_close(&client);

    f->certificate[0] = '\0';
    client = connect_with(f, client_context(identity, version), session);
    assert_true(SSL_session_reused(client.ssl));
    assert_true(echoes(f, &client, "resumed"));
    assert_string_equal(f->certificate, name);
    client_close(&client);
    SSL_SESSION_free(session);
}

static void test_sessions_resume(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, false);
    session_resumes(&f, NULL, TLS1_3_VERSION, "");
    session_resumes(&f, NULL, TLS1_2_VERSION, "");
    stop(&f);
}

static void test_resumed_peers_keep_their_names(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, true);
    struct identity identity = identity_make(f.folder, "client", "box-17", NULL, &f.authority);
    session_resumes(&f, &identity, TLS1_3_VERSION, "box-17");
    session_resumes(&f, &identity, TLS1_2_VERSION, "box-17");
    identity_free(&identity);
    stop(&f);
}

/* More than the kernel takes: records that stopped half-way must go on where they were. */
static void test_last_words_through_tls(void **state)
{
    static char block[OUTPUT_MAX / 4], got[65536];
    struct fixture f;
    size_t sent = 0, read = 0;
    (void)state;
    start(&f, false);
    struct client client = connect_with(&f, client_context(NULL, TLS1_3_VERSION), NULL);
    while (tcp_counters(f.tcp)->bytes_out == sent) {
        for (size_t i = 0; i < sizeof(block); i++)
            block[i] = (char)((sent + i) % 251);
        assert_true(tcp_send(f.tcp, f.connection, block, sizeof(block)));
        sent += sizeof(block);
    }
    tcp_hang_up(f.tcp, f.connection, true);

    double deadline = seconds_now() + 10;
    while (seconds_now() < deadline) {
        int size = SSL_read(client.ssl, got, sizeof(got));
        for (int i = 0; i < size; i++, read++)
            if (got[i] != (char)(read % 251))
                fail_msg("byte %zu differs", read);
        if (size <= 0 && SSL_get_error(client.ssl, size) != SSL_ERROR_WANT_READ)
            break;
        loop_once(f.base);
    }
    assert_int_equal(read, sent);
    assert_int_equal(SSL_get_shutdown(client.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    client_close(&client);
    assert_true(LOOP_UNTIL(f.base, tcp_count(f.tcp) == 0));
    stop(&f);
}

/* One record is larger than a turn's share of most connections, and is taken whole. */
static void test_full_records_come_through(void **state)
{
    static char record[16384];
    struct fixture f;
    (void)state;
    start(&f, false);
    struct client client = connect_with(&f, client_context(NULL, TLS1_3_VERSION), NULL);
    memset(record, 'x', sizeof(record));
    for (int i = 0; i < 3; i++)
        assert_int_equal(SSL_write(client.ssl, record, sizeof(record)), sizeof(record));
    assert_true(LOOP_UNTIL(f.base, f.received == 3 * sizeof(record)));
    client_close(&client);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_go_both_ways),
        cmocka_unit_test(test_rude_end_is_an_end),
        cmocka_unit_test(test_old_versions_are_refused),
        cmocka_unit_test(test_client_certificates_name_the_peer),
        cmocka_unit_test(test_strangers_are_refused),
        cmocka_unit_test(test_stalled_handshakes_end),
        cmocka_unit_test(test_many_handshakes_all_end_well),
        cmocka_unit_test(test_reload_while_connections_live),
        cmocka_unit_test(test_bad_reload_changes_nothing),
        cmocka_unit_test(test_sessions_resume),
        cmocka_unit_test(test_resumed_peers_keep_their_names),
        cmocka_unit_test(test_last_words_through_tls),
        cmocka_unit_test(test_full_records_come_through),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
