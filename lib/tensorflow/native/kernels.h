// The two inner loops that all products of matrices come down to. Both read
// blocks of VL channels, so that every offset but the first is a constant.
#pragma once
#include "vector.h"

// As many sums as the registers hold beside what is multiplied.
#if REGISTERS == 32
#define MOST_ROWS_1 28
#define MOST_ROWS_2 14
#define MOST_ROWS_4 7
#else
#define MOST_ROWS_1 12
#define MOST_ROWS_2 6
#define MOST_ROWS_4 3
#endif

/** Starts of the blocks that are multiplied and summed, in floats. */
typedef struct {
  int count;
  const int64_t *a, *b;
} Blocks;

/**
 * out[i][j] = sum over blocks and k < VL of a[i·row + k] · b[k·width + j] for
 * `rows` i and `width` = VL·vectors j; `next` apart lie the rows of out, `apart`
 * its vectors. Rows are pixels, k is a channel that comes in.
 */
INLINE void rows_by_vectors(const int rows, const int vectors, const int row,
                            const float *a, const float *b, Blocks blocks,
                            float *out, int64_t next, int64_t apart) {
  vec sum[MOST_ROWS_1][4];
#pragma GCC unroll 32
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) sum[i][j] = (vec){0};
  }
  for (int o = 0; o < blocks.count; o++) {
    const float *p = a + blocks.a[o], *q = b + blocks.b[o];
#pragma GCC unroll 2
    for (int k = 0; k < VL; k++, p++, q += VL * vectors) {
      vec w[4];
#pragma GCC unroll 4
      for (int j = 0; j < vectors; j++) w[j] = load(q + VL * j);
#pragma GCC unroll 32
      for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) sum[i][j] += w[j] * p[i * row];
      }
    }
  }
#pragma GCC unroll 32
  for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) store(out + i * next + j * apart, sum[i][j]);
  }
}

typedef void (*Product)(const float *a, const float *b, Blocks blocks, float *out,
                        int64_t next, int64_t apart);

#define PRODUCT(rows, vectors, step)                                            \
  static __attribute__((noinline)) void product_##rows##_##vectors##_##step(    \
      const float *a, const float *b, Blocks blocks, float *out, int64_t next,  \
      int64_t apart) {                                                          \
    rows_by_vectors(rows, vectors, step * VL, a, b, blocks, out, next, apart);  \
  }
#define NAME(rows, vectors, step) product_##rows##_##vectors##_##step

#if REGISTERS == 32
#define ROWS_4(X, s) X(1, 4, s) X(2, 4, s) X(3, 4, s) X(4, 4, s) X(5, 4, s) X(6, 4, s) X(7, 4, s)
#define ROWS_2(X, s) X(1, 2, s) X(2, 2, s) X(3, 2, s) X(4, 2, s) X(5, 2, s) X(6, 2, s) \
  X(7, 2, s) X(8, 2, s) X(9, 2, s) X(10, 2, s) X(11, 2, s) X(12, 2, s) X(13, 2, s) X(14, 2, s)
#define ROWS_1(X, s) X(1, 1, s) X(2, 1, s) X(3, 1, s) X(4, 1, s) X(5, 1, s) X(6, 1, s) \
  X(7, 1, s) X(8, 1, s) X(9, 1, s) X(10, 1, s) X(11, 1, s) X(12, 1, s) X(13, 1, s) \
  X(14, 1, s) X(15, 1, s) X(16, 1, s) X(17, 1, s) X(18, 1, s) X(19, 1, s) X(20, 1, s) \
  X(21, 1, s) X(22, 1, s) X(23, 1, s) X(24, 1, s) X(25, 1, s) X(26, 1, s) X(27, 1, s) X(28, 1, s)
#else
#define ROWS_4(X, s) X(1, 4, s) X(2, 4, s) X(3, 4, s)
#define ROWS_2(X, s) X(1, 2, s) X(2, 2, s) X(3, 2, s) X(4, 2, s) X(5, 2, s) X(6, 2, s)
#define ROWS_1(X, s) X(1, 1, s) X(2, 1, s) X(3, 1, s) X(4, 1, s) X(5, 1, s) X(6, 1, s) \
  X(7, 1, s) X(8, 1, s) X(9, 1, s) X(10, 1, s) X(11, 1, s) X(12, 1, s)
#endif

#define EACH(s) ROWS_1(PRODUCT, s) ROWS_2(PRODUCT, s) ROWS_4(PRODUCT, s)
EACH(1)
EACH(2)
#undef EACH

#define ENTRY(rows, vectors, step) NAME(rows, vectors, step),
static const Product PRODUCTS[2][3][MOST_ROWS_1] = {
    {{ROWS_1(ENTRY, 1)}, {ROWS_2(ENTRY, 1)}, {ROWS_4(ENTRY, 1)}},
    {{ROWS_1(ENTRY, 2)}, {ROWS_2(ENTRY, 2)}, {ROWS_4(ENTRY, 2)}},
};

INLINE int most_rows(int vectors) {
  return vectors == 1 ? MOST_ROWS_1 : vectors == 2 ? MOST_ROWS_2 : MOST_ROWS_4;
}

/** Vectors of `columns` that are computed at once for `rows` rows. */
INLINE int vectors_at_once(int64_t columns, int64_t rows) {
  int64_t n = vectors(columns);
  if (n % 4 == 0 && rows <= MOST_ROWS_4) return 4;
  return n % 2 == 0 ? 2 : 1;
}

/** `rows` rows of a product in as even parts as fit the registers. */
INLINE void product(int64_t rows, int vectors, int step, const float *a,
                    const float *b, Blocks blocks, float *out, int64_t next,
                    int64_t apart) {
  int most = most_rows(vectors);
  int64_t parts = (rows + most - 1) / most;
  for (int64_t part = 0; part < parts; part++) {
    int64_t from = rows * part / parts, n = rows * (part + 1) / parts - from;
    PRODUCTS[step - 1][vectors / 2][n - 1](a + from * step * VL, b, blocks,
                                           out + from * next, next, apart);
  }
}

/**
 * sum[i][·] += a[k·step·VL + i] · b[k·VL + ·] over blocks and k < length, for
 * i < VL: the gradient of a block of weights. k is a pixel.
 */
INLINE void outer(const int step, const float *a, const float *b, Blocks blocks,
                  int64_t length, float *sum) {
  vec s[VL];
#pragma GCC unroll 16
  for (int i = 0; i < VL; i++) s[i] = load(sum + VL * i);
  for (int o = 0; o < blocks.count; o++) {
    const float *p = a + blocks.a[o], *q = b + blocks.b[o];
    for (int64_t k = 0; k < length; k++, p += step * VL, q += VL) {
      vec w = load(q);
#pragma GCC unroll 16
      for (int i = 0; i < VL; i++) s[i] += w * p[i];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < VL; i++) store(sum + VL * i, s[i]);
}

static __attribute__((noinline)) void outer_1(const float *a, const float *b,
                                              Blocks blocks, int64_t length,
                                              float *sum) {
  outer(1, a, b, blocks, length, sum);
}
static __attribute__((noinline)) void outer_2(const float *a, const float *b,
                                              Blocks blocks, int64_t length,
                                              float *sum) {
  outer(2, a, b, blocks, length, sum);
}
