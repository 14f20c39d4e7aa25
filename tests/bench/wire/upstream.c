/* What a session's display is to a proxy: a websocket server that does what the load's text messages say.
 *
 *   upstream tcp | upstream unix PATH | upstream tls CERTIFICATE KEY CLIENT_CERTIFICATE
 *
 * Prints its port (0 for a unix socket) when it listens. Text messages: `frames FPS SIZE` (draws from now on),
 * `flood SIZE TOTAL` (as fast as it can), `message SIZE` (one). A binary message comes back as it is; of one that is
 * larger than KEEP only its size comes back. One thread per connection: nobody's slow reader holds up another.
 * Frames carry the time when they were due, not when they were sent: a display that is held up is late, not slower. */
#include "wire.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct connection {
    int fd, over;
    SSL *ssl;
    uint64_t period, due, size;
    struct parser parser;
};
static SSL_CTX *context;
static unsigned char zeros[CHUNK];

static ssize_t take(struct connection *c, void *into, size_t n) {
    return c->ssl ? SSL_read(c->ssl, into, (int)n) : read(c->fd, into, n);
}

static void give(struct connection *c, const void *data, size_t n) {
    const char *at = data;
    while (n && !c->over) {
        ssize_t sent = c->ssl ? SSL_write(c->ssl, at, (int)n) : write(c->fd, at, n);
        if (sent <= 0) c->over = 1;
        else at += sent, n -= (size_t)sent;
    }
}

/* One frame: `first` bytes of `start`, then zeros; in few and large writes, as a display would. */
static void send_frame(struct connection *c, int opcode, uint64_t size, const void *start, size_t first) {
    unsigned char out[CHUNK];
    size_t n = put_header(out, opcode, size, NULL);
    memcpy(out + n, start, first);
    n += first;
    uint64_t left = size - first;
    size_t part = left < sizeof out - n ? (size_t)left : sizeof out - n;
    memset(out + n, 0, part);
    give(c, out, n + part);
    for (left -= part; left && !c->over; left -= part) {
        part = left < CHUNK ? (size_t)left : CHUNK;
        give(c, zeros, part);
    }
}

static void flood(struct connection *c, uint64_t size, uint64_t total) {
    for (uint64_t sent = 0; sent < total && !c->over; sent += size) send_frame(c, BINARY, size, "f", 1);
}

static void obey(struct connection *c, const char *words) {
    unsigned long long first = 0, second = 0;
    if (sscanf(words, "frames %llu %llu", &first, &second) == 2) {
        c->period = 1000000000u / first;
        c->size = second;
        c->due = now_ns() + (uint64_t)random() % c->period; /* displays do not draw in step */
    } else if (sscanf(words, "flood %llu %llu", &first, &second) == 2) {
        flood(c, first, second);
    } else if (sscanf(words, "message %llu", &first) == 1) {
        send_frame(c, BINARY, first, "m", 1);
    } else {
        c->over = 1;
    }
}

static void heard(void *owner, int opcode, uint64_t size, unsigned char *body) {
    struct connection *c = owner;
    char words[64] = "";
    if (opcode == TEXT) {
        memcpy(words, body, size < sizeof words ? (size_t)size : sizeof words - 1);
        obey(c, words);
    } else if (opcode == BINARY && size <= KEEP) {
        send_frame(c, BINARY, size, body, (size_t)size);
    } else if (opcode == BINARY) {
        send_frame(c, BINARY, sizeof size, &size, sizeof size);
    } else if (opcode == PING) {
        send_frame(c, PONG, size, body, (size_t)size);
    } else if (opcode == CLOSE) {
        send_frame(c, CLOSE, size, body, (size_t)size);
        c->over = 1;
    }
}

static void draw(struct connection *c) {
    unsigned char start[16] = "F";
    memcpy(start + 8, &c->due, 8);
    send_frame(c, BINARY, c->size, start, sizeof start);
    c->due += c->period;
}

