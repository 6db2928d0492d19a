// Convolutions with kernel 3 or 1, stride 1 or 2, padded as PyTorch's, NHWC.
// Inside, channels lie in blocks of VL: [block][row][column][VL].
#pragma once
#include "kernels.h"
#include "pool.h"

typedef struct {
  int64_t images, height, width, channels;
  int64_t filters, side, stride;
} Conv;

INLINE int64_t out_height(Conv c) { return (c.height + c.stride - 1) / c.stride; }
INLINE int64_t out_width(Conv c) { return (c.width + c.stride - 1) / c.stride; }
INLINE int64_t padding(Conv c) { return (c.side - 1) / 2; }

/** x [N, H, W, C], read as x·scale + shift where scale is given, then through PReLU where slope is; these are filled up to whole vectors. */
typedef struct {
  const float *x, *scale, *shift, *slope;
  int64_t height, width, channels;
  int64_t patches; // where above 0, see `fill_patches`
} Source;

INLINE vec activated(Source s, int64_t c, vec v) {
  if (!s.scale) return v;
  v = v * load(s.scale + c) + load(s.shift + c);
  if (!s.slope) return v;
  return choose(v > 0, v, v * load(s.slope + c));
}

/**
 * For few channels: instead of pixels their 3 × 3 neighbourhoods, as one pixel
 * of 9 · channels, at every `patches`-th row and column. A convolution is then
 * one with kernel 1, and no block is nearly empty.
 */
static void fill_patches(Source s, int64_t image, int64_t top, int64_t rows, int64_t columns,
                         float *to, int64_t plane, int64_t spread) {
  int64_t channels = s.channels, run = 3 * channels, blocks = vectors(3 * run);
  // Vectors are read from before a row's start to behind its end.
  int64_t length = (s.width + 2) * channels + 2 * VL;
  float memory[3 * length + 6 * VL], *lines = memory + 3 * VL;
  // Which values of a block lie in which of the three rows.
  mask from_row[blocks][3];
  for (int64_t i = 0; i < blocks * VL; i++) {
    for (int64_t k = 0; k < 3; k++) from_row[i / VL][k][i % VL] = i / run == k ? -1 : 0;
  }
  memset(memory, 0, sizeof memory);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t k = 0; k < 3; k++) {
      float *line = lines + k * length;
      int64_t y = (top + r) * s.patches + k - 1;
      if (y < 0 || y >= s.height) {
        memset(line, 0, 4 * (s.width + 2) * channels);
        continue;
      }
      const float *from = s.x + (image * s.height + y) * s.width * channels;
      if (!s.scale) {
        memcpy(line + channels, from, 4 * s.width * channels);
        continue;
      }
      for (int64_t x = 0; x < s.width; x++) {
        vec v = activated(s, 0, load_some(from + x * channels, (int)channels));
        store_some(line + (x + 1) * channels, v, (int)channels);
      }
    }
    for (int64_t b = 0; b < blocks; b++) {
      float *row = to + b * plane + r * columns * spread;
      const float *from[3];
      for (int64_t k = 0; k < 3; k++) from[k] = lines + k * length + b * VL - k * run;
      mask first = from_row[b][0], second = from_row[b][1], third = from_row[b][2];
      for (int64_t x = 0; x < columns; x++) {
        int64_t at = x * s.patches * channels;
        vec v = choose(first, load(from[0] + at), (vec){0});
        v = choose(second, load(from[1] + at), v);
        store(row + x * spread, choose(third, load(from[2] + at), v));
      }
    }
  }
}

/**
 * Rows `top` to `top` + `rows` - 1 of an image, columns `left` to `left` +
 * `columns` - 1, as blocks that lie `plane` floats apart and columns that lie
 * `spread` apart; 0 outside of the image.
 */
static void fill(Source s, int64_t image, int64_t top, int64_t rows, int64_t left,
                 int64_t columns, float *to, int64_t plane, int64_t spread) {
  if (s.patches) {
    fill_patches(s, image, top, rows, columns, to, plane, spread);
    return;
  }
  int64_t begin = max64(0, -left), end = min64(columns, s.width - left);
  for (int64_t r = 0; r < rows; r++) {
    int64_t y = top + r;
    const float *from = s.x + ((image * s.height + y) * s.width + left) * s.channels;
    int inside = y >= 0 && y < s.height;
    for (int64_t c = 0, b = 0; c < s.channels; c += VL, b++) {
      float *row = to + b * plane + r * columns * spread;
      for (int64_t x = 0; x < (inside ? begin : columns); x++) store(row + x * spread, (vec){0});
      if (!inside) continue;
      int64_t n = s.channels - c;
      if (n >= VL) {
        for (int64_t x = begin; x < end; x++) {
          store(row + x * spread, activated(s, c, load(from + x * s.channels + c)));
        }
      } else {
        for (int64_t x = begin; x < end; x++) {
          vec v = activated(s, c, load_some(from + x * s.channels + c, n));
          store(row + x * spread, (vec){0});
          store_some(row + x * spread, v, n);
        }
      }
      for (int64_t x = end; x < columns; x++) store(row + x * spread, (vec){0});
    }
  }
}

/** What is done with output rows while they are in the cache. */
typedef struct {
  void (*rows)(void *argument, int64_t slot, int64_t image, int64_t row, int64_t rows);
  void *argument;
} Epilogue;

/** How output is shared out: `group` images at once, or `rows` rows of one. */
typedef struct {
  int64_t group, rows, bands, items;
} Shares;

