/** The notebooks of `deno task study` while they run: a line each, and one for all. */
import type { RunEvent } from "../../lib/notebook/mod.ts";
import {
  PROGRESS_TYPE,
  type StudyProgress,
} from "../../lib/reports/commands.ts";
import { duration } from "../../lib/rows/mod.ts";
import { timeLeft } from "../../lib/study/commands.ts";
import {
  BOLD,
  clean,
  DIM,
  plural,
  RED,
  roomOf,
  wrapped,
  YELLOW,
} from "../text.ts";
import {
  type Line,
  screen,
  type ScreenOptions,
  stderrScreen,
  writer,
} from "../screen.ts";

/** What is expected of a notebook before it runs. */
export interface Expected {
  name: string;
  /** "03 Depth" */
  title: string;
  trials?: { total: number; missing: number };
  /** Of the whole run. */
  seconds?: number;
}

export interface NotebooksOptions extends ScreenOptions {
  /** Tells each cell and what it prints, too. */
  verbose?: boolean;
  /** Where a line goes that is a result. */
  result: (text: string) => void;
}

/** Off a terminal: time between two lines on how far all is, in ms. */
const TOLD_MS = 60_000;

/** How far one notebook is. */
class Notebook {
  cell?: { index: number; total: number; title: string };
  readonly studies = new Map<string, StudyProgress & { before: number }>();
  ended?: number;
  /** Ended before all was done. */
  isBroken = false;

  constructor(readonly expected: Expected, readonly start: number) {}

  take(event: RunEvent): void {
    if (event.type === "cell-start") this.cell = event;
    const told = event.type === "display" && event.data[PROGRESS_TYPE];
    if (!told) return;
    const progress = told as StudyProgress;
    const before = this.studies.get(progress.study)?.before ?? progress.done;
    this.studies.set(progress.study, { ...progress, before });
  }

  #sum(of: (study: StudyProgress & { before: number }) => number): number {
    return [...this.studies.values()].reduce((sum, s) => sum + of(s), 0);
  }

  /** Trials of all its studies; those it has not come to are as expected. */
  get trials() {
    const { total = 0, missing = 0 } = this.expected.trials ?? {};
    const told = {
      done: this.#sum((s) => s.done),
      total: this.#sum((s) => s.total),
    };
    // Studies with nothing to train tell nothing.
    const kept = total - missing;
    const all = Math.max(total, told.total);
    return {
      total: all,
      done: this.ended !== undefined && !this.isBroken
        ? all
        : Math.max(told.done, Math.min(kept, all)),
      trained: this.#sum((s) => s.done - s.before),
      failed: this.#sum((s) => s.failed),
    };
  }

  get newest(): StudyProgress | undefined {
    return [...this.studies.values()]
      .findLast((s) => s.done < s.total) ?? [...this.studies.values()].at(-1);
  }
}

/** Shows notebooks as they run; `end` when all is done or broken off. */
export class NotebooksDisplay {
  readonly #running = new Map<string, Notebook>();
  readonly #ended: Notebook[] = [];
  readonly #screen?: ReturnType<typeof screen>;
  readonly #write: (text: string) => void;
  #told: number;

