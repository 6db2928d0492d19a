/** Code with syntax colours for both themes, by Shiki. */
import {
  bundledLanguagesInfo,
  createHighlighter,
  type Highlighter,
} from "shiki";
import { escapeHtml } from "../ansi.ts";
import { readableColour, THEME } from "../colour.ts";
import { LIMITS, withCommas } from "../page_limits.ts";

const LANGUAGES = [
  "typescript",
  "javascript",
  "tsx",
  "json",
  "shellscript",
  "python",
];
const THEMES = {
  light: "github-light-default",
  dark: "github-dark-default",
} as const;
let shared: Promise<Highlighter> | undefined;

/** Why code is not coloured: the time that it takes grows faster than a word. */
function tooLong(code: string): string | undefined {
  const more = (n: number) => `more than ${withCommas(n)}`;
  if (code.length > LIMITS.code) return more(LIMITS.code);
  for (const line of code.split("\n")) {
    if (line.length > LIMITS.codeLine) {
      return `a line of ${more(LIMITS.codeLine)}`;
    }
    for (const word of line.split(/[^\p{L}\p{N}_$]+/u)) {
      if (word.length > LIMITS.codeWord) {
        return `a word of ${more(LIMITS.codeWord)}`;
      }
    }
  }
}

/** Colours code as classes; {@link css} gives the rules of those used. */
export class Highlight {
  readonly #classes = new Map<string, string>();

  private constructor(readonly shiki: Highlighter) {}

  /** @param languages that {@link block} will know, by name or alias */
  static async load(languages: Iterable<string>): Promise<Highlight> {
    const names = new Set(languages);
    const themes = Object.values(THEMES);
    const shiki = await (shared ??= createHighlighter({ themes, langs: [] }));
    const wanted = bundledLanguagesInfo.filter(({ id, aliases = [] }) =>
      LANGUAGES.includes(id) && [id, ...aliases].some((n) => names.has(n))
    );
    await shiki.loadLanguage(...wanted.map(({ id }) => id as "typescript"));
    return new Highlight(shiki);
  }

  /** `code` as a `<pre>`; plain where the language is not known or it is long. */
  block(code: string, language: string): string {
    const known = this.shiki.getLoadedLanguages().includes(language);
    const long = known && tooLong(code);
    const html = known && !long
      ? this.#spans(code, language)
      : escapeHtml(code);
    const note = long
      ? `<p class="note">Shown without colours: it has ${long} characters.</p>`
      : "";
    return `<pre class="src" tabindex="0"><code>${html}</code></pre>${note}`;
  }

  css(): string {
    return Array.from(this.#classes, ([colours, name]) => {
      const [light, dark] = colours.split(" ");
      return `.${name}{color:light-dark(${light},${dark})}`;
    }).join("\n");
  }

  #spans(code: string, language: string): string {
    const tokens = this.shiki.codeToTokensWithThemes(code, {
      lang: language as "typescript",
      themes: THEMES,
      // Without it, a busy machine colours the same code otherwise.
      tokenizeTimeLimit: 0,
    });
    return tokens.map((line) => {
      let html = "", text = "", name = "";
      const flush = () => {
        if (text) {
          html += name
            ? `<span class="${name}">${escapeHtml(text)}</span>`
            : escapeHtml(text);
        }
        text = "";
      };
      for (const { content, variants } of line) {
        const of = content.trim() ? this.#class(variants) : name;
        if (of !== name) flush();
        name = of;
        text += content;
      }
      flush();
      return html;
    }).join("\n");
  }

  #class(variants: Record<string, { color?: string }>): string {
    const [light, dark] = [variants.light, variants.dark]
      .map(({ color }) => color!.slice(0, 7).toLowerCase());
    const key = `${readableColour(light, THEME.light.faint)} ${
      readableColour(dark, THEME.dark.faint)
    }`;
    const known = this.#classes.get(key);
    if (known) return known;
    const name = `k${this.#classes.size}`;
    this.#classes.set(key, name);
    return name;
  }
}
