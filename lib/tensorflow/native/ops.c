// FERLab's own TensorFlow ops for the CPU: a convolution that normalises what
// it reads and measures what it writes, the sum at a unit's end, and the way
// back through both. One file includes the rest, so that one command compiles it.
#include "attention.h"
#include "images.h"
#include "norm.h"
#include "tf.h"

// What a convolution reads: x itself, x normalised, or that through a PReLU.
enum { PLAIN, NORMED, ACTIVATED };
// Inputs of the convolutions.
enum { X, WEIGHTS_IN, MEAN, VARIANCE, GAMMA, BETA, SLOPE, DY, ADD };

static int is_channels(const Call *call, int i, int64_t channels) {
  return rank(call, i) == 1 && dim(call, i, 0) == channels;
}

/** The convolution of a call, which fails where its inputs do not fit one. */
static Conv conv_of(Call *call, const Attributes *a) {
  Conv c = {dim(call, X, 0), dim(call, X, 1), dim(call, X, 2), dim(call, X, 3),
            dim(call, WEIGHTS_IN, 3), dim(call, WEIGHTS_IN, 0), a->stride};
  int fits = rank(call, X) == 4 && rank(call, WEIGHTS_IN) == 4 && (c.side == 1 || c.side == 3) &&
             dim(call, WEIGHTS_IN, 1) == c.side && dim(call, WEIGHTS_IN, 2) == c.channels &&
             (c.stride == 1 || c.stride == 2) && a->reads >= PLAIN && a->reads <= ACTIVATED;
  for (int i = MEAN; a->reads != PLAIN && i <= (a->reads == ACTIVATED ? SLOPE : BETA); i++) {
    fits = fits && is_channels(call, i, c.channels);
  }
  if (!fits) fail(call, TF_INVALID_ARGUMENT, "shapes that do not fit a convolution");
  return c;
}

/** Whether a side, the images or the channels are 0: then nothing is summed. */
static int is_empty(Conv c) {
  return !c.images || !c.height || !c.width || !c.channels || !c.filters;
}

static int dy_fits(Call *call, Conv c) {
  int fits = rank(call, DY) == 4 && dim(call, DY, 0) == c.images &&
             dim(call, DY, 1) == out_height(c) && dim(call, DY, 2) == out_width(c) &&
             dim(call, DY, 3) == c.filters;
  if (!fits) fail(call, TF_INVALID_ARGUMENT, "a gradient that does not fit its convolution");
  return fits;
}

static Norm norm_at(const Call *call, const Attributes *a, int first, int64_t channels,
                    float *memory) {
  const float *const *in = call->in + first;
  return norm_of(memory, channels, in[0], in[1], in[2], in[3],
                 a->reads == ACTIVATED ? call->in[SLOPE] : NULL, a->epsilon);
}

static Source source_of(const Call *call, const Attributes *a, Conv c, float *memory) {
  Source s = {call->in[X], NULL, NULL, NULL, c.height, c.width, c.channels, 0};
  if (a->reads == PLAIN) return s;
  Norm k = norm_at(call, a, MEAN, c.channels, memory);
  s.scale = k.scale;
  s.shift = k.shift;
  s.slope = k.slope;
  return s;
}

static void conv_forward(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context, SLOPE + 1);
  Conv c = conv_of(&call, a);
  if (!call.failed) {
    float *memory = memory_of(&call, norm_size(c.channels));
    const int64_t dims[] = {c.images, out_height(c), out_width(c), c.filters};
    float *y = output(&call, 4, dims);
    float *mean = zeroed(output(&call, 1, &c.filters), c.filters);
    float *variance = zeroed(output(&call, 1, &c.filters), c.filters);
    Statistics s = {y, out_width(c), out_height(c), c.filters, 0, NULL};
    Epilogue epilogue = {a->statistics ? statistics_rows : NULL, &s};
    if (!call.failed && is_empty(c)) {
      zeroed(y, c.images * out_height(c) * out_width(c) * c.filters);
    } else if (!call.failed) {
      begin_work();
      int done = convolve(c, source_of(&call, a, c, memory), call.in[WEIGHTS_IN], y, epilogue,
                          a->statistics ? statistics_slots : NULL);
      if (done && a->statistics) statistics_of(&s, mean, variance);
      end_work();
      if (!done) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
    }
  }
  finish(&call);
}

static void conv_input_gradient(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context, ADD + 1);
  Conv c = conv_of(&call, a);
  if (!call.failed && dy_fits(&call, c)) {
    float *memory = memory_of(&call, norm_size(c.channels));
    float *dx = output_like(&call, X);
    float *dgamma = zeros_like(&call, GAMMA), *dbeta = zeros_like(&call, BETA);
    float *dslope = zeros_like(&call, SLOPE);
    if (a->adds && size_of(&call, ADD) != size_of(&call, X)) {
      fail(&call, TF_INVALID_ARGUMENT, "a shortcut's gradient of another shape than the input");
    }
    if (!call.failed && is_empty(c)) {
      if (a->adds && dx) memcpy(dx, call.in[ADD], 4 * size_of(&call, X));
      else zeroed(dx, size_of(&call, X));
    } else if (!call.failed) {
      int64_t pixels = c.images * c.height * c.width;
      NormBack b = {.x = call.in[X], .dy = dx, .dx = dx, .pixels = pixels,
                    .pixels_a_row = c.width, .rows = c.height, .channels = c.channels,
                    .add = a->adds ? call.in[ADD] : NULL, .training = a->training};
      int normed = a->reads != PLAIN;
      if (normed) b.norm = norm_at(&call, a, MEAN, c.channels, memory);
      Epilogue epilogue = {normed ? back_rows : NULL, &b};
      begin_work();
      int done = convolve_back(c, call.in[DY], call.in[WEIGHTS_IN], dx, epilogue,
                               normed ? back_slots : NULL);
      if (done && normed) normalise_back(&b, dgamma, dbeta, dslope);
      end_work();
      if (!done) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
    }
  }
  finish(&call);
}

