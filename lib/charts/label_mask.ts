/** Labels that stay readable on lines, whatever the page's colour. */
import { document } from "./old.ts";

interface Label {
  x: number;
  y: number;
  width: number;
  height: number;
}

/**
 * Fades the marks of `classes` behind the labels (pixels) by an SVG mask. `id`
 * must be the chart's own: a page may hold several.
 */
export function fadeBehind(
  // deno-lint-ignore no-explicit-any
  element: any,
  labels: readonly Label[],
  { id, width, height, classes }: {
    id: string;
    width: number;
    height: number;
    classes: readonly string[];
  },
): void {
  const whole = { x: 0, y: 0, width, height };
  const mask = create("mask", { id, maskUnits: "userSpaceOnUse", ...whole });
  mask.appendChild(create("rect", { ...whole, fill: "white" }));
  for (const label of labels) {
    mask.appendChild(create("rect", { ...label, rx: 3, fill: "#222" }));
  }
  element.insertBefore(mask, element.firstChild);
  for (const name of classes) {
    for (const group of element.querySelectorAll(`.${name}`)) {
      group.setAttribute("mask", `url(#${id})`);
    }
  }
}

function create(name: string, attributes: Record<string, string | number>) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, String(value));
  }
  return element;
}
