/* With --verify: every request is decoded by libnghttp2, and every token counted. */
#include "sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_CHARACTERS 64
#define BLOCK_BYTES_MAX 65536

static const char path_prefix[] = "/3/device/";
#define PREFIX_CHARACTERS (sizeof path_prefix - 1)

/* Open addressing; a token is known by 64 bits of hash, 0 being free. At most half full. */
struct entry {
  uint64_t token;
  uint32_t count;
};
static struct entry *table;
static size_t table_size, table_used;
static uint64_t repeated_tokens, repeats;

bool verify_open(struct connection *c) {
  c->verified = calloc(VERIFY_STREAMS, sizeof *c->verified);
  c->block = malloc(BLOCK_BYTES_MAX);
  return c->verified != NULL && c->block != NULL && nghttp2_hd_inflate_new(&c->inflater) == 0;
}

void verify_close(struct connection *c) {
  if (c->inflater != NULL) nghttp2_hd_inflate_del(c->inflater);
  free(c->verified);
  free(c->block);
}

void verify_reset(void) {
  free(table);
  table = NULL;
  table_size = table_used = 0;
  repeated_tokens = repeats = 0;
}

static struct entry *find(uint64_t token) {
  size_t at = token & (table_size - 1);
  while (table[at].token != 0 && table[at].token != token) at = (at + 1) & (table_size - 1);
  return &table[at];
}

static void grow(void) {
  struct entry *old = table;
  size_t old_size = table_size;
  table_size = old_size == 0 ? 1 << 16 : old_size * 2;
  table = calloc(table_size, sizeof *table);
  if (table == NULL) die("out of memory");
  for (size_t i = 0; i < old_size; i++)
    if (old[i].token != 0) *find(old[i].token) = old[i];
  free(old);
}

static void count(uint64_t token) {
  if (table_used * 2 >= table_size) grow();
  struct entry *entry = find(token);
  entry->count++;
  if (entry->count == 1) {
    entry->token = token;
    table_used++;
    return;
  }
  repeats++;
  if (entry->count == 2) repeated_tokens++;
}

static uint64_t hash(const uint8_t *token) {
  uint64_t sum = 0x9e3779b97f4a7c15ULL;
  for (size_t at = 0; at < TOKEN_CHARACTERS; at += 8) {
    uint64_t word;
    memcpy(&word, token + at, 8);
    sum = (sum ^ (word | 0x2020202020202020ULL)) * 0xd6e8feb86659fd93ULL; /* upper case as lower case */
    sum ^= sum >> 32;
  }
  return sum == 0 ? 1 : sum;
}

static void see(struct verified_stream *v, const nghttp2_nv *header) {
  if (header->namelen == 7 && memcmp(header->name, ":method", 7) == 0)
    v->is_post = header->valuelen == 4 && memcmp(header->value, "POST", 4) == 0;
  if (header->namelen != 5 || memcmp(header->name, ":path", 5) != 0) return;
  if (header->valuelen != PREFIX_CHARACTERS + TOKEN_CHARACTERS) return;
  if (memcmp(header->value, path_prefix, PREFIX_CHARACTERS) != 0) return;
  v->has_token = true;
  v->token = hash(header->value + PREFIX_CHARACTERS);
}

/* Takes a fragment of a header block. False after an error that leaves the table undefined. */
bool verify_headers(struct connection *c, uint32_t stream, const uint8_t *block, size_t bytes, bool is_last) {
  struct verified_stream *v = &c->verified[stream / 2 % VERIFY_STREAMS];
  if (v->stream != stream) *v = (struct verified_stream){.stream = stream};
  if (!is_last || c->block_bytes > 0) {
    if (c->block_bytes + bytes > BLOCK_BYTES_MAX) return false;
    memcpy(c->block + c->block_bytes, block, bytes);
    c->block_bytes += bytes;
    if (!is_last) return true;
    block = c->block;
    bytes = c->block_bytes;
    c->block_bytes = 0;
  }
  for (;;) {
    nghttp2_nv header;
    int flags = 0;
    ssize_t used = nghttp2_hd_inflate_hd2(c->inflater, &header, &flags, block, bytes, 1);
    if (used < 0) {
      stats.inflate_errors++;
      return false;
    }
    block += used;
    bytes -= (size_t)used;
    if (flags & NGHTTP2_HD_INFLATE_EMIT) see(v, &header);
    if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
  }
  nghttp2_hd_inflate_end_headers(c->inflater);
  return true;
}

void verify_data(struct connection *c, uint32_t stream, size_t bytes) {
  struct verified_stream *v = &c->verified[stream / 2 % VERIFY_STREAMS];
  if (v->stream == stream) v->body_bytes += bytes;
}

/* A request is complete, whatever becomes of it. */
void verify_arrived(struct connection *c, uint32_t stream) {
  struct verified_stream *v = &c->verified[stream / 2 % VERIFY_STREAMS];
  if (v->stream != stream || !v->has_token || !v->is_post) stats.bad_requests++;
  else if (v->body_bytes == 0) stats.empty_bodies++;
}

/* A request is accepted: from here on a push has been made, whether its answer arrives or not. */
void verify_processed(struct connection *c, uint32_t stream) {
  if (c->inflater == NULL) return;
  struct verified_stream *v = &c->verified[stream / 2 % VERIFY_STREAMS];
  if (v->stream == stream && v->has_token) count(v->token);
}

/* Part of the line that `stats` prints. */
void verify_print(void) {
  printf(",\"distinct\":%zu,\"processedTwice\":%llu,\"repeats\":%llu", table_used, (unsigned long long)repeated_tokens,
         (unsigned long long)repeats);
}
