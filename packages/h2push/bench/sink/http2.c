/* Frames in and out (RFC 9113). */
#include "sink.h"

#include <string.h>

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { ACK = 0x1, END_STREAM = 0x1, END_HEADERS = 0x4, PADDED = 0x8, HAS_PRIORITY = 0x20 };
enum { HEADER_TABLE_SIZE = 1, MAX_CONCURRENT_STREAMS = 3, INITIAL_WINDOW_SIZE = 4, MAX_FRAME_SIZE = 5,
       MAX_HEADER_LIST_SIZE = 6 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
#define PREFACE_BYTES (sizeof preface - 1)
/* DATA is given back to the client's window in pieces of this size. */
#define CONSUMED_MAX 16384
/* Between a graceful GOAWAY and the final one: more than a round trip (section 6.8). */
#define GRACE_NS 5000000ULL
#define STREAM_MAX 0x7fffffffu

static uint32_t u32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return __builtin_bswap32(value);
}

static uint8_t *put_u32(uint8_t *at, uint32_t value) {
  value = __builtin_bswap32(value);
  memcpy(at, &value, 4);
  return at + 4;
}

/* Writes the nine bytes before a payload; returns where the payload starts. */
uint8_t *frame_header(uint8_t *at, uint32_t length, uint8_t type, uint8_t flags, uint32_t stream) {
  put_u32(at, length << 8 | type);
  at[4] = flags;
  return put_u32(at + 5, stream);
}

static uint8_t *put_setting(uint8_t *at, uint16_t id, uint32_t value) {
  at[0] = (uint8_t)(id >> 8);
  at[1] = (uint8_t)id;
  return put_u32(at + 2, value);
}

/* Control frames; each is far smaller than the room that sealing leaves in `out`. */
static void put_frame(struct connection *c, uint8_t type, uint8_t flags, const uint8_t *payload, size_t bytes) {
  uint8_t *at = frame_header(c->out + c->out_bytes, (uint32_t)bytes, type, flags, 0);
  if (bytes > 0) memcpy(at, payload, bytes);
  c->out_bytes += FRAME_HEADER_BYTES + bytes;
  tls_seal_full_records(c);
}

static void settings_sent(struct connection *c) {
  c->stream_limit_pending = options.streams;
  c->settings_unacknowledged++;
}

/* Our SETTINGS, as APNs has been seen to send them. */
void http2_start(struct connection *c) {
  uint8_t payload[30];
  uint8_t *at = put_setting(payload, HEADER_TABLE_SIZE, 4096);
  at = put_setting(at, MAX_CONCURRENT_STREAMS, options.streams);
  at = put_setting(at, INITIAL_WINDOW_SIZE, INITIAL_WINDOW);
  at = put_setting(at, MAX_FRAME_SIZE, FRAME_BYTES_MAX);
  at = put_setting(at, MAX_HEADER_LIST_SIZE, 8000);
  put_frame(c, SETTINGS, 0, payload, (size_t)(at - payload));
  c->stream_limit = UINT32_MAX;
  settings_sent(c);
}

/* After the command `streams N`. */
void http2_announce_streams(struct connection *c) {
  if (!c->is_ready || c->is_lingering) return;
  uint8_t payload[6];
  put_setting(payload, MAX_CONCURRENT_STREAMS, options.streams);
  put_frame(c, SETTINGS, 0, payload, sizeof payload);
  settings_sent(c);
  connection_flush(c);
}

static void put_goaway(struct connection *c, uint32_t last_stream) {
  uint8_t payload[8];
  put_u32(put_u32(payload, last_stream), 0);
  put_frame(c, GOAWAY, 0, payload, sizeof payload);
  c->goaway_last = last_stream;
}

/* Second step of a graceful end: nothing that arrived before it was dropped. */
void http2_goaway_final(struct connection *c) {
  c->goaway_final_ns = 0;
  put_goaway(c, c->last_stream);
  c->close_after_flush = true;
  connection_flush(c);
}

/* Starts the end of a connection that has had its number of requests. */
static void say_goaway(struct connection *c) {
  stats.goaways++;
  if (!options.goaway_drop) {
    put_goaway(c, STREAM_MAX);
    c->goaway_final_ns = now_ns() + GRACE_NS;
    return;
  }
  put_goaway(c, c->last_stream);
  c->close_after_flush = true;
}

/* A request is complete. */
static void request_arrived(struct connection *c, uint32_t stream) {
  stats.requests++;
  if (c->inflater != NULL) verify_arrived(c, stream);
  if (c->goaway_last != 0 && stream > c->goaway_last) {
    stats.dropped++;
    return;
  }
  answer_request(c, stream);
  c->processed++;
  if (options.goaway_every > 0 && c->processed == options.goaway_every) say_goaway(c);
}