  constructor(
    readonly all: readonly Expected[],
    readonly o: NotebooksOptions,
  ) {
    this.#write = writer(o);
    this.#told = o.now();
    if (o.isTerminal && !o.verbose) {
      this.#screen = screen(
        o,
        (_, isEnded) => isEnded ? [] : this.#lines(),
      );
    }
  }

  begin(name: string): void {
    const expected = this.all.find((e) => e.name === name)!;
    this.#running.set(name, new Notebook(expected, this.o.now()));
    const place = this.all.indexOf(expected) + 1;
    const text = `${expected.title}: runs, ${place} of ${this.all.length}`;
    if (this.#screen) this.#screen.changed();
    else this.#line({ text, colour: BOLD });
  }

  take(name: string, event: RunEvent): void {
    const notebook = this.#running.get(name);
    const before = notebook?.trials.done;
    notebook?.take(event);
    if (event.type === "warning") {
      this.say(`warning: ${event.message}`, YELLOW);
    } else if (this.o.verbose) this.#details(name, event);
    else if (this.#screen) this.#screen.changed();
    else if (notebook?.trials.done !== before) this.#sometimes();
  }

  /** The notebook has ended; `report` is its path. */
  finish(name: string, report: string, failed?: string): void {
    const notebook = this.#running.get(name)!;
    notebook.ended = this.o.now();
    notebook.isBroken = failed !== undefined;
    const { trained, failed: lost } = notebook.trials;
    const seconds = (notebook.ended - notebook.start) / 1000;
    const what = [
      failed ?? (trained > 0 ? plural(trained, "trial") : "nothing to train"),
      lost > 0 && `${lost} failed`,
    ].filter(Boolean).join(", ");
    this.#running.delete(name);
    this.#ended.push(notebook);
    const { title } = notebook.expected;
    this.#outside(() =>
      this.o.result(`${title}: ${what}, ${duration(seconds)}: ${report}`)
    );
    if (!this.#screen && this.all.length > 1) this.#sometimes();
  }

  /** A line on the error stream. */
  say(text: string, colour?: number): void {
    this.#line({ text: clean(text), colour });
  }

  end(): void {
    this.#screen?.end();
  }

  #outside(work: () => void): void {
    if (this.#screen) this.#screen.outside(work);
    else work();
  }

  #line({ text, colour }: Line): void {
    const room = this.o.isTerminal ? this.o.columns() - 1 : Infinity;
    const painted = (line: string) =>
      this.o.color && colour ? `\x1b[${colour}m${line}\x1b[0m` : line;
    this.#outside(() =>
      this.#write(
        `${wrapped(text, room, 2).split("\n").map(painted).join("\n")}\n`,
      )
    );
  }

  /** Off a terminal: how far all is, now and then. */
  #sometimes(): void {
    if (this.o.verbose || this.o.now() - this.#told < TOLD_MS) return;
    this.#told = this.o.now();
    this.#lines().forEach((line) => this.#line(line));
  }

  #details(name: string, event: RunEvent): void {
    const several = this.#running.size > 1 ? `${name} ` : "";
    if (event.type === "cell-start") {
      const { index, total, title } = event;
      this.#line({ text: `${several}cell ${index} of ${total}: ${title}` });
    } else if (event.type === "output") {
      for (const line of event.text.split("\n")) {
        if (!line.trim()) continue;
        this.#line({
          text: clean(`    ${several}${line}`),
          colour: DIM,
        });
      }
    } else if (event.type === "cell-end" && !event.ok) {
      this.#line({
        text: `    ${several}failed after ${duration(event.seconds)}`,
        colour: RED,
      });
    }
  }

  #lines(): Line[] {
    const isAlone = this.all.length === 1;
    const running = [...this.#running.values()]
      .map((notebook) => notebookLine(notebook, isAlone));
    return isAlone ? running : [...running, this.#overall()];
  }

  /** All notebooks: trials, time, the best accuracy of this run. */
  #overall(): Line {
    const complete = this.#ended.filter((n) => !n.isBroken);
    const begun = [...this.#ended, ...this.#running.values()];
    const waiting = this.all.filter((e) =>
      !begun.some((n) => n.expected === e)
    );
    const count = (of: "done" | "total") =>
      begun.reduce((sum, n) => sum + n.trials[of], 0) +
      waiting.reduce((sum, { trials }) => {
        const { total = 0, missing = total } = trials ?? {};
        return sum + (of === "total" ? total : total - missing);
      }, 0);
    const left = this.#secondsLeft(waiting);
    const best =
      begun.flatMap(({ studies, expected }) =>
        [...studies.values()].flatMap(({ best }) =>
          best && /accuracy/i.test(best.metric) ? [{ ...best, expected }] : []
        )
      ).sort((a, b) => b.value - a.value)[0];
    return {
      text: [
        `${complete.length} of ${this.all.length} notebooks`,
        count("total") > 0 && `trial ${count("done")} of ${count("total")}`,
        left !== undefined && timeLeft(left),
        best &&
        `best accuracy ${best.text} (${best.expected.title.split(" ")[0]})`,
      ].filter(Boolean).join(" · "),
      colour: BOLD,
    };
  }

  /** Nothing where nothing is known of some of them. */
  #secondsLeft(waiting: readonly Expected[]): number | undefined {
    const known = this.#ended
      .filter((n) => n.expected.seconds && !n.isBroken);
    const took = known.reduce((sum, n) => sum + (n.ended! - n.start) / 1000, 0);
    const thought = known.reduce((sum, n) => sum + n.expected.seconds!, 0);
    // This machine's speed beside the expected one.
    const scale = thought > 0 ? took / thought : 1;
    const open = [...this.#running.values()].map((n) => {
      const { seconds } = n.expected;
      const spent = (this.o.now() - n.start) / 1000;
      const told = n.newest?.secondsLeft;
      if (seconds === undefined) return told;
      return Math.max(told ?? 0, scale * seconds - spent);
    });
    const parts = [
      ...open,
      ...waiting.map(({ seconds }) => seconds && scale * seconds),
    ];
    if (parts.length === 0 || parts.includes(undefined)) return;
    return (parts as number[]).reduce((a, b) => a + b, 0) /
      Math.max(1, this.#running.size);
  }
}

/** `03 Depth · cell 14 of 33, Training · trial 3 of 27 · about 2 min left` */
function notebookLine(
  { expected, cell, newest }: Notebook,
  isAlone: boolean,
): Line {
  const open = newest && newest.done < newest.total ? newest : undefined;
  const setting = cell && clean(cell.title);
  const place = cell && `cell ${cell.index} of ${cell.total}, ${setting}`;
  return {
    text: [
      expected.title,
      place,
      open && `trial ${open.done + 1} of ${open.total}`,
      open?.secondsLeft !== undefined && timeLeft(open.secondsLeft),
      isAlone && open?.best && `best ${open.best.text}`,
    ].filter(Boolean).join(" · "),
    setting,
    spare: open && place && ` · ${place}`,
  };
}

/** The display on this process's terminal, or as plain lines. */
export function notebooksDisplay(
  all: readonly Expected[],
  { verbose }: { verbose?: boolean },
): NotebooksDisplay {
  return new NotebooksDisplay(all, {
    ...stderrScreen(),
    verbose,
    result: (text) => console.log(wrapped(text, roomOf(Deno.stdout) - 1, 2)),
  });
}
