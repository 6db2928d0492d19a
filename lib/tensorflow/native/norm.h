// Batch normalisation around convolutions: statistics of what came out, the
// factors of what goes in, and the way back through both.
#pragma once
#include "conv.h"

/** What normalises a channel; every array is filled up to whole vectors. */
typedef struct {
  float *scale, *shift; // y = x·scale + shift
  float *mean, *inverse, *slope;
} Norm;

/** Floats that `norm_of` takes for `channels`. */
INLINE int64_t norm_size(int64_t channels) { return 5 * vectors(channels) * VL; }

static Norm norm_of(float *memory, int64_t channels, const float *mean, const float *variance,
                    const float *gamma, const float *beta, const float *slope, float eps) {
  int64_t n = vectors(channels) * VL;
  memset(memory, 0, 4 * 5 * n);
  Norm k = {memory, memory + n, memory + 2 * n, memory + 3 * n, memory + 4 * n};
  for (int64_t c = 0; c < channels; c++) {
    k.mean[c] = mean[c];
    k.inverse[c] = 1 / __builtin_sqrtf(variance[c] + eps);
    k.scale[c] = gamma[c] * k.inverse[c];
    k.shift[c] = beta[c] - mean[c] * k.scale[c];
    if (slope) k.slope[c] = slope[c];
  }
  if (!slope) k.slope = NULL;
  return k;
}

/** Calls `body` for the vectors of pixels `from` to `to`: few pixels at once, so that they stay near, and their channels one after the other, so that their factors stay in registers. */
#define EACH_VECTOR(from, to, channels, ...)                              \
  for (int64_t _p = from; _p < (to); _p += 64) {                           \
    int64_t _end = min64(_p + 64, to);                                     \
    for (int64_t c = 0; c < (channels); c += VL) {                         \
      const int n = (int)min64(VL, (channels) - c);                        \
      if (n == VL) { const int whole = 1; __VA_ARGS__ } else { const int whole = 0; __VA_ARGS__ } \
    }                                                                      \
  }
#define EACH_PIXEL(channels) for (int64_t i = _p * (channels) + c; i < _end * (channels); i += (channels))
#define GET(array) (whole ? load((array) + i) : load_some((array) + i, n))
#define PUT(array, value) do { if (whole) store((array) + i, value); else store_some((array) + i, value, n); } while (0)

// ---- Statistics of an output -------------------------------------------------

/** Mean and sum of squared deviations of each slot, and how many pixels it has. */
typedef struct {
  const float *x;
  int64_t pixels_a_row, rows, channels, slots;
  float *parts;
} Statistics;

INLINE int64_t part_size(int64_t channels) { return 2 * vectors(channels) * VL + VL; }

static int statistics_slots(void *argument, int64_t slots) {
  Statistics *s = argument;
  s->slots = slots;
  s->parts = scratch(SUMS, slots * part_size(s->channels));
  return s->parts != NULL;
}

static void statistics_rows(void *argument, int64_t slot, int64_t image, int64_t row, int64_t rows) {
  Statistics *s = argument;
  int64_t from = (image * s->rows + row) * s->pixels_a_row, to = from + rows * s->pixels_a_row;
  int64_t channels = s->channels, filled = vectors(channels) * VL;
  float *mean = s->parts + slot * part_size(channels), *square = mean + filled;
  const float *x = s->x;
  memset(mean, 0, 4 * 2 * filled);
  EACH_VECTOR(from, to, channels, {
    vec sum = {0};
    EACH_PIXEL(channels) sum += GET(x);
    store(mean + c, load(mean + c) + sum);
  })
  square[filled] = to - from;
  for (int64_t c = 0; c < filled; c += VL) store(mean + c, load(mean + c) * (1.0f / (to - from)));
  EACH_VECTOR(from, to, channels, {
    vec sum = {0}, m = load(mean + c);
    EACH_PIXEL(channels) {
      vec d = GET(x) - m;
      sum += d * d;
    }
    store(square + c, load(square + c) + sum);
  })
}

/** Mean and biased variance of all slots, NaN and infinity as in one sum over all. */
static void statistics_of(const Statistics *s, float *mean, float *variance) {
  int64_t filled = vectors(s->channels) * VL, size = part_size(s->channels);
  for (int64_t c = 0; c < s->channels; c++) {
    const float *means = s->parts + c, *squares = means + filled, *counts = s->parts + 2 * filled;
    double count = 0, sum = 0, square = 0;
    for (int64_t i = 0; i < s->slots; i++) {
      count += counts[i * size];
      sum += (double)counts[i * size] * means[i * size];
    }
    for (int64_t i = 0; i < s->slots; i++) {
      double d = means[i * size] - sum / count;
      square += squares[i * size] + d * d * counts[i * size];
    }
    mean[c] = (float)(sum / count);
    variance[c] = (float)(square / count);
  }
}

// ---- The way back ------------------------------------------------------------