static void conv_weights_gradient(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context, DY + 1);
  Conv c = conv_of(&call, a);
  if (!call.failed && dy_fits(&call, c)) {
    float *memory = memory_of(&call, norm_size(c.channels));
    float *dw = output_like(&call, WEIGHTS_IN);
    if (!call.failed && is_empty(c)) {
      zeroed(dw, size_of(&call, WEIGHTS_IN));
    } else if (!call.failed) {
      begin_work();
      int done = convolve_weights(c, source_of(&call, a, c, memory), call.in[DY], dw);
      end_work();
      if (!done) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
    }
  }
  finish(&call);
}

// ---- The end of a unit: norm(y) + other, or PReLU(norm(y)) -------------------

// `reads` of a join: what it does with its second input.
enum { PLAIN_OTHER, NORMED_OTHER, NO_OTHER };
enum { J_Y, J_MEAN, J_VARIANCE, J_GAMMA, J_BETA, J_SLOPE, J_OTHER, J_OMEAN, J_OVARIANCE, J_OGAMMA, J_OBETA };

typedef struct {
  const float *y, *other;
  float *out;
  Norm norm, other_norm;
  int reads;
  int64_t channels, pixels, share;
  Statistics *statistics;
} Join;

static void join_share(void *argument, int thread, int64_t item) {
  (void)thread;
  Join *j = argument;
  int64_t from = item * j->share, to = min64(from + j->share, j->pixels), channels = j->channels;
  const float *y = j->y, *other = j->other;
  float *out = j->out;
  EACH_VECTOR(from, to, channels, {
    vec scale = load(j->norm.scale + c), shift = load(j->norm.shift + c);
    if (j->reads == PLAIN_OTHER) {
      EACH_PIXEL(channels) PUT(out, GET(y) * scale + shift + GET(other));
    } else if (j->reads == NORMED_OTHER) {
      vec by = load(j->other_norm.scale + c), more = shift + load(j->other_norm.shift + c);
      EACH_PIXEL(channels) PUT(out, GET(y) * scale + more + GET(other) * by);
    } else {
      vec slope = load(j->norm.slope + c);
      EACH_PIXEL(channels) {
        vec v = GET(y) * scale + shift;
        PUT(out, choose(v > 0, v, v * slope));
      }
    }
  })
  if (j->statistics) {
    // The statistics' rows are pixels here, so that every share is a slot.
    statistics_rows(j->statistics, item, 0, from, to - from);
  }
}

static void join_forward(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context, J_OBETA + 1);
  int64_t channels = dim(&call, J_Y, -1), size = size_of(&call, J_Y);
  int fits = rank(&call, J_Y) > 0 && a->reads >= PLAIN_OTHER && a->reads <= NO_OTHER &&
             (a->reads == NO_OTHER || size_of(&call, J_OTHER) == size);
  for (int i = J_MEAN; i <= J_BETA; i++) fits = fits && is_channels(&call, i, channels);
  for (int i = J_OMEAN; i <= J_OBETA; i++) {
    fits = fits && (a->reads != NORMED_OTHER || is_channels(&call, i, channels));
  }
  fits = fits && (a->reads != NO_OTHER || is_channels(&call, J_SLOPE, channels));
  if (!fits) fail(&call, TF_INVALID_ARGUMENT, "shapes that do not fit the end of a unit");
  float *memory = call.failed ? NULL : memory_of(&call, 2 * norm_size(channels));
  if (!call.failed) {
    const float *const *in = call.in;
    float *out = output_like(&call, J_Y);
    float *mean = zeroed(output(&call, 1, &channels), channels);
    float *variance = zeroed(output(&call, 1, &channels), channels);
    int64_t pixels = channels ? size / channels : 0;
    Join j = {.y = in[J_Y], .other = in[J_OTHER], .out = out, .reads = a->reads,
              .channels = channels, .pixels = pixels,
              .share = max64(64, pool.cache / 8 / max64(1, channels))};
    j.norm = norm_of(memory, channels, in[J_MEAN], in[J_VARIANCE], in[J_GAMMA], in[J_BETA],
                     a->reads == NO_OTHER ? in[J_SLOPE] : NULL, a->epsilon);
    if (a->reads == NORMED_OTHER) {
      j.other_norm = norm_of(memory + norm_size(channels), channels, in[J_OMEAN], in[J_OVARIANCE],
                             in[J_OGAMMA], in[J_OBETA], NULL, a->epsilon);
    }
    Statistics s = {out, 1, pixels, channels, 0, NULL};
    if (!call.failed && pixels) {
      int64_t shares = (pixels + j.share - 1) / j.share;
      begin_work();
      int done = 1;
      if (a->statistics) {
        j.statistics = &s;
        done = statistics_slots(&s, shares);
      }
      if (done) parallel(join_share, &j, shares);
      if (done && a->statistics) statistics_of(&s, mean, variance);
      end_work();
      if (!done) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
    }
  }
  finish(&call);
}

