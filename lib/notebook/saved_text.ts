/** A saved notebook in which some cells change, and no other byte does. */
import {
  applyEdits,
  jsonLike,
  jsonSpans,
  lineBreak,
  replaceText,
} from "./json_text.ts";
import { type Cell, cellJson, type Notebook } from "./types.ts";

/** The text of a saved notebook, and the cells that are put into it. */
export class SavedText {
  readonly #text: string;
  readonly #places: number[]; // of the code cells among all cells
  readonly #changed = new Map<number, Cell>(); // by number in the source
  #saving: Promise<void> = Promise.resolve();

  /** @param was for each cell of the source: its code cell in `text` */
  constructor(
    text: string,
    nb: Notebook,
    readonly was: (Cell | undefined)[],
    readonly out: string,
  ) {
    this.#text = text;
    this.#places = was.map((cell) => cell ? nb.cells.indexOf(cell) : -1);
  }

  put(number: number, cell: Cell) {
    this.#changed.set(number, cell);
  }

  /** Saves in turn, so that no older state comes last. */
  save = (): Promise<void> => {
    const saved = this.#saving.then(() => replaceText(this.out, this.#made()));
    this.#saving = saved.catch(() => {});
    return saved;
  };

  #made(): string {
    const text = this.#text;
    const cells = jsonSpans(text).entries!.get("cells")!.items!;
    const edits = [...this.#changed].map(([number, cell]) => {
      const json = cellJson(cell);
      const at = this.#places[number - 1];
      if (at >= 0) {
        const { start, end } = cells[at];
        return { start, end, text: jsonLike(text, start, json) };
      }
      // A cell that is new: behind the nearest one above that is there.
      const above = this.#places.slice(0, number - 1).findLast((p) => p >= 0);
      const near = cells[above ?? 0];
      const made = jsonLike(text, near.start, json);
      const gap = lineBreak(text, near.start);
      return above === undefined
        ? { start: near.start, end: near.start, text: made + "," + gap }
        : { start: near.end, end: near.end, text: "," + gap + made };
    });
    return applyEdits(text, edits);
  }
}