static Shares shares_of(int64_t images, int64_t rows, size_t floats_a_row, int64_t cache,
                        int64_t most_rows) {
  int64_t most = max64(1, min64(most_rows, cache / max64(1, floats_a_row)));
  Shares s = {1, rows, 1, 0};
  if (most >= rows) {
    s.group = min64(most / rows, (images + pool.threads - 1) / pool.threads);
    s.group = max64(1, s.group);
  } else {
    s.bands = (rows + most - 1) / most;
    s.rows = (rows + s.bands - 1) / s.bands;
    s.bands = (rows + s.rows - 1) / s.rows;
  }
  s.items = (images + s.group - 1) / s.group * s.bands;
  return s;
}

/** Maps so narrow that rows of pixels leave registers empty: pixels of many images side by side are the rows then. */
INLINE int is_narrow(int64_t width) { return width <= 4; }

/** Shares of whole images, as many at once as make full rows of them. */
static Shares shares_of_narrow(int64_t images, int64_t rows) {
  int64_t parts = pool.threads * ((images + 14 * pool.threads - 1) / (14 * pool.threads));
  Shares s = {(images + parts - 1) / parts, rows, 1, 0};
  s.items = (images + s.group - 1) / s.group;
  return s;
}

/** Where epilogues of a share's images keep their sums. */
INLINE int64_t slot_of(Shares s, int64_t image, int64_t row) {
  return image * s.bands + row / s.rows;
}
INLINE int64_t slots_of(Shares s, int64_t images) { return images * s.bands; }

// ---- Direct: each tap a product of matrices ------------------------------

typedef struct {
  Conv c;
  Source from;
  const float *weights;
  float *packed, *out;
  Shares shares;
  Epilogue epilogue;
  int at_once;
  atomic_int failed;
} Direct;

/** weights [taps][channels][filters] as [filters / n][block][tap][VL][n]. */
static void pack(void *argument, int thread, int64_t item) {
  (void)thread;
  Direct *d = argument;
  Conv c = d->c;
  int64_t n = VL * d->at_once, taps = c.side * c.side, f = item * n;
  float *to = d->packed + item * vectors(c.channels) * taps * VL * n;
  for (int64_t i = 0; i < vectors(c.channels) * VL; i++) {
    for (int64_t tap = 0; tap < taps; tap++) {
      float *row = to + ((i / VL * taps + tap) * VL + i % VL) * n;
      int64_t some = max64(0, min64(n, c.filters - f));
      if (i >= c.channels) some = 0;
      memset(row, 0, 4 * n);
      memcpy(row, d->weights + (tap * c.channels + i) * c.filters + f, 4 * some);
    }
  }
}

static void direct_item(void *argument, int thread, int64_t item) {
  Direct *d = argument;
  Conv c = d->c;
  Shares s = d->shares;
  int64_t oh = out_height(c), ow = out_width(c), pad = padding(c);
  int64_t first = item / s.bands * s.group;
  int64_t images = min64(s.group, c.images - first);
  int64_t row = item % s.bands * s.rows, rows = min64(s.rows, oh - row);
  int64_t in_rows = (rows - 1) * c.stride + c.side;
  int64_t columns = c.width + 2 * pad, plane = in_rows * columns * VL;
  int64_t blocks = vectors(c.channels), taps = c.side * c.side;
  int64_t filled = vectors(c.filters) * VL;
  int whole = filled == c.filters;
  int narrow = is_narrow(ow);
  int64_t spread = narrow ? images * VL : VL;
  if (narrow) plane *= images;
  int64_t one = narrow ? VL : blocks * plane + 64;
  float *band = scratch(thread, (narrow ? blocks * plane : images * one) + 64 +
                                    (whole ? 0 : images * rows * ow * filled));
  int64_t *a, *b;
  if (!band || !offsets(thread, blocks * taps, &a, &b)) {
    d->failed = 1;
    return;
  }
  for (int64_t i = 0; i < images; i++) {
    fill(d->from, first + i, row * c.stride - pad, in_rows, -pad, columns, band + i * one, plane, spread);
  }
  for (int64_t k = 0; k < blocks; k++) {
    for (int64_t tap = 0; tap < taps; tap++) {
      a[k * taps + tap] = k * plane + (tap / c.side * columns + tap % c.side) * spread;
      b[k * taps + tap] = (k * taps + tap) * VL * VL * d->at_once;
    }
  }
  Blocks steps = {(int)(blocks * taps), a, b};
  float *spare = band + (narrow ? blocks * plane : images * one) + 64;
  int64_t n = VL * d->at_once;
  for (int64_t f = 0; f < filled; f += n) {
    const float *w = d->packed + f * blocks * taps * VL;
    for (int64_t p = 0; narrow && p < rows * ow; p++) {
      float *to = whole ? d->out + first * oh * ow * c.filters : spare;
      product(images, d->at_once, 1,
              band + (p / ow * columns + p % ow) * c.stride * spread, w, steps,
              to + p * filled + f, oh * ow * filled, VL);
    }
    for (int64_t i = 0; !narrow && i < images; i++) {
      for (int64_t r = 0; r < rows; r++) {
        float *to = whole ? d->out + (((first + i) * oh + row + r) * ow) * c.filters
                          : spare + (i * rows + r) * ow * filled;
        product(ow, d->at_once, (int)c.stride, band + i * one + r * c.stride * columns * VL,
                w, steps, to + f, filled, VL);
      }
    }
  }
  for (int64_t i = 0; i < images; i++) {
    if (!whole) {
      float *to = d->out + ((first + i) * oh + row) * ow * c.filters;
      for (int64_t p = 0; p < rows * ow; p++) {
        memcpy(to + p * c.filters, spare + (i * rows * ow + p) * filled, 4 * c.filters);
      }
    }
    if (d->epilogue.rows) {
      d->epilogue.rows(d->epilogue.argument, slot_of(s, first + i, row), first + i, row, rows);
    }
  }
}

