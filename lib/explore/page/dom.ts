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

/** A choice of several, by their keys. */
export const choice = (
  options: Record<string, string>,
  value: string,
  change: (value: string) => void,
) => {
  const select = h(
    "select",
    { onchange: () => change(select.value) },
    ...Object.entries(options).map(([key, text]) =>
      h("option", { value: key, selected: key === value }, text)
    ),
  );
  return select;
};
