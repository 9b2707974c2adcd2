/* Counters and the line that tells them. */
#include "sink.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Client certificates told apart at most. */
#define CERTIFICATES_MAX 16

struct stats stats;

static struct {
  char serial[48];
  uint64_t requests;
} certificates[CERTIFICATES_MAX];
static struct rusage start;

void stats_reset(void) {
  stats = (struct stats){0};
  memset(certificates, 0, sizeof certificates);
  getrusage(RUSAGE_SELF, &start);
  verify_reset();
}

/* Counts requests that came with a client certificate. */
void stats_certificate(const char *serial, uint64_t requests) {
  if (requests == 0) return;
  for (int i = 0; i < CERTIFICATES_MAX; i++) {
    if (certificates[i].serial[0] == '\0') strcpy(certificates[i].serial, serial);
    if (strcmp(certificates[i].serial, serial) != 0) continue;
    certificates[i].requests += requests;
    return;
  }
}

static double seconds(struct timeval end, struct timeval begin) {
  return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_usec - begin.tv_usec) / 1e6;
}

static void print_count(const char *name, uint64_t value) {
  printf("\"%s\":%llu,", name, (unsigned long long)value);
}

/* One line of JSON. */
void stats_print(void) {
  struct rusage now;
  getrusage(RUSAGE_SELF, &now);
  putchar('{');
  print_count("requests", stats.requests);
  print_count("responses", stats.responses);
  print_count("status200", stats.ok);
  print_count("status410", stats.gone);
  print_count("status429", stats.too_many);
  print_count("refused", stats.refused);
  print_count("overLimit", stats.over_limit);
  print_count("dropped", stats.dropped);
  print_count("goaways", stats.goaways);
  print_count("connections", stats.connections);
  print_count("openConnections", connections_open());
  print_count("handshakeFailures", stats.handshake_failures);
  print_count("protocolErrors", stats.protocol_errors);
  print_count("pings", stats.pings);
  print_count("emptyBodies", stats.empty_bodies);
  print_count("badRequests", stats.bad_requests);
  print_count("inflateErrors", stats.inflate_errors);
  printf("\"certificates\":{");
  for (int i = 0; i < CERTIFICATES_MAX && certificates[i].serial[0] != '\0'; i++)
    printf("%s\"%s\":%llu", i == 0 ? "" : ",", certificates[i].serial, (unsigned long long)certificates[i].requests);
  printf("},\"cpuUserSeconds\":%.6f,\"cpuSystemSeconds\":%.6f", seconds(now.ru_utime, start.ru_utime),
         seconds(now.ru_stime, start.ru_stime));
  if (options.verify) verify_print();
  puts("}");
  fflush(stdout);
}
