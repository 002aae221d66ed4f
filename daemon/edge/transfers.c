#include "daemon/edge/transfers.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "daemon/edge/trust.h"

#define CONNECT_TIMEOUT_S 10
#define ANSWER_MAX 65536 /* of headers and of body, each */
#define RETRY_MAX_S 86400
#define CONNECTIONS_KEPT 4
#define IDLE_MAX_S 60

struct transfers {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
    struct x509_store_st *trust;
    LIST_HEAD(, transfer) list;
};

struct transfer {
    struct transfers *transfers;
    CURL *easy;
    struct curl_slist *headers, *to;
    char *body;
    size_t size, sent, head_size, answer_size;
    bool is_cut; /* enough of the answer was read */
    char error[CURL_ERROR_SIZE];
    transfer_on_done *on_done;
    void *context;
    LIST_ENTRY(transfer) link;
};

static void forget(struct transfer *transfer)
{
    LIST_REMOVE(transfer, link);
    curl_multi_remove_handle(transfer->transfers->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->to);
    explicit_bzero(transfer->body, transfer->size); /* it may name persons */
    free(transfer->body);
    free(transfer);
}

static void finish(struct transfer *transfer, CURLcode code)
{
    struct transfer_result result = {
        .is_whole = code == CURLE_OK || transfer->is_cut,
        .is_denied = code == CURLE_LOGIN_DENIED,
        .text = transfer->error[0] ? transfer->error : curl_easy_strerror(code),
    };
    curl_off_t retry_s = 0;
    transfer_on_done *on_done = transfer->on_done;
    void *context = transfer->context;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &result.status);
    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_s);
    if (retry_s > 0)
        result.retry_s = retry_s < RETRY_MAX_S ? (int)retry_s : RETRY_MAX_S;
    on_done(context, &result);
    forget(transfer);
}

static void collect(struct transfers *transfers)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(transfers->multi, &left))) {
        struct transfer *transfer = NULL;
        CURLcode code = message->data.result;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        finish(transfer, code);
    }
}

/* --- libcurl on libevent --- */

static void on_socket_event(evutil_socket_t fd, short what, void *context)
{
    struct transfers *transfers = context;
    int running,
        actions = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);

    curl_multi_socket_action(transfers->multi, fd, actions, &running);
    collect(transfers);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
    struct transfers *transfers = context;
    struct event *event = known;
    short wanted = (short)((what & CURL_POLL_IN ? EV_READ : 0) |
                           (what & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);

    (void)easy;
    if (event)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        event = event_new(transfers->base, fd, wanted, on_socket_event, transfers);
        if (!event)
            abort();
        event_add(event, NULL);
    }
    curl_multi_assign(transfers->multi, fd, event);
    return 0;
}

static void on_timer_event(evutil_socket_t fd, short what, void *context)
{
    struct transfers *transfers = context;
    int running;

    (void)fd, (void)what;
    curl_multi_socket_action(transfers->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(transfers);
}

static int on_timer(CURLM *multi, long wait_ms, void *context)
{
    struct transfers *transfers = context;
    struct timeval wait = {wait_ms / 1000, wait_ms % 1000 * 1000};

    (void)multi;
    if (wait_ms < 0)
        event_del(transfers->timer);
    else
        event_add(transfers->timer, &wait);
    return 0;
}

/* --- one request --- */

static size_t on_head(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;

    (void)data;
    transfer->head_size += size * count;
    return transfer->head_size > ANSWER_MAX ? 0 : size * count;
}

/* What the answer says does not matter. One without end is cut off: its status stands. */
static size_t on_answer(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;

    (void)data;
    transfer->answer_size += size * count;
    transfer->is_cut = transfer->answer_size > ANSWER_MAX;
    return transfer->is_cut ? 0 : size * count;
}

static size_t on_upload(char *out, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t room = size * count, left = transfer->size - transfer->sent;

    if (left < room)
        room = left;
    memcpy(out, transfer->body + transfer->sent, room);
    transfer->sent += room;
    return room;
}

static CURLcode on_tls(CURL *easy, void *ssl_ctx, void *context)
{
    (void)easy;
    trust_use(((struct transfers *)context)->trust, ssl_ctx);
    return CURLE_OK;
}

static struct curl_slist *list_of(const char *const *texts)
{
    struct curl_slist *list = NULL;

    for (; texts && *texts; texts++)
        if (!(list = curl_slist_append(list, *texts)))
            abort(); /* out of memory */
    return list;
}

static void set(CURLcode code)
{
    if (code != CURLE_OK)
        abort(); /* out of memory, or a libcurl without what was asked of it at start */
}

static void set_post(struct transfer *transfer)
{
    CURL *easy = transfer->easy;

    set(curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"));
    set(curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1));
    set(curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers));
    set(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->size));
    set(curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body));
}

