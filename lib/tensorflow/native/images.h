// Bytes of images as a net reads them in training: scaled, mirrored, erased.
#pragma once
#include "pool.h"

/** What happens to an image: it is mirrored where the first number is above 0, and 0 in a box. */
enum { MIRRORED, TOP, LEFT_SIDE, BOTTOM, RIGHT_SIDE, CHANGES };

typedef struct {
  const uint8_t *bytes;
  const float *changes; // [images][CHANGES]
  float *out;
  int64_t height, width, channels;
  float values[256]; // of each byte
} Images;

static void change_image(void *argument, int thread, int64_t image) {
  (void)thread;
  Images *j = argument;
  const float *change = j->changes + CHANGES * image;
  int64_t width = j->width, channels = j->channels;
  for (int64_t y = 0; y < j->height; y++) {
    const uint8_t *from = j->bytes + (image * j->height + y) * width * channels;
    float *to = j->out + (image * j->height + y) * width * channels;
    if (change[MIRRORED] > 0) {
      for (int64_t x = 0; x < width; x++) {
        const uint8_t *pixel = from + (width - 1 - x) * channels;
        for (int64_t c = 0; c < channels; c++) to[x * channels + c] = j->values[pixel[c]];
      }
    } else {
      for (int64_t i = 0; i < width * channels; i++) to[i] = j->values[from[i]];
    }
    if (!(y >= change[TOP] && y < change[BOTTOM])) continue;
    for (int64_t x = 0; x < width; x++) {
      if (x >= change[LEFT_SIDE] && x < change[RIGHT_SIDE]) memset(to + x * channels, 0, 4 * channels);
    }
  }
}
