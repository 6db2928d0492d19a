/** Where Chromium lies on this machine. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** The browser that FERLAB_CHROMIUM or CHROMIUM names, else an installed one. */
export function findChromium(): string | undefined {
  const named = ["FERLAB_CHROMIUM", "CHROMIUM"].map((name) =>
    Deno.env.get(name)
  );
  return [...named, ...PLACES].find((path) => {
    try {
      return path !== undefined && Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}
