/**
 * Sizes from which a page shows something plain, cut or not at all, and says
 * so; in characters. They keep an export linear and a page one that opens.
 */
export const LIMITS = {
  /** printed text, an error or any other text: what a page shows of it, and what
   * a run keeps of a cell's text in the notebook */
  text: 1_000_000,
  /** what a run keeps in the notebook of all else that a cell shows */
  display: 30_000_000,
  /** the message of an error, above its trace */
  message: 2_000,
  /** code and JSON that are coloured: in all, in a line, in a word */
  code: 40_000,
  codeLine: 400,
  codeWord: 200,
  /** a cell of Markdown: in all, in a paragraph */
  markdown: 200_000,
  paragraph: 20_000,
  /** a formula; groups in each other; a formula that defines macros */
  formula: 20_000,
  formulaDepth: 100,
  macros: 1_000,
  /** HTML of an output: what is left of it without scripts; all of it */
  html: 2_000_000,
  htmlSource: 20_000_000,
  /** an SVG that is part of the page; one that is an image in it */
  svg: 2_000_000,
  svgImage: 20_000_000,
  /** an image, as base64 */
  image: 30_000_000,
  /** rows and columns of a table of csv */
  rows: 200,
  columns: 100,
} as const;

/** 999 → "999 B", 1200 → "1.2 kB", 49e6 → "49.0 MB". */
export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1e6
    ? `${(bytes / 1e3).toFixed(1)} kB`
    : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** An integer as a reader's text has it: 50,000. */
export const withCommas = (n: number): string => n.toLocaleString("en-US");

/** The size without pictures that are part of a text as data URIs. */
export const sizeWithoutPictures = (text: string): number =>
  text.length > 20_000
    ? text.replace(/data:image\/[\w.+-]{1,20};base64,[A-Za-z0-9+/=%]*/g, "")
      .length
    : text.length;

/** What `nb export --help` says of {@link LIMITS}. */
export const limitsText = (): string =>
  `code without colours above ${
    withCommas(LIMITS.code)
  } characters, in a line of ` +
  `more than ${withCommas(LIMITS.codeLine)} or a word of more than ` +
  `${LIMITS.codeWord}; Markdown as written above ${
    withCommas(LIMITS.markdown)
  } ` +
  `characters or ${
    withCommas(LIMITS.paragraph)
  } in a paragraph; a formula of more ` +
  `than ${
    withCommas(LIMITS.formula)
  } characters as its source; of a text its ` +
  `first and last part above ${sizeText(LIMITS.text)}; of csv the first ` +
  `${LIMITS.rows} rows; an SVG as an image, without tooltips, above ` +
  `${sizeText(LIMITS.svg)} and not above ${
    sizeText(LIMITS.svgImage)
  }; no HTML ` +
  `output above ${sizeText(LIMITS.html)} and no picture above ` +
  `${sizeText(LIMITS.image)}.`;
