/* Times as they come, and their percentiles in the end. */
#ifndef SAMPLES_H
#define SAMPLES_H
#include "wire.h"

struct samples {
    double *at;
    size_t n, room;
};

static int measuring;

/* One more, in microseconds since `since` (ns); what comes outside the measured time does not count. */
static void add(struct samples *to, uint64_t since) {
    if (!measuring) return;
    if (to->n == to->room && !(to->at = realloc(to->at, (to->room = to->room * 2 + 1024) * sizeof *to->at)))
        die("load: memory");
    to->at[to->n++] = (double)(now_ns() - since) / 1000;
}

static int by_size(const void *a, const void *b) {
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

static void print_samples(const char *name, struct samples *of) {
    qsort(of->at, of->n, sizeof *of->at, by_size);
    printf("\"%s\": {\"n\": %zu", name, of->n);
    if (of->n) printf(", \"p50\": %.1f, \"p99\": %.1f", of->at[of->n / 2], of->at[of->n * 99 / 100]);
    printf("}, ");
}
#endif
