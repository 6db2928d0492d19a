/** Turns iopub messages into the outputs of cells. */
import { explained } from "./errors.ts";
import type { Message } from "./kernel.ts";
import type { Cell, MimeBundle, Output } from "./types.ts";

type Display = Extract<Output, { data: MimeBundle }>;

/** Collects the outputs of one cell at a time; displays live across cells. */
export class CellOutputs {
  #cell!: Cell;
  #clearNext = false;
  readonly #displays = new Map<string, Display[]>();
  readonly #fences = new Map<number, Cell>();
  /** Cells before the present one that an error came to late. */
  readonly late = new Set<Cell>();

  /** Starts a cell with no outputs; `fence`: the kernel's number before it. */
  begin(cell: Cell, fence?: number): void {
    this.#cell = cell;
    if (fence !== undefined) this.#fences.set(fence, cell);
    cell.outputs = [];
    this.#clearNext = false;
  }

  /** Takes one message; returns its text for progress, if it has any. */
  take(m: Message): string | undefined {
    const c = m.content;
    if (m.type === "clear_output") {
      if (c.wait) this.#clearNext = true;
      else this.#cell.outputs = [];
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
      return this.#stream(c.name as "stdout" | "stderr", c.text as string);
    }
    if (m.type === "display_data" || m.type === "execute_result") {
      const display = {
        output_type: m.type,
        data: c.data as MimeBundle,
        metadata: (c.metadata ?? {}) as Record<string, unknown>,
        ...(m.type === "execute_result"
          ? { execution_count: this.#cell.execution_count ?? null }
          : {}),
      } as Display;
      const id = displayId(c);
      if (id) {
        this.#displays.set(id, [...this.#displays.get(id) ?? [], display]);
      }
      this.#add(display);
      return plain(c.data);
    }
    if (m.type === "error") {
      const error = explained({
        output_type: "error" as const,
        ename: c.ename as string,
        evalue: c.evalue as string,
        traceback: (c.traceback as string[] | undefined) ?? [],
      });
      // A timer or promise of an earlier cell belongs to that cell.
      const cause = this.#fences.get(c.ferlab_fence as number);
      if (!cause || cause === this.#cell) this.#add(error);
      else {
        cause.outputs!.push(error);
        this.late.add(cause);
      }
    }
  }

  #add(output: Output) {
    if (this.#clearNext) this.#cell.outputs = [];
    this.#clearNext = false;
    this.#cell.outputs!.push(output);
  }

  #stream(name: "stdout" | "stderr", text: string): string {
    const last = this.#clearNext ? undefined : this.#cell.outputs!.at(-1);
    if (last?.output_type === "stream" && last.name === name) last.text += text;
    else this.#add({ output_type: "stream", name, text });
    return text;
  }
}

const displayId = (c: Record<string, unknown>) =>
  (c.transient as { display_id?: string } | undefined)?.display_id;

function plain(data: unknown): string | undefined {
  const text = (data as MimeBundle | undefined)?.["text/plain"];
  return typeof text === "string" ? text : undefined;
}

/** Outputs in which streams of one name that follow each other are one. */
export function joinedStreams(outputs: Output[]): Output[] {
  const all: Output[] = [];
  for (const o of outputs) {
    const last = all.at(-1);
    if (
      o?.output_type === "stream" && last?.output_type === "stream" &&
      last.name === o.name
    ) all[all.length - 1] = { ...last, text: last.text + o.text };
    else all.push(o);
  }
  return all;
}