typedef struct {
  NormBack *back;
  int64_t share;
} BackShares;

static void back_slot(void *argument, int thread, int64_t item) {
  (void)thread;
  BackShares *s = argument;
  int64_t from = item * s->share;
  back_rows(s->back, item, 0, from, min64(s->share, s->back->pixels - from));
}

/** Gradients of x, gamma, beta (and slope) of a norm from that of what it gave. */
static void norm_gradient(void *kernel, TF_OpKernelContext *context) {
  enum { G_DY = SLOPE + 1 };
  const Attributes *a = kernel;
  Call call = begin(context, G_DY);
  // Inputs as those of a convolution, with dy in the weights' place.
  int64_t channels = dim(&call, X, -1), size = size_of(&call, X);
  int fits = rank(&call, X) > 0 && size_of(&call, WEIGHTS_IN) == size &&
             (a->reads == NORMED || a->reads == ACTIVATED);
  for (int i = MEAN; i <= (a->reads == ACTIVATED ? SLOPE : BETA); i++) {
    fits = fits && is_channels(&call, i, channels);
  }
  if (!fits) fail(&call, TF_INVALID_ARGUMENT, "shapes that do not fit the gradient of a norm");
  float *memory = call.failed ? NULL : memory_of(&call, norm_size(channels));
  if (!call.failed) {
    float *dx = output_like(&call, X);
    float *dgamma = zeros_like(&call, GAMMA), *dbeta = zeros_like(&call, BETA);
    float *dslope = zeros_like(&call, SLOPE);
    int64_t pixels = channels ? size / channels : 0;
    NormBack b = {.norm = norm_at(&call, a, MEAN, channels, memory), .x = call.in[X],
                  .dy = call.in[WEIGHTS_IN], .dx = dx, .pixels = pixels, .pixels_a_row = 1,
                  .rows = pixels, .channels = channels, .training = a->training};
    if (!call.failed && pixels) {
      BackShares s = {&b, max64(64, pool.cache / 8 / channels)};
      int64_t shares = (pixels + s.share - 1) / s.share;
      begin_work();
      int done = back_slots(&b, shares);
      if (done) {
        parallel(back_slot, &s, shares);
        normalise_back(&b, dgamma, dbeta, dslope);
      }
      end_work();
      if (!done) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
    }
  }
  finish(&call);
}

/** old·(1 − momentum) + new·momentum, the variance unbiased by the number of pixels. */
static void running_statistics(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context, 4);
  int64_t channels = dim(&call, 0, 0);
  for (int i = 0; i < 4; i++) {
    if (!is_channels(&call, i, channels)) {
      fail(&call, TF_INVALID_ARGUMENT, "statistics of different numbers of channels");
    }
  }
  float *mean = call.failed ? NULL : output_like(&call, 0);
  float *variance = call.failed ? NULL : output_like(&call, 1);
  float unbiased = a->pixels > 1 ? a->pixels / (a->pixels - 1) : 1;
  for (int64_t c = 0; !call.failed && c < channels; c++) {
    mean[c] = call.in[0][c] + a->momentum * (call.in[2][c] - call.in[0][c]);
    variance[c] = call.in[1][c] + a->momentum * (call.in[3][c] * unbiased - call.in[1][c]);
  }
  finish(&call);
}

// ---- Tokens ---------------------------------------------------------------------

/** The rows of input `x`, of as many values as the vectors `channels` have. */
static Rows rows_of(Call *call, int x, int channels) {
  Rows j = {.x = call->in[x], .width = dim(call, x, -1)};
  if (rank(call, x) < 1 || !is_channels(call, channels, j.width)) {
    fail(call, TF_INVALID_ARGUMENT, "a vector that does not fit the last axis");
  }
  j.rows = 1;
  for (int axis = 0; axis < rank(call, x) - 1; axis++) j.rows *= dim(call, x, axis);
  return j;
}

INLINE int64_t shares_of_rows(const Rows *j) { return (j->rows + ROWS - 1) / ROWS; }

static int same_size(Call *call, int a, int b) {
  int same = size_of(call, a) == size_of(call, b);
  if (!same) fail(call, TF_INVALID_ARGUMENT, "a gradient of another shape than its value");
  return same;
}

static void layer_norm(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context, 3);
  Rows j = rows_of(&call, 0, 1);
  if (!call.failed && !is_channels(&call, 2, j.width)) fail(&call, TF_INVALID_ARGUMENT, "an offset of another size than the scale");
  if (!call.failed) {
    j.scale = call.in[1];
    j.offset = call.in[2];
    j.eps = a->epsilon;
    j.out = output_like(&call, 0);
    j.mean = output(&call, 1, &j.rows);
    j.inverse = output(&call, 1, &j.rows);
  }
  if (!call.failed) {
    begin_work();
    parallel(layer_norm_rows, &j, shares_of_rows(&j));
    end_work();
  }
  finish(&call);
}

