/* One phone's connection: TLS over a socket, and as much of HTTP/1.1 as a phone speaks. */
#include "phones.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_CTX *context;
static struct connection *connections;
static uint32_t *free_slots;
static uint32_t free_count;

void connection_setup(void) {
  context = SSL_CTX_new(TLS_client_method());
  if (context == NULL) die("no TLS");
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, 128 * 1024);
  connections = calloc(options.connections, sizeof *connections);
  free_slots = calloc(options.connections, sizeof *free_slots);
  if (connections == NULL || free_slots == NULL) die("out of memory");
  for (uint32_t slot = options.connections; slot > 0; slot--) free_slots[free_count++] = slot - 1;
}

static void watch(struct connection *c, int operation) {
  uint32_t slot = (uint32_t)(c - connections);
  struct epoll_event event = {.events = c->wants_write ? EPOLLOUT : EPOLLIN, .data.u32 = slot + 1};
  if (epoll_ctl(epoll_fd, operation, c->fd, &event) != 0) die("epoll: %s", strerror(errno));
}

static void want(struct connection *c, bool write) {
  if (c->wants_write == write) return;
  c->wants_write = write;
  watch(c, EPOLL_CTL_MOD);
}

/* Ends without ceremony, as a phone that moves on: a reset also spares both sides the waiting of a closed socket. */
static void end(struct connection *c) {
  struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  SSL_free(c->ssl);
  close(c->fd);
  c->is_open = false;
  free_slots[free_count++] = (uint32_t)(c - connections);
}

static void ask(struct connection *c) {
  const struct phone *phone = &phones[c->phone];
  bool is_list = options.mode == MODE_LIST || (options.mode == MODE_VISIT && !c->is_second);
  char text[REQUEST_BYTES];
  int bytes = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nUser-Agent: phones/1\r\n",
                       is_list ? phone->list : phone->pass);
  if (!is_list)
    bytes += snprintf(text + bytes, sizeof text - (size_t)bytes, "Authorization: ApplePass %s\r\n", phone->token);
  if (options.mode == MODE_SAME)
    bytes += snprintf(text + bytes, sizeof text - (size_t)bytes, "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n");
  bytes += snprintf(text + bytes, sizeof text - (size_t)bytes, "\r\n");
  c->head_bytes = 0;
  c->in_body = false;
  /* A request is far smaller than a socket's buffer: it either fits or the connection is gone, which the read tells. */
  SSL_write(c->ssl, text, bytes);
  ERR_clear_error();
}

static bool is_visit(void) { return options.mode == MODE_VISIT; }

/* What follows an answer. */
static void answered(struct connection *c) {
  uint64_t now = now_ns();
  if (is_counting) {
    stats.requests++;
    if (c->status < STATUS_MAX) stats.status[c->status]++;
  }
  bool is_good = c->status >= 200 && c->status < 400;
  if (is_visit() && is_good && !c->is_second) {
    c->is_second = true;
    ask(c);
    return;
  }
  if (is_counting && is_good) {
    latency_add(now - c->started_ns);
    stats.visits++;
  }
  if (is_counting && !is_good) stats.turned_away++;
  if (is_visit() || c->closes) {
    end(c);
    return;
  }
  c->phone = next_phone();
  c->started_ns = now;
  ask(c);
}

static const char *header(const char *head, const char *name) {
  const char *at = strcasestr(head, name);
  return at == NULL ? NULL : at + strlen(name);
}

/* Reads a complete head. */
static void read_head(struct connection *c) {
  c->head[c->head_bytes] = '\0';
  c->status = c->head_bytes > 12 ? (unsigned)atoi(c->head + 9) : 0;
  const char *length = header(c->head, "\r\ncontent-length:");
  c->body_left = length == NULL || c->status == 204 || c->status == 304 ? 0 : strtoull(length, NULL, 10);
  const char *connection = header(c->head, "\r\nconnection: ");
  c->closes = connection != NULL && strncasecmp(connection, "close", 5) == 0;
  if (is_counting && header(c->head, "\r\nretry-after:") != NULL) stats.retry_after++;
  if (is_counting) stats.bytes += c->body_left;
  c->in_body = true;
}

/* Consumes bytes of an answer; there is never more than one under way. */
static void consume(struct connection *c, const char *data, size_t bytes) {
  while (bytes > 0 && !c->in_body) {
    if (c->head_bytes == HEAD_BYTES - 1) die("an answer's head is too long");
    c->head[c->head_bytes++] = *data++;
    bytes--;
    if (c->head_bytes >= 4 && memcmp(c->head + c->head_bytes - 4, "\r\n\r\n", 4) == 0) read_head(c);
  }
  if (!c->in_body) return;
  if (bytes > c->body_left) die("an answer is longer than it said");
  c->body_left -= bytes;
  if (c->body_left == 0) answered(c);
}

static void broken(struct connection *c) {
  if (is_counting) stats.broken++;
  end(c);
}

/* Whether the handshake is done; ends the connection when it fails. */
static bool shake(struct connection *c) {
  int code = SSL_do_handshake(c->ssl);
  if (code == 1) {
    c->is_ready = true;
    want(c, false);
    if (!is_visit()) c->started_ns = now_ns();
    ask(c);
    return true;
  }
  int error = SSL_get_error(c->ssl, code);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_READ) want(c, false);
  else if (error == SSL_ERROR_WANT_WRITE) want(c, true);
  else broken(c);
  return false;
}

void connection_event(uint32_t slot) {
  struct connection *c = &connections[slot];
  if (!c->is_open || (!c->is_ready && !shake(c))) return;
  static char data[IN_BYTES];
  while (c->is_open) {
    int bytes = SSL_read(c->ssl, data, sizeof data);
    if (bytes > 0) {
      consume(c, data, (size_t)bytes);
      continue;
    }
    int error = SSL_get_error(c->ssl, bytes);
    ERR_clear_error();
    if (error != SSL_ERROR_WANT_READ) broken(c);
    return;
  }
}

bool connection_start(uint64_t now) {
  if (free_count == 0) return false;
  struct connection *c = &connections[free_slots[--free_count]];
  *c = (struct connection){.is_open = true, .wants_write = true, .phone = next_phone(), .started_ns = now};
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) die("socket: %s", strerror(errno));
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
    die("connect: %s", strerror(errno));
  c->ssl = SSL_new(context);
  if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1) die("out of memory");
  SSL_set_connect_state(c->ssl);
  watch(c, EPOLL_CTL_ADD);
  return true;
}

void connections_expire(uint64_t now) {
  uint64_t patience = (uint64_t)(options.patience * 1e9);
  for (uint32_t slot = 0; slot < options.connections; slot++) {
    struct connection *c = &connections[slot];
    if (!c->is_open || now - c->started_ns < patience) continue;
    if (is_counting) stats.impatient++;
    end(c);
  }
}
