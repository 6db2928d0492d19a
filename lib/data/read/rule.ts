/** How an image file becomes pixels: the rule in words, and its version. */
import sharp from "sharp";

/** Pixels above which an image is refused (8192 × 8192). */
export const MAX_PIXELS = 2 ** 26;

/** Bytes above which a file is not opened. */
export const MAX_BYTES = 2 ** 28;

/** The rule that every decoder here keeps; data/README.md quotes it. */
export const READING_RULE = `\
- A file's content decides what it is, never its name: JPEG (baseline,
  progressive), PNG, WebP, BMP, GIF and TIFF are read; of several frames or
  pages the first.
- EXIF orientation is applied. Where a list gives the face's box, only that part
  of the upright image is read, as far as it lies within.
- Transparent images are laid on black.
- 16-bit values keep their high byte (v >> 8). Palettes become colours.
- An embedded colour profile is converted to sRGB; CMYK and YCCK without one
  count as a standard press profile (libvips' own).
- Gray stays gray; with three channels it is repeated. Colour becomes gray by
  ITU-R BT.601 on the sRGB values, 0.299 R + 0.587 G + 0.114 B, rounded.
- An image of another size is stretched to the square (Lanczos 3; no crop, no
  borders).
- Images over 8192 × 8192 pixels and files over 256 MiB are refused.`;

/** Changes whenever the same file could give other pixels or reasons. */
export const READING_VERSION = `1 with sharp ${sharp.versions.sharp}`;
