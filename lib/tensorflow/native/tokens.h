// What a transformer does between its products, each in one pass: layer norm,
// GELU with its bias, and the sum of squares of many tensors.
#pragma once
#include "pool.h"

/** eˣ within 2 units in the last place (Cephes' expf), 0 below the least normal number. */
INLINE vec exp_of(vec x) {
  mask none = x < -87.3f;
  x = choose(none, splat(-87.3f), choose(x > 88.7f, splat(88.7f), x));
  vec n = x * 1.44269504f + 12582912.f; // rounds to the nearest whole number
  mask whole = (mask)n - 0x4b400000;
  n -= 12582912.f;
  vec r = x - n * 0.693359375f + n * 2.12194440e-4f;
  vec y = splat(1.9875691500e-4f);
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * r * r + r + 1;
  return choose(none, (vec){0}, y * (vec)((whole + 127) << 23));
}

/** The error function, as Eigen 3.4 computes it: a quotient of polynomials on [-4, 4]. */
INLINE vec erf_of(vec x) {
  x = choose(x < -4, splat(-4), choose(x > 4, splat(4), x));
  vec s = x * x;
  vec p = splat(-2.72614225801306e-10f);
  p = p * s + 2.77068142495902e-08f;
  p = p * s - 2.10102402082508e-06f;
  p = p * s - 5.69250639462346e-05f;
  p = p * s - 7.34990630326855e-04f;
  p = p * s - 2.95459980854025e-03f;
  p = p * s - 1.60960333262415e-02f;
  vec q = splat(-1.45660718464996e-05f);
  q = q * s - 2.13374055278905e-04f;
  q = q * s - 1.68282697438203e-03f;
  q = q * s - 7.37332916720468e-03f;
  q = q * s - 1.42647390514189e-02f;
  return x * p / q;
}

INLINE vec normal_share(vec x) { return erf_of(x * 0.707106781f) * 0.5f + 0.5f; }

/** Rows that a thread takes at once. */
#define ROWS 16

// A row's values from c on; past the end they are 0.
#define ROW_GET(array) (c + VL <= width ? load((array) + c) : load_some((array) + c, (int)(width - c)))
#define ROW_PUT(array, value)                                  \
  do {                                                         \
    if (c + VL <= width) store((array) + c, value);            \
    else store_some((array) + c, value, (int)(width - c));     \
  } while (0)
#define EACH_COLUMN for (int64_t c = 0; c < width; c += VL)

typedef struct {
  const float *x, *dy, *scale, *offset;
  float *out;       // y, or dx
  float *mean, *inverse;
  float *parts;     // sums of a share of rows: [share][2][filled]
  int64_t rows, width;
  float eps;
} Rows;

static void layer_norm_rows(void *argument, int thread, int64_t item) {
  (void)thread;
  Rows *j = argument;
  int64_t width = j->width;
  for (int64_t r = item * ROWS; r < min64((item + 1) * ROWS, j->rows); r++) {
    const float *x = j->x + r * width;
    float *y = j->out + r * width;
    vec sum = {0}, squares = {0};
    EACH_COLUMN sum += ROW_GET(x);
    float mean = total(sum) / width;
    EACH_COLUMN {
      vec d = ROW_GET(x) - mean;
      if (c + VL > width) for (int i = (int)(width - c); i < VL; i++) d[i] = 0;
      squares += d * d;
    }
    float inverse = 1 / __builtin_sqrtf(total(squares) / width + j->eps);
    j->mean[r] = mean;
    j->inverse[r] = inverse;
    EACH_COLUMN ROW_PUT(y, (ROW_GET(x) - mean) * inverse * ROW_GET(j->scale) + ROW_GET(j->offset));
  }
}

