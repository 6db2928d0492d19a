/** Turns iopub messages into the outputs of cells. */
import { basename } from "node:path";
import { explained } from "./cell_errors.ts";
import type { Message } from "./kernel.ts";
import { wrongMessage } from "../file/malformed.ts";
import type { Cell, MimeBundle, Output } from "../file/types.ts";
import { LIMITS, sizeText } from "../page_limits.ts";

type Display = Extract<Output, { data: MimeBundle }>;

/** What stands before the outputs of a cell that came after its end. */
export const lateText = (during: string): string => `(late, ${during})\n`;

const streamOf = (
  name: "stdout" | "stderr",
  text: string,
): Extract<Output, { output_type: "stream" }> => ({
  output_type: "stream",
  ...{ name, text },
});

/** Puts an output behind others; a stream that goes on is one. */
function add(outputs: Output[], output: Output) {
  const last = outputs.at(-1);
  if (
    output.output_type === "stream" && last?.output_type === "stream" &&
    last.name === output.name
  ) last.text += output.text;
  else outputs.push(output);
}

/** Outputs in which streams of one name that follow each other are one. */
export function joinedStreams(outputs: Output[]): Output[] {
  const all: Output[] = [];
  for (const output of outputs) add(all, { ...output });
  return all;
}

/**
 * Collects outputs: those of the cell that runs, and late ones of cells before
 * it. Displays live across cells.
 */
export class CellOutputs {
  #cell!: Cell;
  readonly #clearNext = new Set<Cell>();
  readonly #displays = new Map<string, Display[]>();
  readonly #fences = new Map<number, Cell>();
  /** For each cell: the one that ran when its last late output came. */
  readonly #during = new Map<Cell, Cell | undefined>();
  #ended = false;
  /** Cells before the present one that an error came to late. */
  readonly late = new Set<Cell>();

  /** Starts a cell with no outputs; `fence`: the kernel's number before it. */
  begin(cell: Cell, fence?: number): void {
    this.#cell = cell;
    this.#ended = false;
    if (fence !== undefined) this.#fences.set(fence, cell);
    cell.outputs = [];
    this.#clearNext.delete(cell);
  }

  end(): void {
    this.#ended = true;
  }

  /** The cell that ran after the kernel's fence of that number. */
  cellAt(fence: number): Cell | undefined {
    return this.#fences.get(fence);
  }

  /** Takes one message; returns its text for progress, if it has any. */
  take(m: Message): string | undefined {
    const c = m.content ?? {};
    const fence = c.ferlab_fence as number | undefined;
    const cause = fence === undefined ? this.#cell : this.#fences.get(fence);
    const why = wrongMessage(m.type, c);
    if (why) {
      // Saved, it would be a notebook that nobody can open.
      const told = streamOf("stderr", `an output was left out: ${why}\n`);
      this.#add(told, cause ?? this.#cell);
      return told.text;
    }
    if (m.type === "error") return this.#error(c, cause ?? this.#cell);
    if (!cause) return; // of a cell of an earlier rerun in a kept session
    if (m.type === "clear_output") {
      if (c.wait) this.#clearNext.add(cause);
      else cause.outputs = [];
      return;
    }
    if (m.type === "update_display_data") {
      for (const display of this.#displays.get(displayId(c) ?? "") ?? []) {
        display.data = c.data as MimeBundle;
        display.metadata = (c.metadata ?? {}) as Record<string, unknown>;
      }
      return plain(c.data);
    }
    if (m.type === "stream") {
      if (!c.text) return;
      const output = streamOf(c.name as "stdout" | "stderr", c.text as string);
      this.#add(output, cause);
      return cause === this.#cell ? output.text : undefined;
    }
    if (m.type === "display_data" || m.type === "execute_result") {
      const display = {
        output_type: m.type,
        data: c.data as MimeBundle,
        metadata: (c.metadata ?? {}) as Record<string, unknown>,
        ...(m.type === "execute_result"
          ? { execution_count: cause.execution_count ?? null }
          : {}),
      } as Display;
      const id = displayId(c);
      if (id) {
        this.#displays.set(id, [...this.#displays.get(id) ?? [], display]);
      }
      this.#add(display, cause);
      return cause === this.#cell ? plain(c.data) : undefined;
    }
  }

