/** The cells that front ends ask for, one after the other, on one kernel. */
import { errorAtLine, explained, syntaxError } from "./cell_errors.ts";
import { Edited } from "../code/edited_modules.ts";
import type { Request } from "./front_ends.ts";
import { InnerKernel } from "./deno_kernel.ts";
import { interruptible } from "./agent.ts";
import { KernelDied, type Message } from "./kernel.ts";
import { Language } from "./language_server.ts";
import { lateText, withSvgTwin } from "./outputs.ts";
import { withinTime } from "../concurrency.ts";
import type { CellError } from "../file/types.ts";
import type { Header } from "./wire.ts";

const GRACE = 5000; // ms that a listener of SIGINT has to end its cell
const SETTLE = 1000; // ms that a stopped cell has to come to its end
const LOOP_SETTLE = 150; // the same for a loop
const COLLECTIONS = 15; // of garbage; mostly 1 to 4 are enough
const IN_FLIGHT = 10; // ms that requests sent together take to arrive
const TYPED = 1500; // ms that completion waits for TypeScript
const INSPECTED = 3000; // ms that a question about a name waits for it
const CHECKED = 10_000; // ms that a cell waits for its type errors
const COMPLETIONS = 300; // that a front end shows
/** Whether type errors of a cell are shown before it runs. */
const SHOWS_TYPES = !!Deno.env.get("FERLAB_TYPES");

type Content = Record<string, unknown>;
type Publish = (
  parent: Partial<Header>,
  type: string,
  content: Content,
) => Promise<unknown> | void;

const CANNOT_STOP = "\nThis cell goes on: stopping it would lose the " +
  "variables of all cells. Stop again to do that.\n";

/** Runs cells in order; one that fails aborts those that wait. */
export class CellQueue {
  readonly #publish: Publish;
  readonly #cwd: string;
  readonly #history: [number, number, string][] = [];
  readonly #language: Language;
  #edited!: Edited;
  #inner: Promise<InnerKernel> | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  /** Cells added before this one are aborted. */
  #abortBelow = 0;
  #added = 0;
  #count = 0;
  #parent: Partial<Header> = {};
  /** Whose the outputs of the cell after a fence are. */
  readonly #cells = new Map<number, Partial<Header>>();
  readonly #marked = new WeakSet<Partial<Header>>();
  #running = false;
  #stops = 0; // how often the running cell was told to stop
  #lost = false; // the kernel was killed to stop the running cell
  /** Stops a cell that has not begun, as while its kernel starts. */
  #early: AbortController | undefined;
  #ended = false;

  constructor(publish: Publish, cwd: string) {
    this.#publish = publish;
    this.#cwd = cwd;
    this.#language = new Language(cwd);
    this.#kernel().catch(() => {}); // told to the first cell
  }

  /** Runs a cell when all that were added before are done. */
  add(request: Request): void {
    const n = ++this.#added;
    this.#tail = this.#tail.then(() => this.#take(request, n)).catch(() => {});
  }

  /** The content of the kernel's reply, or an error. */
  async ask(type: string, content: Content): Promise<Content> {
    const { kernel } = await this.#kernel();
    const dead = failed("KernelDied", "");
    return await kernel.request(type, content).then((m) => m.content, () => ({
      ...{ status: "error", ...dead },
    }));
  }

  /** What TypeScript tells of the name under the cursor, also while a cell runs. */
  async inspect({ code, cursor_pos }: Content): Promise<Content> {
    const found = await withinTime(
      INSPECTED,
      this.#language.inspect(String(code ?? ""), Number(cursor_pos) || 0)
        .catch(() => undefined),
      "TypeScript is still starting, or reads what the cells import; ask again",
    );
    const data = found ? { "text/plain": found, "text/markdown": found } : {};
    return { status: "ok", found: found !== undefined, data, metadata: {} };
  }