// ---- Winograd's F(4 × 4, 3 × 3) (arXiv 1509.09308) ------------------------
// Four by four outputs by 36 products instead of 144.

#define TILE 4
#define POINTS 36

/** The distance of two points' values: no multiple of a page, or all of them would share a few lines of the cache. */
INLINE int64_t apart(int64_t floats) { return floats + 5 * VL; }

INLINE int64_t tiles_of(int64_t n) { return (n + TILE - 1) / TILE; }

/** Bᵀ·x */
INLINE void to_points(const vec x[6], vec y[6]) {
  vec a = x[4] - 4 * x[2], b = x[3] - 4 * x[1];
  vec c = x[4] - x[2], d = 2 * (x[3] - x[1]);
  y[0] = 4 * x[0] - 5 * x[2] + x[4];
  y[1] = a + b;
  y[2] = a - b;
  y[3] = c + d;
  y[4] = c - d;
  y[5] = 4 * x[1] - 5 * x[3] + x[5];
}

/** Aᵀ·x */
INLINE void from_points(const vec x[6], vec y[4]) {
  vec a = x[1] + x[2], b = x[1] - x[2], c = x[3] + x[4], d = x[3] - x[4];
  y[0] = x[0] + a + c;
  y[1] = b + 2 * d;
  y[2] = a + 4 * c;
  y[3] = b + 8 * d + x[5];
}

/** A·x: the transpose of `from_points`. */
INLINE void gradient_to_points(const vec x[4], vec y[6]) {
  vec a = x[0] + x[2], b = x[1] + x[3];
  vec c = x[0] + 4 * x[2], d = 2 * x[1] + 8 * x[3];
  y[0] = x[0];
  y[1] = a + b;
  y[2] = a - b;
  y[3] = c + d;
  y[4] = c - d;
  y[5] = x[3];
}

/** G·x */
INLINE void kernel_to_points(const vec x[3], vec y[6]) {
  vec a = (x[0] + x[2]) * (-1.f / 6), b = x[1] * (-1.f / 6);
  vec c = x[0] * (1.f / 24) + x[2] * (1.f / 6), d = x[1] * (1.f / 12);
  y[0] = x[0] * 0.25f;
  y[1] = a + b;
  y[2] = a - b;
  y[3] = c + d;
  y[4] = c - d;
  y[5] = x[2];
}

/** Gᵀ·x: the transpose of `kernel_to_points`. */
INLINE void gradient_from_points(const vec x[6], vec y[3]) {
  vec a = x[1] + x[2], b = x[1] - x[2], c = x[3] + x[4], d = x[3] - x[4];
  y[0] = x[0] * 0.25f - a * (1.f / 6) + c * (1.f / 24);
  y[1] = d * (1.f / 12) - b * (1.f / 6);
  y[2] = (c - a) * (1.f / 6) + x[5];
}

/** A tile of a filled band, its rows `columns` apart, at its 36 points, `apart` floats apart. */
INLINE void tile_to_points(const float *tile, int64_t columns, float *to, int64_t apart) {
  vec half[6][6];
  for (int j = 0; j < 6; j++) {
    vec x[6], y[6];
    for (int i = 0; i < 6; i++) x[i] = load(tile + (i * columns + j) * VL);
    to_points(x, y);
    for (int i = 0; i < 6; i++) half[i][j] = y[i];
  }
  for (int i = 0; i < 6; i++) {
    vec y[6];
    to_points(half[i], y);
    for (int j = 0; j < 6; j++) store(to + (6 * i + j) * apart, y[j]);
  }
}

INLINE void gradient_tile_to_points(const float *tile, int64_t columns, float *to,
                                    int64_t apart) {
  vec half[6][4];
  for (int j = 0; j < 4; j++) {
    vec x[4], y[6];
    for (int i = 0; i < 4; i++) x[i] = load(tile + (i * columns + j) * VL);
    gradient_to_points(x, y);
    for (int i = 0; i < 6; i++) half[i][j] = y[i];
  }
  for (int i = 0; i < 6; i++) {
    vec y[6];
    gradient_to_points(half[i], y);
    for (int j = 0; j < 6; j++) store(to + (6 * i + j) * apart, y[j]);
  }
}

typedef struct {
  Conv c;
  Source from;
  const float *weights;
  float *points, *out; // of the weights: [36][filters / n][channels][n]
  Shares shares;       // in rows of tiles
  Epilogue epilogue;
  int at_once;
  atomic_int failed;
} Winograd;

