/** Where Chromium lies on this machine. */
import { join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** The browser that FERLAB_CHROMIUM or CHROMIUM names, else an installed one. */
export function findChromium(): string | undefined {
  const named = ["FERLAB_CHROMIUM", "CHROMIUM"]
    .map((name) => Deno.env.get(name));
  const folders = ["/usr/bin", ...(Deno.env.get("PATH") ?? "").split(":")];
  const installed = folders.filter(Boolean)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...named, ...installed].find((path) => {
    try {
      return path !== undefined && Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}
