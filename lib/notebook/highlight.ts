/** Code with syntax colours for both themes, by Shiki. */
import {
  bundledLanguagesInfo,
  bundledThemes,
  createHighlighter,
  type Highlighter,
} from "shiki";
import { escapeHtml } from "./ansi.ts";
import { readable, THEME } from "./colour.ts";
import { count, LIMITS } from "./limits.ts";

const LANGUAGES = [
  "typescript",
  "javascript",
  "tsx",
  "json",
  "shellscript",
  "python",
];
const PAIRED = "paired";

interface Shared {
  shiki: Highlighter;
  /** light and dark colour; a token's colour is the number here, from 1 */
  pairs: [string, string][];
}
let shared: Promise<Shared> | undefined;

/**
 * Shiki with one theme that stands for two of the same rules, whose colours
 * are the numbers of pairs: code is read once, not once a theme.
 */
async function start(): Promise<Shared> {
  const [light, dark] = await Promise.all(
    [
      bundledThemes["github-light-default"](),
      bundledThemes["github-dark-default"](),
    ].map(async (module) => (await module).default),
  );
  const pairs: [string, string][] = [];
  const numbered = (a: string, b: string) => {
    let at = pairs.findIndex(([x, y]) => x === a && y === b);
    if (at < 0) at = pairs.push([a, b]) - 1;
    return `#${(at + 1).toString(16).padStart(6, "0")}`;
  };
  const foreground = "editor.foreground";
  const colour = numbered(light.colors![foreground], dark.colors![foreground]);
  const tokenColors = light.tokenColors!.flatMap(({ scope, settings }, i) => {
    const other = dark.tokenColors![i];
    if (String(scope) !== String(other.scope)) {
      throw new Error("shiki's light and dark theme have different rules");
    }
    const [a, b] = [settings.foreground, other.settings.foreground];
    return a && b ? [{ scope, settings: { foreground: numbered(a, b) } }] : [];
  });
  const theme = { name: PAIRED, colors: { [foreground]: colour }, tokenColors };
  const shiki = await createHighlighter({ themes: [theme], langs: [] });
  return { shiki, pairs };
}

/** Why code is not coloured: the time that it takes grows faster than a word. */
function tooLong(code: string): string | undefined {
  const more = (n: number) => `more than ${count(n)}`;
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

  private constructor(readonly shared: Shared) {}

  /** @param languages that {@link block} will know, by name or alias */
  static async load(languages: Iterable<string>): Promise<Highlight> {
    const names = new Set(languages);
    shared ??= start();
    const { shiki } = await shared;
    const wanted = bundledLanguagesInfo.filter(({ id, aliases = [] }) =>
      LANGUAGES.includes(id) && [id, ...aliases].some((n) => names.has(n))
    );
    await shiki.loadLanguage(...wanted.map(({ id }) => id as "typescript"));
    return new Highlight(await shared);
  }

  /** `code` as a `<pre>`; plain where the language is not known or it is long. */
  block(code: string, language: string): string {
    const known = this.shared.shiki.getLoadedLanguages().includes(language);
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
    const { shiki } = this.shared;
    const tokens = shiki.codeToTokensBase(code, {
      lang: language as "typescript",
      theme: shiki.getTheme(PAIRED),
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
      for (const { content, color } of line) {
        const of = content.trim() ? this.#class(color) : name;
        if (of !== name) flush();
        name = of;
        text += content;
      }
      flush();
      return html;
    }).join("\n");
  }

  #class(number: string | undefined): string {
    const pair = this.shared.pairs[parseInt(number?.slice(1) ?? "", 16) - 1] ??
      [THEME.light.fg, THEME.dark.fg];
    const [light, dark] = pair.map((c) => c.slice(0, 7).toLowerCase());
    const key = `${readable(light, THEME.light.faint)} ${
      readable(dark, THEME.dark.faint)
    }`;
    const known = this.#classes.get(key);
    if (known) return known;
    const name = `k${this.#classes.size}`;
    this.#classes.set(key, name);
    return name;
  }
}