static void weights_to_points(void *argument, int thread, int64_t item) {
  (void)thread;
  Winograd *w = argument;
  Conv c = w->c;
  int64_t n = VL * w->at_once, groups = (vectors(c.filters) + w->at_once - 1) / w->at_once;
  int64_t filled = vectors(c.channels) * VL;
  int64_t i = item;
  for (int64_t f = 0; f < vectors(c.filters) * VL; f += VL) {
    vec half[6][3];
    int64_t some = max64(0, min64(VL, c.filters - f));
    if (i >= c.channels) some = 0;
    for (int col = 0; col < 3; col++) {
      vec x[3], y[6];
      for (int row = 0; row < 3; row++) {
        const float *from = w->weights + ((row * 3 + col) * c.channels + i) * c.filters + f;
        x[row] = some == VL ? load(from) : some ? load_some(from, some) : (vec){0};
      }
      kernel_to_points(x, y);
      for (int row = 0; row < 6; row++) half[row][col] = y[row];
    }
    for (int row = 0; row < 6; row++) {
      vec y[6];
      kernel_to_points(half[row], y);
      for (int col = 0; col < 6; col++) {
        int64_t point = row * 6 + col;
        store(w->points + point * apart(groups * filled * n) + (f / n * filled + i) * n + f % n,
              y[col]);
      }
    }
  }
}

static void winograd_item(void *argument, int thread, int64_t item) {
  Winograd *w = argument;
  Conv c = w->c;
  Shares s = w->shares;
  int64_t across = tiles_of(c.width), down = tiles_of(c.height);
  int64_t first = item / s.bands * s.group;
  int64_t images = min64(s.group, c.images - first);
  int64_t row = item % s.bands * s.rows, rows = min64(s.rows, down - row);
  int64_t columns = across * TILE + 2, in_rows = rows * TILE + 2;
  int64_t plane = in_rows * columns * VL, blocks = vectors(c.channels);
  int64_t tiles = images * rows * across, n = VL * w->at_once;
  int64_t groups = (vectors(c.filters) + w->at_once - 1) / w->at_once;
  int64_t point = apart(blocks * tiles * VL), sum = apart(tiles * n);
  size_t band = blocks * plane, all = POINTS * point;
  float *z = scratch(thread, band + all + POINTS * sum + 64);
  int64_t *a, *b;
  if (!z || !offsets(thread, blocks, &a, &b)) {
    w->failed = 1;
    return;
  }
  float *v = z + band, *m = v + all;
  for (int64_t i = 0, t = 0; i < images; i++) {
    fill(w->from, first + i, row * TILE - 1, in_rows, -1, columns, z, plane, VL);
    for (int64_t y = 0; y < rows; y++) {
      for (int64_t x = 0; x < across; x++, t++) {
        for (int64_t k = 0; k < blocks; k++) {
          tile_to_points(z + k * plane + (y * columns + x) * TILE * VL, columns,
                         v + (k * tiles + t) * VL, point);
        }
      }
    }
  }
  for (int64_t k = 0; k < blocks; k++) {
    a[k] = k * tiles * VL;
    b[k] = k * VL * n;
  }
  Blocks steps = {(int)blocks, a, b};
  for (int64_t g = 0; g < groups; g++) {
    for (int64_t p = 0; p < POINTS; p++) {
      product(tiles, w->at_once, 1, v + p * point,
              w->points + p * apart(groups * blocks * VL * n) + g * blocks * VL * n, steps,
              m + p * sum, VL, tiles * VL);
    }
    for (int64_t j = 0; j < w->at_once; j++) {
      int64_t f = g * n + j * VL, some = min64(VL, c.filters - f);
      if (some <= 0) continue;
      for (int64_t i = 0, t = 0; i < images; i++) {
        for (int64_t y = 0; y < rows; y++) {
          for (int64_t x = 0; x < across; x++, t++) {
            const float *at = m + (j * tiles + t) * VL;
            vec half[4][6], result[4][4];
            for (int q = 0; q < 6; q++) {
              vec in[6], out[4];
              for (int p = 0; p < 6; p++) in[p] = load(at + (6 * p + q) * sum);
              from_points(in, out);
              for (int p = 0; p < 4; p++) half[p][q] = out[p];
            }
            for (int p = 0; p < 4; p++) from_points(half[p], result[p]);
            int64_t top = (row + y) * TILE, left = x * TILE;
            int64_t high = min64(TILE, c.height - top), wide = min64(TILE, c.width - left);
            float *to = w->out + (((first + i) * c.height + top) * c.width + left) * c.filters + f;
            if (high == TILE && wide == TILE && some == VL) {
              for (int p = 0; p < TILE; p++) {
                for (int q = 0; q < TILE; q++) {
                  store(to + (p * c.width + q) * c.filters, result[p][q]);
                }
              }
            } else {
              for (int p = 0; p < high; p++) {
                for (int q = 0; q < wide; q++) {
                  store_some(to + (p * c.width + q) * c.filters, result[p][q], some);
                }
              }
            }
          }
        }
      }
    }
  }
  if (!w->epilogue.rows) return;
  int64_t top = row * TILE, high = min64(rows * TILE, c.height - top);
  for (int64_t i = 0; i < images; i++) {
    w->epilogue.rows(w->epilogue.argument, slot_of(s, first + i, row), first + i, top, high);
  }
}

// ---- Either way -----------------------------------------------------------

// Measured on AVX512 and AVX2: the weights' points cost as much as some 100
// tiles, and the way there and back a third of the products.

INLINE int64_t all_tiles(Conv c) {
  return c.images * tiles_of(c.height) * tiles_of(c.width);
}

static int takes_winograd(Conv c) {
  return c.side == 3 && c.stride == 1 && c.channels >= 4 && c.filters >= 4 &&
         !is_narrow(c.width) && 52 * (all_tiles(c) + 100) < 10 * c.images * c.height * c.width;
}

