// Products of matrices: a·b, a·bᵀ and aᵀ·b.
#pragma once
#include "kernels.h"
#include "pool.h"

/** Value (i, j) lies at values[i·next + j], where `turned` at values[j·next + i]. */
typedef struct {
  const float *values;
  int64_t next;
  int turned;
} Matrix;

/** What is multiplied from the left, as blocks [inner / VL][rows][VL]. */
static void left_blocks(Matrix m, int64_t rows, int64_t inner, float *to) {
  int64_t whole = inner / VL * VL;
  int n = (int)(inner - whole);
  for (int64_t r = 0; !m.turned && r < rows; r++) {
    const float *from = m.values + r * m.next;
    float *row = to + r * VL;
    for (int64_t k = 0; k < whole; k += VL) store(row + k * rows, load(from + k));
    if (n) store(row + whole * rows, load_some(from + whole, n));
  }
  if (m.turned && n) memset(to + whole * rows, 0, 4 * rows * VL);
  for (int64_t k = 0; m.turned && k < inner; k++) {
    float *column = to + k / VL * rows * VL + k % VL;
    for (int64_t r = 0; r < rows; r++) column[r * VL] = m.values[k * m.next + r];
  }
}

/** `wide` columns from f on of what is multiplied from the right, as [inner, up to whole vectors][wide]; 0 past `columns`. */
static void right_columns(Matrix m, int64_t inner, int64_t f, int64_t columns, int64_t wide,
                          float *to) {
  int64_t some = min64(wide, columns - f);
  memset(to + inner * wide, 0, 4 * (vectors(inner) * VL - inner) * wide);
  if (some < wide) memset(to, 0, 4 * inner * wide);
  if (!m.turned) {
    for (int64_t k = 0; k < inner; k++) memcpy(to + k * wide, m.values + k * m.next + f, 4 * some);
    return;
  }
  for (int64_t i = 0; i < inner; i += 16) {
    for (int64_t j = 0; j < some; j++) {
      const float *from = m.values + (f + j) * m.next;
      for (int64_t k = i; k < min64(i + 16, inner); k++) to[k * wide + j] = from[k];
    }
  }
}

/** Offsets of the blocks of a product of `rows` rows by columns `wide` at once. */
INLINE Blocks block_steps(int64_t rows, int64_t inner, int64_t wide, int64_t *a, int64_t *b) {
  for (int64_t k = 0; k < vectors(inner); k++) {
    a[k] = k * rows * VL;
    b[k] = k * VL * wide;
  }
  return (Blocks){(int)vectors(inner), a, b};
}

typedef struct {
  Matrix a, b;
  float *out; // [rows, columns]
  int64_t rows, inner, columns;
  float *left, *right; // in blocks, what all threads share
  float *sums;
  int64_t tile, first, count, parts;
  int at_once, add;
  atomic_int failed;
} Multiplication;

static void pack_right(void *argument, int thread, int64_t item) {
  (void)thread;
  Multiplication *p = argument;
  int64_t wide = VL * p->at_once;
  right_columns(p->b, p->inner, item * wide, p->columns, wide,
                p->right + item * wide * vectors(p->inner) * VL);
}

static void multiply_rows(void *argument, int thread, int64_t item) {
  Multiplication *p = argument;
  int64_t from = item * p->tile, rows = min64(p->tile, p->rows - from);
  int64_t blocks = vectors(p->inner), filled = vectors(p->columns) * VL, wide = VL * p->at_once;
  int whole = filled == p->columns;
  float *left = scratch(thread, blocks * rows * VL + 64 + (whole ? 0 : rows * filled));
  int64_t *a, *b;
  if (!left || !offsets(thread, blocks, &a, &b)) {
    p->failed = 1;
    return;
  }
  Matrix part = p->a;
  part.values += from * part.next;
  left_blocks(part, rows, p->inner, left);
  Blocks steps = block_steps(rows, p->inner, wide, a, b);
  float *out = p->out + from * p->columns, *to = whole ? out : left + blocks * rows * VL + 64;
  for (int64_t f = 0; f < filled; f += wide) {
    product(rows, p->at_once, 1, left, p->right + f * blocks * VL, steps, to + f, filled, VL);
  }
  for (int64_t r = 0; !whole && r < rows; r++) {
    memcpy(out + r * p->columns, to + r * filled, 4 * p->columns);
  }
}

