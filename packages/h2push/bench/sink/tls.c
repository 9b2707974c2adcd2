/* TLS over memory on the way out, so that many records leave in one write, and over the socket on the way in. */
#include "sink.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One read from the socket brings up to this many bytes. */
#define READ_AHEAD_BYTES (256 * 1024)

static SSL_CTX *context;
static BIO_METHOD *output_method;

/* Room for `bytes` more sealed bytes. */
static void reserve(struct connection *c, size_t bytes) {
  size_t needed = c->tx_bytes + bytes;
  if (needed <= c->tx_capacity) return;
  while (c->tx_capacity < needed) c->tx_capacity = c->tx_capacity == 0 ? 128 * 1024 : c->tx_capacity * 2;
  c->tx = realloc(c->tx, c->tx_capacity);
  if (c->tx == NULL) die("out of memory");
}

static int output_write(BIO *bio, const char *data, int bytes) {
  struct connection *c = BIO_get_data(bio);
  reserve(c, (size_t)bytes);
  memcpy(c->tx + c->tx_bytes, data, (size_t)bytes);
  c->tx_bytes += (size_t)bytes;
  return bytes;
}

static long output_control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

static int output_create(BIO *bio) {
  BIO_set_init(bio, 1);
  return 1;
}

static int select_h2(SSL *ssl, const unsigned char **out, unsigned char *out_bytes, const unsigned char *in,
                     unsigned in_bytes, void *argument) {
  (void)ssl, (void)argument;
  static const unsigned char h2[] = {2, 'h', '2'};
  unsigned char *selected;
  if (SSL_select_next_proto(&selected, out_bytes, h2, sizeof h2, in, in_bytes) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

static void die_of_tls(const char *what) {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  die("%s: %s", what, text);
}

void tls_setup(void) {
  context = SSL_CTX_new(TLS_server_method());
  if (context == NULL) die_of_tls("context");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD_BYTES);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context, select_h2, NULL);
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate) != 1) die_of_tls(options.certificate);
  if (SSL_CTX_use_PrivateKey_file(context, options.key, SSL_FILETYPE_PEM) != 1) die_of_tls(options.key);
  if (options.client_ca != NULL) {
    if (SSL_CTX_load_verify_locations(context, options.client_ca, NULL) != 1) die_of_tls(options.client_ca);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(options.client_ca));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  }
  output_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection output");
  if (output_method == NULL) die_of_tls("output");
  BIO_meth_set_write(output_method, output_write);
  BIO_meth_set_ctrl(output_method, output_control);
  BIO_meth_set_create(output_method, output_create);
}

bool tls_open(struct connection *c) {
  BIO *input = BIO_new_socket(c->fd, BIO_NOCLOSE);
  BIO *output = BIO_new(output_method);
  c->ssl = SSL_new(context);
  c->in = malloc(IN_BYTES);
  c->out = malloc(OUT_BYTES);
  if (input == NULL || output == NULL || c->ssl == NULL || c->in == NULL || c->out == NULL) return false;
  BIO_set_data(output, c);
  SSL_set_bio(c->ssl, input, output);
  SSL_set_accept_state(c->ssl);
  return true;
}

void tls_close(struct connection *c) {
  SSL_free(c->ssl);
  free(c->in);
  free(c->out);
  free(c->tx);
}

static enum tls_result result_of(struct connection *c, int code) {
  int error = SSL_get_error(c->ssl, code);
  ERR_clear_error();
  return error == SSL_ERROR_WANT_READ ? TLS_BLOCKED : TLS_ENDED;
}

static void remember_certificate(struct connection *c) {
  X509 *certificate = SSL_get0_peer_certificate(c->ssl);
  if (certificate == NULL) return;
  BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
  char *text = serial == NULL ? NULL : BN_bn2hex(serial);
  if (text != NULL) strncpy(c->certificate, text, sizeof c->certificate - 1);
  OPENSSL_free(text);
  BN_free(serial);
}

enum tls_result tls_handshake(struct connection *c) {
  int code = SSL_do_handshake(c->ssl);
  if (code != 1) return result_of(c, code);
  remember_certificate(c);
  return TLS_OK;
}

/* Appends to `in` what one record holds. */
enum tls_result tls_read(struct connection *c) {
  int bytes = SSL_read(c->ssl, c->in + c->in_bytes, (int)(IN_BYTES - c->in_bytes));
  if (bytes <= 0) return result_of(c, bytes);
  c->in_bytes += (size_t)bytes;
  return TLS_OK;
}

/* Into one record where it fits. */
void tls_seal(struct connection *c, const uint8_t *plain, size_t bytes) {
  if (SSL_write(c->ssl, plain, (int)bytes) != (int)bytes) die_of_tls("seal");
}

/* Seals all but the last, unfilled record. */
void tls_seal_full_records(struct connection *c) {
  if (c->out_bytes < TLS_RECORD_BYTES) return;
  size_t at = 0;
  for (; c->out_bytes - at >= TLS_RECORD_BYTES; at += TLS_RECORD_BYTES) tls_seal(c, c->out + at, TLS_RECORD_BYTES);
  c->out_bytes -= at;
  memmove(c->out, c->out + at, c->out_bytes);
}

void tls_seal_all(struct connection *c) {
  tls_seal_full_records(c);
  if (c->out_bytes > 0) tls_seal(c, c->out, c->out_bytes);
  c->out_bytes = 0;
}

/* Hands sealed bytes to the socket. */
enum tls_result tls_send(struct connection *c) {
  while (c->tx_sent < c->tx_bytes) {
    ssize_t sent = send(c->fd, c->tx + c->tx_sent, c->tx_bytes - c->tx_sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN ? TLS_BLOCKED : TLS_ENDED;
    c->tx_sent += (size_t)sent;
  }
  c->tx_sent = c->tx_bytes = 0;
  return TLS_OK;
}