/** Inputs dy, x, scale, mean, inverse; outputs dx, dscale, doffset. */
static void layer_norm_gradient(void *kernel, TF_OpKernelContext *context) {
  (void)kernel;
  Call call = begin(context, 5);
  Rows j = rows_of(&call, 1, 2);
  if (!call.failed && same_size(&call, 0, 1) && size_of(&call, 3) == j.rows &&
      size_of(&call, 4) == j.rows) {
    int64_t filled = vectors(j.width) * VL, shares = shares_of_rows(&j);
    j.dy = call.in[0];
    j.scale = call.in[2];
    j.mean = (float *)call.in[3];
    j.inverse = (float *)call.in[4];
    j.out = output_like(&call, 1);
    float *dscale = output_like(&call, 2), *doffset = output_like(&call, 2);
    begin_work();
    j.parts = scratch(SUMS, 2 * shares * filled);
    if (!j.parts) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
    if (!call.failed) {
      parallel(layer_norm_back_rows, &j, shares);
      add_parts(j.parts, shares, 2 * filled, j.width, dscale);
      add_parts(j.parts + filled, shares, 2 * filled, j.width, doffset);
    }
    end_work();
  } else {
    fail(&call, TF_INVALID_ARGUMENT, "statistics of another number of rows");
  }
  finish(&call);
}

static void bias_gelu(void *kernel, TF_OpKernelContext *context) {
  (void)kernel;
  Call call = begin(context, 2);
  Rows j = rows_of(&call, 0, 1);
  j.offset = call.in[1];
  if (!call.failed) j.out = output_like(&call, 0);
  if (!call.failed) {
    begin_work();
    parallel(gelu_rows, &j, shares_of_rows(&j));
    end_work();
  }
  finish(&call);
}

/** Inputs dy, x, bias; outputs dx, dbias. */
static void bias_gelu_gradient(void *kernel, TF_OpKernelContext *context) {
  (void)kernel;
  Call call = begin(context, 3);
  Rows j = rows_of(&call, 1, 2);
  if (!call.failed && same_size(&call, 0, 1)) {
    int64_t filled = vectors(j.width) * VL, shares = shares_of_rows(&j);
    j.dy = call.in[0];
    j.offset = call.in[2];
    j.out = output_like(&call, 1);
    float *dbias = output_like(&call, 2);
    begin_work();
    j.parts = scratch(SUMS, shares * filled);
    if (!j.parts) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
    if (!call.failed) {
      parallel(gelu_back_rows, &j, shares);
      add_parts(j.parts, shares, filled, j.width, dbias);
    }
    end_work();
  }
  finish(&call);
}

// `turned` of a product.
enum { NOT_TURNED, RIGHT_TURNED, LEFT_TURNED };

/** a·b of matrices, a·bᵀ or aᵀ·b. */
static void matrix_product(void *kernel, TF_OpKernelContext *context) {
  int32_t turned = ((const Attributes *)kernel)->turned;
  Call call = begin(context, 2);
  int left = turned == LEFT_TURNED, right = turned == RIGHT_TURNED;
  int64_t rows = dim(&call, 0, left), inner = dim(&call, 0, !left), columns = dim(&call, 1, !right);
  if (rank(&call, 0) != 2 || rank(&call, 1) != 2 || dim(&call, 1, right) != inner ||
      turned < NOT_TURNED || turned > LEFT_TURNED) {
    fail(&call, TF_INVALID_ARGUMENT, "matrices that do not fit a product");
  }
  const int64_t dims[] = {rows, columns};
  float *out = call.failed ? NULL : output(&call, 2, dims);
  if (!call.failed && rows && columns && !inner) {
    zeroed(out, rows * columns);
  } else if (!call.failed && rows && columns) {
    Matrix a = {call.in[0], dim(&call, 0, 1), left}, b = {call.in[1], dim(&call, 1, 1), right};
    begin_work();
    int done = multiply(a, b, out, rows, inner, columns);
    end_work();
    if (!done) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
  }
  finish(&call);
}

/**
 * The attention of inputs q [B, M, heads, size], k and v [B, N, heads, size],
 * or of q, k and v in one [B, N, 3, heads, size]; their gradients go where they
 * lie in `to`.
 */
static Attention attention_of(Call *call, const Attributes *a) {
  int packed = rank(call, 0) == 5, key = packed ? 0 : 1;
  Attention t = {.images = dim(call, 0, 0), .queries = dim(call, 0, 1), .keys = dim(call, key, 1),
                 .heads = dim(call, 0, -2), .size = dim(call, 0, -1), .scale = a->scale};
  int fits = packed ? dim(call, 0, 2) == 3 : rank(call, 0) == 4;
  for (int i = 1; !packed && i < 3; i++) {
    fits = fits && rank(call, i) == 4 && dim(call, i, 0) == t.images && dim(call, i, 1) == t.keys &&
           dim(call, i, 2) == t.heads && dim(call, i, 3) == t.size;
  }
  if (!fits) fail(call, TF_INVALID_ARGUMENT, "shapes that do not fit an attention");
  int64_t width = t.heads * t.size;
  t.q_next = t.k_next = packed ? 3 * width : width;
  t.q = call->in[0];
  t.k = packed ? t.q + width : call->in[1];
  t.v = packed ? t.q + 2 * width : call->in[2];
  return t;
}

