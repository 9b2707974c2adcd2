/*
 * Test-only phones: as many requests over TLS as one thread can make, so that a benchmark measures the server.
 *
 * Certificates are not checked, and of an answer only status, Content-Length, Connection and Retry-After are read.
 */
#ifndef PHONES_H
#define PHONES_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IN_BYTES (16 * 1024)
/* Longest head of an answer. */
#define HEAD_BYTES 4096
#define REQUEST_BYTES 2048
#define STATUS_MAX 600
/* Buckets of latency: 32 per power of two of microseconds. */
#define LATENCY_SHIFT 5
#define LATENCY_BUCKETS (64 << LATENCY_SHIFT)

/* What is asked for. A visit is a new connection that asks for the list, then for the pass. */
enum mode { MODE_LIST, MODE_SAME, MODE_PASS, MODE_VISIT };

struct options {
  int port;
  const char *phones;
  enum mode mode;
  unsigned connections;
  double seconds;
  double warmup;
  double rate; /* visits started per second; 0: as many as connections allow */
  double patience; /* seconds after which a phone gives up */
};

/* One line of the file: fields divided by tabs. */
struct phone {
  const char *list;
  const char *pass;
  const char *token;
};

/* Counters since the end of the warm-up. */
struct stats {
  uint64_t status[STATUS_MAX];
  uint64_t requests;
  uint64_t bytes;       /* of bodies */
  uint64_t retry_after; /* answers that carry it */
  uint64_t visits;      /* that got their pass */
  uint64_t turned_away; /* visits that ended with an answer other than 2xx */
  uint64_t broken;      /* visits and connections that the server or the network ended before an answer */
  uint64_t impatient;
  uint64_t unstarted; /* visits that no connection was free for */
  uint64_t latency[LATENCY_BUCKETS];
};

struct connection {
  int fd;
  bool is_open;
  SSL *ssl;
  bool is_ready;      /* handshake done */
  bool wants_write;
  uint32_t phone;
  bool is_second;     /* of a visit: the pass */
  uint64_t started_ns; /* of the visit, or of the request */
  char head[HEAD_BYTES];
  size_t head_bytes;
  bool in_body;
  uint64_t body_left;
  unsigned status;
  bool closes;
};

extern struct options options;
extern struct stats stats;
extern struct phone *phones;
extern uint32_t phone_count;
extern bool is_counting;
extern int epoll_fd;

/* connection.c */
void connection_setup(void);
/* Starts a phone on a free connection; false when there is none. */
bool connection_start(uint64_t now);
void connection_event(uint32_t slot);
void connections_expire(uint64_t now);

/* main.c */
uint64_t now_ns(void);
uint32_t next_phone(void);
void latency_add(uint64_t ns);
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
