/** The display of a running study, with a clock and a terminal of the test's. */
import assert from "node:assert/strict";
import stringWidth from "string-width";
import { ansiToHtml } from "../../lib/notebook/ansi.ts";
import type { TrialPoint } from "../../lib/study/points.ts";
import type { TrainingEvent } from "../../lib/study/training.ts";
import {
  cutHash,
  describeParams,
  valueTexts,
  withUnit,
} from "../../tasks/study/values.ts";
import { short, table, wrapped } from "../../tasks/text.ts";
import {
  type DisplayOptions,
  liveDisplay,
} from "../../tasks/study/study_display.ts";

const point = (
  key: string,
  params: TrialPoint["params"],
  repeat = 0,
): TrialPoint => ({ key, params, repeat, seed: 1 });

const A = point("a", { depth: 1, lr: 0.01 });
const B = point("b", { depth: 2, lr: 0.01 });
const start = (total: number, missing = total): TrainingEvent => ({
  ...{ type: "start", total, missing, resumed: 0 },
});
const trial = (point: TrialPoint, number: number): TrainingEvent => ({
  ...{ type: "trial", point, number },
});
const step = (
  point: TrialPoint,
  step: number,
  steps: number,
  loss = 1.25,
): TrainingEvent => ({ type: "step", point, step, steps, loss });
const epoch = (
  point: TrialPoint,
  epoch: number,
  value: number,
): TrainingEvent => ({
  ...{ type: "epoch", point, number: 0, report: { epoch, value } },
});
const complete = (point: TrialPoint, value: number): TrainingEvent => ({
  ...{ type: "complete", point, number: 0, value },
});
const failed = (point: TrialPoint, reason: string): TrainingEvent => ({
  ...{ type: "failed", point, number: 0, reason },
});

/** A display whose clock is `at.ms` and whose writes are kept. */
function captured(o: Partial<DisplayOptions> = {}) {
  const written: string[] = [];
  const at = { ms: 0 };
  const display = liveDisplay({
    study: {
      name: "lr-search",
      direction: "maximize",
      metric: "test accuracy",
      repeats: 1,
    },
    stream: { write: (text) => void written.push(text) },
    isTerminal: true,
    columns: () => 100,
    color: false,
    now: () => at.ms,
    ...o,
  });
  return {
    written,
    at,
    end: () => display.end(),
    /** Sends events, `ms` apart. */
    send(ms: number, ...events: TrainingEvent[]) {
      for (const event of events) {
        display.onEvent(event);
        at.ms += ms;
      }
    },
    /** What a terminal shows of all that was written. */
    screen: () => ansiToHtml(written.join("")).trimEnd().split("\n"),
  };
}

Deno.test("a running study is drawn over itself, ended trials stay above", () => {
  const c = captured();
  c.send(1000, start(4), trial(A, 0), trial(B, 1));
  c.send(1000, step(A, 30, 120), epoch(A, 1, 0.453), step(B, 5, 120, 0.5));
  c.send(1000, complete(A, 0.532), trial(point("c", { depth: 4, lr: 1 }), 2));
  c.send(1000, failed(B, "the loss is NaN"), start(4, 2));
  assert.deepEqual(c.screen(), [
    "4 of 4 trials to run",
    "trial 1 of 4: depth 1, lr 1e-2: 53.2 %",
    "trial 2 of 4: depth 2, lr 1e-2: failed, the loss is NaN",
    "2 of 4 trials to run",
    "lr-search · 2/4 done · 1 failed · best of this run 53.2 % · 0:09 · " +
    "about 5 s left",
    "#2  depth 4, lr 1",
  ]);
  c.end();
  assert.equal(c.screen().length, 6);
});

Deno.test("a percent sign stays with its number, and a hash tells what differs", () => {
  assert.equal(wrapped("mean 46.5 %, 46.9 %", 14, 2), "mean 46.5 %,\n  46.9 %");
  assert.equal(cutHash("373414e2bf267c9c95c776995099b930"), "373414e2bf26…");
  for (const text of ["warmupCosine", "5f2c", "0123456789abcdef"]) {
    assert.equal(cutHash(text), text);
  }
});