/** Outputs [B, M, heads, size] and the weights [B, M, heads, N]. */
static void attention(void *kernel, TF_OpKernelContext *context) {
  Call call = begin(context, 3);
  Attention t = attention_of(&call, kernel);
  if (!call.failed) {
    const int64_t dims[] = {t.images, t.queries, t.heads, t.size};
    const int64_t weights[] = {t.images, t.queries, t.heads, t.keys};
    t.out = output(&call, 4, dims);
    t.weights = output(&call, 4, weights);
    if (!call.failed && t.keys && t.size) {
      begin_work();
      parallel(attend_head, &t, t.images * t.heads);
      end_work();
      if (t.failed) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
    } else if (!call.failed) {
      zeroed(t.out, t.images * t.queries * t.heads * t.size);
      zeroed(t.weights, t.images * t.queries * t.heads * t.keys);
    }
  }
  finish(&call);
}

/** Inputs q, k, v, weights, dout; outputs dq, dk, dv, of which the first has all where q, k and v are one. */
static void attention_gradient(void *kernel, TF_OpKernelContext *context) {
  Call call = begin(context, 5);
  Attention t = attention_of(&call, kernel);
  int64_t tokens = t.images * t.queries * t.heads;
  if (!call.failed && (size_of(&call, 3) != tokens * t.keys || size_of(&call, 4) != tokens * t.size)) {
    fail(&call, TF_INVALID_ARGUMENT, "a gradient that does not fit its attention");
  }
  if (!call.failed) {
    int packed = rank(&call, 0) == 5;
    int64_t width = t.heads * t.size;
    t.weights = (float *)call.in[3];
    t.dout = call.in[4];
    t.dq = output_like(&call, 0);
    t.dk = packed ? zeros_like(&call, 1) : output_like(&call, 1);
    t.dv = packed ? zeros_like(&call, 2) : output_like(&call, 2);
    if (packed) {
      t.dk = t.dq + width;
      t.dv = t.dk + width;
    }
    if (!call.failed && t.keys && t.size && t.queries) {
      begin_work();
      parallel(attend_head_back, &t, t.images * t.heads);
      end_work();
      if (t.failed) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
    } else if (!call.failed && !packed) {
      // Without queries nothing comes back to the keys.
      zeroed(t.dq, size_of(&call, 0));
      zeroed(t.dk, size_of(&call, 1));
      zeroed(t.dv, size_of(&call, 2));
    }
  }
  finish(&call);
}

/** The sum of the squares of all inputs. */
static void square_sum(void *kernel, TF_OpKernelContext *context) {
  (void)kernel;
  Call call = begin(context, 0);
  int n = TF_NumInputs(context);
  TF_Tensor **tensors = calloc(n, sizeof *tensors);
  const float **x = calloc(n, sizeof *x);
  int64_t *sizes = calloc(2 * n, sizeof *sizes), shares = 0;
  double *sums = NULL;
  float *out = output(&call, 0, NULL);
  if (!tensors || !x || !sizes) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
  for (int i = 0; !call.failed && i < n; i++) {
    TF_GetInput(context, i, &tensors[i], call.status);
    if (!tensors[i]) {
      fail(&call, TF_INVALID_ARGUMENT, "an input without a value");
      break;
    }
    x[i] = TF_TensorData(tensors[i]);
    sizes[i] = 1;
    for (int d = 0; d < TF_NumDims(tensors[i]); d++) sizes[i] *= TF_Dim(tensors[i], d);
    sizes[n + i] = shares += (sizes[i] + SHARE - 1) / SHARE;
  }
  if (!call.failed && !(sums = malloc(8 * shares + 8))) fail(&call, TF_RESOURCE_EXHAUSTED, MEMORY);
  if (!call.failed) {
    Squares q = {x, sizes + n, sizes, sums};
    double sum = 0;
    begin_work();
    parallel(square_share, &q, shares);
    end_work();
    for (int64_t i = 0; i < shares; i++) sum += sums[i];
    *out = (float)sum;
  }
  for (int i = 0; tensors && i < n; i++) {
    if (tensors[i]) TF_DeleteTensor(tensors[i]);
  }
  free(tensors);
  free(x);
  free(sizes);
  free(sums);
  finish(&call);
}

/** Bytes [B, H, W, C] as (byte / 255 − mean) / std, each image under its changes [B, 5]. */
static void images(void *kernel, TF_OpKernelContext *context) {
  const Attributes *a = kernel;
  Call call = begin(context, 2);
  Images j = {(const uint8_t *)call.in[0], call.in[1], NULL, dim(&call, 0, 1), dim(&call, 0, 2), dim(&call, 0, 3), {0}};
  if (rank(&call, 0) != 4 || rank(&call, 1) != 2 || dim(&call, 1, 0) != dim(&call, 0, 0) ||
      dim(&call, 1, 1) != CHANGES) {
    fail(&call, TF_INVALID_ARGUMENT, "shapes that do not fit images and their changes");
  }
  if (!call.failed) j.out = output_like(&call, 0);
  for (int i = 0; i < 256; i++) j.values[i] = (i / 255.f - a->mean) / a->std;
  if (!call.failed) {
    begin_work();
    parallel(change_image, &j, dim(&call, 0, 0));
    end_work();
  }
  finish(&call);
}

// ---- Registration --------------------------------------------------------------