/** Rows of both sides of aᵀ·b that are multiplied while they stay in the nearest cache. */
#define NEAR_ROWS 256

static void block_rows(void *argument, int thread, int64_t item) {
  (void)thread;
  Multiplication *p = argument;
  int64_t from = item * NEAR_ROWS, rows = min64(NEAR_ROWS, p->count - from);
  int64_t in = vectors(p->rows), out = vectors(p->columns);
  for (int64_t side = 0; side < 2; side++) {
    Matrix m = side ? p->b : p->a;
    int64_t wide = side ? p->columns : p->rows;
    float *to = side ? p->right + from * out * VL : p->left + from * in * VL;
    m.values += (p->first + from) * m.next;
    left_blocks((Matrix){m.values, m.next, 0}, rows, wide, to);
  }
}

static void multiply_columns(void *argument, int thread, int64_t item) {
  (void)thread;
  Multiplication *p = argument;
  int64_t in = vectors(p->rows), out = vectors(p->columns), zero = 0;
  int64_t m = item / p->parts, part = item % p->parts;
  Blocks one = {1, &zero, &zero};
  for (int64_t from = 0; from < p->count; from += NEAR_ROWS) {
    int64_t rows = min64(NEAR_ROWS, p->count - from);
    for (int64_t f = out * part / p->parts; f < out * (part + 1) / p->parts; f++) {
      float *sum = p->sums + (m * out + f) * VL * VL;
      if (!p->add && !from) memset(sum, 0, 4 * VL * VL);
      outer_1(p->left + (from * in + m * rows) * VL, p->right + (from * out + f * rows) * VL, one,
              rows, sum);
    }
  }
}

static void put_sums(void *argument, int thread, int64_t row) {
  (void)thread;
  Multiplication *p = argument;
  int64_t out = vectors(p->columns);
  for (int64_t f = 0; f < out; f++) {
    const float *sum = p->sums + (row / VL * out + f) * VL * VL + row % VL * VL;
    store_some(p->out + row * p->columns + f * VL, load(sum), (int)min64(VL, p->columns - f * VL));
  }
}

/** out [rows, columns] = aᵀ·b of a [inner, rows] and b [inner, columns]. */
static int multiply_turned(Multiplication *p) {
  int64_t in = vectors(p->rows), out = vectors(p->columns);
  int64_t most = max64(NEAR_ROWS, 2 * pool.cache / ((in + out) * VL) / NEAR_ROWS * NEAR_ROWS);
  int64_t count = min64(most, p->inner);
  p->left = scratch(LEFT, count * in * VL);
  p->right = scratch(RIGHT, count * out * VL);
  p->sums = scratch(SUMS, in * out * VL * VL);
  if (!p->left || !p->right || !p->sums) return 0;
  p->parts = min64(out, (4 * pool.threads + in - 1) / in);
  for (p->first = 0; p->first < p->inner; p->first += most) {
    p->count = min64(most, p->inner - p->first);
    parallel(block_rows, p, (p->count + NEAR_ROWS - 1) / NEAR_ROWS);
    parallel(multiply_columns, p, in * p->parts);
    p->add = 1;
  }
  parallel(put_sums, p, p->rows);
  return 1;
}

/** out [rows, columns] = a·b, their sums over `inner` values in order; one of both may be turned. */
static int multiply(Matrix a, Matrix b, float *out, int64_t rows, int64_t inner, int64_t columns) {
  Multiplication p = {.a = a, .b = b, .out = out, .rows = rows, .inner = inner, .columns = columns};
  if (a.turned) return multiply_turned(&p);
  p.at_once = vectors_at_once(columns, rows);
  int64_t most = 4 * most_rows(p.at_once), wide = VL * p.at_once;
  int64_t tiles = pool.threads * ((rows + most * pool.threads - 1) / (most * pool.threads));
  p.tile = (rows + tiles - 1) / tiles;
  p.right = scratch(WEIGHTS, vectors(columns) * VL * vectors(inner) * VL);
  if (!p.right) return 0;
  parallel(pack_right, &p, vectors(columns) * VL / wide);
  parallel(multiply_rows, &p, (rows + p.tile - 1) / p.tile);
  return !p.failed;
}
