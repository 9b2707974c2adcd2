/* What a request is answered with, and when. */
#include "sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAME_DATA 0x0
#define FRAME_HEADERS 0x1
#define FRAME_RST_STREAM 0x3
#define FLAG_END_STREAM 0x1
#define FLAG_END_HEADERS 0x4
#define REFUSED_STREAM 0x7

/* An answer that waits for its time. All wait equally long, so a ring in order of arrival is enough. */
struct delayed {
  uint64_t due_ns;
  uint32_t slot;
  uint32_t generation;
  uint32_t stream;
  enum answer answer;
};

static struct delayed *ring;
static size_t ring_size, ring_head, ring_count;
static enum answer next_answer;
static uint64_t next_count;
static uint32_t gone_turn;

/* The next `count` requests get this answer. */
void answer_next_with(enum answer answer, uint64_t count) {
  next_answer = answer;
  next_count = count;
}

static enum answer choose(void) {
  if (next_count > 0) {
    next_count--;
    return next_answer;
  }
  if (options.gone_permille == 0) return ANSWER_OK;
  /* Spread evenly: 37 has no factor in common with 1000, so each residue comes once in 1000 requests. */
  gone_turn = (gone_turn + 37) % 1000;
  return gone_turn < options.gone_permille ? ANSWER_GONE : ANSWER_OK;
}

static size_t body_of(enum answer answer, char *body, size_t size) {
  if (answer == ANSWER_TOO_MANY) return (size_t)snprintf(body, size, "{\"reason\":\"TooManyRequests\"}");
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  long long ms = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  return (size_t)snprintf(body, size, "{\"reason\":\"Unregistered\",\"timestamp\":%lld}", ms);
}

/* Sends the body of an error answer when both windows have room (RFC 9113 section 6.9). */
static bool send_body(struct connection *c, uint32_t stream, enum answer answer) {
  char body[64];
  size_t bytes = body_of(answer, body, sizeof body);
  if (c->send_window < (int64_t)bytes) return false;
  c->send_window -= (int64_t)bytes;
  uint8_t *at = frame_header(c->out + c->out_bytes, (uint32_t)bytes, FRAME_DATA, FLAG_END_STREAM, stream);
  memcpy(at, body, bytes);
  c->out_bytes += FRAME_HEADER_BYTES + bytes;
  return true;
}

static void block_body(struct connection *c, uint32_t stream, enum answer answer) {
  if (c->blocked_count == c->blocked_capacity) {
    c->blocked_capacity = c->blocked_capacity == 0 ? 256 : c->blocked_capacity * 2;
    c->blocked = realloc(c->blocked, c->blocked_capacity * sizeof *c->blocked);
    if (c->blocked == NULL) die("out of memory");
  }
  c->blocked[c->blocked_count++] = (struct blocked_body){stream, answer};
}

/* After a WINDOW_UPDATE: bodies that waited for it. */
void answer_blocked(struct connection *c) {
  if (c->blocked_count == 0) return;
  size_t sent = 0;
  while (sent < c->blocked_count && send_body(c, c->blocked[sent].stream, c->blocked[sent].answer)) {
    sent++;
    c->open_streams--;
    tls_seal_full_records(c);
  }
  c->blocked_count -= sent;
  memmove(c->blocked, c->blocked + sent, c->blocked_count * sizeof *c->blocked);
}

static void send_refusal(struct connection *c, uint32_t stream) {
  uint8_t *at = frame_header(c->out + c->out_bytes, 4, FRAME_RST_STREAM, 0, stream);
  memcpy(at, (uint8_t[]){0, 0, 0, REFUSED_STREAM}, 4);
  c->out_bytes += FRAME_HEADER_BYTES + 4;
}

static void send_answer(struct connection *c, uint32_t stream, enum answer answer) {
  unsigned status = answer == ANSWER_OK ? 200 : answer == ANSWER_GONE ? 410 : 429;
  /* A stream window smaller than a body is a client that wants none: no frame of ours is larger. */
  bool has_body = answer != ANSWER_OK && c->stream_window >= 64;
  uint8_t *frame = c->out + c->out_bytes;
  uint8_t *end = hpack_response(c, frame + FRAME_HEADER_BYTES, status);
  uint8_t flags = FLAG_END_HEADERS | (has_body ? 0 : FLAG_END_STREAM);
  frame_header(frame, (uint32_t)(end - frame - FRAME_HEADER_BYTES), FRAME_HEADERS, flags, stream);
  c->out_bytes = (size_t)(end - c->out);
  stats.responses++;
  if (answer == ANSWER_OK) stats.ok++;
  else if (answer == ANSWER_GONE) stats.gone++;
  else stats.too_many++;
  if (has_body && (c->blocked_count > 0 || !send_body(c, stream, answer))) block_body(c, stream, answer);
  else c->open_streams--;
  if (options.record_per_response) tls_seal_all(c);
  else tls_seal_full_records(c);
}

static void delay(struct connection *c, uint32_t stream, enum answer answer) {
  if (ring_count == ring_size) {
    size_t size = ring_size == 0 ? 16384 : ring_size * 2;
    struct delayed *larger = malloc(size * sizeof *larger);
    if (larger == NULL) die("out of memory");
    for (size_t i = 0; i < ring_count; i++) larger[i] = ring[(ring_head + i) % ring_size];
    free(ring);
    ring = larger;
    ring_size = size;
    ring_head = 0;
  }
  uint64_t due_ns = now_ns() + (uint64_t)(options.latency_ms * 1e6);
  ring[(ring_head + ring_count) % ring_size] = (struct delayed){due_ns, c->slot, c->generation, stream, answer};
  ring_count++;
}

/* Answers a complete request now or after the latency; called once per stream. */
void answer_request(struct connection *c, uint32_t stream) {
  enum answer answer = choose();
  if (c->open_streams >= c->stream_limit) {
    stats.over_limit++;
    send_refusal(c, stream);
    return;
  }
  if (answer == ANSWER_REFUSE) {
    stats.refused++;
    send_refusal(c, stream);
    return;
  }
  /* Too-many is not processing: the same push may come again and count as its first time. */
  if (answer != ANSWER_TOO_MANY) verify_processed(c, stream);
  if (stream > c->last_stream) c->last_stream = stream;
  c->open_streams++;
  if (options.latency_ms > 0) delay(c, stream, answer);
  else send_answer(c, stream, answer);
}

/* Sends what is due. Returns when the next answer is, or UINT64_MAX. */
uint64_t answers_due(uint64_t now) {
  struct connection *touched = NULL;
  while (ring_count > 0 && ring[ring_head].due_ns <= now) {
    struct delayed *d = &ring[ring_head];
    struct connection *c = connection_at(d->slot, d->generation);
    if (c != touched && touched != NULL) connection_flush(touched);
    /* Flushing may have closed the connection that this answer belongs to. */
    touched = c = connection_at(d->slot, d->generation);
    if (c != NULL && !c->is_stalled) send_answer(c, d->stream, d->answer);
    ring_head = (ring_head + 1) % ring_size;
    ring_count--;
  }
  if (touched != NULL) connection_flush(touched);
  return ring_count > 0 ? ring[ring_head].due_ns : UINT64_MAX;
}
