/** Code with syntax colours for both themes, by Shiki. */
import { createHighlighter, type Highlighter } from "shiki";
import { escapeHtml } from "./ansi.ts";
import { readable, THEME } from "./colour.ts";

const LANGUAGES = ["typescript", "javascript", "tsx", "json", "bash", "python"];
const THEMES = { light: "github-light-default", dark: "github-dark-default" };

let shared: Promise<Highlighter> | undefined;

/** Colours code as classes; {@link css} gives the rules of those used. */
export class Highlight {
  readonly #classes = new Map<string, string>();

  private constructor(readonly shiki: Highlighter) {}

  static async load(): Promise<Highlight> {
    shared ??= createHighlighter({
      themes: Object.values(THEMES),
      langs: LANGUAGES,
    });
    return new Highlight(await shared);
  }

  /** `code` as a `<pre>`; plain where the language is not known. */
  block(code: string, language: string): string {
    return `<pre class="src" tabindex="0"><code>${
      this.#spans(code, language)
    }</code></pre>`;
  }

  /** Rules of all classes that {@link block} has used. */
  css(): string {
    return Array.from(this.#classes, ([colours, name]) => {
      const [light, dark] = colours.split(" ");
      return `.${name}{color:light-dark(${light},${dark})}`;
    }).join("\n");
  }

  #spans(code: string, language: string): string {
    const lang = this.shiki.getLoadedLanguages().includes(language)
      ? language
      : "";
    if (!lang) return escapeHtml(code);
    const { tokens } = this.shiki.codeToTokens(code, {
      lang: lang as "typescript",
      themes: THEMES,
      defaultColor: false,
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
      for (const { content, htmlStyle } of line) {
        const of = content.trim() ? this.#class(htmlStyle) : name;
        if (of !== name) flush();
        name = of;
        text += content;
      }
      flush();
      return html;
    }).join("\n");
  }

  #class(style: Record<string, string> | undefined): string {
    const colour = (theme: "light" | "dark") =>
      readable(
        (style?.[`--shiki-${theme}`] ?? THEME[theme].fg).slice(0, 7)
          .toLowerCase(),
        THEME[theme].faint,
      );
    const key = `${colour("light")} ${colour("dark")}`;
    const known = this.#classes.get(key);
    if (known) return known;
    const name = `k${this.#classes.size}`;
    this.#classes.set(key, name);
    return name;
  }
}
