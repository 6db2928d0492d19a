// One vector of floats as wide as the machine's registers, and sums by it.
#pragma once
#include <stdint.h>
#include <string.h>

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

/** n of the VL values at p, the others 0. */
INLINE vec load_some(const float *p, int n) {
  vec v = {0};
  memcpy(&v, p, 4 * n);
  return v;
}
INLINE void store_some(float *p, vec v, int n) { memcpy(p, &v, 4 * n); }

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
