// Threads that share an op's work. Sums over items are made in the order of the
// items, or by `parallel_fixed`, so that they have the same bits each time.
#pragma once
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include "vector.h"

#define MAX_THREADS 64
/** Numbers for `scratch` beside a thread's own: offsets of each thread, and memory that all share. */
enum { OFFSETS = MAX_THREADS, WEIGHTS = 2 * MAX_THREADS, TURNED, LEFT, RIGHT, SUMS, SCRATCH_END };
// Pauses before a thread sleeps: more than the time between an op and the next,
// as waking it takes longer than many an op, and while an op works, longer than
// it ever does without threads.
#define SPINS 8000
#define SPINS_AT_WORK 20000
// Pauses before a thread that waits for the others gives way: they may want its
// core. No sooner, and never between ops: on a busy machine whoever yields stands
// back for milliseconds, and a step has hundreds of ops.
#define SPINS_TO_YIELD 100000

typedef void (*Work)(void *argument, int thread, int64_t item);

static struct {
  int threads;   // shares of a job, on which sums depend
  int crew;      // threads that do them, the caller's own with them
  int64_t cache; // floats of a thread that should fit its cache
  pthread_mutex_t use;   // one op at a time: `begin_work`, `end_work`
  atomic_int at_work;
  pthread_mutex_t sleep;
  pthread_cond_t wake;
  atomic_uint round;     // grows by one a job
  atomic_int running;
  atomic_llong next;     // item that nobody has taken yet
  int fixed;             // each thread's items are its own
  uint64_t arithmetic;   // the caller's, which the workers take over
  Work work;
  void *argument;
  int64_t items;
  struct { float *memory; size_t bytes; } scratch[SCRATCH_END];
} pool = {.use = PTHREAD_MUTEX_INITIALIZER,
          .sleep = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER};

INLINE void pause_cpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/**
 * How this thread rounds, and whether it takes numbers below the least normal
 * one as 0: TensorFlow's threads do, ours would not by themselves.
 */
INLINE uint64_t arithmetic(void) {
  uint64_t state = 0;
#if defined(__x86_64__)
  state = __builtin_ia32_stmxcsr();
#elif defined(__aarch64__)
  __asm__ volatile("mrs %0, fpcr" : "=r"(state));
#endif
  return state;
}
INLINE void set_arithmetic(uint64_t state) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr((unsigned)state);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(state));
#endif
}

static void begin_work(void) {
  pthread_mutex_lock(&pool.use);
  atomic_store(&pool.at_work, 1);
}

static void end_work(void) {
  atomic_store(&pool.at_work, 0);
  pthread_mutex_unlock(&pool.use);
}

static void do_share(int member) {
  int64_t n = pool.items, t = pool.threads;
  if (pool.fixed) {
    for (int share = member; share < t; share += pool.crew) {
      for (int64_t i = n * share / t; i < n * (share + 1) / t; i++) {
        pool.work(pool.argument, share, i);
      }
    }
    return;
  }
  int64_t some = max64(1, n / (8 * t));
  while (1) {
    int64_t from = atomic_fetch_add(&pool.next, some);
    if (from >= n) return;
    for (int64_t i = from; i < min64(from + some, n); i++) {
      pool.work(pool.argument, member, i);
    }
  }
}

static void *worker(void *number) {
  unsigned seen = 0;
  while (1) {
    int spins = 0;
    while (atomic_load_explicit(&pool.round, memory_order_acquire) == seen) {
      int at_work = atomic_load(&pool.at_work);
      if (++spins < (at_work ? SPINS_AT_WORK : SPINS)) {
        pause_cpu();
        continue;
      }
      spins = 0;
      pthread_mutex_lock(&pool.sleep);
      while (atomic_load(&pool.round) == seen) {
        pthread_cond_wait(&pool.wake, &pool.sleep);
      }
      pthread_mutex_unlock(&pool.sleep);
    }
    seen++;
    set_arithmetic(pool.arithmetic);
    do_share((int)(intptr_t)number);
    atomic_fetch_sub_explicit(&pool.running, 1, memory_order_release);
  }
  return NULL;
}

static void share_out(Work work, void *argument, int64_t items, int fixed) {
  if (pool.threads == 1 || items <= 1) {
    for (int64_t i = 0; i < items; i++) work(argument, 0, i);
    return;
  }
  pool.work = work;
  pool.argument = argument;
  pool.items = items;
  pool.fixed = fixed;
  pool.arithmetic = arithmetic();
  atomic_store(&pool.next, 0);
  atomic_store(&pool.running, pool.crew - 1);
  if (pool.crew > 1) {
    pthread_mutex_lock(&pool.sleep);
    atomic_fetch_add_explicit(&pool.round, 1, memory_order_release);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.sleep);
  }
  do_share(0);
  for (int spins = 0; atomic_load_explicit(&pool.running, memory_order_acquire);) {
    if (++spins < SPINS_TO_YIELD) pause_cpu();
    else sched_yield();
  }
}

/** Calls `work` for items 0 to `items` - 1, each on the thread that is free first; between `begin_work` and `end_work`. */
static void parallel(Work work, void *argument, int64_t items) {
  share_out(work, argument, items, 0);
}

/** The same, but an item's thread depends on the numbers of items and threads alone. */
static void parallel_fixed(Work work, void *argument, int64_t items) {
  share_out(work, argument, items, 1);
}

/**
 * Memory of one thread or, from WEIGHTS on, of all, kept from op to op and
 * undefined at first; NULL where there is none left.
 */
static float *scratch(int number, size_t floats) {
  size_t bytes = (4 * floats + 4095) / 4096 * 4096;
  if (pool.scratch[number].bytes < bytes) {
    free(pool.scratch[number].memory);
    pool.scratch[number].memory = aligned_alloc(4096, bytes);
    pool.scratch[number].bytes = pool.scratch[number].memory ? bytes : 0;
  }
  return pool.scratch[number].memory;
}

/** Twice `count` offsets of a thread; on the stack those of a wide map would not fit. */
static int offsets(int thread, int64_t count, int64_t **a, int64_t **b) {
  *a = (int64_t *)scratch(OFFSETS + thread, 4 * count);
  if (*a) *b = *a + count;
  return *a != NULL;
}

/** A forked process has none of the threads, and perhaps the locks of one that is gone. */
static void after_fork(void) {
  pool.crew = 1;
  pthread_mutex_init(&pool.use, NULL);
  pthread_mutex_init(&pool.sleep, NULL);
}

/**
 * FERLAB_CREW threads do the work of `threads`, with the same bits, where other
 * processes want the rest; all without it.
 */
static void start_pool(int threads) {
  const char *asked = getenv("FERLAB_CREW");
  int crew = asked ? atoi(asked) : threads;
  pool.threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
  pool.crew = crew < 1 || crew > pool.threads ? pool.threads : crew;
  pthread_atfork(NULL, NULL, after_fork);
  for (int i = 1; i < pool.crew; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, worker, (void *)(intptr_t)i) != 0) {
      pool.crew = i;
      break;
    }
    pthread_detach(thread);
  }
}
