/* What browsers are to a proxy: websocket clients that measure, on one epoll loop, so that they cost little themselves.
 *
 *   load TARGET bulk SECONDS | rtt SECONDS | mix SESSIONS SECONDS | slow BYTES_PER_S TOTAL | message SIZE | idle
 *
 * TARGET is a file (it holds a token): `host port`, then lines `GET path` (used in turn; `{n}` becomes unique) and
 * header lines. Prints `start` when the measured time begins, one line of JSON when it ends, and keeps its connections
 * until its input ends, so that whoever measures the proxy can look at it at these very moments. `idle` opens as many
 * connections as each line of its input says. Times in the answers are microseconds. */
#include "samples.h"
#include "wire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATHS = 64, PEERS = 1024 };
static const uint64_t INPUT = 8000000u, SECOND = 1000000000u;

struct peer {
    int fd, opcode, over;
    uint64_t frames, answer, due;
    struct parser parser;
};

static char host[64], *paths[PATHS], headers[4096];
static int port, path_count, peer_count, loop;
static struct peer *peers[PEERS];
static struct samples frames, inputs;
static unsigned char buffer[CHUNK];

static void failed(const char *what) {
    printf("{\"error\": \"%s\"}\n", what);
    exit(1);
}

static void started(void) {
    measuring = 1;
    printf("start\n");
    fflush(stdout);
}

/* The end of the answer; then waits until it has been read and the proxy has been looked at. */
static void finish(double seconds) {
    measuring = 0;
    printf("\"seconds\": %.6f}\n", seconds);
    fflush(stdout);
    while (read(0, buffer, sizeof buffer) > 0) continue;
    exit(0);
}

static void read_target(const char *name) {
    char line[1024];
    FILE *file = fopen(name, "r");
    if (!file || !fgets(line, sizeof line, file) || sscanf(line, "%63s %d", host, &port) != 2) die("load: target");
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "GET ", 4) && path_count < PATHS) paths[path_count++] = strdup(line + 4);
        else snprintf(headers + strlen(headers), sizeof headers - strlen(headers), "%s\r\n", line);
    }
    fclose(file);
}

static void put(int fd, const void *data, size_t n) {
    const char *at = data;
    for (ssize_t sent; n; at += sent, n -= (size_t)sent)
        if ((sent = write(fd, at, n)) <= 0) failed("a connection broke while it was written to");
}

static void message(struct peer *p, int opcode, const void *data, size_t n) {
    unsigned char out[KEEP];
    size_t head = put_header(out, opcode, n, MASK);
    for (size_t i = 0; i < n; i++) out[head + i] = ((const unsigned char *)data)[i] ^ MASK[i % 4];
    put(p->fd, out, head + n);
}

static void say(struct peer *p, const char *words) { message(p, TEXT, words, strlen(words)); }

static void heard(void *owner, int opcode, uint64_t size, unsigned char *body) {
    struct peer *p = owner;
    uint64_t since;
    p->opcode = opcode;
    p->answer = size;
    memcpy(&since, body + 8, 8);
    if (opcode == BINARY && size >= 16 && body[0] == 'F') {
        add(&frames, since);
        p->frames += (uint64_t)measuring;
    } else if (opcode == BINARY && size >= 16 && body[0] == 'I') {
        add(&inputs, since);
    }
}

/* A websocket through the proxy; `peers` keeps it. */
static struct peer *open_peer(void) {
    struct peer *p = calloc(1, sizeof *p);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char request[8192], path[1024], *unique, *end = NULL;
    int on = 1;
    if (peer_count == PEERS) failed("too many connections");
    snprintf(path, sizeof path, "%s", paths[peer_count % path_count]);
    if ((unique = strstr(path, "{n}")))
        snprintf(unique, sizeof path - (size_t)(unique - path), "%d-%d", (int)getpid(), peer_count);
    inet_pton(AF_INET, host, &to.sin_addr);
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&to, sizeof to)) die("load: connect");
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                     path, host, port, headers);
    put(p->fd, request, (size_t)n);
    size_t got = 0;
    char head[HEAD + 1] = "";
    while (!(end = strstr(head, "\r\n\r\n"))) {
        ssize_t part = read(p->fd, head + got, HEAD - got);
        if (part <= 0) failed("the upgrade was not answered");
        head[got += (size_t)part] = 0;
    }
    if (strncmp(head, "HTTP/1.1 101", 12)) {
        head[strcspn(head, "\r")] = 0;
        failed(head);
    }
    end += 4;
    parse(&p->parser, (unsigned char *)end, got - (size_t)(end - head), heard, p);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
    if (epoll_ctl(loop, EPOLL_CTL_ADD, p->fd, &event)) die("load: epoll");
    return peers[peer_count++] = p;
}

