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
  readonly #repeats = new Map<string, number>();

  /** A link to `name`, first looked for among ids with one of `prefixes`. */
  to(name: string, prefixes: string[]): string {
    return `#${this.mark}-${this.#wanted.push({ name, prefixes }) - 1}-`;
  }

  /** A place that a cell calls `name`. */
  place(name: string, id: string) {
    this.#ids.add(id);
    if (!this.#named.has(name)) this.#named.set(name, id);
  }

  /** A heading: an id that no other has, from `slug` behind `prefix`. */
  heading(text: string, slug: string, prefix: string): string {
    slug = prefix + slug;
    let id = slug;
    for (let n = this.#repeats.get(slug) ?? 2; this.#ids.has(id); n++) {
      id = `${slug}-${n}`;
      this.#repeats.set(slug, n);
    }
    this.#ids.add(id);
    for (const form of formsOf(text)) {
      const name = prefix + form;
      if (!this.#headings.has(name)) this.#headings.set(name, id);
    }
    return id;
  }

  #find({ name, prefixes }: { name: string; prefixes: string[] }): string {
    for (const prefix of [...prefixes, ""]) {
      const own = prefix + name;
      if (this.#ids.has(own)) return own;
      const heading = this.#headings.get(own) ??
        this.#headings.get(prefix + name.toLowerCase());
      if (heading !== undefined) return heading;
    }
    return this.#named.get(name) ?? name;
  }

  /** The page with each link at its place. */
  resolve(html: string, escape: (text: string) => string): string {
    return html.replace(
      new RegExp(`#${this.mark}-(\\d+)-`, "g"),
      (_, n) => `#${escape(this.#find(this.#wanted[n]))}`,
    );
  }
}
