/*
 * Response header blocks (RFC 7541): `:status` and a fresh upper-case UUID as `apns-id`, Huffman-coded and added to
 * the dynamic table as a general encoder would.
 */
#include "sink.h"

#include <string.h>
#include <sys/random.h>

/* Newest entry of the dynamic table: always our last apns-id. */
#define NEWEST_INDEX 62
/* Static table: `:status 200`, and the name `:status`. */
#define STATUS_200_INDEX 8
/* `apns-id` with 36 characters, as the table counts it: 7 + 36 + 32 (section 4.1). */
#define ENTRY_BYTES 75
#define DEFAULT_TABLE_BYTES 4096

struct code {
  uint16_t bits;
  uint8_t length;
};

/* Appendix B for what a UUID is made of. */
static const struct code digits[16] = {
    {0x00, 5}, {0x01, 5}, {0x02, 5}, {0x19, 6}, {0x1a, 6}, {0x1b, 6}, {0x1c, 6}, {0x1d, 6},
    {0x1e, 6}, {0x1f, 6}, {0x21, 6}, {0x5d, 7}, {0x5e, 7}, {0x5f, 7}, {0x60, 7}, {0x61, 7},
};
static const struct code dash = {0x16, 6};

/* "apns-id", Huffman-coded: 5 bytes. */
static const uint8_t name[] = {0x85, 0x1d, 0x75, 0x21, 0x63, 0x49};

static struct code pairs[256];
static uint64_t random_state[2];

void hpack_setup(void) {
  for (unsigned byte = 0; byte < 256; byte++) {
    struct code high = digits[byte >> 4], low = digits[byte & 15];
    pairs[byte].bits = (uint16_t)(high.bits << low.length | low.bits);
    pairs[byte].length = (uint8_t)(high.length + low.length);
  }
  if (getrandom(random_state, sizeof random_state, 0) != sizeof random_state) die("no random numbers");
}

/* xoroshiro128+: ids need to differ, not to be secret. */
static uint64_t random_u64(void) {
  uint64_t a = random_state[0], b = random_state[1], result = a + b;
  b ^= a;
  random_state[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
  random_state[1] = b << 37 | b >> 27;
  return result;
}

struct bits {
  uint8_t *at;
  uint64_t pending;
  unsigned count;
};

/* At most 14 bits a time. */
static inline void put(struct bits *b, struct code code) {
  b->pending = b->pending << code.length | code.bits;
  b->count += code.length;
  if (b->count < 32) return;
  b->count -= 32;
  uint32_t word = __builtin_bswap32((uint32_t)(b->pending >> b->count));
  memcpy(b->at, &word, 4);
  b->at += 4;
}

/* A string literal holding a version 4 UUID; at most 32 bytes of Huffman code, so its length fits one byte. */
static uint8_t *put_uuid(uint8_t *at) {
  uint64_t high = (random_u64() & ~0xf000ULL) | 0x4000;
  uint64_t low = (random_u64() & ~(3ULL << 62)) | 1ULL << 63;
  struct bits b = {at + 1, 0, 0};
  for (int i = 7; i >= 0; i--) {
    put(&b, pairs[high >> (8 * i) & 0xff]);
    if (i == 4 || i == 2 || i == 0) put(&b, dash);
  }
  for (int i = 7; i >= 0; i--) {
    put(&b, pairs[low >> (8 * i) & 0xff]);
    if (i == 6) put(&b, dash);
  }
  while (b.count >= 8) {
    b.count -= 8;
    *b.at++ = (uint8_t)(b.pending >> b.count);
  }
  /* Padding is the start of EOS: ones (section 5.2). */
  if (b.count > 0) *b.at++ = (uint8_t)(b.pending << (8 - b.count) | (0xff >> b.count));
  *at = (uint8_t)(0x80 | (b.at - at - 1));
  return b.at;
}

/* The client's SETTINGS_HEADER_TABLE_SIZE: obeyed from the next block on (section 4.2). */
void hpack_peer_table(struct connection *c, uint32_t bytes) {
  uint32_t wanted = bytes < ENTRY_BYTES ? 0 : bytes < DEFAULT_TABLE_BYTES ? bytes : DEFAULT_TABLE_BYTES;
  if (wanted == c->table_bytes) return;
  if (wanted < c->table_bytes) c->table_has_name = false;
  c->table_bytes = wanted;
  c->table_is_off = wanted == 0;
  c->table_update_is_due = true;
}

/* Integer with a prefix of `prefix` bits under `first` (section 5.1). */
static uint8_t *put_integer(uint8_t *at, uint8_t first, unsigned prefix, uint32_t value) {
  uint32_t max = (1u << prefix) - 1;
  if (value < max) {
    *at++ = (uint8_t)(first | value);
    return at;
  }
  *at++ = (uint8_t)(first | max);
  for (value -= max; value >= 128; value >>= 7) *at++ = (uint8_t)(value | 0x80);
  *at++ = (uint8_t)value;
  return at;
}

/* Writes the header block of a response; at most 64 bytes. Returns its end. */
uint8_t *hpack_response(struct connection *c, uint8_t *at, unsigned status) {
  if (c->table_update_is_due) {
    at = put_integer(at, 0x20, 5, c->table_bytes);
    c->table_update_is_due = false;
  }
  if (status == 200) {
    *at++ = 0x80 | STATUS_200_INDEX;
  } else {
    *at++ = STATUS_200_INDEX;
    *at++ = 3;
    *at++ = (uint8_t)('0' + status / 100);
    *at++ = (uint8_t)('0' + status / 10 % 10);
    *at++ = (uint8_t)('0' + status % 10);
  }
  if (c->table_has_name && !c->table_is_off) {
    *at++ = 0x40 | NEWEST_INDEX;
    return put_uuid(at);
  }
  *at++ = c->table_is_off ? 0x00 : 0x40;
  memcpy(at, name, sizeof name);
  c->table_has_name = !c->table_is_off;
  return put_uuid(at + sizeof name);
}