Deno.test("what is said before the study starts stays, without a table", () => {
  const c = captured();
  c.send(10, { type: "warning", message: "the disk is slow" });
  c.send(10, { type: "warning", message: "the store is away" });
  c.end();
  assert.deepEqual(c.screen(), [
    "warning: the disk is slow",
    "warning: the store is away",
  ]);
});

Deno.test("a running trial's line tells its steps, last epoch and loss", () => {
  const c = captured();
  c.send(1000, start(2), trial(A, 0), trial(B, 11));
  c.send(1000, step(A, 30, 120), epoch(A, 1, 0.453), step(B, 60, 120, 0.5));
  const [, , ...trials] = c.screen();
  assert.deepEqual(trials, [
    " #0  depth 1, lr 1e-2  ███░░░░░░░░░  30/120  epoch 1: 45.3 %  loss 1.25",
    "#11  depth 2, lr 1e-2  ██████░░░░░░  60/120                   loss 0.5",
  ]);
  c.end();
});

Deno.test("the table is drawn at most ten times a second", () => {
  const c = captured();
  c.send(0, start(1), trial(A, 0));
  const steps = Array.from({ length: 1000 }, (_, i) => step(A, i + 1, 1000));
  c.send(1, ...steps);
  assert.equal(c.written.length, 10);
  c.end();
  assert.match(c.written.join(""), /1000\/1000/);
});

const HOSTILE = {
  "a very long parameter name that goes on and on": "顔の表情".repeat(9),
  "esc\x1b[31m\x9b2J": "line\nbreak\r\x07 \u202Eright to left",
  emoji: "👩‍👩‍👧‍👦é",
};

