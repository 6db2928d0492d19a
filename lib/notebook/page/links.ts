/**
 * Links within a page: to headings, to places that cells name themselves and to
 * numbered figures and tables.
 */

/** What a link to a heading is called by JupyterLab, and by GitHub. */
const formsOf = (text: string): string[] => [
  text.replace(/ /g, "-"),
  text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-"),
];

/** What an address stands for. */
export function decoded(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    return address; // a lone % is itself
  }
}

/** A link whose place is looked for when all are known. */
interface Wanted {
  name: string;
  prefixes: string[];
  kind?: Numbered;
}

export type Numbered = "Figure" | "Table";

/** All places of one page; a link finds its own once all cells are drawn. */
export class Links {
  /** Stands for what is not known yet; no notebook can hold it. */
  readonly mark = crypto.randomUUID();
  readonly #wanted: Wanted[] = [];
  readonly #ids = new Set<string>();
  readonly #named = new Map<string, string>();
  readonly #headings = new Map<string, string>();
  readonly #repeats = new Map<string, number>();
  readonly #numbered = new Map<string, { id: string; number: number }>();

  /** A link to `name`, first looked for among ids with one of `prefixes`. */
  to(name: string, prefixes: string[]): string {
    return `#${this.mark}-${this.#wanted.push({ name, prefixes }) - 1}-`;
  }

  /** The number of the first figure or table of the cell `name`, and a link. */
  toNumbered(kind: Numbered, name: string, prefixes: string[]) {
    const href = this.to(name, prefixes);
    this.#wanted.at(-1)!.kind = kind;
    return { href, number: href.replace("#", "№") };
  }

  /** Figure or table `number`, which the cells' authors call by these names. */
  numbered(kind: Numbered, names: string[], number: number, id: string) {
    for (const name of names) {
      const key = `${kind} ${name}`;
      if (!this.#numbered.has(key)) this.#numbered.set(key, { id, number });
    }
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

  #find({ name, prefixes, kind }: Wanted): string {
    const numbered = this.#numbered.get(`${kind} ${name}`);
    if (numbered) return numbered.id;
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
      new RegExp(`([#№])${this.mark}-(\\d+)-`, "g"),
      (_, sign, n) => {
        const wanted = this.#wanted[n];
        if (sign === "#") return `#${escape(this.#find(wanted))}`;
        const { kind, name } = wanted;
        return String(this.#numbered.get(`${kind} ${name}`)?.number ?? "");
      },
    );
  }
}
