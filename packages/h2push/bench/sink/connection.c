/* The life of a connection: accepted, handshake, ready, closing by GOAWAY, lingering, gone. */
#include "sink.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* After our close, so long for the client to close too; closing earlier could reset what it has not read yet. */
#define LINGER_NS 3000000000ULL
/* Sealed bytes are handed to the socket from here on, while more input is being answered. */
#define SEND_EARLY_BYTES (64 * 1024)

static struct connection slots[CONNECTIONS_MAX];
static uint32_t slots_used;
static uint32_t generations;
int epoll_fd;

struct connection *connection_at(uint32_t slot, uint32_t generation) {
  struct connection *c = &slots[slot];
  return c->is_open && c->generation == generation ? c : NULL;
}

void connections_each(void (*action)(struct connection *c)) {
  for (uint32_t i = 0; i < slots_used; i++)
    if (slots[i].is_open) action(&slots[i]);
}

unsigned connections_open(void) {
  unsigned count = 0;
  for (uint32_t i = 0; i < slots_used; i++) count += slots[i].is_open;
  return count;
}

static void watch(struct connection *c, uint32_t events) {
  if (c->is_stalled || c->events == events) return;
  struct epoll_event event = {.events = events, .data.u64 = (uint64_t)c->generation << 32 | c->slot};
  if (epoll_ctl(epoll_fd, c->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &event) != 0) die("epoll");
  c->events = events;
}

static void close_now(struct connection *c) {
  verify_close(c);
  tls_close(c);
  free(c->blocked);
  close(c->fd);
  c->is_open = false;
}

/* With TCP RST: what the client has not received is lost. */
void connection_reset(struct connection *c) {
  struct linger none = {.l_onoff = 1, .l_linger = 0};
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close_now(c);
}

/* NULL when there is no room; the descriptor is closed then. */
struct connection *connection_accept(int fd) {
  uint32_t slot = 0;
  while (slot < CONNECTIONS_MAX && slots[slot].is_open) slot++;
  if (slot == CONNECTIONS_MAX) {
    close(fd);
    return NULL;
  }
  if (slot >= slots_used) slots_used = slot + 1;
  struct connection *c = &slots[slot];
  *c = (struct connection){.fd = fd, .slot = slot, .generation = ++generations, .is_open = true};
  c->send_window = c->stream_window = INITIAL_WINDOW;
  c->table_bytes = 4096;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  if (!tls_open(c) || (options.verify && !verify_open(c))) die("out of memory");
  stats.connections++;
  watch(c, EPOLLIN);
  return c;
}

/* Every answer is out: closes our side and waits for the client to close its own. */
static void begin_linger(struct connection *c) {
  SSL_shutdown(c->ssl);
  if (tls_send(c) == TLS_ENDED) {
    close_now(c);
    return;
  }
  shutdown(c->fd, SHUT_WR);
  c->goaway_final_ns = 0;
  c->is_lingering = true;
  c->linger_until_ns = now_ns() + LINGER_NS;
  watch(c, EPOLLIN);
}

/* Seals and sends what is waiting, then does what was to follow. May close the connection. */
void connection_flush(struct connection *c) {
  if (c->is_stalled || c->is_lingering) return;
  if (c->is_ready) tls_seal_all(c);
  enum tls_result result = tls_send(c);
  if (result == TLS_ENDED) {
    close_now(c);
    return;
  }
  if (c->close_after_flush && options.goaway_close == CLOSE_ABRUPT) {
    connection_reset(c);
    return;
  }
  if (result == TLS_OK && c->close_after_flush && c->open_streams == 0) {
    begin_linger(c);
    return;
  }
  size_t waiting = c->tx_bytes - c->tx_sent;
  watch(c, (waiting > 0 ? EPOLLOUT : 0u) | (waiting < TX_PAUSE_BYTES ? EPOLLIN : 0u));
}

static void linger(struct connection *c) {
  uint8_t scratch[16384];
  ssize_t bytes;
  while ((bytes = recv(c->fd, scratch, sizeof scratch, 0)) > 0) continue;
  if (bytes == 0 || (errno != EAGAIN && errno != EINTR)) close_now(c);
}

static void shake_hands(struct connection *c) {
  enum tls_result result = tls_handshake(c);
  if (result == TLS_OK) {
    c->is_ready = true;
    http2_start(c);
  }
  if (result == TLS_ENDED) {
    stats.handshake_failures++;
    tls_send(c); /* the alert, if there is one */
    close_now(c);
    return;
  }
  connection_flush(c);
}

/* False when the connection is gone. */
static bool read_all(struct connection *c) {
  enum tls_result result;
  while ((result = tls_read(c)) == TLS_OK) {
    uint64_t requests = stats.requests;
    if (!http2_consume(c)) {
      stats.protocol_errors++;
      connection_reset(c);
      return false;
    }
    if (c->certificate[0] != '\0') stats_certificate(c->certificate, stats.requests - requests);
    if (c->tx_bytes < SEND_EARLY_BYTES) continue;
    if (tls_send(c) == TLS_BLOCKED && c->tx_bytes - c->tx_sent > TX_PAUSE_BYTES) break;
  }
  if (result != TLS_ENDED) return true;
  close_now(c);
  return false;
}

/* Half-open: neither read, written nor closed from now on. */
void connection_stall(struct connection *c) {
  epoll_ctl(epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
  c->is_stalled = true;
}

/* epoll reported something. */
void connection_event(struct connection *c) {
  if (c->is_lingering) {
    linger(c);
    return;
  }
  if (!c->is_ready) {
    shake_hands(c);
    if (!c->is_open || !c->is_ready) return;
  }
  /* Whatever the event was: read-ahead may hold what came with the handshake, or what a full `tx` left unread. */
  if (read_all(c)) connection_flush(c);
}

/* Runs the timers of connections that are closing. Returns when the next is due, or UINT64_MAX. */
uint64_t connections_due(uint64_t now) {
  uint64_t next = UINT64_MAX;
  for (uint32_t i = 0; i < slots_used; i++) {
    struct connection *c = &slots[i];
    if (!c->is_open || c->is_stalled) continue;
    if (c->goaway_final_ns != 0 && c->goaway_final_ns <= now) {
      http2_goaway_final(c);
    } else if (c->is_lingering && c->linger_until_ns <= now) {
      connection_reset(c);
    }
    if (!c->is_open) continue;
    uint64_t due = c->is_lingering ? c->linger_until_ns : c->goaway_final_ns;
    if (due != 0 && due < next) next = due;
  }
  return next;
}
