/** Windows bitmaps, which sharp's libvips cannot read. */

/** Rows from the top, `[height, width, 3]`. */
export interface Bitmap {
  data: Uint8Array;
  width: number;
  height: number;
}

/**
 * Reads an uncompressed bitmap of 1, 4 or 8 bits with a palette, or of 24 or
 * 32 bits (the fourth byte is not alpha in this format). The sides have been
 * held against the limit before.
 *
 * @returns a reason in one line where it cannot be read
 */
export function decodeBmp(b: Uint8Array): Bitmap | string {
  const view = new DataView(b.buffer, b.byteOffset, b.length);
  if (b.length < 54) return "cut short";
  const first = view.getUint32(10, true);
  const head = view.getUint32(14, true);
  const width = view.getInt32(18, true);
  const rows = view.getInt32(22, true);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  const height = Math.abs(rows);
  if (head < 40 || width < 1 || height < 1) return "damaged";
  if (compression === 3 && bits === 32) {
    // Masks in the usual order are the same as none.
    const usual = b.length >= 66 && view.getUint32(54, true) === 0xff0000 &&
      view.getUint32(58, true) === 0xff00 && view.getUint32(62, true) === 0xff;
    if (!usual) return "a BMP with unusual masks: save it as PNG";
  } else if (compression !== 0) return "a compressed BMP: save it as PNG";
  if (![1, 4, 8, 24, 32].includes(bits)) {
    return `a BMP with ${bits} bits: save it as PNG`;
  }
  const stride = (width * bits + 31 >> 5) * 4;
  if (b.length < first + stride * height) return "cut short";
  const palette = 14 + head;
  const colours = (first - palette) >> 2;
  const data = new Uint8Array(width * height * 3);
  let o = 0;
  for (let y = 0; y < height; y++) {
    const row = first + stride * (rows < 0 ? y : height - 1 - y);
    for (let x = 0; x < width; x++, o += 3) {
      let at = row + x * bits / 8;
      if (bits <= 8) {
        const shift = 8 - bits - x * bits % 8;
        const index = b[Math.floor(at)] >> shift & (1 << bits) - 1;
        if (index >= colours) return "damaged";
        at = palette + index * 4;
      }
      data[o] = b[at + 2];
      data[o + 1] = b[at + 1];
      data[o + 2] = b[at];
    }
  }
  return { data, width, height };
}
