#include "tools/console/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/console/figures.h"
#include "tools/console/http/status.h"
#include "tools/console/worker.h"
#include "tools/report/report.h"

#define REPORTS_MAX 8 /* that wait or are written, each whole in memory */
#define HEADERS_SIZE 2048

enum format { FORMAT_XLSX, FORMAT_CSV, FORMAT_JSON, FORMATS };
static const struct {
    const char *name, *type;
} formats[FORMATS] = {
    [FORMAT_XLSX] = {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    [FORMAT_CSV] = {"csv", "text/csv; charset=utf-8"},
    [FORMAT_JSON] = {"json", "application/json; charset=utf-8"},
};

/* A report on its way: the thread has it between worker_run and on_written. */
struct job {
    struct call *call;
    enum format format;
    struct request request;
    char *json; /* as the database told it */
    char *file;
    size_t size;
};

static const char *argument(const struct call *call, const char *name)
{
    const char *value = json_string_value(json_object_get(call->arguments, name));
    return value == NULL ? "" : value;
}

/* --- on the thread --- */

static char *read_all(int fd, size_t *size)
{
    off_t end = lseek(fd, 0, SEEK_END);
    char *text = end < 0 ? NULL : malloc((size_t)end + 1);
    *size = end < 0 ? 0 : (size_t)end;
    if (text != NULL && pread(fd, text, *size, 0) != (ssize_t)*size) {
        free(text);
        text = NULL;
    }
    return text;
}

/* The library writes to a path only. */
static bool write_xlsx(struct job *job, const json_t *report)
{
    char path[] = "/tmp/onekey-report-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        return false;
    /* It truncates the file and writes through a descriptor of its own. */
    if (xlsx_write(report, &job->request, path))
        job->file = read_all(fd, &job->size);
    close(fd);
    unlink(path);
    return job->file != NULL;
}

static bool write_text(struct job *job, const json_t *report)
{
    FILE *out = open_memstream(&job->file, &job->size);
    if (out == NULL)
        return false;
    bool good = job->format == FORMAT_CSV ? csv_write(report, &job->request, out)
                                          : json_dumpf(report, out, JSON_INDENT(1)) == 0;
    return fclose(out) == 0 && good;
}

static bool write_file(void *context)
{
    struct job *job = context;
    struct request *request = &job->request;
    json_t *report = json_loads(job->json, 0, NULL);
    if (report == NULL)
        return false;
    json_object_set_new(report, "version", json_string(ONEKEY_VERSION));
    snprintf(request->district, sizeof(request->district), "%s", text_member(report, "district"));
    snprintf(request->from, sizeof(request->from), "%s", text_member(report, "from"));
    snprintf(request->until, sizeof(request->until), "%s", text_member(report, "until"));
    snprintf(request->previous_from, sizeof(request->previous_from), "%s",
             text_member(report, "previous_from"));
    json_object_del(report, "previous_from");
    bool good = job->format == FORMAT_XLSX ? write_xlsx(job, report) : write_text(job, report);
    json_decref(report);
    return good;
}

/* --- on the loop --- */

static void release(struct job *job)
{
    free(job->json);
    free(job->file);
    free(job);
}

/* onekey-2026-10.xlsx; by its first day if it is no month. */
static void answer_file(struct job *job)
{
    const char *name = argument(job->call, "month");
    char headers[HEADERS_SIZE];
    if (name[0] == '\0')
        name = job->request.from;
    snprintf(headers, sizeof(headers),
             STATUS_HEADERS "Content-Disposition: attachment; filename=\"onekey-%s.%s\"\r\n", name,
             formats[job->format].name);
    const struct reply reply = {.status = 200,
                                .type = formats[job->format].type,
                                .headers = headers,
                                .body = job->file,
                                .size = job->size};
    figures_count_answer(job->call->app->figures, 200);
    server_reply(job->call->exchange, &reply, NULL, NULL);
    call_free(job->call);
}

static void on_written(void *context, const struct worker_result *result)
{
    struct job *job = context;
    struct app *app = job->call->app;
    app->reports--;
    if (result->good) {
        answer_file(job);
    } else {
        log_event(&app->log, LOG_ERROR, "report.failed",
                  field_text("format", formats[job->format].name));
        call_refuse(job->call, 500, "internal", "that went wrong here; it is logged");
    }
    release(job);
}

/* FORMATS if there is none of that name. */
static enum format find_format(const char *name)
{
    int format = 0;
    while (format < FORMATS && strcmp(formats[format].name, name) != 0)
        format++;
    return (enum format)format;
}

static void on_report(void *context, const struct pipeline_result *result)
{
    struct call *call = context;
    struct app *app = call->app;
    if (result->outcome != PIPELINE_OK || rows_int64(result->rows, 0, 0) != 200) {
        call_finish(call, result);
        return;
    }
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL || (job->json = strdup(rows_text(result->rows, 0, 1))) == NULL)
        abort(); /* out of memory */
    job->call = call;
    job->format = find_format(argument(call, "format"));
    job->request.is_chinese = strcmp(argument(call, "language"), "zh") == 0;
    job->request.compares = strcmp(argument(call, "compare"), "previous") == 0;
    if (app->reports < REPORTS_MAX && worker_run(app->writer, write_file, on_written, job)) {
        app->reports++;
        return;
    }
    release(job);
    call_refuse(call, 503, "busy", "too many reports are being written; try again");
}

void report_begin(struct call *call)
{
    if (find_format(argument(call, "format")) == FORMATS)
        call_refuse(call, 400, "invalid", "format is xlsx, csv or json");
    else
        call_submit(call, call->route->request, on_report);
}
