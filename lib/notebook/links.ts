/** Links within a page: to headings and to places that cells name themselves. */

/** What a link to a heading is called by JupyterLab, and by GitHub. */
const formsOf = (text: string): string[] => [
  text.replace(/ /g, "-"),
  text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-"),
];

/** All places of one page; a link finds its own once all cells are drawn. */
export class Links {
  /** Stands for what is not known yet; no notebook can hold it. */
  readonly mark = crypto.randomUUID();
  readonly #wanted: { name: string; prefixes: string[] }[] = [];
  readonly #ids = new Set<string>();
  readonly #named = new Map<string, string>();
  readonly #headings = new Map<string, string>();

  /** A link to `name`, first looked for among ids with one of `prefixes`. */
  to(name: string, prefixes: string[]): string {
    return `#${this.mark}-${this.#wanted.push({ name, prefixes }) - 1}-`;
  }

  /** A place that a cell calls `name`. */
  place(name: string, id: string) {
    this.#ids.add(id);
    if (!this.#named.has(name)) this.#named.set(name, id);
  }

  /** A heading: an id that no other has, from `slug`. */
  heading(text: string, slug: string): string {
    let id = slug;
    for (let n = this.#repeats.get(slug) ?? 2; this.#ids.has(id); n++) {
      id = `${slug}-${n}`;
      this.#repeats.set(slug, n);
    }
    this.#ids.add(id);
    for (const form of formsOf(text)) {
      if (!this.#headings.has(form)) this.#headings.set(form, id);
    }
    return id;
  }
  readonly #repeats = new Map<string, number>();

  #find({ name, prefixes }: { name: string; prefixes: string[] }): string {
    const own = prefixes.map((prefix) => prefix + name)
      .find((id) => this.#ids.has(id));
    if (own !== undefined) return own;
    const id = this.#named.get(name);
    if (id !== undefined) return id;
    if (this.#ids.has(name)) return name;
    return this.#headings.get(name) ?? this.#headings.get(name.toLowerCase()) ??
      name;
  }

  /** The page with each link at its place. */
  resolve(html: string, escape: (text: string) => string): string {
    return html.replace(
      new RegExp(`#${this.mark}-(\\d+)-`, "g"),
      (_, n) => `#${escape(this.#find(this.#wanted[n]))}`,
    );
  }
}
