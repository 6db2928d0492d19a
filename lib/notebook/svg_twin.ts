/** SVG that front ends show with the page's colours. */

/**
 * Adds a text/html twin to a bundle with `image/svg+xml`, which front ends
 * make an `<img>`: there a chart cannot see the page's theme and is black on
 * black. Inline it takes the text colour and background of the page.
 */
export function withSvgTwin(
  content: Record<string, unknown>,
): Record<string, unknown> {
  const data = content.data as Record<string, unknown> | undefined;
  const given = data?.["image/svg+xml"];
  if (!given || data["text/html"]) return { ...content };
  const svg = Array.isArray(given) ? given.join("") : String(given);
  const html = svg.replace(/^\s*<\?xml[^>]*>\s*/, "").replace(
    /--plot-background: white/g,
    "--plot-background: var(--jp-layout-color0, white)",
  );
  return { ...content, data: { ...data, "text/html": html } };
}