/** [N, ⌈H / stride⌉, ⌈W / stride⌉, filters] and twice [filters]. */
static void conv_shape_by(TF_ShapeInferenceContext *c, TF_Status *s, int64_t stride) {
  TF_ShapeHandle *x = TF_NewShapeHandle(), *w = TF_NewShapeHandle();
  TF_ShapeHandle *y = TF_NewShapeHandle(), *filters = TF_NewShapeHandle();
  TF_DimensionHandle *d = TF_NewDimensionHandle();
  TF_ShapeInferenceContextSetUnknownShape(c, s);
  TF_ShapeInferenceContextGetInput(c, X, x, s);
  TF_ShapeInferenceContextGetInput(c, WEIGHTS_IN, w, s);
  if (TF_ShapeInferenceContextRank(c, x) == 4 && TF_ShapeInferenceContextRank(c, w) == 4) {
    TF_ShapeInferenceContextSubshape(c, x, 0, 1, y, s);
    for (int axis = 1; axis < 3; axis++) {
      TF_ShapeInferenceContextDim(c, x, axis, d);
      int64_t size = TF_DimensionHandleValue(d);
      TF_ShapeHandle *side = size < 0 ? NULL
                                      : TF_ShapeInferenceContextVectorFromSize(
                                            c, (size + stride - 1) / stride);
      if (!side) goto end; // unknown
      TF_ShapeInferenceContextConcatenateShapes(c, y, side, y, s);
      TF_DeleteShapeHandle(side);
    }
    TF_ShapeInferenceContextSubshape(c, w, 3, 4, filters, s);
    TF_ShapeInferenceContextConcatenateShapes(c, y, filters, y, s);
    TF_ShapeInferenceContextSetOutput(c, 0, y, s);
    TF_ShapeInferenceContextSetOutput(c, 1, filters, s);
    TF_ShapeInferenceContextSetOutput(c, 2, filters, s);
  }
end:
  TF_DeleteDimensionHandle(d);
  TF_DeleteShapeHandle(x);
  TF_DeleteShapeHandle(w);
  TF_DeleteShapeHandle(y);
  TF_DeleteShapeHandle(filters);
}

static void conv_shape_1(TF_ShapeInferenceContext *c, TF_Status *s) { conv_shape_by(c, s, 1); }
static void conv_shape_2(TF_ShapeInferenceContext *c, TF_Status *s) { conv_shape_by(c, s, 2); }
static void gradient_shape(TF_ShapeInferenceContext *c, TF_Status *s) {
  const int from[] = {X, GAMMA, BETA, SLOPE};
  for (int i = 0; i < 4; i++) pass_shape(c, from[i], i, s);
}
static void weights_shape(TF_ShapeInferenceContext *c, TF_Status *s) {
  pass_shape(c, WEIGHTS_IN, 0, s);
}
static void join_shape(TF_ShapeInferenceContext *c, TF_Status *s) {
  pass_shape(c, J_Y, 0, s);
  pass_shape(c, J_MEAN, 1, s);
  pass_shape(c, J_MEAN, 2, s);
}
static void running_shape(TF_ShapeInferenceContext *c, TF_Status *s) {
  pass_shape(c, 0, 0, s);
  pass_shape(c, 1, 1, s);
}

/** [rows] where all axes but the last are known. */
static void layer_norm_shape(TF_ShapeInferenceContext *c, TF_Status *s) {
  TF_ShapeHandle *x = TF_NewShapeHandle();
  TF_DimensionHandle *d = TF_NewDimensionHandle();
  TF_ShapeInferenceContextSetUnknownShape(c, s);
  pass_shape(c, 0, 0, s);
  TF_ShapeInferenceContextGetInput(c, 0, x, s);
  int64_t rows = 1, axes = TF_ShapeInferenceContextRank(c, x);
  for (int64_t axis = 0; axis < axes - 1 && rows >= 0; axis++) {
    TF_ShapeInferenceContextDim(c, x, axis, d);
    int64_t size = TF_DimensionHandleValue(d);
    rows = size < 0 ? -1 : rows * size;
  }
  if (axes > 0 && rows >= 0) {
    TF_ShapeHandle *vector = TF_ShapeInferenceContextVectorFromSize(c, rows);
    TF_ShapeInferenceContextSetOutput(c, 1, vector, s);
    TF_ShapeInferenceContextSetOutput(c, 2, vector, s);
    TF_DeleteShapeHandle(vector);
  }
  TF_DeleteDimensionHandle(d);
  TF_DeleteShapeHandle(x);
}
static void layer_norm_gradient_shape(TF_ShapeInferenceContext *c, TF_Status *s) {
  pass_shape(c, 1, 0, s);
  pass_shape(c, 2, 1, s);
  pass_shape(c, 2, 2, s);
}
static void first_shape(TF_ShapeInferenceContext *c, TF_Status *s) { pass_shape(c, 0, 0, s); }
static void gelu_gradient_shape(TF_ShapeInferenceContext *c, TF_Status *s) {
  pass_shape(c, 1, 0, s);
  pass_shape(c, 2, 1, s);
}

