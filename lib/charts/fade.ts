/** Labels that stay readable on lines, whatever the page's colour. */
import { type Area, CLASS } from "./frame.ts";
import { document } from "./theme.ts";

type Box = Record<"x" | "y" | "width" | "height", number>;

/** Fades the marks of those classes behind the labels (pixels) by a mask. */
export function fadeBehind(
  // deno-lint-ignore no-explicit-any
  element: any,
  labels: readonly Box[],
  { width, height }: Area,
  classes: readonly string[],
): void {
  if (labels.length === 0) return;
  const create = (
    name: string,
    attributes: Record<string, string | number>,
  ) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) {
      made.setAttribute(key, String(value));
    }
    return made;
  };
  const id = `${CLASS}-labels`, whole = { x: 0, y: 0, width, height };
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
