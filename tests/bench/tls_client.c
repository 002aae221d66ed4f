/*
 * Devices on TLS:
 *
 *     tls_client handshake PORT THREADS SECONDS   as many full handshakes as go; prints `rate`
 *     tls_client hold PORT COUNT 0                connections that say a heartbeat, are answered and stay;
 *                                                 prints `held`, and ends when standard input does
 */
#include "tests/bench/bench.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define THREADS_MAX 64

static SSL_CTX *context;
static int port;
static int64_t end_us;
static atomic_long done;

static SSL *shake_hands(int fd)
{
    SSL *ssl = SSL_new(context);

    if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
        fail("handshake");
    return ssl;
}

/* Closed by a reset, or the kernel runs out of ports that wait. */
static void hang_up(int fd)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

static void *shake_on(void *unused)
{
    while (now_us() < end_us) {
        int fd = connect_to(port);

        SSL_free(shake_hands(fd));
        hang_up(fd);
        done++;
    }
    return unused;
}

static void measure_handshakes(long threads, double seconds)
{
    pthread_t running[THREADS_MAX];
    int64_t start_us = now_us();

    end_us = start_us + (int64_t)(seconds * 1e6);
    for (long i = 0; i < threads; i++)
        if (pthread_create(&running[i], NULL, shake_on, NULL) != 0)
            fail("thread");
    for (long i = 0; i < threads; i++)
        pthread_join(running[i], NULL);
    printf("rate=%.0f\n", (double)done / ((double)(now_us() - start_us) / 1e6));
}

static void hold(long count)
{
    char frame[FRAME_SIZE], answer[FRAME_SIZE];
    long held = 0;

    for (; held < count; held++) {
        SSL *ssl = shake_hands(connect_to(port));
        int size = frame_heartbeat(frame, held);

        if (SSL_write(ssl, frame, size) != size || SSL_read(ssl, answer, sizeof(answer)) <= 0)
            break;
    }
    printf("held=%ld\n", held);
    fflush(stdout);
    while (read(STDIN_FILENO, answer, sizeof(answer)) > 0) {
    }
}

int main(int argc, char **argv)
{
    long count = argc == 5 ? strtol(argv[3], NULL, 10) : 0;

    if (count < 1 || (strcmp(argv[1], "handshake") == 0 && count > THREADS_MAX)) {
        fputs("usage: tls_client handshake|hold PORT COUNT SECONDS\n", stderr);
        return 2;
    }
    context = SSL_CTX_new(TLS_client_method());
    if (!context)
        fail("openssl");
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL); /* the server is what is measured */
    port = (int)strtol(argv[2], NULL, 10);
    if (strcmp(argv[1], "hold") == 0)
        hold(count);
    else
        measure_handshakes(count, strtod(argv[4], NULL));
    return 0;
}