/**
 * Gradient of v = x·scale + shift, PReLU behind it where a slope is given:
 * first dv and its sums in slots, then dx where all sums are known.
 */
typedef struct {
  Norm norm;
  const float *x, *dy;
  const float *add; // added to dx where given
  float *dx;        // may be dy itself
  int64_t pixels, pixels_a_row, rows, channels, slots;
  float *parts;     // [slot][dbeta, dgamma, dslope]
  float *offset, *along; // what dx loses: offset + along·(x − mean)
  int training;
} NormBack;

static int back_slots(void *argument, int64_t slots) {
  NormBack *b = argument;
  int64_t filled = vectors(b->channels) * VL;
  b->slots = slots;
  b->parts = scratch(SUMS, (slots * 3 + 2) * filled);
  if (!b->parts) return 0;
  b->offset = b->parts + slots * 3 * filled;
  b->along = b->offset + filled;
  return 1;
}

static void back_rows(void *argument, int64_t slot, int64_t image, int64_t row, int64_t rows) {
  NormBack *b = argument;
  int64_t from = (image * b->rows + row) * b->pixels_a_row, to = from + rows * b->pixels_a_row;
  int64_t channels = b->channels, filled = vectors(channels) * VL;
  float *beta = b->parts + slot * 3 * filled, *gamma = beta + filled, *slope = gamma + filled;
  const float *x = b->x, *dy = b->dy;
  float *dx = b->dx;
  Norm k = b->norm;
  memset(beta, 0, 4 * 3 * filled);
  if (k.slope) {
    EACH_VECTOR(from, to, channels, {
      vec s_beta = {0}, s_gamma = {0}, s_slope = {0};
      vec scale = load(k.scale + c), shift = load(k.shift + c), mean = load(k.mean + c);
      vec a = load(k.slope + c);
      EACH_PIXEL(channels) {
        vec in = GET(x), d = GET(dy), v = in * scale + shift;
        mask positive = v > 0;
        s_slope += choose(positive, (vec){0}, d * v);
        d = choose(positive, d, d * a);
        s_beta += d;
        s_gamma += d * (in - mean);
        PUT(dx, d);
      }
      store(beta + c, load(beta + c) + s_beta);
      store(gamma + c, load(gamma + c) + s_gamma);
      store(slope + c, load(slope + c) + s_slope);
    })
  } else {
    EACH_VECTOR(from, to, channels, {
      vec s_beta = {0}, s_gamma = {0}, mean = load(k.mean + c);
      EACH_PIXEL(channels) {
        vec d = GET(dy);
        s_beta += d;
        s_gamma += d * (GET(x) - mean);
      }
      store(beta + c, load(beta + c) + s_beta);
      store(gamma + c, load(gamma + c) + s_gamma);
    })
  }
}

/** Gradients of gamma, beta and slope from the sums; `dslope` where there is a slope. */
static void back_sums(NormBack *b, float *dgamma, float *dbeta, float *dslope) {
  int64_t filled = vectors(b->channels) * VL;
  memset(b->offset, 0, 4 * 2 * filled);
  for (int64_t c = 0; c < b->channels; c++) {
    double sums[3] = {0};
    for (int64_t i = 0; i < b->slots; i++) {
      for (int j = 0; j < 3; j++) sums[j] += b->parts[(3 * i + j) * filled + c];
    }
    double inverse = b->norm.inverse[c], pixels = b->pixels;
    dbeta[c] = (float)sums[0];
    dgamma[c] = (float)(sums[1] * inverse);
    if (b->norm.slope) dslope[c] = (float)sums[2];
    if (!b->training) continue;
    b->offset[c] = (float)(sums[0] / pixels);
    b->along[c] = (float)(sums[1] * inverse * inverse / pixels);
  }
}

/** dx = scale·(dv − offset − along·(x − mean)) + add, of one share of the pixels. */
static void back_share(void *argument, int thread, int64_t item) {
  (void)thread;
  NormBack *b = argument;
  int64_t from = item * 4096, to = min64(from + 4096, b->pixels), channels = b->channels;
  const float *x = b->x, *add = b->add;
  // Behind a PReLU dv lies in dx already.
  const float *dv = b->norm.slope ? b->dx : b->dy;
  float *dx = b->dx;
  Norm k = b->norm;
  EACH_VECTOR(from, to, channels, {
    vec scale = load(k.scale + c), mean = load(k.mean + c);
    vec offset = load(b->offset + c), along = load(b->along + c);
    if (add) {
      EACH_PIXEL(channels) {
        PUT(dx, (GET(dv) - offset - along * (GET(x) - mean)) * scale + GET(add));
      }
    } else {
      EACH_PIXEL(channels) PUT(dx, (GET(dv) - offset - along * (GET(x) - mean)) * scale);
    }
  })
}

static void normalise_back(NormBack *b, float *dgamma, float *dbeta, float *dslope) {
  back_sums(b, dgamma, dbeta, dslope);
  parallel(back_share, b, (b->pixels + 4095) / 4096);
}