/** For few channels the products do not pay the way; many have more points than tiles. */
static int gradient_takes_winograd(Conv c) {
  int64_t tiles = 4 * all_tiles(c), size = c.channels * c.filters;
  return c.side == 3 && c.stride == 1 && c.channels >= 32 && c.filters >= 32 &&
         tiles * tiles >= size;
}

/** Of few channels, a convolution of neighbourhoods; otherwise the same. */
static Conv by_patches(Conv c, Source *from) {
  // Narrower vectors are full enough as it is, and a row's lines lie on the stack.
  if (c.side != 3 || VL < 16 || 3 * c.channels > VL || c.width > 4096) return c;
  from->patches = c.stride;
  return (Conv){c.images, out_height(c), out_width(c), 9 * c.channels, c.filters, 1, 1};
}

/**
 * out [N, ⌈H/stride⌉, ⌈W/stride⌉, filters] of what `from` reads, weights
 * [side, side, channels, filters]. `slots` is asked first, with the number of
 * places that the epilogue is to keep sums in. Returns 0 where memory is short.
 */
static int convolve(Conv c, Source from, const float *weights, float *out, Epilogue epilogue,
                    int (*slots)(void *argument, int64_t count)) {
  c = by_patches(c, &from);
  int64_t columns = c.width + 2 * padding(c);
  if (!takes_winograd(c)) {
    Direct d = {c, from, weights, NULL, out, {0}, epilogue, 0, 0};
    d.at_once = vectors_at_once(c.filters, out_width(c));
    d.shares = shares_of(c.images, out_height(c), c.stride * columns * vectors(c.channels) * VL,
                         pool.cache / 2, INT64_MAX);
    if (is_narrow(out_width(c))) {
      d.shares = shares_of_narrow(c.images, out_height(c));
      d.at_once = vectors_at_once(c.filters, d.shares.group);
    }
    int64_t n = VL * d.at_once, groups = vectors(c.filters) / d.at_once;
    d.packed = scratch(WEIGHTS, groups * n * c.side * c.side * vectors(c.channels) * VL);
    if (!d.packed || (slots && !slots(epilogue.argument, slots_of(d.shares, c.images)))) return 0;
    parallel(pack, &d, groups);
    parallel(direct_item, &d, d.shares.items);
    return !d.failed;
  }
  Winograd w = {c, from, weights, NULL, out, {0}, epilogue, 0, 0};
  int64_t down = tiles_of(c.height), across = tiles_of(c.width);
  int64_t filled = vectors(c.channels) * VL;
  w.shares = shares_of(c.images, down, POINTS * across * filled, pool.cache,
                       max64(1, 64 / across));
  w.at_once = vectors_at_once(c.filters, w.shares.group * w.shares.rows * across);
  int64_t groups = vectors(c.filters) / w.at_once;
  w.points = scratch(WEIGHTS, POINTS * apart(filled * groups * VL * w.at_once));
  if (!w.points || (slots && !slots(epilogue.argument, slots_of(w.shares, c.images)))) return 0;
  parallel(weights_to_points, &w, filled);
  parallel(winograd_item, &w, w.shares.items);
  return !w.failed;
}

typedef struct {
  const float *weights;
  float *turned;
  Conv c;
} Turn;

static void turn_tap(void *argument, int thread, int64_t tap) {
  (void)thread;
  Turn *t = argument;
  int64_t in = t->c.channels, out = t->c.filters, taps = t->c.side * t->c.side;
  const float *from = t->weights + (taps - 1 - tap) * in * out;
  float *to = t->turned + tap * in * out;
  for (int64_t i = 0; i < in; i += 16) {
    for (int64_t o = 0; o < out; o += 16) {
      for (int64_t j = o; j < min64(o + 16, out); j++) {
        for (int64_t k = i; k < min64(i + 16, in); k++) to[j * in + k] = from[k * out + j];
      }
    }
  }
}

/** The weights that take gradients back: rotated, filters and channels exchanged. */
static float *turned(Conv c, const float *weights) {
  Turn t = {weights, scratch(TURNED, c.side * c.side * c.channels * c.filters), c};
  if (t.turned) parallel(turn_tap, &t, c.side * c.side);
  return t.turned;
}

// ---- Gradient of the input at stride 2 --------------------------------------
// Of each two by two inputs every one is reached by taps of its own.

typedef struct {
  Conv c;
  Source dy;
  float *packed, *dx;
  Shares shares; // in rows of dy
  Epilogue epilogue;
  int at_once;
  atomic_int failed;
} Strided;