static void set_mail(struct transfer *transfer, const struct transfer_request *request)
{
    CURL *easy = transfer->easy;

    set(curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps"));
    set(curl_easy_setopt(easy, CURLOPT_USE_SSL,
                         (long)(request->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE)));
    set(curl_easy_setopt(easy, CURLOPT_MAIL_FROM, request->from));
    set(curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, transfer->to));
    set(curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L));
    set(curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload));
    set(curl_easy_setopt(easy, CURLOPT_READDATA, transfer));
    if (request->username) {
        set(curl_easy_setopt(easy, CURLOPT_USERNAME, request->username));
        set(curl_easy_setopt(easy, CURLOPT_PASSWORD, request->password));
    }
}

static void set_limits(struct transfer *transfer, const struct transfer_request *request)
{
    CURL *easy = transfer->easy;
    long connect_s =
        request->timeout_s < CONNECT_TIMEOUT_S ? request->timeout_s : CONNECT_TIMEOUT_S;

    set(curl_easy_setopt(easy, CURLOPT_URL, request->url));
    set(curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer));
    set(curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error));
    set(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
    /* Without it a time-out waits for the thread that looks a name up. */
    set(curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L));
    set(curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)request->timeout_s));
    set(curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, connect_s));
    set(curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S));
    set(curl_easy_setopt(easy, CURLOPT_PROXY, ""));
    set(curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED));
    set(curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L));
    set(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L));
    set(curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L));
    set(curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
    set(curl_easy_setopt(easy, CURLOPT_CAINFO, NULL)); /* nothing but what on_tls puts there */
    set(curl_easy_setopt(easy, CURLOPT_CAPATH, NULL));
    set(curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls));
    set(curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer->transfers));
    set(curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head));
    set(curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer));
    set(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer));
    set(curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer));
}

void transfers_start(struct transfers *transfers, const struct transfer_request *request,
                     transfer_on_done *on_done, void *context)
{
    struct transfer *transfer = calloc(1, sizeof(*transfer));

    if (!transfer || !(transfer->body = malloc(request->size + 1)) ||
        !(transfer->easy = curl_easy_init()))
        abort();
    memcpy(transfer->body, request->body, request->size);
    transfer->size = request->size;
    transfer->transfers = transfers;
    transfer->headers = list_of(request->headers);
    transfer->to = list_of(request->to);
    transfer->on_done = on_done;
    transfer->context = context;
    set_limits(transfer, request);
    if (request->from)
        set_mail(transfer, request);
    else
        set_post(transfer);
    LIST_INSERT_HEAD(&transfers->list, transfer, link);
    if (curl_multi_add_handle(transfers->multi, transfer->easy) != CURLM_OK)
        abort();
}

struct transfers *transfers_open(struct event_base *base, const char *ca_path, char *error,
                                 size_t error_size)
{
    struct x509_store_st *trust = trust_open(ca_path, error, error_size);
    struct transfers *transfers = calloc(1, sizeof(*transfers));

    if (!transfers)
        abort();
    if (!trust) {
        free(transfers);
        return NULL;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        !(transfers->multi = curl_multi_init()))
        abort();
    transfers->trust = trust;
    transfers->base = base;
    transfers->timer = event_new(base, -1, 0, on_timer_event, transfers);
    if (!transfers->timer)
        abort();
    curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETDATA, transfers);
    curl_multi_setopt(transfers->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(transfers->multi, CURLMOPT_TIMERDATA, transfers);
    curl_multi_setopt(transfers->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    return transfers;
}

void transfers_close(struct transfers *transfers)
{
    if (!transfers)
        return;
    while (!LIST_EMPTY(&transfers->list))
        forget(LIST_FIRST(&transfers->list));
    curl_multi_cleanup(transfers->multi);
    event_free(transfers->timer);
    trust_close(transfers->trust);
    free(transfers);
    curl_global_cleanup(); /* counts its inits */
}