static bool on_headers(struct connection *c, uint8_t flags, uint32_t stream, const uint8_t *block, size_t bytes) {
  if (flags & PADDED) {
    if (bytes < 1 || (size_t)block[0] + 1 > bytes) return false;
    bytes -= (size_t)block[0] + 1;
    block++;
  }
  if (flags & HAS_PRIORITY) {
    if (bytes < 5) return false;
    block += 5;
    bytes -= 5;
  }
  bool is_last = flags & END_HEADERS;
  if (c->inflater != NULL && !verify_headers(c, stream, block, bytes, is_last)) return false;
  if (!is_last) {
    c->continuing_stream = stream;
    c->continuing_ends_stream = flags & END_STREAM;
    return true;
  }
  if (flags & END_STREAM) request_arrived(c, stream);
  return true;
}

static bool on_continuation(struct connection *c, uint8_t flags, uint32_t stream, const uint8_t *block, size_t bytes) {
  if (stream != c->continuing_stream) return false;
  bool is_last = flags & END_HEADERS;
  if (c->inflater != NULL && !verify_headers(c, stream, block, bytes, is_last)) return false;
  if (!is_last) return true;
  c->continuing_stream = 0;
  if (c->continuing_ends_stream) request_arrived(c, stream);
  return true;
}

static bool on_data(struct connection *c, uint8_t flags, uint32_t stream, const uint8_t *payload, size_t bytes) {
  c->consumed += (uint32_t)bytes;
  if (c->consumed >= CONSUMED_MAX) {
    uint8_t increment[4];
    put_u32(increment, c->consumed);
    put_frame(c, WINDOW_UPDATE, 0, increment, sizeof increment);
    c->consumed = 0;
  }
  if (flags & PADDED) {
    if (bytes < 1 || (size_t)payload[0] + 1 > bytes) return false;
    bytes -= (size_t)payload[0] + 1;
  }
  if (c->inflater != NULL) verify_data(c, stream, bytes);
  if (flags & END_STREAM) request_arrived(c, stream);
  return true;
}

static bool on_settings(struct connection *c, uint8_t flags, const uint8_t *payload, size_t bytes) {
  if (flags & ACK) {
    /* Enforced only once every SETTINGS is acknowledged: an earlier ACK says nothing about a later limit. */
    if (c->settings_unacknowledged > 0 && --c->settings_unacknowledged == 0) c->stream_limit = c->stream_limit_pending;
    return bytes == 0;
  }
  if (bytes % 6 != 0) return false;
  for (size_t at = 0; at < bytes; at += 6) {
    unsigned id = (unsigned)payload[at] << 8 | payload[at + 1];
    uint32_t value = u32(payload + at + 2);
    if (id == HEADER_TABLE_SIZE) hpack_peer_table(c, value);
    if (id == INITIAL_WINDOW_SIZE) c->stream_window = value;
  }
  put_frame(c, SETTINGS, ACK, NULL, 0);
  return true;
}

static bool on_window_update(struct connection *c, uint32_t stream, const uint8_t *payload, size_t bytes) {
  if (bytes != 4) return false;
  if (stream != 0) return true;
  c->send_window += u32(payload) & STREAM_MAX;
  answer_blocked(c);
  return true;
}

static bool on_ping(struct connection *c, uint8_t flags, const uint8_t *payload, size_t bytes) {
  if (bytes != 8) return false;
  if (flags & ACK) return true;
  stats.pings++;
  put_frame(c, PING, ACK, payload, bytes);
  return true;
}

static bool on_frame(struct connection *c, uint8_t type, uint8_t flags, uint32_t stream, const uint8_t *payload,
                     size_t bytes) {
  if (c->continuing_stream != 0 && type != CONTINUATION) return false;
  switch (type) {
    case DATA: return on_data(c, flags, stream, payload, bytes);
    case HEADERS: return on_headers(c, flags, stream, payload, bytes);
    case CONTINUATION: return on_continuation(c, flags, stream, payload, bytes);
    case SETTINGS: return on_settings(c, flags, payload, bytes);
    case WINDOW_UPDATE: return on_window_update(c, stream, payload, bytes);
    case PING: return on_ping(c, flags, payload, bytes);
    /* A client that resets a stream must bear an answer already under way (section 5.1), so it gets one. */
    default: return true;
  }
}

/* Parses what was read. False after a violation that leaves no way to go on. */
bool http2_consume(struct connection *c) {
  const uint8_t *at = c->in;
  const uint8_t *end = c->in + c->in_bytes;
  if (!c->has_preface) {
    if (c->in_bytes < PREFACE_BYTES) return true;
    if (memcmp(at, preface, PREFACE_BYTES) != 0) return false;
    c->has_preface = true;
    at += PREFACE_BYTES;
  }
  while (end - at >= FRAME_HEADER_BYTES) {
    uint32_t word = u32(at);
    size_t length = word >> 8;
    if (length > FRAME_BYTES_MAX) return false;
    if ((size_t)(end - at) < FRAME_HEADER_BYTES + length) break;
    uint32_t stream = u32(at + 5) & STREAM_MAX;
    if (!on_frame(c, (uint8_t)word, at[4], stream, at + FRAME_HEADER_BYTES, length)) return false;
    at += FRAME_HEADER_BYTES + length;
  }
  c->in_bytes = (size_t)(end - at);
  memmove(c->in, at, c->in_bytes);
  return true;
}