/* When the measured time begins: nobody is judged by the first moments. */
static uint64_t after_warm_up(double seconds) { return now_ns() + (uint64_t)(seconds * 0.2e9); }

/* Handles what has come, waiting for it until `due`. Returns the bytes that came. */
static uint64_t listen_until(uint64_t due) {
    struct epoll_event events[128];
    uint64_t now = now_ns(), wait = due > now ? due - now : 0, total = 0;
    struct timespec until = {(time_t)(wait / SECOND), (long)(wait % SECOND)};
    int n = epoll_pwait2(loop, events, 128, &until, NULL);
    for (int i = 0; i < n; i++) {
        struct peer *p = events[i].data.ptr;
        ssize_t got = recv(p->fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got > 0) {
            total += (uint64_t)got;
            parse(&p->parser, buffer, (size_t)got, heard, p);
        } else if (!got || (errno != EAGAIN && errno != EINTR)) {
            p->over = 1;
            epoll_ctl(loop, EPOLL_CTL_DEL, p->fd, NULL);
        }
    }
    return total;
}

static void bulk(double seconds) {
    uint64_t bytes = 0, begun = after_warm_up(seconds), end;
    struct peer *p = open_peer();
    say(p, "flood 262144 1000000000000");
    for (uint64_t came = 0; (now_ns() < begun || !came) && !p->over;) came += listen_until(begun + SECOND);
    started();
    begun = now_ns();
    end = begun + (uint64_t)(seconds * 1e9);
    while (now_ns() < end && !p->over) bytes += listen_until(end);
    if (p->over) failed("the connection ended");
    double took = (double)(now_ns() - begun) / 1e9;
    printf("{\"bytes\": %llu, ", (unsigned long long)bytes);
    finish(took);
}

static void rtt(double seconds) {
    struct peer *p = open_peer();
    uint64_t begun = after_warm_up(seconds), end = begun + (uint64_t)(seconds * 1e9), sent = 0;
    unsigned char data[64] = "I";
    while (now_ns() < end && !p->over) {
        if (!measuring && now_ns() >= begun) started();
        sent = now_ns();
        memcpy(data + 8, &sent, 8);
        p->answer = 0;
        message(p, BINARY, data, sizeof data);
        while (!p->answer && !p->over) listen_until(now_ns() + SECOND);
    }
    if (p->over) failed("the connection ended");
    printf("{");
    print_samples("rtt", &inputs);
    finish(seconds);
}

/* Sends the input that is due; returns when the next one is. */
static uint64_t send_inputs(void) {
    uint64_t next = UINT64_MAX;
    unsigned char data[48] = "I";
    for (int i = 0; i < peer_count; i++) {
        struct peer *p = peers[i];
        uint64_t now = now_ns();
        if (!p->over && now >= p->due) {
            memcpy(data + 8, &now, 8);
            message(p, BINARY, data, sizeof data);
            p->due = p->due + INPUT > now ? p->due + INPUT : now + INPUT;
        }
        if (!p->over && p->due < next) next = p->due;
    }
    return next;
}