Deno.test("no line is wider than the terminal, and its value is the last to go", () => {
  for (const columns of [2, 10, 33, 60, 79, 120, 400]) {
    const c = captured({ columns: () => columns });
    const p = point("p", HOSTILE, 2);
    c.send(1000, start(3), trial(p, 100), trial(A, 101), step(p, 7, 90));
    c.send(1000, epoch(p, 3, 0.25), complete(p, 0.531), trial(p, 102));
    c.send(1000, step(p, 8, 90), failed(p, "words ".repeat(50)));
    c.end();
    for (const line of c.screen()) {
      const text = line.replace(/&#(\d+);/g, (_, n) => String.fromCharCode(n));
      assert(stringWidth(text) < columns, `${columns}: ${text}`);
    }
    if (columns >= 60) {
      assert(c.screen().some((line) => /: 53\.1 %$/.test(line)), `${columns}`);
    }
  }
});

Deno.test("control codes in names and reasons are written out, never sent", () => {
  for (const isTerminal of [true, false]) {
    const c = captured({ isTerminal, columns: () => 400 });
    const p = point("p", HOSTILE);
    c.send(1000, start(1), trial(p, 0), epoch(p, 1, 0.5));
    c.send(1000, { type: "warning", message: "a\x1b]0;title\x07b" });
    c.send(1000, failed(p, "bad \x1b[2J\u2066"));
    c.end();
    const text = c.written.join("");
    assert.match(text, /esc\\u001b\[31m\\u009b2J/);
    assert.match(text, /a\\u001b\]0;title\\u0007b/);
    assert.match(text, /bad \\u001b\[2J\\u2066/);
    // deno-lint-ignore no-control-regex
    const rest = text.replace(/\x1b\[(?:\d+A|K|J|\?25[lh])/g, "")
      .replace(/[\r\n]/g, "");
    assert.doesNotMatch(rest, /[\p{Cc}\u202E\u2066]/u);
    if (!isTerminal) assert.doesNotMatch(text, /\r/);
  }
});

Deno.test("the cursor is hidden while the table stands and shown at its end", () => {
  const c = captured();
  // deno-lint-ignore no-control-regex
  const cursor = () => c.written.join("").match(/\x1b\[\?25[lh]/g);
  c.send(1000, start(1), trial(A, 0));
  assert.deepEqual(cursor(), ["\x1b[?25l"]);
  c.end();
  c.end();
  assert.deepEqual(cursor(), ["\x1b[?25l", "\x1b[?25h"]);
});

Deno.test("a process that exits shows the cursor again", () => {
  const c = captured();
  c.send(1000, start(1), trial(A, 0));
  globalThis.dispatchEvent(new Event("unload"));
  assert(c.written.at(-1)!.endsWith("\x1b[?25h"));
});

/** The header of a study after these events. */
function header(c: ReturnType<typeof captured>): string {
  c.send(1000, { type: "warning", message: "now" });
  const found = c.screen().find((line) => line.startsWith("lr-search"))!;
  c.end();
  return found;
}

Deno.test("the rest takes the mean of the ended trials, shared by those at once", () => {
  const minutes = (n: number) => n * 60_000;
  const points = [..."abcdef"].map((key, i) => point(key, { i }));
  const one = captured();
  one.send(0, start(6), trial(points[0], 0));
  one.at.ms = minutes(4);
  one.send(0, complete(points[0], 0.5), trial(points[1], 1));
  assert.match(header(one), /4:00 · about 20 min left$/);

  const two = captured();
  two.send(0, start(6), trial(points[0], 0), trial(points[1], 1));
  two.at.ms = minutes(4);
  two.send(0, complete(points[0], 0.5), complete(points[1], 0.5));
  two.send(0, trial(points[2], 2), trial(points[3], 3));
  two.at.ms = minutes(6);
  // Four of 4 min each, of which two have run for 2 min, two at once.
  assert.match(header(two), /6:00 · about 6 min left$/);
});

Deno.test("before any trial has ended its steps tell how long the rest takes", () => {
  const c = captured();
  c.send(0, start(3), trial(A, 0));
  assert.match(header(c), /0\/3 done · 0:00$/);
  const known = captured();
  known.send(0, start(3), trial(A, 0));
  known.send(0, step(A, 500, 1000)); // goes on from its checkpoint
  known.at.ms = 600_000;
  known.send(0, step(A, 600, 1000));
  // 100 steps in 10 min: 100 min a trial, three of them, 10 min spent.
  assert.match(header(known), /10:00 · about 4 h 50 min left$/);
});

Deno.test("best is the lowest value of a study that minimizes", () => {
  const study = {
    ...{ name: "lr-search", direction: "minimize" as const },
    ...{ metric: "loss", repeats: 1 },
  };
  const c = captured({ study });
  c.send(0, start(3), complete(A, 0.52363), complete(B, 0.8));
  c.send(1000, { type: "pruned", point: A, number: 2, reason: "behind" });
  assert.match(header(c), /3\/3 done · 1 pruned · best 0\.5236 loss · /);
});

Deno.test("a terminal made narrower is cleaned of the lines that it wrapped", () => {
  let columns = 100;
  const c = captured({ columns: () => columns });
  c.send(1000, start(1), trial(A, 0), step(A, 1, 2), epoch(A, 1, 0.5));
  const drawn = c.screen().slice(1);
  const width = drawn.map((line) => stringWidth(line));
  columns = 30;
  c.send(1000, step(A, 2, 2));
  const rows = width.reduce((n, w) => n + Math.ceil(w / 30), 0);
  assert.equal(rows, 1 + 3);
  assert(c.written.at(-1)!.startsWith(`\x1b[${rows}A`));
  c.end();
});

Deno.test("more running trials than lines are counted", () => {
  const c = captured();
  c.send(0, start(14));
  const points = Array.from({ length: 14 }, (_, i) => point(`${i}`, { i }));
  c.send(1000, ...points.map((p, i) => trial(p, i)));
  assert.equal(c.screen().length, 1 + 1 + 10 + 1);
  assert.equal(c.screen().at(-1), "and 4 more");
  c.end();
});

Deno.test("off a terminal there is a plain line a trial and an epoch", () => {
  const study = {
    ...{ name: "lr-search", direction: "maximize" as const },
    ...{ metric: "test accuracy", repeats: 3 },
  };
  const c = captured({ isTerminal: false, color: true, study });
  const p = point("p", { depth: 1, lr: 0.01 }, 2);
  c.send(1000, start(6, 5), trial(p, 0), step(p, 1, 9), epoch(p, 1, 0.402));
  c.send(1000, complete(p, 0.453), { type: "waiting", running: 1 });
  c.send(1000, { type: "waiting", running: 1 }, failed(p, "the loss is NaN"));
  c.send(1000, { type: "interrupted", point: p, number: 3 });
  c.end();
  assert.equal(
    c.written.join(""),
    `5 of 6 trials to run
    depth 1, lr 1e-2, repeat 2: epoch 1: 40.2 %
trial 2 of 6: depth 1, lr 1e-2, repeat 2: 45.3 %
waits for 1 trial of other processes
trial 3 of 6: depth 1, lr 1e-2, repeat 2: failed, the loss is NaN
interrupted: depth 1, lr 1e-2, repeat 2
`,
  );
});

Deno.test("colours are sent only where they are wanted", () => {
  for (const color of [true, false]) {
    const c = captured({ color });
    c.send(1000, start(1), trial(A, 0), failed(A, "the loss is NaN"));
    c.end();
    // deno-lint-ignore no-control-regex
    assert.equal(/\x1b\[31mtrial 1 of 1/.test(c.written.join("")), color);
    // deno-lint-ignore no-control-regex
    assert.equal(/\x1b\[\d+m/.test(c.written.join("")), color);
  }
});

Deno.test("a terminal that is gone does not end the study", () => {
  for (const isTerminal of [true, false]) {
    const c = captured({
      isTerminal,
      stream: {
        write() {
          throw new Deno.errors.BrokenPipe("closed");
        },
      },
    });
    c.send(1000, start(1), trial(A, 0), complete(A, 0.5));
    c.end();
  }
});

Deno.test("tables are aligned, and what has no room is told as records", () => {
  const columns = [
    { head: "study", cells: ["顔", "a long name of a study"] },
    { head: "n", cells: ["7", "12"], right: true },
    { head: "nothing", cells: ["", ""] },
    { head: "s", cells: ["1.5", ""], right: true, spare: true },
    { head: "reason", cells: ["tab\there", "x".repeat(30)], cut: true },
  ];
  assert.equal(
    table(columns),
    `study                    n    s  reason
顔                       7  1.5  tab\\u0009here
a long name of a study  12       ${"x".repeat(30)}`,
  );
  const cut = table(columns, 55).split("\n");
  assert.equal(cut[2], `a long name of a study  12       ${"x".repeat(21)}…`);
  // What can be spared goes before anything else.
  const spared = table(columns, 46).split("\n");
  assert.equal(spared[0], "study                    n  reason");
  assert.equal(spared[2], `a long name of a study  12  ${"x".repeat(17)}…`);
  // A name is never cut.
  assert.equal(
    table(columns, 40),
    `顔
  n: 7, s: 1.5, reason: tab\\u0009here
a long name of a study
  n: 12, reason:
    ${"x".repeat(30)}`,
  );
});

Deno.test("numbers have the digits that tell them apart, a rate its exponent", () => {
  const values = [0.7123, 0.71234567];
  assert.deepEqual(values.map(valueTexts(values, "loss")), [
    ...["0.7123", "0.71235"],
  ]);
  const shares = [0.5, 0.50004];
  assert.deepEqual(shares.map(valueTexts(shares, "test accuracy")), [
    ...["50.000 %", "50.004 %"],
  ]);
  assert.equal(short(12345678.9), "12345679");
  assert.equal(short(0.0001), "1e-4");
  assert.equal(withUnit(2170.6, "images/s"), "2171 images/s");
  assert.equal(withUnit(0.532, "test accuracy"), "53.2 %");
  for (
    const [lr, text] of [
      ...[[0.00010001, "1.0001e-4"], [0.0001000102, "1.000102e-4"]],
      ...[[0.001, "1e-3"], [5.6e-6, "5.6e-6"]],
      [0.000316227766017, "3.162e-4"],
    ] as [number, string][]
  ) assert.equal(describeParams({ lr }), `lr ${text}`);
});