static void layer_norm_back_rows(void *argument, int thread, int64_t item) {
  (void)thread;
  Rows *j = argument;
  int64_t width = j->width, filled = vectors(width) * VL;
  float *dscale = j->parts + item * 2 * filled, *doffset = dscale + filled;
  memset(dscale, 0, 4 * 2 * filled);
  for (int64_t r = item * ROWS; r < min64((item + 1) * ROWS, j->rows); r++) {
    const float *x = j->x + r * width, *dy = j->dy + r * width;
    float *dx = j->out + r * width, mean = j->mean[r], inverse = j->inverse[r];
    vec sum = {0}, along = {0};
    EACH_COLUMN {
      vec unit = (ROW_GET(x) - mean) * inverse, d = ROW_GET(dy);
      // Past the end d is 0.
      store(dscale + c, load(dscale + c) + d * unit);
      store(doffset + c, load(doffset + c) + d);
      d *= ROW_GET(j->scale);
      sum += d;
      along += d * unit;
    }
    float middle = total(sum) / width, slope = total(along) / width;
    EACH_COLUMN {
      vec unit = (ROW_GET(x) - mean) * inverse;
      ROW_PUT(dx, (ROW_GET(dy) * ROW_GET(j->scale) - middle - unit * slope) * inverse);
    }
  }
}

/** x + bias through GELU, x·Φ(x) (arXiv 1606.08415). */
static void gelu_rows(void *argument, int thread, int64_t item) {
  (void)thread;
  Rows *j = argument;
  int64_t width = j->width;
  for (int64_t r = item * ROWS; r < min64((item + 1) * ROWS, j->rows); r++) {
    const float *x = j->x + r * width;
    float *y = j->out + r * width;
    EACH_COLUMN {
      vec v = ROW_GET(x) + ROW_GET(j->offset);
      ROW_PUT(y, v * normal_share(v));
    }
  }
}

static void gelu_back_rows(void *argument, int thread, int64_t item) {
  (void)thread;
  Rows *j = argument;
  int64_t width = j->width, filled = vectors(width) * VL;
  float *dbias = j->parts + item * filled;
  memset(dbias, 0, 4 * filled);
  for (int64_t r = item * ROWS; r < min64((item + 1) * ROWS, j->rows); r++) {
    const float *x = j->x + r * width, *dy = j->dy + r * width;
    float *dx = j->out + r * width;
    EACH_COLUMN {
      vec v = ROW_GET(x) + ROW_GET(j->offset);
      vec density = exp_of(v * v * -0.5f) * 0.398942280f;
      vec d = ROW_GET(dy) * (normal_share(v) + v * density);
      store(dbias + c, load(dbias + c) + d);
      ROW_PUT(dx, d);
    }
  }
}

/** The sums of `shares` parts of `width` values, `apart` floats apart. */
static void add_parts(const float *parts, int64_t shares, int64_t apart, int64_t width,
                      float *sums) {
  for (int64_t c = 0; c < width; c++) {
    double sum = 0;
    for (int64_t i = 0; i < shares; i++) sum += parts[i * apart + c];
    sums[c] = (float)sum;
  }
}

typedef struct {
  const float *const *x;
  const int64_t *ends; // of each tensor's shares, in all shares
  const int64_t *sizes;
  double *sums;        // of each share
} Squares;

#define SHARE 65536

static void square_share(void *argument, int thread, int64_t item) {
  (void)thread;
  Squares *q = argument;
  int64_t tensor = 0;
  while (item >= q->ends[tensor]) tensor++;
  int64_t from = (item - (tensor ? q->ends[tensor - 1] : 0)) * SHARE;
  int64_t to = min64(from + SHARE, q->sizes[tensor]), i = from;
  const float *x = q->x[tensor];
  double sum = 0;
  for (; i + 4 * VL <= to;) {
    // Few values a float sum, so that none is lost beside the rest.
    vec a = {0}, b = {0}, c = {0}, d = {0};
    for (int64_t end = min64(to, i + 256 * VL); i + 4 * VL <= end; i += 4 * VL) {
      vec v = load(x + i), w = load(x + i + VL), y = load(x + i + 2 * VL), z = load(x + i + 3 * VL);
      a += v * v;
      b += w * w;
      c += y * y;
      d += z * z;
    }
    sum += total((a + b) + (c + d));
  }
  for (; i < to; i++) sum += (double)x[i] * x[i];
  q->sums[item] = sum;
}