  /** An error of a timer or promise of an earlier cell belongs to that cell. */
  #error(c: Record<string, unknown>, cause: Cell): undefined {
    const error = explained({
      output_type: "error" as const,
      ename: c.ename as string,
      evalue: c.evalue as string,
      traceback: (c.traceback as string[] | undefined) ?? [],
    });
    if (cause !== this.#cell || this.#ended) this.late.add(cause);
    if (cause === this.#cell) this.#add(error, cause);
    else cause.outputs!.push(error);
  }

  #add(output: Output, cell: Cell) {
    if (this.#clearNext.delete(cell)) cell.outputs = [];
    const isLate = cell !== this.#cell || this.#ended;
    const during = this.#ended ? undefined : this.#cell;
    if (isLate && output.output_type !== "error") {
      const told = this.#during.has(cell) && this.#during.get(cell) === during;
      this.#during.set(cell, during);
      if (!told) {
        const count = during?.execution_count;
        const when = count
          ? `while cell ${count} ran`
          : "after the cells had run";
        cell.outputs!.push(streamOf("stdout", lateText(when)));
      }
    }
    add(cell.outputs!, output);
  }
}

const displayId = (c: Record<string, unknown>) =>
  (c.transient as { display_id?: string } | undefined)?.display_id;

function plain(data: unknown): string | undefined {
  const text = (data as MimeBundle | undefined)?.["text/plain"];
  return typeof text === "string" ? text : undefined;
}

/**
 * Adds a text/html twin to a bundle with `image/svg+xml`, which front ends
 * make an `<img>`: there a chart cannot see the page's theme and is black on
 * black. Inline it takes the text colour and background of the page.
 */
export function withSvgTwin(
  content: Record<string, unknown>,
): Record<string, unknown> {
  const data = content.data as Record<string, unknown> | undefined;
  const given = data?.["image/svg+xml"];
  if (!given || data["text/html"]) return { ...content };
  const svg = Array.isArray(given) ? given.join("") : String(given);
  const html = svg.replace(/^\s*<\?xml[^>]*>\s*/, "").replace(
    /--plot-background: white/g,
    "--plot-background: var(--jp-layout-color0, white)",
  );
  return { ...content, data: { ...data, "text/html": html } };
}

/** What is kept of a display that an update replaces. */
interface NamedDisplay {
  /** outputs that show it */
  copies: number;
  /** characters, over all copies */
  size: number;
  text: number;
  /** where what is too large lies, by its type */
  files: Map<string, string | undefined>;
}

/**
 * Cuts what one cell prints, shows as plain text or says in an error, and takes
 * out what else it shows where that is too large; what is left out goes into
 * files beside the notebook.
 */
export class LeftOut {
  #room: number = LIMITS.text;
  #displayRoom: number = LIMITS.display;
  #files = 0;
  readonly #displays = new Map<string, NamedDisplay>();
  #left = 0;
  #problem: string | undefined;
  /** Stands where the text was cut; its own text grows with what is left out. */
  #note: ReturnType<typeof streamOf> | undefined;
  readonly #file: string | undefined;

  /**
   * @param notebook where the outputs are saved, if they are
   * @param cell its number
   */
  constructor(notebook: string | undefined, cell: number) {
    this.#file = notebook?.replace(/(\.ipynb)?$/, `.cell-${cell}.txt`);
  }

