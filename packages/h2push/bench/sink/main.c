/* Start, commands and the event loop. */
#include "sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 256
/* Tell the two other descriptors from connections, whose generation starts at 1. */
#define LISTENER 0
#define COMMANDS 1

static volatile sig_atomic_t is_ending;
static int listener;

uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void die(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("sink: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  exit(1);
}

static void end(int signal_number) {
  (void)signal_number;
  is_ending = 1;
}

static void watch(int fd, uint64_t tag) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0) return;
  /* A file or /dev/null cannot be watched: no commands will come, which is the end of input. */
  if (tag == COMMANDS && errno == EPERM) is_ending = 1;
  else die("epoll: %s", strerror(errno));
}

static void start_listening(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (bind(listener, (struct sockaddr *)&address, bytes) != 0 || listen(listener, 1024) != 0)
    die("listen: %s", strerror(errno));
  getsockname(listener, (struct sockaddr *)&address, &bytes);
  watch(listener, LISTENER);
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
}

static void accept_all(void) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    struct connection *c = connection_accept(fd);
    if (c == NULL) fputs("sink: too many connections\n", stderr);
  }
}

static void run(char *line) {
  unsigned long long value = 0;
  if (sscanf(line, "streams %llu", &value) == 1) {
    options.streams = (uint32_t)value;
    connections_each(http2_announce_streams);
  } else if (sscanf(line, "rst %llu", &value) == 1) {
    answer_next_with(ANSWER_REFUSE, value);
  } else if (sscanf(line, "429 %llu", &value) == 1) {
    answer_next_with(ANSWER_TOO_MANY, value);
  } else if (strcmp(line, "stall") == 0) {
    connections_each(connection_stall);
  } else if (strcmp(line, "stats") == 0) {
    stats_print();
  } else if (strcmp(line, "reset-stats") == 0) {
    stats_reset();
  } else {
    fprintf(stderr, "sink: unknown command: %s\n", line);
  }
}

static void read_commands(void) {
  static char buffer[4096];
  static size_t used;
  ssize_t bytes = read(STDIN_FILENO, buffer + used, sizeof buffer - used);
  if (bytes <= 0) {
    is_ending = 1;
    return;
  }
  used += (size_t)bytes;
  char *start = buffer, *newline;
  while ((newline = memchr(start, '\n', used - (size_t)(start - buffer))) != NULL) {
    *newline = '\0';
    run(start);
    start = newline + 1;
  }
  used -= (size_t)(start - buffer);
  memmove(buffer, start, used);
  if (used == sizeof buffer) die("command too long");
}

static void dispatch(const struct epoll_event *event) {
  if (event->data.u64 == LISTENER) {
    accept_all();
    return;
  }
  if (event->data.u64 == COMMANDS) {
    read_commands();
    return;
  }
  struct connection *c = connection_at((uint32_t)event->data.u64, (uint32_t)(event->data.u64 >> 32));
  if (c != NULL) connection_event(c);
}

static void loop(const sigset_t *while_waiting) {
  struct epoll_event events[EVENTS_MAX];
  while (!is_ending) {
    uint64_t now = now_ns();
    uint64_t answers = answers_due(now), connections = connections_due(now);
    uint64_t due = answers < connections ? answers : connections;
    now = now_ns();
    uint64_t wait = due > now ? due - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(wait / 1000000000), .tv_nsec = (long)(wait % 1000000000)};
    int count = epoll_pwait2(epoll_fd, events, EVENTS_MAX, due == UINT64_MAX ? NULL : &timeout, while_waiting);
    if (count < 0 && errno != EINTR) die("epoll: %s", strerror(errno));
    for (int i = 0; i < count; i++) dispatch(&events[i]);
  }
}

int main(int count, char **values) {
  options_parse(count, values);
  /* Signals are taken only while waiting, so that none falls between the check and the wait. */
  sigset_t ending, before;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  sigprocmask(SIG_BLOCK, &ending, &before);
  sigaction(SIGTERM, &(struct sigaction){.sa_handler = end}, NULL);
  sigaction(SIGINT, &(struct sigaction){.sa_handler = end}, NULL);
  signal(SIGPIPE, SIG_IGN);
  hpack_setup();
  tls_setup();
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  start_listening();
  watch(STDIN_FILENO, COMMANDS);
  stats_reset();
  loop(&before);
  stats_print();
  return 0;
}