static void strided_item(void *argument, int thread, int64_t item) {
  Strided *d = argument;
  Conv c = d->c;
  Shares s = d->shares;
  int64_t oh = out_height(c), ow = out_width(c), pad = padding(c);
  int64_t first = item / s.bands * s.group, images = min64(s.group, c.images - first);
  int64_t row = item % s.bands * s.rows, rows = min64(s.rows, oh - row);
  int64_t columns = ow + 1, plane = (rows + 1) * columns * VL, blocks = vectors(c.filters);
  int64_t filled = vectors(c.channels) * VL, n = VL * d->at_once, taps = c.side * c.side;
  int64_t top = 2 * row, high = min64(2 * rows, c.height - top);
  int whole = filled == c.channels, narrow = is_narrow(ow);
  int64_t spread = images * VL, size = high * c.width * filled; // of one image's dx
  plane *= images;
  float *band = scratch(thread, blocks * plane + (whole ? 0 : images * size) + 64);
  int64_t *a, *b;
  if (!band || !offsets(thread, blocks * 4, &a, &b)) {
    d->failed = 1;
    return;
  }
  float *dx = d->dx + (first * c.height + top) * c.width * c.channels;
  float *to = whole ? dx : band + blocks * plane;
  for (int64_t i = 0; i < images; i++) {
    fill(d->dy, first + i, row, rows + 1, 0, columns, band + i * VL, plane, spread);
  }
  for (int64_t y = 0; y < 2; y++) {
    for (int64_t x = 0; x < 2; x++) {
      int64_t wide = (c.width - x + 1) / 2;
      int count = 0;
      for (int64_t k = 0; k < blocks; k++) {
        for (int64_t tap = 0; tap < taps; tap++) {
          // Input y + 2i is read by output i + (y + pad - ky) / 2 at kernel row ky.
          int64_t ky = (taps - 1 - tap) / c.side, kx = (taps - 1 - tap) % c.side;
          int64_t up = y + pad - ky, side = x + pad - kx;
          if (up < 0 || side < 0 || up % 2 || side % 2) continue;
          a[count] = k * plane + (up / 2 * columns + side / 2) * spread;
          b[count++] = (k * taps + tap) * VL * n;
        }
      }
      for (int64_t f = 0; f < filled; f += n) {
        for (int64_t r = y; r < high; r += 2) {
          const float *w = d->packed + f * blocks * taps * VL;
          float *at = to + (r * c.width + x) * filled + f;
          Blocks steps = {count, a, b};
          if (!narrow) {
            product(wide, d->at_once, 1, band + r / 2 * columns * VL, w, steps, at, 2 * filled, VL);
          }
          for (int64_t p = 0; narrow && p < wide; p++) {
            product(images, d->at_once, 1, band + (r / 2 * columns + p) * spread, w, steps,
                    at + 2 * p * filled, size, VL);
          }
        }
      }
    }
  }
  if (!whole) {
    for (int64_t p = 0; p < images * high * c.width; p++) {
      memcpy(dx + p * c.channels, to + p * filled, 4 * c.channels);
    }
  }
  for (int64_t i = 0; d->epilogue.rows && i < images; i++) {
    d->epilogue.rows(d->epilogue.argument, slot_of(s, first + i, row), first + i, top, high);
  }
}

/** dx [N, H, W, channels] of a convolution, from dy [N, OH, OW, filters]. */
static int convolve_back(Conv c, const float *dy, const float *weights, float *dx,
                         Epilogue epilogue, int (*slots)(void *argument, int64_t count)) {
  float *back = turned(c, weights);
  if (!back) return 0;
  Source from = {dy, NULL, NULL, NULL, out_height(c), out_width(c), c.filters, 0};
  Conv r = {c.images, out_height(c), out_width(c), c.filters, c.channels, c.side, 1};
  if (c.stride == 1) return convolve(r, from, back, dx, epilogue, slots);
  Strided d = {c, from, NULL, dx, {0}, epilogue, 0, 0};
  d.at_once = vectors_at_once(c.channels, out_width(c));
  d.shares = shares_of(c.images, out_height(c),
                       (out_width(c) + 1) * (vectors(c.filters) + 4 * vectors(c.channels)) * VL,
                       pool.cache / 2, INT64_MAX);
  d.shares.group = 1;
  d.shares.items = c.images * d.shares.bands;
  if (is_narrow(out_width(c))) {
    d.shares = shares_of_narrow(c.images, out_height(c));
    d.at_once = vectors_at_once(c.channels, d.shares.group);
  }
  int64_t n = VL * d.at_once, groups = vectors(c.channels) / d.at_once;
  d.packed = scratch(WEIGHTS, groups * n * c.side * c.side * vectors(c.filters) * VL);
  if (!d.packed || (slots && !slots(epilogue.argument, slots_of(d.shares, c.images)))) return 0;
  Direct packing = {r, from, back, d.packed, NULL, {0}, {0}, d.at_once, 0};
  parallel(pack, &packing, groups);
  parallel(strided_item, &d, d.shares.items);
  return !d.failed;
}

// ---- Gradient of the weights ------------------------------------------------

typedef struct {
  Conv c;
  Source from, dy;
  float *dw;      // [side, side, channels, filters]
  float *left, *right; // of the images at hand, in blocks or at their points
  float *sums;    // [thread or point][...][VL][VL]
  Shares shares;
  int64_t first, images; // at hand
  int64_t tiles;
  int add;
  atomic_int failed;
} Weights;

INLINE void put_block(float *dw, int64_t stride, const float *sum, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; i++) {
    if (columns >= VL) store(dw + i * stride, load(sum + i * VL));
    else store_some(dw + i * stride, load(sum + i * VL), (int)columns);
  }
}