  /** The message as the notebook keeps it. */
  cut(m: Message): Message {
    const c = m.content ?? {};
    if (wrongMessage(m.type, c)) return m; // which is told where it is taken
    if (m.type === "stream") {
      return { ...m, content: { ...c, text: this.#kept(String(c.text)) } };
    }
    if (m.type === "error") {
      const traceback = (c.traceback as string[] | undefined) ?? [];
      const evalue = String(c.evalue);
      const short = evalue.length > LIMITS.message
        ? `${evalue.slice(0, LIMITS.message)}…`
        : evalue;
      const trace = this.#kept(traceback.join("\n"));
      return {
        ...m,
        content: { ...c, evalue: short, traceback: trace ? [trace] : [] },
      };
    }
    // Of an earlier cell, it clears nothing here.
    if (m.type === "clear_output" && c.ferlab_fence === undefined) {
      // Nothing is left but what has an id.
      [this.#room, this.#displayRoom] = [LIMITS.text, LIMITS.display];
      for (const { size, text } of this.#displays.values()) {
        this.#room -= text;
        this.#displayRoom -= size;
      }
    }
    const data = c.data as MimeBundle | undefined;
    if (!data) return m;
    const kept = this.#bundle(data, m.type, displayId(c));
    return { ...m, content: { ...c, data: kept } };
  }

  #bundle(data: MimeBundle, type: string, id?: string): MimeBundle {
    const kept: MimeBundle = {};
    const notes: string[] = [];
    const display = id !== undefined && this.#displays.get(id) ||
      { copies: 0, size: 0, text: 0, files: new Map() };
    if (id !== undefined) this.#displays.set(id, display);
    let copies = 1;
    if (type === "update_display_data") { // what was shown is shown no more
      copies = Math.max(1, display.copies);
      this.#displayRoom += display.size;
      this.#room += display.text;
      display.size = display.text = 0;
    } else display.copies++;
    for (const [mime, value] of Object.entries(data)) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      if (mime === "text/plain") {
        const plain = typeof value === "string" ? this.#kept(value) : value;
        kept[mime] = plain;
        display.text += typeof plain === "string" ? plain.length : 0;
      } else if (copies * text.length <= this.#displayRoom) {
        this.#displayRoom -= copies * text.length;
        display.size += copies * text.length;
        kept[mime] = value;
      } else notes.push(this.#keepDisplay(mime, text, display.files));
    }
    if (!notes.length) return kept;
    const lines = [kept["text/plain"], ...notes].filter(Boolean);
    return { ...kept, "text/plain": lines.join("\n") };
  }

  /**
   * Writes what a cell shows into a file, of its own or its display's; what is
   * told of it.
   */
  #keepDisplay(
    mime: string,
    text: string,
    files: NamedDisplay["files"],
  ): string {
    const [, end] = /([a-z\d]+)$/i.exec(mime.replace(/\+xml$/, "")) ?? [];
    const file = files.get(mime) ??
      this.#file?.replace(/txt$/, `${++this.#files}.${end ?? "txt"}`);
    files.set(mime, file);
    const what = `[${sizeText(text.length)} of ${mime} left out`;
    if (!file) return `${what}]`;
    try {
      const binary = /^(image|audio|video)\/(?!svg)/.test(mime);
      if (binary) Deno.writeFileSync(file, Uint8Array.fromBase64(text));
      else Deno.writeTextFileSync(file, text);
      return `${what}, in ${basename(file)}]`;
    } catch (error) {
      return `${what} and lost: ${(error as Error).message.split("\n")[0]}]`;
    }
  }

  /** Tells in a cell that something was left out, behind what was kept of it. */
  note(cell: Cell): void {
    if (!this.#left) return;
    const where = this.#problem !== undefined
      ? ` and lost: ${this.#problem}`
      : this.#file
      ? `, in ${basename(this.#file)}`
      : "";
    const text = `\n[${sizeText(this.#left)} left out${where}]\n`;
    this.#note ??= streamOf("stdout", text);
    this.#note.text = text;
    if (!cell.outputs!.includes(this.#note)) cell.outputs!.push(this.#note);
  }

  #kept(text: string): string {
    const kept = text.slice(0, this.#room);
    this.#room -= kept.length;
    if (kept.length < text.length) this.#keepRest(text.slice(kept.length));
    return kept;
  }

  #keepRest(text: string) {
    try {
      if (this.#file && this.#problem === undefined) {
        Deno.writeTextFileSync(this.#file, text, { append: this.#left > 0 });
      }
    } catch (error) {
      this.#problem = (error as Error).message.split("\n")[0];
    }
    this.#left += text.length;
  }
}
