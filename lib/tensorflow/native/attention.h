// softmax(scale·q·kᵀ)·v of each image and head, and the way back: few tokens,
// so that all of a head stays in the nearest caches.
#pragma once
#include "matrix.h"
#include "tokens.h"

/** Values of one token lie `next` apart: [images][tokens][...][heads][size]. */
typedef struct {
  const float *q, *k, *v, *dout;
  float *out, *weights;  // weights [images][queries][heads][keys]
  float *dq, *dk, *dv;
  int64_t images, queries, keys, heads, size;
  int64_t q_next, k_next; // of q and dq; of k, v, dk and dv
  float scale;
  atomic_int failed;
} Attention;

/** Room for both sides of a product: of the right one, what is multiplied at once. */
INLINE int64_t sides_size(int64_t rows, int64_t inner) {
  return (rows + 4 * VL) * vectors(inner) * VL;
}

/** out [rows][columns up to whole vectors] = a·b, both small. */
static void small_product(Matrix a, Matrix b, int64_t rows, int64_t inner, int64_t columns,
                          float *memory, int64_t *offsets, float *out) {
  int64_t filled = vectors(columns) * VL, count = vectors(inner);
  float *left = memory, *right = memory + rows * count * VL;
  left_blocks(a, rows, inner, left);
  int at_once = vectors_at_once(columns, rows);
  int64_t wide = VL * at_once;
  Blocks steps = block_steps(rows, inner, wide, offsets, offsets + count);
  for (int64_t f = 0; f < filled; f += wide) {
    right_columns(b, inner, f, columns, wide, right);
    product(rows, at_once, 1, left, right, steps, out + f, filled, VL);
  }
}

/** Row by row eˣ over its sum of x = scale·row; up to whole vectors, the rest 0. */
static void softmax_rows(float *row, int64_t rows, int64_t keys, float scale) {
  int64_t filled = vectors(keys) * VL;
  for (int64_t r = 0; r < rows; r++, row += filled) {
    for (int64_t i = keys; i < filled; i++) row[i] = -__builtin_inff();
    vec top = splat(-__builtin_inff()), sum = {0};
    for (int64_t c = 0; c < filled; c += VL) {
      vec x = load(row + c);
      x = choose(x == -__builtin_inff(), x, x * scale);
      store(row + c, x);
      top = choose(x > top, x, top);
    }
    float most = top[0];
    for (int i = 1; i < VL; i++) most = top[i] > most ? top[i] : most;
    for (int64_t c = 0; c < filled; c += VL) {
      vec e = exp_of(load(row + c) - most);
      store(row + c, e);
      sum += e;
    }
    float share = 1 / total(sum);
    for (int64_t c = 0; c < filled; c += VL) store(row + c, load(row + c) * share);
  }
}

/** Rows of `size` values, `filled` apart, to where they lie `next` apart. */
static void put_rows(const float *from, int64_t rows, int64_t size, float *to, int64_t next) {
  int64_t filled = vectors(size) * VL;
  for (int64_t r = 0; r < rows; r++) memcpy(to + r * next, from + r * filled, 4 * size);
}

/** Memory of a thread for all that one head takes: two maps, sides of products and their steps. */
static float *head_memory(Attention *t, int thread, int64_t **steps) {
  int64_t tokens = max64(t->queries, t->keys), wide = max64(tokens, t->size);
  int64_t map = tokens * vectors(wide) * VL, *unused;
  float *memory = scratch(thread, 2 * map + sides_size(tokens, wide));
  if (memory && offsets(thread, vectors(wide), steps, &unused)) return memory;
  t->failed = 1;
  return NULL;
}

typedef struct {
  Matrix q, k, v, weights, dout;
  int64_t at; // the head's first value among the queries' and among the keys'
  int64_t key_at, out_at;
} Head;

static Head head_of(const Attention *t, int64_t item) {
  int64_t image = item / t->heads, head = item % t->heads, apart = t->heads * t->keys;
  int64_t out_at = (image * t->queries * t->heads + head) * t->size;
  int64_t at = image * t->queries * t->q_next + head * t->size;
  int64_t key_at = image * t->keys * t->k_next + head * t->size;
  return (Head){
      {t->q + at, t->q_next, 0},
      {t->k + key_at, t->k_next, 0},
      {t->v + key_at, t->k_next, 0},
      {t->weights + image * t->queries * apart + head * t->keys, apart, 0},
      {t->dout ? t->dout + out_at : NULL, t->heads * t->size, 0},
      at, key_at, out_at,
  };
}

INLINE Matrix turn(Matrix m) { return (Matrix){m.values, m.next, !m.turned}; }

static void attend_head(void *argument, int thread, int64_t item) {
  Attention *t = argument;
  int64_t *steps, queries = t->queries, keys = t->keys, size = t->size;
  float *memory = head_memory(t, thread, &steps);
  if (!memory) return;
  Head h = head_of(t, item);
  float *map = memory, *room = map + queries * vectors(max64(keys, size)) * VL;
  small_product(h.q, turn(h.k), queries, size, keys, room, steps, map);
  softmax_rows(map, queries, keys, t->scale);
  put_rows(map, queries, keys, (float *)h.weights.values, h.weights.next);
  small_product(h.weights, h.v, queries, keys, size, room, steps, map);
  put_rows(map, queries, size, t->out + h.out_at, t->heads * size);
}

static void attend_head_back(void *argument, int thread, int64_t item) {
  Attention *t = argument;
  int64_t *steps, queries = t->queries, keys = t->keys, size = t->size;
  int64_t tokens = max64(queries, keys), filled = vectors(keys) * VL;
  float *memory = head_memory(t, thread, &steps);
  if (!memory) return;
  Head h = head_of(t, item);
  float *slopes = memory, *map = slopes + tokens * vectors(max64(tokens, size)) * VL;
  float *room = map + tokens * vectors(max64(tokens, size)) * VL;
  small_product(h.dout, turn(h.v), queries, size, keys, room, steps, slopes);
  for (int64_t r = 0; r < queries; r++) {
    const float *weights = h.weights.values + r * h.weights.next;
    float *row = slopes + r * filled;
    vec sum = {0};
    for (int64_t c = 0; c < keys; c += VL) {
      vec w = keys - c >= VL ? load(weights + c) : load_some(weights + c, (int)(keys - c));
      sum += w * load(row + c);
    }
    float mean = total(sum);
    for (int64_t c = 0; c < keys; c += VL) {
      vec w = keys - c >= VL ? load(weights + c) : load_some(weights + c, (int)(keys - c));
      store(row + c, w * (load(row + c) - mean) * t->scale);
    }
  }
  Matrix slope = {slopes, filled, 0};
  small_product(slope, h.k, queries, keys, size, room, steps, map);
  put_rows(map, queries, size, t->dq + h.at, t->q_next);
  small_product(turn(slope), h.q, keys, queries, size, room, steps, map);
  put_rows(map, keys, size, t->dk + h.key_at, t->k_next);
  small_product(turn(h.weights), h.dout, keys, queries, size, room, steps, map);
  put_rows(map, keys, size, t->dv + h.key_at, t->k_next);
}
