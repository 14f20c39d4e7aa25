/* The little of RFC 6455 that a load and its upstream need: whole frames out, a parser that keeps a frame's first bytes in. */
#ifndef WIRE_H
#define WIRE_H
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEEP = 4096, CHUNK = 256 * 1024, HEAD = 8192 };
enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };
static const unsigned char MASK[4] = {0x12, 0x34, 0x56, 0x78};

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void die(const char *what) {
    perror(what);
    exit(1);
}

/* A frame's header (final, whole); with a mask it is a client's. Returns its length, at most 14. */
static inline size_t put_header(unsigned char *out, int opcode, uint64_t size, const unsigned char *mask) {
    size_t n = 2;
    out[0] = (unsigned char)(0x80 | opcode);
    out[1] = size < 126 ? (unsigned char)size : size < 65536 ? 126 : 127;
    if (out[1] > 125)
        for (int shift = out[1] == 126 ? 8 : 56; shift >= 0; shift -= 8) out[n++] = (unsigned char)(size >> shift);
    if (mask) {
        out[1] |= 0x80;
        memcpy(out + n, mask, 4);
        n += 4;
    }
    return n;
}

struct parser {
    unsigned char head[14], body[KEEP];
    size_t have, kept;
    uint64_t size, left;
    int inside;
};

/* `body` holds the first KEEP bytes of the frame's payload, unmasked. */
typedef void (*on_frame)(void *owner, int opcode, uint64_t size, unsigned char *body);

static inline size_t head_size(const struct parser *p) {
    if (p->have < 2) return 2;
    unsigned length = p->head[1] & 0x7f;
    return 2u + (length == 126 ? 2 : length == 127 ? 8 : 0) + (p->head[1] & 0x80 ? 4 : 0);
}

static inline void begin(struct parser *p) {
    unsigned length = p->head[1] & 0x7f;
    p->size = length < 126 ? length : 0;
    for (unsigned i = 0; length > 125 && i < (length == 126 ? 2u : 8u); i++) p->size = p->size << 8 | p->head[2 + i];
    p->left = p->size;
    p->kept = 0;
    p->inside = 1;
}

static inline void parse(struct parser *p, const unsigned char *data, size_t n, on_frame call, void *owner) {
    for (;;) {
        while (!p->inside && n) {
            p->head[p->have++] = *data++;
            n--;
            if (p->have == head_size(p)) begin(p);
        }
        if (!p->inside) return;
        size_t part = n < p->left ? n : (size_t)p->left;
        const unsigned char *mask = p->head[1] & 0x80 ? p->head + p->have - 4 : NULL;
        for (size_t i = 0; i < part && p->kept < KEEP; i++, p->kept++)
            p->body[p->kept] = (unsigned char)(data[i] ^ (mask ? mask[p->kept % 4] : 0));
        data += part;
        n -= part;
        p->left -= part;
        if (p->left) return;
        p->inside = 0;
        p->have = 0;
        call(owner, p->head[0] & 0x0f, p->size, p->body);
    }
}
#endif