static void images_to_points(void *argument, int thread, int64_t item) {
  Weights *w = argument;
  Conv c = w->c;
  int64_t across = tiles_of(c.width), down = tiles_of(c.height);
  int64_t image = item / down, row = item % down, columns = across * TILE + 2;
  int64_t plane = 6 * columns * VL;
  int64_t in = vectors(c.channels), out = vectors(c.filters);
  float *band = scratch(thread, max64(in, out) * plane + 64);
  if (!band) {
    w->failed = 1;
    return;
  }
  fill(w->from, w->first + image, row * TILE - 1, 6, -1, columns, band, plane, VL);
  int64_t t = item * across;
  for (int64_t x = 0; x < across; x++) {
    for (int64_t k = 0; k < in; k++) {
      tile_to_points(band + k * plane + x * TILE * VL, columns,
                     w->left + (k * w->tiles + t + x) * VL, apart(in * w->tiles * VL));
    }
  }
  plane = 4 * across * TILE * VL;
  fill(w->dy, w->first + image, row * TILE, 4, 0, across * TILE, band, plane, VL);
  for (int64_t x = 0; x < across; x++) {
    for (int64_t k = 0; k < out; k++) {
      gradient_tile_to_points(band + k * plane + x * TILE * VL, across * TILE,
                              w->right + (k * w->tiles + t + x) * VL, apart(out * w->tiles * VL));
    }
  }
}

static void gradient_point(void *argument, int thread, int64_t item) {
  (void)thread;
  Weights *w = argument;
  int64_t in = vectors(w->c.channels), out = vectors(w->c.filters), size = w->tiles * VL;
  int64_t p = item / in, k = item % in, zero = 0;
  Blocks one = {1, &zero, &zero};
  for (int64_t f = 0; f < out; f++) {
    float *sum = w->sums + p * apart(in * out * VL * VL) + (k * out + f) * VL * VL;
    if (!w->add) memset(sum, 0, 4 * VL * VL);
    outer_1(w->left + p * apart(in * size) + k * size, w->right + p * apart(out * size) + f * size,
            one, w->tiles, sum);
  }
}

static void gradient_of_channel(void *argument, int thread, int64_t i) {
  (void)thread;
  Weights *w = argument;
  Conv c = w->c;
  int64_t in = vectors(c.channels), out = vectors(c.filters);
  for (int64_t f = 0; f < out; f++) {
    vec half[3][6], result[3][3];
    for (int q = 0; q < 6; q++) {
      vec x[6], y[3];
      for (int p = 0; p < 6; p++) {
        x[p] = load(w->sums + (6 * p + q) * apart(in * out * VL * VL) +
                    ((i / VL * out + f) * VL + i % VL) * VL);
      }
      gradient_from_points(x, y);
      for (int p = 0; p < 3; p++) half[p][q] = y[p];
    }
    for (int p = 0; p < 3; p++) {
      gradient_from_points(half[p], result[p]);
      for (int q = 0; q < 3; q++) {
        float *to = w->dw + ((p * 3 + q) * c.channels + i) * c.filters + f * VL;
        store_some(to, result[p][q], (int)min64(VL, c.filters - f * VL));
      }
    }
  }
}

static void image_to_blocks(void *argument, int thread, int64_t image) {
  (void)thread;
  Weights *w = argument;
  Conv c = w->c;
  int64_t pad = padding(c), columns = c.width + 2 * pad;
  int64_t plane = (c.height + 2 * pad) * columns * VL, size = out_height(c) * out_width(c) * VL;
  fill(w->from, w->first + image, -pad, c.height + 2 * pad, -pad, columns,
       w->left + image * plane, w->images * plane, VL);
  fill(w->dy, w->first + image, 0, out_height(c), 0, out_width(c), w->right + image * size,
       w->images * size, VL);
}

/** The sums of all taps of one block of channels and one of filters, over `count` blocks of `length` pixels. */
static void add_taps(const Weights *w, const float *left, int64_t row, int64_t spread,
                     const float *right, Blocks blocks, int64_t length, float *sums) {
  Conv c = w->c;
  int apart = spread == VL && c.stride == 2;
  for (int64_t tap = 0; tap < c.side * c.side; tap++) {
    const float *from = left + tap / c.side * row + tap % c.side * spread;
    (apart ? outer_2 : outer_1)(from, right, blocks, length, sums + tap * VL * VL);
  }
}

static void gradient_of_blocks(void *argument, int thread, int64_t item) {
  Weights *w = argument;
  Conv c = w->c;
  int64_t pad = padding(c), columns = c.width + 2 * pad, taps = c.side * c.side;
  int64_t oh = out_height(c), ow = out_width(c), out = vectors(c.filters);
  int64_t plane = (c.height + 2 * pad) * columns * VL, size = oh * ow * VL;
  int64_t k = item / out, f = item % out;
  float *sums = w->sums + item * taps * VL * VL;
  if (!w->add) memset(sums, 0, 4 * taps * VL * VL);
  int64_t *a, *b;
  if (!offsets(thread, oh, &a, &b)) {
    w->failed = 1;
    return;
  }
  for (int64_t r = 0; r < oh; r++) {
    a[r] = r * c.stride * columns * VL;
    b[r] = r * ow * VL;
  }
  for (int64_t i = 0; i < w->images; i++) {
    add_taps(w, w->left + (k * w->images + i) * plane, columns * VL, VL,
             w->right + (f * w->images + i) * size, (Blocks){(int)oh, a, b}, ow, sums);
  }
}

