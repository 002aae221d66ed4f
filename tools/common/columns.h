/*
 * JSON objects as a table for people: a heading and aligned columns; one object alone, or one whose
 * keys are not those of the row before, stands for itself. Rows are printed in batches, so a table
 * of any length takes little memory. Text that devices sent never reaches the terminal raw.
 */
#ifndef ONEKEY_COMMON_COLUMNS_H
#define ONEKEY_COMMON_COLUMNS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define COLUMNS_MAX 24
#define COLUMNS_BATCH 500

struct columns {
    FILE *out;
    int row_count;
    bool has_heading; /* printed for the keys of the rows held */
    size_t widths[COLUMNS_MAX];
    json_t *rows[COLUMNS_BATCH];
};

void columns_start(struct columns *columns, FILE *out);
/* Takes the row's reference. */
void columns_add(struct columns *columns, json_t *row);
void columns_finish(struct columns *columns);

#endif
