/* The least that anything in between can do: two threads per connection, each reading here and writing there.
 *
 *   floor PATH      prints its port; passes each connection on to the unix socket PATH
 *
 * No proxy can be quicker on this machine; what others need beyond it is their own. */
#include "wire.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct way {
    int from, to;
};

static void *carry(void *given) {
    struct way *way = given;
    char *data = malloc(128 * 1024);
    ssize_t got, sent = 1;
    while (sent > 0 && (got = read(way->from, data, 128 * 1024)) > 0)
        for (ssize_t at = 0; at < got && sent > 0; at += sent) sent = write(way->to, data + at, (size_t)(got - at));
    shutdown(way->to, SHUT_WR);
    shutdown(way->from, SHUT_RD);
    free(data);
    return NULL;
}

static void *join(void *given) {
    struct way *down = given, up = {down->to, down->from};
    pthread_t other;
    if (pthread_create(&other, NULL, carry, &up)) die("floor: thread");
    carry(down);
    pthread_join(other, NULL);
    close(down->from);
    close(down->to);
    free(down);
    return NULL;
}

int main(int argc, char **argv) {
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (argc != 2) return 2;
    signal(SIGPIPE, SIG_IGN);
    snprintf(place.sun_path, sizeof place.sun_path, "%s", argv[1]);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 512) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        die("floor: listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct way *way = calloc(1, sizeof *way);
        pthread_t thread;
        way->to = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        way->from = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (way->to < 0 || connect(way->from, (struct sockaddr *)&place, sizeof place)) die("floor: connect");
        setsockopt(way->to, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (pthread_create(&thread, NULL, join, way) || pthread_detach(thread)) die("floor: thread");
    }
}
