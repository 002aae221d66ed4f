/*
 * Reports that stand one after another in a message of JT/T 808 (0x0704, 0x0210), or the one of a
 * 0x0200, in one package or in several.
 *
 * Packages. Each is read when it comes, so that no alarm waits for another package. A report that
 * goes on in the next one is read as far as it goes, and again when it is whole; until then what is
 * not read of it is held in session->carry (its head and one element at most). A package whose
 * predecessor has not come is read from the first report that can be told in it, with the head that
 * begins in the one before, and is answered as failed: the terminal sends it again. It rings whatever
 * the others showed; the name of an alarm keeps it from ringing twice.
 */
#ifndef ONEKEY_PROTOCOL_JT808_REPORTS_H
#define ONEKEY_PROTOCOL_JT808_REPORTS_H

#include "protocol/jt808_frame.h"
#include "protocol/jt808_location.h"

enum jt808_result {
    JT808_RESULT_OK = 0,
    JT808_RESULT_FAILED = 1,
    JT808_RESULT_UNSUPPORTED = 3,
    JT808_RESULT_ALARM_CONFIRMED = 4
};

/* Is this a message of reports? */
bool jt808_reports_has(uint16_t id);
/* Adds what the reports of this package say. */
void jt808_reports_decode(const struct jt808_frame *frame, struct jt808_report *report,
                          struct codec_session *session, struct batch *batch);
/* What is answered to the package, one of several, that was just decoded. */
enum jt808_result jt808_reports_result(const struct jt808_frame *frame,
                                       const struct codec_session *session);

#endif