/** [rows, columns] of a product. */
static void product_shape_by(TF_ShapeInferenceContext *c, TF_Status *s, int64_t left, int64_t right) {
  TF_ShapeHandle *a = TF_NewShapeHandle(), *b = TF_NewShapeHandle();
  TF_ShapeHandle *rows = TF_NewShapeHandle(), *columns = TF_NewShapeHandle();
  TF_ShapeInferenceContextSetUnknownShape(c, s);
  TF_ShapeInferenceContextGetInput(c, 0, a, s);
  TF_ShapeInferenceContextGetInput(c, 1, b, s);
  if (TF_ShapeInferenceContextRank(c, a) == 2 && TF_ShapeInferenceContextRank(c, b) == 2) {
    TF_ShapeInferenceContextSubshape(c, a, left, left + 1, rows, s);
    TF_ShapeInferenceContextSubshape(c, b, !right, !right + 1, columns, s);
    TF_ShapeInferenceContextConcatenateShapes(c, rows, columns, rows, s);
    TF_ShapeInferenceContextSetOutput(c, 0, rows, s);
  }
  TF_DeleteShapeHandle(a);
  TF_DeleteShapeHandle(b);
  TF_DeleteShapeHandle(rows);
  TF_DeleteShapeHandle(columns);
}
static void product_shape(TF_ShapeInferenceContext *c, TF_Status *s) { product_shape_by(c, s, 0, 0); }
static void product_shape_right(TF_ShapeInferenceContext *c, TF_Status *s) { product_shape_by(c, s, 0, 1); }
static void product_shape_left(TF_ShapeInferenceContext *c, TF_Status *s) { product_shape_by(c, s, 1, 0); }

/** [B, M, heads, size] and [B, M, heads, N]. */
static void attention_shape(TF_ShapeInferenceContext *c, TF_Status *s) {
  TF_ShapeHandle *q = TF_NewShapeHandle(), *k = TF_NewShapeHandle();
  TF_ShapeHandle *out = TF_NewShapeHandle(), *part = TF_NewShapeHandle();
  TF_ShapeInferenceContextSetUnknownShape(c, s);
  TF_ShapeInferenceContextGetInput(c, 0, q, s);
  TF_ShapeInferenceContextGetInput(c, 1, k, s);
  int64_t packed = TF_ShapeInferenceContextRank(c, q) == 5;
  if (packed || (TF_ShapeInferenceContextRank(c, q) == 4 && TF_ShapeInferenceContextRank(c, k) == 4)) {
    TF_ShapeInferenceContextSubshape(c, q, 0, 2, out, s);
    TF_ShapeInferenceContextSubshape(c, q, 2 + packed, 3 + packed, part, s);
    TF_ShapeInferenceContextConcatenateShapes(c, out, part, out, s);
    TF_ShapeInferenceContextSubshape(c, packed ? q : k, 1, 2, part, s);
    TF_ShapeInferenceContextConcatenateShapes(c, out, part, part, s);
    TF_ShapeInferenceContextSetOutput(c, 1, part, s);
    TF_ShapeInferenceContextSubshape(c, q, 3 + packed, 4 + packed, part, s);
    TF_ShapeInferenceContextConcatenateShapes(c, out, part, out, s);
    TF_ShapeInferenceContextSetOutput(c, 0, out, s);
  }
  TF_DeleteShapeHandle(q);
  TF_DeleteShapeHandle(k);
  TF_DeleteShapeHandle(out);
  TF_DeleteShapeHandle(part);
}
static void attention_gradient_shape(TF_ShapeInferenceContext *c, TF_Status *s) {
  for (int i = 0; i < 3; i++) pass_shape(c, i, i, s);
}
static void scalar_shape(TF_ShapeInferenceContext *c, TF_Status *s) {
  TF_ShapeHandle *scalar = TF_ShapeInferenceContextScalar(c);
  TF_ShapeInferenceContextSetOutput(c, 0, scalar, s);
  TF_DeleteShapeHandle(scalar);
}

#define NORM_INPUTS "mean: float", "variance: float", "gamma: float", "beta: float", "slope: float"
#define CREATE(name, ...)                                   \
  static const char *const name##_names[] = {__VA_ARGS__ __VA_OPT__(,) NULL}; \
  static void *name##_create(TF_OpKernelConstruction *c) { return attributes_of(c, name##_names); }
CREATE(conv, "stride: int", "reads: int", "statistics: int", "epsilon: float")
CREATE(input, "stride: int", "reads: int", "training: int", "adds: int", "epsilon: float")
CREATE(weights, "stride: int", "reads: int", "epsilon: float")
CREATE(join, "reads: int", "statistics: int", "epsilon: float")
CREATE(norm, "reads: int", "training: int", "epsilon: float")
CREATE(running, "momentum: float", "pixels: float")
CREATE(layer, "epsilon: float")
CREATE(attention, "scale: float")
CREATE(turned, "turned: int")
CREATE(images, "mean: float", "std: float")
CREATE(plain, )
CREATE(list, "N: int >= 1")

static int define(const char *name, const char *const *inputs, const char *const *outputs,
                  const char *const *attributes,
                  void (*shape)(TF_ShapeInferenceContext *, TF_Status *),
                  void *(*create)(TF_OpKernelConstruction *),
                  void (*compute)(void *, TF_OpKernelContext *), TF_Status *status) {
  TF_OpDefinitionBuilder *op = TF_NewOpDefinitionBuilder(name);
  for (int i = 0; inputs[i]; i++) TF_OpDefinitionBuilderAddInput(op, inputs[i]);
  for (int i = 0; outputs[i]; i++) TF_OpDefinitionBuilderAddOutput(op, outputs[i]);
  for (int i = 0; attributes[i]; i++) TF_OpDefinitionBuilderAddAttr(op, attributes[i]);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, shape);
  TF_RegisterOpDefinition(op, status);
  if (TF_GetCode(status) != 0) return 0;
  TF_KernelBuilder *kernel = TF_NewKernelBuilder(name, "CPU", create, compute, no_delete);
  TF_RegisterKernelBuilder(name, kernel, status);
  return TF_GetCode(status) == 0;
}

