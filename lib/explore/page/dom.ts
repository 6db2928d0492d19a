/// <reference lib="dom" />
/** Elements in one call. */

type Child = Node | string | false | null | undefined;
// deno-lint-ignore no-explicit-any
type Props = Record<string, any>;

/** An element with attributes, listeners (`onchange`) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (["checked", "value", "selected", "disabled"].includes(name)) {
      Object.assign(element, { [name]: value });
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((c) => !!c) as (Node | string)[]);
  return element;
}

/** A field with its name. */
export const labelled = (name: string, field: HTMLElement) =>
  h("label", {}, h("span", {}, name), field);

/** A box that is ticked, with its name behind it. */
export const tick = (
  name: string,
  checked: boolean,
  change: (checked: boolean) => void,
) => {
  const box = h("input", {
    ...{ type: "checkbox", checked },
    onchange: () => change(box.checked),
  });
  return h("label", { class: "tick" }, box, name);
};

/** A choice of several, by their keys; `name` is for those who hear it. */
export const choiceInput = (
  options: Record<string, string>,
  value: string,
  change: (value: string) => void,
  name?: string,
) => {
  const select = h(
    "select",
    { onchange: () => change(select.value), "aria-label": name },
    ...Object.entries(options).map(([key, text]) =>
      h("option", { value: key, selected: key === value }, text)
    ),
  );
  return select;
};

const FIELDS = "a[href], button, input, select, summary, [tabindex]";

/** What a control is called, and its group; a chart's name tells its values. */
const nameOf = (field: Element): string => {
  const group = field.closest("fieldset, li")?.querySelector("legend, div");
  const own = field.matches("svg") ? "" : field.getAttribute("aria-label") ??
    (field.closest("label") ?? field).textContent;
  return [group?.textContent, own, field.localName].join("\n");
};

/** Does something to what `root` holds; the control in use keeps the focus. */
export function keepingFocus(root: Element, act: () => void): void {
  const used = document.activeElement as HTMLElement | null;
  if (!used || used === root || !root.contains(used)) return act();
  const name = nameOf(used);
  const alike = () =>
    [...root.querySelectorAll<HTMLElement | SVGElement>(FIELDS)]
      .filter((field) => nameOf(field) === name);
  const at = alike().indexOf(used);
  act();
  alike()[at]?.focus({ preventScroll: true });
}
