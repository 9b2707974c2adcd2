/* Options, the event loop and the report: one line of JSON. */
#include "phones.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define EVENTS_MAX 256
#define NS 1000000000ull
#define EXPIRE_EVERY_NS (NS / 4)

struct options options = {.connections = 32, .seconds = 5, .patience = 30};
struct stats stats;
struct phone *phones;
uint32_t phone_count;
bool is_counting;
int epoll_fd;
static uint32_t next;

uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

void die(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("phones: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  exit(1);
}

uint32_t next_phone(void) {
  uint32_t phone = next;
  next = next + 1 == phone_count ? 0 : next + 1;
  return phone;
}

void latency_add(uint64_t ns) {
  uint64_t us = ns / 1000 + 1;
  unsigned power = 63 - (unsigned)__builtin_clzll(us);
  uint64_t part = power > LATENCY_SHIFT ? (us >> (power - LATENCY_SHIFT)) : (us << (LATENCY_SHIFT - power));
  stats.latency[(power << LATENCY_SHIFT) + (part & ((1 << LATENCY_SHIFT) - 1))]++;
}

/* Upper end of the bucket that holds so much of all, in milliseconds. */
static double latency_at(double share) {
  uint64_t total = 0, seen = 0;
  for (unsigned at = 0; at < LATENCY_BUCKETS; at++) total += stats.latency[at];
  for (unsigned at = 0; at < LATENCY_BUCKETS; at++) {
    seen += stats.latency[at];
    if (total == 0 || (double)seen < share * (double)total) continue;
    unsigned power = at >> LATENCY_SHIFT, part = at & ((1 << LATENCY_SHIFT) - 1);
    return (double)(1ull << power) * (1 + (part + 1.0) / (1 << LATENCY_SHIFT)) / 1000;
  }
  return 0;
}

static void read_phones(void) {
  FILE *file = fopen(options.phones, "r");
  struct stat info;
  if (file == NULL || fstat(fileno(file), &info) != 0) die("%s: %s", options.phones, strerror(errno));
  char *text = malloc((size_t)info.st_size + 1);
  if (text == NULL || fread(text, 1, (size_t)info.st_size, file) != (size_t)info.st_size) die("cannot read the phones");
  text[info.st_size] = '\0';
  fclose(file);
  uint32_t lines = 0;
  for (const char *at = text; *at != '\0'; at++) lines += *at == '\n';
  phones = calloc(lines, sizeof *phones);
  if (phones == NULL || lines == 0) die("no phones");
  for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    char *pass = strchr(line, '\t'), *token = pass == NULL ? NULL : strchr(pass + 1, '\t');
    if (token == NULL) die("a phone without a token");
    *pass = *token = '\0';
    phones[phone_count++] = (struct phone){.list = line, .pass = pass + 1, .token = token + 1};
  }
}

static enum mode mode_of(const char *name) {
  static const char *const names[] = {"list", "same", "pass", "visit"};
  for (unsigned at = 0; at < 4; at++)
    if (strcmp(names[at], name) == 0) return (enum mode)at;
  die("unknown mode %s", name);
}

static void parse(int count, char **values) {
  for (int at = 1; at + 1 < count; at += 2) {
    const char *name = values[at], *value = values[at + 1];
    if (strcmp(name, "--port") == 0) options.port = atoi(value);
    else if (strcmp(name, "--phones") == 0) options.phones = value;
    else if (strcmp(name, "--mode") == 0) options.mode = mode_of(value);
    else if (strcmp(name, "--connections") == 0) options.connections = (unsigned)atoi(value);
    else if (strcmp(name, "--seconds") == 0) options.seconds = atof(value);
    else if (strcmp(name, "--warmup") == 0) options.warmup = atof(value);
    else if (strcmp(name, "--rate") == 0) options.rate = atof(value);
    else if (strcmp(name, "--patience") == 0) options.patience = atof(value);
    else if (strcmp(name, "--first") == 0) next = (uint32_t)atoi(value);
    else die("unknown option %s", name);
  }
  if (options.port == 0 || options.phones == NULL) die("--port and --phones are needed");
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void report(double seconds, double cpu) {
  printf("{\"seconds\":%.6f,\"requests\":%lu,\"visits\":%lu,\"turnedAway\":%lu,\"broken\":%lu,\"impatient\":%lu,"
         "\"unstarted\":%lu,\"retryAfter\":%lu,\"bytes\":%lu,\"cpuSeconds\":%.6f,\"p50Ms\":%.3f,\"p99Ms\":%.3f,"
         "\"maxMs\":%.3f,\"next\":%u,\"status\":{",
         seconds, stats.requests, stats.visits, stats.turned_away, stats.broken, stats.impatient, stats.unstarted,
         stats.retry_after, stats.bytes, cpu, latency_at(0.5), latency_at(0.99), latency_at(1), next);
  const char *comma = "";
  for (unsigned status = 0; status < STATUS_MAX; status++) {
    if (stats.status[status] == 0) continue;
    printf("%s\"%u\":%lu", comma, status, stats.status[status]);
    comma = ",";
  }
  puts("}}");
}

/* Starts what is due: by the clock, or wherever a connection is free. */
static void start_due(uint64_t begun, uint64_t now, uint64_t *started) {
  if (options.rate == 0) {
    while (connection_start(now)) continue;
    return;
  }
  uint64_t due = (uint64_t)((double)(now - begun) / 1e9 * options.rate);
  for (; *started < due; (*started)++)
    if (!connection_start(now) && is_counting) stats.unstarted++;
}

int main(int count, char **values) {
  parse(count, values);
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files = {.rlim_cur = 65536, .rlim_max = 65536};
  setrlimit(RLIMIT_NOFILE, &files);
  read_phones();
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  connection_setup();
  uint64_t begun = now_ns(), count_from = begun + (uint64_t)(options.warmup * 1e9);
  uint64_t until = count_from + (uint64_t)(options.seconds * 1e9), expire_at = begun, started = 0;
  double cpu_before = 0;
  struct epoll_event events[EVENTS_MAX];
  for (uint64_t now = begun; now < until; now = now_ns()) {
    if (!is_counting && now >= count_from) {
      is_counting = true;
      count_from = now;
      cpu_before = cpu_seconds();
    }
    if (now >= expire_at) {
      connections_expire(now);
      expire_at = now + EXPIRE_EVERY_NS;
    }
    start_due(begun, now, &started);
    int ready = epoll_wait(epoll_fd, events, EVENTS_MAX, options.rate == 0 ? 10 : 1);
    for (int at = 0; at < ready; at++) connection_event(events[at].data.u32 - 1);
  }
  report((double)(now_ns() - count_from) / 1e9, cpu_seconds() - cpu_before);
  return 0;
}