  /**
   * Completions by type, and by value where the kernel is at rest; a name that
   * is only begun is completed by those of the values.
   */
  async complete(content: Content): Promise<Content> {
    const code = String(content.code ?? "");
    const end = Number(content.cursor_pos) || 0;
    const before = [...code].slice(0, end).join("");
    const prefix = /[\p{L}\p{N}_$]*$/u.exec(before)![0];
    const start = end - [...prefix].length;
    const isMember = before.slice(0, before.length - prefix.length)
      .endsWith(".");
    const typed = isMember || prefix
      ? withinTime(
        TYPED,
        this.#language.complete(code, end).catch(() => []),
        [],
      )
      : [];
    const own: Content = this.#running
      ? {}
      : await this.ask("complete_request", content);
    const values = Array.isArray(own.matches) && own.cursor_start === start
      ? own.matches as string[]
      : [];
    const types = (await typed)
      .filter(({ text }) => text.startsWith(prefix))
      .slice(0, COMPLETIONS)
      .map((match) => ({ ...match, start, end }));
    if (!types.length && own.matches) return own;
    return {
      status: "ok",
      matches: [...new Set([...types.map(({ text }) => text), ...values])],
      cursor_start: start,
      cursor_end: end,
      metadata: { _jupyter_types_experimental: types },
    };
  }

  /** What a history_request gets: all cells, or the last `n`. */
  history(o: Content): unknown[] {
    const n = Number(o.n) || this.#history.length;
    const all = this.#history.slice(-n);
    return o.output ? all.map(([s, i, code]) => [s, i, [code, null]]) : all;
  }

