#include "tools/console/pages.h"

#include <ctype.h>
#include <errno.h>
#include <fts.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

#include "tools/console/http/status.h"

#define PAGES_MAX 500
#define FILE_MAX (8 * 1024 * 1024)
#define PATH_MAX_SIZE 256
#define TAG_SIZE 36
#define HEADERS_SIZE 2048
#define HASH_LETTERS 8 /* of a name that changes with its content: app-1A2B3C4D.js */
#define INDEX "/index.html"
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-"
#define IMMUTABLE "Cache-Control: public, max-age=31536000, immutable\r\n"

struct page {
    char path[PATH_MAX_SIZE]; /* as in a request */
    char tag[TAG_SIZE];
    void *bytes;
    size_t size;
    UT_hash_handle hh;
};

struct pages {
    struct page *files;
    struct log *log;
};

static const struct {
    const char *suffix, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json; charset=utf-8"},
    {".map", "application/json; charset=utf-8"},
    {".webmanifest", "application/manifest+json; charset=utf-8"},
    {".txt", "text/plain; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".wav", "audio/wav"},
    {".ogg", "audio/ogg"},
    {".woff2", "font/woff2"},
};

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

static const char *type_of(const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (ends_with(path, types[i].suffix))
            return types[i].type;
    return "application/octet-stream";
}

/* Whether the name carries a hash of its content. */
static bool is_hashed(const char *path)
{
    const char *name = strrchr(path, '/') + 1, *dot = strrchr(name, '.');
    const char *at = dot == NULL ? name : dot;
    int letters = 0;
    while (at > name && isalnum((unsigned char)at[-1])) {
        at--;
        letters++;
    }
    return letters >= HASH_LETTERS && at > name && (at[-1] == '-' || at[-1] == '.');
}

static void make_tag(struct page *page)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(page->bytes, page->size, hash);
    page->tag[0] = '"';
    for (int i = 0; i < 16; i++)
        snprintf(page->tag + 1 + 2 * i, 3, "%02x", hash[i]);
    page->tag[33] = '"';
    page->tag[34] = '\0';
}

static bool read_bytes(struct page *page, const char *file, size_t size)
{
    FILE *stream = fopen(file, "rb");
    page->bytes = malloc(size + 1);
    if (page->bytes == NULL)
        abort(); /* out of memory */
    if (stream == NULL)
        return false;
    page->size = fread(page->bytes, 1, size, stream);
    bool good = page->size == size && !ferror(stream);
    fclose(stream);
    return good;
}

static void add_file(struct pages *pages, const FTSENT *entry, const char *path)
{
    struct page *page = calloc(1, sizeof(*page));
    if (page == NULL)
        abort(); /* out of memory */
    snprintf(page->path, sizeof(page->path), "%s", path);
    if (strlen(path) >= sizeof(page->path) || entry->fts_statp->st_size > FILE_MAX ||
        !read_bytes(page, entry->fts_accpath, (size_t)entry->fts_statp->st_size)) {
        log_event(pages->log, LOG_ERROR, "page.unread", field_text("file", path));
        free(page->bytes);
        free(page);
        return;
    }
    make_tag(page);
    HASH_ADD_STR(pages->files, path, page);
}

struct pages *pages_open(const char *folder, struct log *log)
{
    struct pages *pages = calloc(1, sizeof(*pages));
    char *roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (pages == NULL || tree == NULL)
        abort(); /* out of memory */
    pages->log = log;
    for (FTSENT *entry; (entry = fts_read(tree)) != NULL;)
        if (entry->fts_info == FTS_F && HASH_COUNT(pages->files) < PAGES_MAX)
            add_file(pages, entry, entry->fts_path + strlen(folder));
    fts_close(tree);
    log_event(log, HASH_COUNT(pages->files) > 0 ? LOG_INFO : LOG_WARNING, "pages.read",
              field_text("folder", folder), field_number("files", HASH_COUNT(pages->files)));
    return pages;
}

void pages_close(struct pages *pages)
{
    struct page *page, *following;
    HASH_ITER(hh, pages->files, page, following)
    {
        HASH_DEL(pages->files, page);
        free(page->bytes);
        free(page);
    }
    free(pages);
}

static const struct page *find(const struct pages *pages, const char *path)
{
    struct page *page = NULL;
    HASH_FIND_STR(pages->files, path, page);
    return page;
}

/* The file of a path; for one of plain words, which is the page's own business, the page. */
static const struct page *find_page(const struct pages *pages, const char *path)
{
    const struct page *page = find(pages, path);
    if (page == NULL && path[strspn(path, PLAIN)] == '\0')
        page = find(pages, INDEX);
    return page;
}

static const struct page *find_compressed(const struct pages *pages, const struct page *page,
                                          const struct message *message)
{
    const char *accepted = message_value(message, "accept-encoding");
    char path[PATH_MAX_SIZE + 4];
    if (accepted == NULL || strstr(accepted, "gzip") == NULL)
        return NULL;
    snprintf(path, sizeof(path), "%s.gz", page->path);
    return find(pages, path);
}

static void answer(struct exchange *exchange, int status, const char *type, const char *text)
{
    const struct reply reply = {.status = status,
                                .type = type,
                                .headers = STATUS_HEADERS "Allow: GET, HEAD\r\n",
                                .body = text,
                                .size = strlen(text)};
    server_reply(exchange, &reply, NULL, NULL);
}

static void serve(const struct pages *pages, struct exchange *exchange, const struct page *page)
{
    const struct message *message = &exchange->message;
    const struct page *compressed = find_compressed(pages, page, message);
    const struct page *sent = compressed == NULL ? page : compressed;
    const char *known = message_value(message, "if-none-match");
    const char *caching = strcmp(page->path, INDEX) == 0 ? "Cache-Control: no-store\r\n"
                          : is_hashed(page->path)        ? IMMUTABLE
                                                         : "Cache-Control: no-cache\r\n";
    char headers[HEADERS_SIZE];
    snprintf(headers, sizeof(headers), "%s%sETag: %s\r\nVary: Accept-Encoding\r\n%s", STATUS_GUARD,
             caching, sent->tag, compressed == NULL ? "" : "Content-Encoding: gzip\r\n");
    struct reply reply = {.status = 200, .type = type_of(page->path), .headers = headers};
    if (known != NULL && strstr(known, sent->tag) != NULL) {
        reply.status = 304;
    } else {
        reply.body = sent->bytes;
        reply.size = sent->size;
    }
    server_reply(exchange, &reply, NULL, NULL);
}

void pages_serve(const struct pages *pages, struct exchange *exchange)
{
    const struct message *message = &exchange->message;
    const struct page *page = find_page(pages, message->path);
    if (message->method != MESSAGE_GET && message->method != MESSAGE_HEAD)
        answer(exchange, 405, "text/plain", "only GET\n");
    else if (page == NULL)
        answer(exchange, 404, "text/plain", "there is no such page\n");
    else
        serve(pages, exchange, page);
}