static void mix(int sessions, double seconds) {
    for (int i = 0; i < sessions; i++) open_peer();
    for (int i = 0; i < sessions; i++) {
        say(peers[i], "frames 30 51200");
        peers[i]->due = now_ns() + (uint64_t)i * INPUT / (uint64_t)sessions;
    }
    uint64_t begun = after_warm_up(seconds), end = begun + (uint64_t)(seconds * 1e9), least = UINT64_MAX, lost = 0;
    while (now_ns() < end) {
        if (!measuring && now_ns() >= begun) started();
        uint64_t due = send_inputs();
        listen_until(due < end ? due : end);
    }
    measuring = 0;
    for (int i = 0; i < sessions; i++) {
        if (peers[i]->frames < least) least = peers[i]->frames;
        lost += (uint64_t)peers[i]->over;
    }
    printf("{");
    print_samples("frame", &frames);
    print_samples("input", &inputs);
    printf("\"least\": %.3f, \"lost\": %llu, ", (double)least / (30 * seconds), (unsigned long long)lost);
    finish(seconds);
}

/* One connection that is flooded and reads so many bytes per second, until its input ends. */
static void slow(uint64_t rate, const char *total) {
    char words[64];
    snprintf(words, sizeof words, "flood 65536 %s", total);
    say(open_peer(), words);
    started();
    fcntl(0, F_SETFL, O_NONBLOCK);
    for (ssize_t told = -1; told; told = read(0, buffer, 1)) {
        recv(peers[0]->fd, buffer, rate / 10 < sizeof buffer ? rate / 10 : sizeof buffer, MSG_DONTWAIT);
        usleep(100000);
    }
}

/* One message down, then one up, on connections of their own: who cannot pass one closes it. */
static void whole_message(uint64_t size) {
    char words[64];
    unsigned char head[14];
    uint64_t began = now_ns(), answer = 0, took[2];
    snprintf(words, sizeof words, "message %llu", (unsigned long long)size);
    struct peer *down = open_peer(), *up = open_peer();
    started();
    say(down, words);
    while (!down->answer && !down->over && now_ns() - began < 20 * SECOND) listen_until(now_ns() + SECOND);
    took[0] = now_ns() - began;
    printf("{\"down\": %s, \"down_s\": %.3f, ", down->answer == size ? "true" : "false", (double)took[0] / 1e9);
    began = now_ns();
    size_t n = put_header(head, BINARY, size, MASK);
    if (write(up->fd, head, n) != (ssize_t)n) up->over = 1;
    for (uint64_t left = size; left && !up->over;) {
        ssize_t sent = write(up->fd, buffer, left < sizeof buffer ? (size_t)left : sizeof buffer);
        if (sent <= 0) up->over = 1;
        else left -= (uint64_t)sent;
    }
    while (!up->answer && !up->over && now_ns() - began < 20 * SECOND) listen_until(now_ns() + SECOND);
    took[1] = now_ns() - began;
    if (up->answer == sizeof answer) memcpy(&answer, up->parser.body, sizeof answer);
    printf("\"up\": %s, \"up_s\": %.3f, ", answer == size ? "true" : "false", (double)took[1] / 1e9);
    finish((double)(took[0] + took[1]) / 1e9);
}

static void idle(void) {
    char line[32];
    started();
    while (fgets(line, sizeof line, stdin)) {
        for (int more = atoi(line); more > 0; more--) open_peer();
        printf("{\"open\": %d}\n", peer_count);
        fflush(stdout);
    }
    exit(0);
}

int main(int argc, char **argv) {
    const char *mode = argc > 2 ? argv[2] : "";
    signal(SIGPIPE, SIG_IGN);
    loop = epoll_create1(EPOLL_CLOEXEC);
    if (argc > 2) read_target(argv[1]);
    if (!strcmp(mode, "bulk") && argc == 4) bulk(atof(argv[3]));
    if (!strcmp(mode, "rtt") && argc == 4) rtt(atof(argv[3]));
    if (!strcmp(mode, "mix") && argc == 5) mix(atoi(argv[3]), atof(argv[4]));
    if (!strcmp(mode, "slow") && argc == 5) slow(strtoull(argv[3], NULL, 10), argv[4]);
    if (!strcmp(mode, "message") && argc == 4) whole_message(strtoull(argv[3], NULL, 10));
    if (!strcmp(mode, "idle") && argc == 3) idle();
    return 2;
}