#define LIST(...) (const char *const[]){__VA_ARGS__, NULL}

static int register_ops(int threads, int64_t cache, char *error, int64_t room) {
  pool.cache = cache / 4;
  start_pool(threads);
  TF_Status *s = TF_NewStatus();
  const char *const *norm_out =
      LIST("dx: float", "dgamma: float", "dbeta: float", "dslope: float");
  int done =
      define("FerlabConv1", LIST("x: float", "weights: float", NORM_INPUTS),
             LIST("y: float", "y_mean: float", "y_variance: float"), conv_names, conv_shape_1,
             conv_create, conv_forward, s) &&
      define("FerlabConv2", LIST("x: float", "weights: float", NORM_INPUTS),
             LIST("y: float", "y_mean: float", "y_variance: float"), conv_names, conv_shape_2,
             conv_create, conv_forward, s) &&
      define("FerlabConvInputGrad",
             LIST("x: float", "weights: float", NORM_INPUTS, "dy: float", "add: float"), norm_out,
             input_names, gradient_shape, input_create, conv_input_gradient, s) &&
      define("FerlabConvWeightsGrad", LIST("x: float", "weights: float", NORM_INPUTS, "dy: float"),
             LIST("dweights: float"), weights_names, weights_shape, weights_create,
             conv_weights_gradient, s) &&
      define("FerlabJoin",
             LIST("y: float", NORM_INPUTS, "other: float", "other_mean: float",
                  "other_variance: float", "other_gamma: float", "other_beta: float"),
             LIST("out: float", "out_mean: float", "out_variance: float"), join_names, join_shape,
             join_create, join_forward, s) &&
      define("FerlabNormGrad", LIST("x: float", "dy: float", NORM_INPUTS), norm_out, norm_names,
             gradient_shape, norm_create, norm_gradient, s) &&
      define("FerlabRunningStatistics",
             LIST("old_mean: float", "old_variance: float", "mean: float", "variance: float"),
             LIST("new_mean: float", "new_variance: float"), running_names, running_shape,
             running_create, running_statistics, s) &&
      define("FerlabLayerNorm", LIST("x: float", "scale: float", "offset: float"),
             LIST("y: float", "mean: float", "inverse: float"), layer_names, layer_norm_shape,
             layer_create, layer_norm, s) &&
      define("FerlabLayerNormGrad",
             LIST("dy: float", "x: float", "scale: float", "mean: float", "inverse: float"),
             LIST("dx: float", "dscale: float", "doffset: float"), plain_names,
             layer_norm_gradient_shape, plain_create, layer_norm_gradient, s) &&
      define("FerlabBiasGelu", LIST("x: float", "bias: float"), LIST("y: float"), plain_names,
             first_shape, plain_create, bias_gelu, s) &&
      define("FerlabBiasGeluGrad", LIST("dy: float", "x: float", "bias: float"),
             LIST("dx: float", "dbias: float"), plain_names, gelu_gradient_shape, plain_create,
             bias_gelu_gradient, s) &&
      define("FerlabProduct0", LIST("a: float", "b: float"), LIST("y: float"), turned_names,
             product_shape, turned_create, matrix_product, s) &&
      define("FerlabProduct1", LIST("a: float", "b: float"), LIST("y: float"), turned_names,
             product_shape_right, turned_create, matrix_product, s) &&
      define("FerlabProduct2", LIST("a: float", "b: float"), LIST("y: float"), turned_names,
             product_shape_left, turned_create, matrix_product, s) &&
      define("FerlabAttention", LIST("q: float", "k: float", "v: float"),
             LIST("y: float", "weights: float"), attention_names, attention_shape,
             attention_create, attention, s) &&
      define("FerlabAttentionGrad",
             LIST("q: float", "k: float", "v: float", "weights: float", "dy: float"),
             LIST("dq: float", "dk: float", "dv: float"), attention_names,
             attention_gradient_shape, attention_create, attention_gradient, s) &&
      define("FerlabImages", LIST("bytes: uint8", "changes: float"), LIST("y: float"), images_names,
             first_shape, images_create, images, s) &&
      define("FerlabSquareSum", LIST("x: N * float"), LIST("sum: float"), list_names, scalar_shape,
             list_create, square_sum, s);
  if (!done) snprintf(error, room, "%s", TF_Message(s));
  TF_DeleteStatus(s);
  return done;
}

/**
 * Starts the threads and registers the ops; only the first call of a process
 * does anything. `cache` is the size of a core's own cache in bytes. Writes
 * what went wrong to `error`, `room` bytes, and returns 0 then.
 */
__attribute__((visibility("default"))) int ferlab_register(int threads, int64_t cache, char *error,
                                                           int64_t room) {
  static int done = -1;
  pthread_mutex_lock(&pool.use);
  if (done < 0) done = register_ops(threads, cache, error, room);
  pthread_mutex_unlock(&pool.use);
  return done;
}
