/** Colours of an exported page, and the contrast between them. */

/** The page's own colours; text is at least 4.5:1 on each background. */
export const THEME = {
  light: {
    bg: "#ffffff",
    fg: "#1f2328",
    soft: "#57606a",
    faint: "#f6f8fa",
    line: "#d5dbe1",
    accent: "#0a58b5",
    bad: "#a8201a",
    badBg: "#fdf1f0",
    mark: "#7d5600",
    markBg: "#fff8e5",
  },
  dark: {
    bg: "#0f1318",
    fg: "#e3e8ee",
    soft: "#9aa5b1",
    faint: "#171c23",
    line: "#2c343e",
    accent: "#78b4ff",
    bad: "#ff8f86",
    badBg: "#2a1617",
    mark: "#e3b341",
    markBg: "#251f10",
  },
} as const;

/** The 16 colours of a terminal, normal then bright, for each theme. */
export const ANSI = {
  light:
    "#24292f #b3261e #116329 #7d5600 #0a58b5 #7a3fd0 #0b6573 #57606a #57606a #b3261e #116329 #744a00 #0550ae #7038c0 #0a6070 #424a53"
      .split(" "),
  dark:
    "#9aa5b1 #ff8f86 #56d364 #e3b341 #79c0ff #d2a8ff #56d4dd #c9d1d9 #9aa5b1 #ffa198 #7ee787 #f2cc60 #a5d6ff #e2c5ff #b3f0ff #f0f6fc"
      .split(" "),
} as const;

const channels = (hex: string) =>
  [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** Relative luminance of #rrggbb, 0 to 1 (WCAG 2.2). */
function luminance(hex: string): number {
  const [r, g, b] = channels(hex).map((v) => {
    const c = v / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast of two colours #rrggbb, 1 to 21 (WCAG 2.2). */
export function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const known = new Map<string, string>();

/** `colour`, moved to black or white until it is 4.6:1 or more on `ground`. */
export function readableColour(colour: string, ground: string): string {
  const key = colour + ground;
  let result = known.get(key);
  if (result !== undefined) return result;
  const end = luminance(ground) > 0.18 ? 0 : 255;
  result = colour;
  for (let step = 1; step <= 20 && contrast(result, ground) < 4.6; step++) {
    result = "#" +
      channels(colour).map((v) =>
        Math.round(v + (end - v) * step / 20).toString(16).padStart(2, "0")
      ).join("");
  }
  known.set(key, result);
  return result;
}

/** A CSS colour that reads well on the page in both themes. */
export function onPage(colour: string): string {
  // The tinted grounds are the harder ones.
  const light = readableColour(colour, THEME.light.badBg);
  const dark = readableColour(colour, THEME.dark.badBg);
  return light === dark ? light : `light-dark(${light},${dark})`;
}