/** As `gradient_of_blocks`, but of one share, into sums of the thread's own. */
static void gradient_of_band(void *argument, int thread, int64_t item) {
  Weights *w = argument;
  Conv c = w->c;
  Shares s = w->shares;
  int64_t oh = out_height(c), ow = out_width(c), pad = padding(c), taps = c.side * c.side;
  int64_t first = item / s.bands * s.group, images = min64(s.group, c.images - first);
  int64_t row = item % s.bands * s.rows, rows = min64(s.rows, oh - row);
  int64_t in_rows = (rows - 1) * c.stride + c.side, columns = c.width + 2 * pad;
  int narrow = is_narrow(ow);
  int64_t spread = images * VL;
  int64_t plane = in_rows * columns * spread, size = rows * ow * spread;
  int64_t in = vectors(c.channels), out = vectors(c.filters);
  // As many rows at once as leave both blocks in the nearest cache; of narrow
  // maps a "row" is one pixel of all images.
  int64_t length = narrow ? images : ow, many = narrow ? rows * ow : rows;
  int64_t step = max64(1, 256 / length);
  float *band = scratch(thread, in * plane + out * size + 64);
  int64_t *a, *b;
  if (!band || !offsets(thread, many, &a, &b)) {
    w->failed = 1;
    return;
  }
  float *right = band + in * plane, *sums = w->sums + thread * in * out * taps * VL * VL;
  for (int64_t i = 0; i < images; i++) {
    fill(w->from, first + i, row * c.stride - pad, in_rows, -pad, columns, band + i * VL, plane,
         spread);
    fill(w->dy, first + i, row, rows, 0, ow, right + i * VL, size, spread);
  }
  for (int64_t r = 0; r < many; r++) {
    a[r] = narrow ? (r / ow * columns + r % ow) * c.stride * spread : r * c.stride * columns * VL;
    b[r] = r * length * VL;
  }
  for (int64_t from = 0; from < many; from += step) {
    Blocks blocks = {(int)min64(step, many - from), a + from, b + from};
    for (int64_t k = 0; k < in; k++) {
      for (int64_t f = 0; f < out; f++) {
        add_taps(w, band + k * plane, columns * spread, spread, right + f * size, blocks, length,
                 sums + (k * out + f) * taps * VL * VL);
      }
    }
  }
}

/** dw [side, side, channels, filters] from what the convolution read and from dy. */
static int convolve_weights(Conv c, Source from, const float *dy, float *dw) {
  Source gradient = {dy, NULL, NULL, NULL, out_height(c), out_width(c), c.filters, 0};
  c = by_patches(c, &from);
  Weights w = {.c = c, .from = from, .dy = gradient, .dw = dw};
  int64_t in = vectors(c.channels), out = vectors(c.filters), taps = c.side * c.side;
  // Both sides of the images at hand should stay in the cache that all share.
  int64_t most = 2 * pool.cache;
  if (gradient_takes_winograd(c)) {
    int64_t tiles = tiles_of(c.height) * tiles_of(c.width);
    int64_t group = min64(c.images, max64(1, most / (POINTS * tiles * (in + out) * VL)));
    w.left = scratch(LEFT, POINTS * apart(group * tiles * in * VL));
    w.right = scratch(RIGHT, POINTS * apart(group * tiles * out * VL));
    w.sums = scratch(SUMS, POINTS * apart(in * out * VL * VL));
    if (!w.left || !w.right || !w.sums) return 0;
    for (w.first = 0; w.first < c.images; w.first += group) {
      w.images = min64(group, c.images - w.first);
      w.tiles = w.images * tiles;
      parallel(images_to_points, &w, w.images * tiles_of(c.height));
      parallel(gradient_point, &w, POINTS * in);
      w.add = 1;
    }
    parallel(gradient_of_channel, &w, c.channels);
    return !w.failed;
  }
  int64_t columns = c.width + 2 * padding(c), block = taps * VL * VL;
  int64_t many = 1;
  if (in * out * block <= pool.cache / 2) {
    many = pool.threads;
    w.shares = shares_of(c.images, out_height(c),
                         (c.stride * columns * in + out_width(c) * out) * VL, pool.cache / 2,
                         INT64_MAX);
    w.shares.group = 1;
    w.shares.items = c.images * w.shares.bands;
    if (is_narrow(out_width(c))) w.shares = shares_of_narrow(c.images, out_height(c));
    w.sums = scratch(SUMS, many * in * out * block);
    if (!w.sums) return 0;
    memset(w.sums, 0, 4 * many * in * out * block);
    parallel_fixed(gradient_of_band, &w, w.shares.items);
  } else {
    int64_t plane = (c.height + 2 * padding(c)) * columns * VL;
    int64_t size = out_height(c) * out_width(c) * VL;
    int64_t group = min64(c.images, max64(1, most / (plane * in + size * out)));
    w.left = scratch(LEFT, group * plane * in);
    w.right = scratch(RIGHT, group * size * out);
    w.sums = scratch(SUMS, in * out * block);
    if (!w.left || !w.right || !w.sums) return 0;
    for (w.first = 0; w.first < c.images; w.first += group) {
      w.images = min64(group, c.images - w.first);
      parallel(image_to_blocks, &w, w.images);
      parallel(gradient_of_blocks, &w, in * out);
      w.add = 1;
    }
  }
  for (int64_t k = 0; k < in; k++) {
    for (int64_t f = 0; f < out; f++) {
      float *sum = w.sums + (k * out + f) * block;
      for (int64_t t = 1; t < many; t++) {
        float *other = sum + t * in * out * block;
        for (int64_t i = 0; i < block; i += VL) store(sum + i, load(sum + i) + load(other + i));
      }
      for (int64_t tap = 0; tap < taps; tap++) {
        put_block(dw + (tap * c.channels + k * VL) * c.filters + f * VL, c.filters,
                  sum + tap * VL * VL, min64(VL, c.channels - k * VL), c.filters - f * VL);
      }
    }
  }
  return !w.failed;
}
