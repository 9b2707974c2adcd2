/*
 * Test-only HTTP/2 sink: answers pushes as cheaply as one thread can, so that a benchmark measures the client.
 *
 * It trusts its clients more than a real server may: header blocks are decoded only with --verify, and stream
 * states are not policed. What a client can see (frames, HPACK, flow control, GOAWAY) follows RFC 9113 and 7541.
 */
#ifndef SINK_H
#define SINK_H

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER_BYTES 9
#define FRAME_BYTES_MAX 16384
#define TLS_RECORD_BYTES 16384
/* Plaintext read ahead of the parser; holds a whole frame and two records. */
#define IN_BYTES (64 * 1024)
/* Plaintext responses that wait to be sealed. Sealed from one full record on, so it never fills. */
#define OUT_BYTES (64 * 1024)
/* Sealed bytes that wait for the socket; above this the connection is not read. */
#define TX_PAUSE_BYTES (1024 * 1024)
#define CONNECTIONS_MAX 1024
/* Verified streams in progress per connection; a ring by stream id. */
#define VERIFY_STREAMS 8192
#define INITIAL_WINDOW 65535

enum close_style { CLOSE_ORDERLY, CLOSE_ABRUPT };

struct options {
  int port;
  const char *certificate;
  const char *key;
  const char *client_ca;
  bool record_per_response;
  double latency_ms;
  uint32_t streams;
  uint64_t goaway_every;
  bool goaway_drop;
  enum close_style goaway_close;
  uint32_t gone_permille;
  bool verify;
};

/* Counters since start or `reset-stats`. */
struct stats {
  uint64_t requests;  /* complete requests that arrived, whatever became of them */
  uint64_t responses; /* answers with a status */
  uint64_t ok;
  uint64_t gone;
  uint64_t too_many;
  uint64_t refused;    /* RST_STREAM REFUSED_STREAM by command */
  uint64_t over_limit; /* the same, because the client opened more streams than it may */
  uint64_t dropped;    /* above the last stream id of a GOAWAY: neither processed nor answered */
  uint64_t goaways;
  uint64_t connections;
  uint64_t handshake_failures;
  uint64_t protocol_errors;
  uint64_t pings;
  uint64_t empty_bodies;  /* --verify */
  uint64_t bad_requests;  /* --verify: not POST, or no token in the path */
  uint64_t inflate_errors; /* --verify */
};

extern struct options options;
extern struct stats stats;

/* What a request is answered with. */
enum answer { ANSWER_OK, ANSWER_GONE, ANSWER_TOO_MANY, ANSWER_REFUSE };

struct verified_stream {
  uint32_t stream;
  bool has_token;
  bool is_post;
  uint64_t token;
  uint64_t body_bytes;
};

/* An answer without its body: the peer's window has no room for it yet. */
struct blocked_body {
  uint32_t stream;
  enum answer answer;
};

struct connection {
  int fd;
  uint32_t slot;
  uint32_t generation; /* tells an answer on a timer whether its connection is still the same */
  uint32_t events;     /* what epoll watches */
  bool is_open;
  bool is_ready;  /* handshake done, SETTINGS sent */
  bool is_stalled;
  bool has_preface;
  bool close_after_flush;
  bool is_lingering; /* our side is shut; what still arrives is read and thrown away */
  uint64_t linger_until_ns;

  /* tls.c */
  SSL *ssl;
  uint8_t *in;
  size_t in_bytes;
  uint8_t *out;
  size_t out_bytes;
  uint8_t *tx;
  size_t tx_bytes;
  size_t tx_sent;
  size_t tx_capacity;
  char certificate[48]; /* serial number of the client certificate, hexadecimal; empty for none */

  /* http2.c */
  uint32_t continuing_stream; /* between HEADERS and END_HEADERS */
  bool continuing_ends_stream;
  uint32_t last_stream; /* highest that was processed */
  uint32_t goaway_last; /* last stream id told in a GOAWAY; 0 for none */
  uint64_t goaway_final_ns; /* graceful GOAWAY: when the final one follows */
  uint64_t processed;
  uint32_t open_streams;
  uint32_t stream_limit;         /* acknowledged by the client */
  uint32_t stream_limit_pending; /* sent in the last SETTINGS */
  uint32_t settings_unacknowledged;
  uint32_t consumed; /* DATA bytes not given back yet */
  int64_t send_window;
  int64_t stream_window;

  /* answer.c */
  struct blocked_body *blocked;
  size_t blocked_count;
  size_t blocked_capacity;

  /* hpack_out.c */
  bool table_is_off; /* the client allows no dynamic table */
  bool table_has_name;
  bool table_update_is_due;
  uint32_t table_bytes;

  /* verify.c */
  nghttp2_hd_inflater *inflater;
  struct verified_stream *verified;
  uint8_t *block; /* a header block over several frames */
  size_t block_bytes;
};

/* connection.c */
struct connection *connection_accept(int fd);
struct connection *connection_at(uint32_t slot, uint32_t generation);
void connection_event(struct connection *c);
void connection_stall(struct connection *c);
void connection_flush(struct connection *c);
void connection_reset(struct connection *c);
void connections_each(void (*action)(struct connection *c));
uint64_t connections_due(uint64_t now_ns);
unsigned connections_open(void);
extern int epoll_fd;

/* tls.c */
void tls_setup(void);
bool tls_open(struct connection *c);
void tls_close(struct connection *c);
enum tls_result { TLS_OK, TLS_BLOCKED, TLS_ENDED };
enum tls_result tls_handshake(struct connection *c);
enum tls_result tls_read(struct connection *c);
void tls_seal(struct connection *c, const uint8_t *plain, size_t bytes);
void tls_seal_full_records(struct connection *c);
void tls_seal_all(struct connection *c);
enum tls_result tls_send(struct connection *c);

/* http2.c */
void http2_start(struct connection *c);
bool http2_consume(struct connection *c);
void http2_announce_streams(struct connection *c);
void http2_goaway_final(struct connection *c);
uint8_t *frame_header(uint8_t *at, uint32_t length, uint8_t type, uint8_t flags, uint32_t stream);

/* answer.c */
void answer_request(struct connection *c, uint32_t stream);
void answer_blocked(struct connection *c);
uint64_t answers_due(uint64_t now_ns);
void answer_next_with(enum answer answer, uint64_t count);

/* hpack_out.c */
void hpack_setup(void);
void hpack_peer_table(struct connection *c, uint32_t bytes);
uint8_t *hpack_response(struct connection *c, uint8_t *at, unsigned status);

/* verify.c */
bool verify_open(struct connection *c);
void verify_close(struct connection *c);
bool verify_headers(struct connection *c, uint32_t stream, const uint8_t *block, size_t bytes, bool is_last);
void verify_data(struct connection *c, uint32_t stream, size_t bytes);
void verify_arrived(struct connection *c, uint32_t stream);
void verify_processed(struct connection *c, uint32_t stream);
void verify_reset(void);
void verify_print(void);

/* stats.c */
void stats_reset(void);
void stats_print(void);
void stats_certificate(const char *serial, uint64_t requests);

/* options.c */
void options_parse(int count, char **values);

/* main.c */
uint64_t now_ns(void);
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
