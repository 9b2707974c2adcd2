/* Command line. */
#include "sink.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options options = {
    .streams = 1000,
    .goaway_close = CLOSE_ORDERLY,
};

static const char usage[] =
    "usage: sink --cert FILE --key FILE [options]\n"
    "  --port N              port on 127.0.0.1; 0 for any (default); `port N` is printed when it listens\n"
    "  --client-ca FILE      ask for client certificates and verify them against this\n"
    "  --shape SHAPE         coalesced: full TLS records (default); record: one TLS record per response\n"
    "  --latency-ms N        time between request and answer (default 0)\n"
    "  --streams N           SETTINGS_MAX_CONCURRENT_STREAMS (default 1000)\n"
    "  --goaway-every N      GOAWAY on a connection after N of its requests (default 0: never)\n"
    "  --goaway-drop         later streams are neither processed nor answered; else they are until the final GOAWAY\n"
    "  --goaway-close STYLE  orderly: answers, then closes (default); abrupt: TCP reset at once\n"
    "  --gone-share N        share of 410 answers, in thousandths (default 0)\n"
    "  --verify              decode each request and count how often each token was processed\n"
    "commands on standard input, one a line:\n"
    "  streams N | rst N | 429 N | stall | stats | reset-stats     (end of input or SIGTERM: stats, then exit)\n";

enum option_id { PORT, CERT, KEY, CLIENT_CA, SHAPE, LATENCY, STREAMS, EVERY, DROP, CLOSE, GONE, VERIFY };

static const struct option longs[] = {
    {"port", required_argument, NULL, PORT},
    {"cert", required_argument, NULL, CERT},
    {"key", required_argument, NULL, KEY},
    {"client-ca", required_argument, NULL, CLIENT_CA},
    {"shape", required_argument, NULL, SHAPE},
    {"latency-ms", required_argument, NULL, LATENCY},
    {"streams", required_argument, NULL, STREAMS},
    {"goaway-every", required_argument, NULL, EVERY},
    {"goaway-drop", no_argument, NULL, DROP},
    {"goaway-close", required_argument, NULL, CLOSE},
    {"gone-share", required_argument, NULL, GONE},
    {"verify", no_argument, NULL, VERIFY},
    {NULL, 0, NULL, 0},
};

static double number(const char *text, double max) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= 0 && value <= max)) die("not a number up to %.0f: %s", max, text);
  return value;
}

/* Index of a word among two. */
static int choice(const char *text, const char *first, const char *second) {
  if (strcmp(text, first) == 0) return 0;
  if (strcmp(text, second) == 0) return 1;
  die("%s or %s, not %s", first, second, text);
}

static void set(int id, const char *value) {
  switch (id) {
    case PORT: options.port = (int)number(value, 65535); return;
    case CERT: options.certificate = value; return;
    case KEY: options.key = value; return;
    case CLIENT_CA: options.client_ca = value; return;
    case SHAPE: options.record_per_response = choice(value, "coalesced", "record") == 1; return;
    case LATENCY: options.latency_ms = number(value, 60000); return;
    case STREAMS: options.streams = (uint32_t)number(value, 1000000); return;
    case EVERY: options.goaway_every = (uint64_t)number(value, 1e12); return;
    case DROP: options.goaway_drop = true; return;
    case CLOSE: options.goaway_close = choice(value, "orderly", "abrupt") == 1 ? CLOSE_ABRUPT : CLOSE_ORDERLY; return;
    case GONE: options.gone_permille = (uint32_t)number(value, 1000); return;
    case VERIFY: options.verify = true; return;
    default:
      fputs(usage, stderr);
      exit(2);
  }
}

/* Fills `options`; ends the program when they make no sense. */
void options_parse(int count, char **values) {
  int id;
  while ((id = getopt_long(count, values, "", longs, NULL)) != -1) set(id, optarg);
  if (optind != count || options.certificate == NULL || options.key == NULL) set(-1, NULL);
}