/* Answers the upgrade; bytes after it go to the parser. */
static int upgrade(struct connection *c) {
    char head[HEAD + 1] = "", *end, *key;
    size_t n = 0;
    while (!(end = strstr(head, "\r\n\r\n"))) {
        ssize_t got = n < HEAD ? take(c, head + n, HEAD - n) : 0;
        if (got <= 0) return 0;
        head[n += (size_t)got] = 0;
    }
    if (!(key = strcasestr(head, "\r\nSec-WebSocket-Key:"))) return 0;
    key += 20 + strspn(key + 20, " ");
    char both[64] = "", accept[32], answer[256];
    unsigned char hash[SHA_DIGEST_LENGTH];
    snprintf(both, sizeof both, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    SHA1((unsigned char *)both, strlen(both), hash);
    EVP_EncodeBlock((unsigned char *)accept, hash, sizeof hash);
    int length = snprintf(answer, sizeof answer,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
    give(c, answer, (size_t)length);
    end += 4;
    parse(&c->parser, (unsigned char *)end, n - (size_t)(end - head), heard, c);
    return 1;
}

static void converse(struct connection *c) {
    unsigned char data[65536];
    while (!c->over) {
        if (!(c->ssl && SSL_pending(c->ssl))) {
            uint64_t now = now_ns(), wait = c->due > now ? c->due - now : 0;
            struct timespec until = {(time_t)(wait / 1000000000u), (long)(wait % 1000000000u)};
            struct pollfd readable = {c->fd, POLLIN, 0};
            int ready = ppoll(&readable, 1, c->period ? &until : NULL, NULL);
            if (c->period && now_ns() >= c->due) draw(c);
            if (ready <= 0) continue;
        }
        ssize_t got = take(c, data, sizeof data);
        if (got <= 0) return;
        parse(&c->parser, data, (size_t)got, heard, c);
    }
}

static void *serve(void *given) {
    struct connection *c = given;
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* fails for unix sockets, which need none */
    if (context) {
        c->ssl = SSL_new(context);
        SSL_set_fd(c->ssl, c->fd);
    }
    if ((!c->ssl || SSL_accept(c->ssl) == 1) && upgrade(c)) converse(c);
    if (c->ssl) SSL_free(c->ssl);
    close(c->fd);
    free(c);
    return NULL;
}

static SSL_CTX *mutual(char **files) {
    SSL_CTX *made = SSL_CTX_new(TLS_server_method());
    int ok = made && SSL_CTX_use_certificate_file(made, files[0], SSL_FILETYPE_PEM) == 1 &&
             SSL_CTX_use_PrivateKey_file(made, files[1], SSL_FILETYPE_PEM) == 1 &&
             SSL_CTX_load_verify_file(made, files[2]) == 1;
    if (!ok) {
        fprintf(stderr, "upstream: the certificates cannot be used\n");
        exit(1);
    }
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_session_id_context(made, (const unsigned char *)"bench", 5); /* else a resumed session is refused */
    return made;
}

static int listen_at(const char *path, int *port) {
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (path) snprintf(place.sun_path, sizeof place.sun_path, "%s", path);
    if (fd < 0 || bind(fd, path ? (void *)&place : (void *)&address, path ? sizeof place : sizeof address) ||
        listen(fd, 512))
        die("upstream: listen");
    if (!path && getsockname(fd, (struct sockaddr *)&address, &size)) die("upstream: getsockname");
    *port = path ? 0 : ntohs(address.sin_port);
    return fd;
}

int main(int argc, char **argv) {
    int port, local = argc == 3 && !strcmp(argv[1], "unix"), tls = argc == 5 && !strcmp(argv[1], "tls");
    if (!local && !tls && !(argc == 2 && !strcmp(argv[1], "tcp"))) return 2;
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    if (tls) context = mutual(argv + 2);
    int listener = listen_at(local ? argv[2] : NULL, &port);
    printf("%d\n", port);
    fflush(stdout);
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, 1024 * 1024);
    for (;;) {
        struct connection *c = calloc(1, sizeof *c);
        pthread_t thread;
        c->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (c->fd < 0 || pthread_create(&thread, &detached, serve, c)) die("upstream: accept");
    }
}
