// One vector of floats as wide as the machine's registers, and sums by it.
#pragma once
#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define VL 16
#define REGISTERS 32
#elif defined(__AVX__)
#define VL 8
#define REGISTERS 16
#elif defined(__aarch64__)
#define VL 4
#define REGISTERS 32
#else
#define VL 4
#define REGISTERS 16
#endif

// Loads and stores need no alignment; what is read may be of any type.
typedef float vec __attribute__((vector_size(4 * VL), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * VL), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *p) { return *(const vec *)p; }
INLINE void store(float *p, vec v) { *(vec *)p = v; }
INLINE vec splat(float x) { return x - (vec){0}; }

/** n of the VL values at p, the others 0; nothing behind them is touched. */
INLINE vec load_some(const float *p, int n) {
#if defined(__AVX512F__)
  return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
  vec v = {0};
  for (int i = 0; i < n; i++) v[i] = p[i];
  return v;
#endif
}

INLINE void store_some(float *p, vec v, int n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
  for (int i = 0; i < n; i++) p[i] = v[i];
#endif
}

/** a where m is true, else b. */
INLINE vec choose(mask m, vec a, vec b) {
  return (vec)(((mask)a & m) | ((mask)b & ~m));
}

INLINE float total(vec v) {
  float sum = 0;
  for (int i = 0; i < VL; i++) sum += v[i];
  return sum;
}

INLINE int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
/** Vectors that hold n values. */
INLINE int64_t vectors(int64_t n) { return (n + VL - 1) / VL; }