  /** Stops the running cell, if there is one; the second call at any price. */
  async interrupt(): Promise<void> {
    if (this.#early) return this.#early.abort();
    if (!this.#running) return;
    const cell = this.#parent;
    const stops = ++this.#stops;
    const over = () => this.#ended || !this.#running || this.#parent !== cell;
    const kernel = await this.#kernel();
    if (over()) return;
    if (stops > 1) return this.#lose(kernel);
    const way = await kernel.stopCell();
    if (way === "listener") {
      await until(over, GRACE);
      if (!over()) kernel.stopAwaits();
    }
    await until(over, way === "loop" ? LOOP_SETTLE : SETTLE);
    if (over()) return;
    if (way !== "loop") {
      const text = CANNOT_STOP;
      this.#publish(cell, "stream", { name: "stderr", text });
      return;
    }
    // A loop that came after an await has taken the cell's end with it.
    kernel.stopAwaits();
    for (let i = 0; i < COLLECTIONS && !over(); i++) {
      await kernel.collect();
      await until(over, LOOP_SETTLE);
    }
    if (!over()) this.#lose(kernel);
  }

  /** Ends the kernel; nothing runs after it. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#abortBelow = Infinity;
    await this.#language.stop();
    await (await this.#inner?.catch(() => undefined))?.stop();
  }

  #lose(kernel: InnerKernel) {
    this.#lost = true;
    kernel.kernel.kill();
  }

  #kernel(): Promise<InnerKernel> {
    if (this.#inner) return this.#inner;
    const starting = InnerKernel.start(this.#cwd);
    starting.then((inner) => {
      inner.kernel.onMessage = (m) => this.#forward(m);
      // Killed, it is replaced when the next cell comes.
      inner.kernel.ended.then(() => {
        if (this.#inner === starting) this.#inner = undefined;
        inner.stop();
      });
    }, () => this.#inner = undefined);
    this.#cells.clear();
    this.#edited = new Edited(this.#cwd);
    return this.#inner = starting;
  }

  #failure: CellError | undefined;

  #forward(m: Message) {
    if (/^(status|execute_input)$/.test(m.type)) return;
    const { ferlab_fence, ...own } = m.content;
    const late = this.#cells.get(ferlab_fence as number);
    if (late && late !== this.#parent) {
      this.#markLate(late);
      return this.#publish(late, m.type, withSvgTwin(own));
    }
    if (m.type === "error" && this.#running) {
      this.#failure = explained(m.content as unknown as CellError);
      return; // published at the end, with its place
    }
    // Between two cells: a timer's output is the last cell's, unless that
    // was stopped and should say no more.
    if (!this.#running && this.#stops) return;
    const content = withSvgTwin(own);
    if (m.type === "execute_result") content.execution_count = this.#count;
    return this.#publish(this.#parent, m.type, content);
  }

  /** Says once in a cell that what follows came after its end. */
  #markLate(cell: Partial<Header>) {
    if (this.#marked.has(cell)) return;
    this.#marked.add(cell);
    const text = lateText("while another cell ran, or after it");
    this.#publish(cell, "stream", { name: "stdout", text });
  }

  async #take(request: Request, n: number): Promise<void> {
    const { header } = request;
    const state = (execution_state: string) => {
      this.#publish(header, "status", { execution_state });
    };
    state("busy");
    if (n < this.#abortBelow) {
      request.reply({ status: "aborted", execution_count: this.#count });
      return state("idle");
    }
    this.#early = new AbortController();
    const code = String(request.content.code ?? "");
    const silent = request.content.silent === true;
    if (!silent && request.content.store_history !== false) {
      this.#history.push([0, ++this.#count, code]);
    }
    const execution_count = this.#count;
    this.#parent = header;
    if (!silent) {
      this.#publish(header, "execute_input", { code, execution_count });
    }
    if (!silent) await this.#tellBefore(header, code);
    const failure = code.trim() ? await this.#run(code) : undefined;
    this.#early = undefined;
    if (!failure && !silent) {
      const { cellId } = request.metadata;
      this.#language.ran(code, typeof cellId === "string" ? cellId : undefined);
      this.#edited.loaded(code);
    }
    if (failure && !silent) {
      this.#publish(header, "error", failure as unknown as Content);
    }
    if (failure && request.content.stop_on_error !== false) {
      await new Promise((r) => setTimeout(r, IN_FLIGHT));
      this.#abortBelow = Math.max(this.#abortBelow, this.#added + 1);
    }
    request.reply(
      failure
        ? { status: "error", execution_count, ...failure }
        : { status: "ok", execution_count, payload: [], user_expressions: {} },
    );
    state("idle");
  }

  /** Says what a cell will not do as its reader expects. */
  async #tellBefore(cell: Partial<Header>, code: string) {
    const lines = this.#edited.changed().map((path) =>
      `${path} was edited after this kernel loaded it: restart the kernel to ` +
      "use it\n"
    );
    if (SHOWS_TYPES) {
      const checked = this.#language.check(code).catch(() => []);
      const wrong = await withinTime(CHECKED, checked, []);
      lines.push(...wrong.map((text) => `type error, ${text}\n`));
    }
    if (!lines.length) return;
    this.#publish(cell, "stream", { name: "stderr", text: lines.join("") });
  }

  async #run(code: string): Promise<CellError | undefined> {
    this.#failure = undefined;
    this.#stops = 0;
    this.#lost = false;
    this.#running = true;
    try {
      const { signal } = this.#early!;
      const stopped = new Promise<void>((stop) =>
        signal.addEventListener("abort", () => stop())
      );
      const inner = await Promise.race([stopped, this.#kernel()]);
      if (!inner || signal.aborted) {
        return failed("Interrupted", "stopped before it began");
      }
      this.#early = undefined;
      const { kernel } = inner;
      this.#cells.set(kernel.fence, this.#parent);
      const cell = String(this.#count);
      const reply = await kernel.execute(interruptible(code), cell);
      if (this.#stops) inner.goOn();
      // Cleared by #forward in the meantime, which the compiler cannot see.
      const error = this.#failure as CellError | undefined;
      if (reply.status === "ok" && !error) return;
      if (this.#stops && (!error || error.ename === "Interrupted")) {
        return failed("Interrupted", "stopped; all variables are kept");
      }
      if (error) {
        return errorAtLine({ source: code, cell, thrown: reply.thrown }, error);
      }
      const { ename, evalue, traceback } = await syntaxError(code);
      return { ename, evalue, traceback };
    } catch (e) {
      const lost = "the variables of all cells are lost; " +
        "the next cell starts in a new kernel";
      if (this.#lost) return failed("Interrupted", `stopped; ${lost}`);
      if (!(e instanceof KernelDied)) {
        return failed("KernelError", (e as Error).message);
      }
      const { stderr } = e.end;
      return failed("KernelDied", `${e.message}; ${lost}`, stderr);
    } finally {
      this.#running = false;
    }
  }
}

const failed = (ename: string, evalue: string, more = ""): CellError => ({
  ename,
  evalue,
  traceback: [`${ename}: ${evalue}`, ...(more ? [more] : [])],
});

/** Waits until `over()`, for at most `ms`. */
async function until(over: () => boolean, ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end;) {
    if (over()) return;
    await new Promise((r) => setTimeout(r, 20));
  }
}
