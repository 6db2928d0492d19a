/** What `deno task study` shows while notebooks run, with a clock of the test's. */
import assert from "node:assert/strict";
import stringWidth from "string-width";
import { ansiToHtml } from "../../lib/notebook/ansi.ts";
import type { RunEvent } from "../../lib/notebook/mod.ts";
import {
  PROGRESS_TYPE,
  type StudyProgress,
} from "../../lib/reports/commands.ts";
import {
  NotebooksDisplay,
  type NotebooksOptions,
} from "../../tasks/study/notebooks_display.ts";
import { wrapped } from "../../tasks/text.ts";
import { coloured } from "../../tasks/study/notebook_answers.ts";

const cell = (index: number, title: string): RunEvent => ({
  ...{ type: "cell-start", index, total: 9, title },
});
const output = (text: string): RunEvent => ({
  ...{ type: "output", index: 1, text },
});
const told = (
  done: number,
  total: number,
  more: Partial<StudyProgress> = {},
): RunEvent => ({
  type: "display",
  index: 1,
  data: {
    [PROGRESS_TYPE]: { study: "lr-search", done, total, failed: 0, ...more },
  },
});
const best = (text: string, value: number) => ({
  best: { metric: "test accuracy", text, value },
});

const EXPECTED = [
  {
    ...{ name: "02-lr-search", title: "02 Learning rate", seconds: 100 },
    trials: { total: 10, missing: 8 },
  },
  {
    ...{ name: "03-depth", title: "03 Depth", seconds: 300 },
    trials: { total: 30, missing: 30 },
  },
];

function captured(o: Partial<NotebooksOptions> = {}, all = EXPECTED) {
  const written: string[] = [], results: string[] = [];
  const at = { ms: 0 };
  const display = new NotebooksDisplay(all, {
    stream: { write: (text) => void written.push(text) },
    isTerminal: true,
    columns: () => 80,
    color: false,
    now: () => at.ms,
    result: (text) => void results.push(text),
    ...o,
  });
  const lines = (text: string) => text.trimEnd().split("\n");
  return {
    ...{ display, at, results },
    /** What a terminal shows of all that was written. */
    screen: () => lines(ansiToHtml(written.join(""))),
    text: () => written.join(""),
    send(ms: number, name: string, ...events: RunEvent[]) {
      for (const event of events) {
        at.ms += ms;
        display.take(name, event);
      }
    },
  };
}

Deno.test("a notebook has one line while it runs, and all have one below it", () => {
  const { display, send, screen, results, at } = captured();
  display.begin("02-lr-search");
  send(
    1000,
    "02-lr-search",
    cell(3, "Training"),
    output("**raw** Markdown\n"),
    told(2, 10),
    told(5, 10, { secondsLeft: 60, ...best("51.0 %", 0.51) }),
  );
  assert.deepEqual(screen(), [
    "02 Learning rate · cell 3 of 9, Training · trial 6 of 10 · about 1 min left",
    "0 of 2 notebooks · trial 5 of 40 · about 7 min left · best accuracy 51.0 % (02)",
  ]);
  send(1000, "02-lr-search", told(10, 10, best("52.5 %", 0.525)));
  at.ms = 50_000; // half of what was expected
  display.finish("02-lr-search", "runs/02-lr-search.html");
  assert.deepEqual(results, [
    "02 Learning rate: 8 trials, 50 s: runs/02-lr-search.html",
  ]);
  display.begin("03-depth");
  send(
    1000,
    "03-depth",
    cell(2, "A heading that is far too long for a terminal of eighty columns"),
    told(0, 30),
  );
  const [line, all] = screen();
  assert.match(line, /^03 Depth · cell 2 of 9, A heading .*… · trial 1 of 30$/);
  assert.match(all, /^1 of 2 notebooks · trial 10 of 40 · about 2 min left · /);
  for (const each of screen()) assert(stringWidth(each) < 80, each);
  display.end();
  assert.deepEqual(screen(), [""]);
});

Deno.test("where there is little room, the trial and its value stay", () => {
  const begun = (columns: number) => {
    const { display, send, screen } = captured({ columns: () => columns }, [
      EXPECTED[0],
    ]);
    display.begin("02-lr-search");
    const so = { secondsLeft: 5, ...best("14.3 %", 0.143) };
    send(1000, "02-lr-search", cell(3, "Training"), told(2, 4, so));
    const [line] = screen();
    display.end();
    return line;
  };
  const told3 = "trial 3 of 4 · about 5 s left · best 14.3 %";
  assert.equal(
    begun(120),
    `02 Learning rate · cell 3 of 9, Training · ${told3}`,
  );
  assert.equal(begun(80), `02 Learning rate · ${told3}`);
});

Deno.test("the time left is not told while that of a notebook is not known", () => {
  const { display, send, screen } = captured({}, [
    EXPECTED[0],
    { ...EXPECTED[1], seconds: undefined as unknown as number },
  ]);
  display.begin("02-lr-search");
  send(1000, "02-lr-search", cell(1, "Training"), told(5, 10));
  assert.match(screen().at(-1)!, /^0 of 2 notebooks · trial 5 of 40$/);
  display.end();
});

Deno.test("off a terminal lines are plain and few", () => {
  const { display, send, text, results, at } = captured({ isTerminal: false });
  display.begin("02-lr-search");
  send(1000, "02-lr-search", cell(3, "Training"), output("trial 1 of 10\n"));
  for (let done = 2; done < 10; done++) {
    send(1000, "02-lr-search", told(done, 10));
  }
  assert.equal(text(), "02 Learning rate: runs, 1 of 2\n");
  at.ms = 90_000;
  send(1000, "02-lr-search", told(10, 10, { failed: 1 }));
  assert.deepEqual(text().split("\n").slice(1), [
    "02 Learning rate · cell 3 of 9, Training",
    "0 of 2 notebooks · trial 10 of 40 · about 5 min left",
    "",
  ]);
  display.finish("02-lr-search", "a.html", "failed in cell 3");
  assert.deepEqual(results, [
    "02 Learning rate: failed in cell 3, 1 failed, 1 min 31 s: a.html",
  ]);
  display.say("a warning");
  assert(text().endsWith("\na warning\n"));
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text(), /\x1b/);
});

Deno.test("a notebook that was stopped does not count as done", () => {
  const { display, send, screen } = captured();
  display.begin("02-lr-search");
  send(1000, "02-lr-search", cell(3, "Training"), told(2, 10));
  display.finish("02-lr-search", "a.html", "stopped");
  display.begin("03-depth");
  assert.match(screen().at(-1)!, /^0 of 2 notebooks · trial 2 of 40 · /);
});

Deno.test("--verbose tells cells and what they print", () => {
  const { display, send, text } = captured({
    verbose: true,
    columns: () => 30,
  });
  display.begin("03-depth");
  send(
    1,
    "03-depth",
    cell(3, "Training"),
    output("trial 1 of 10: depth 2, lr 1e-3: 53.2 %\n"),
    { type: "cell-end", index: 3, seconds: 0, ok: true },
  );
  assert.equal(
    text(),
    "03 Depth: runs, 2 of 2\ncell 3 of 9: Training\n" +
      "    trial 1 of 10: depth 2,\n      lr 1e-3: 53.2 %\n",
  );
  display.end();
});

Deno.test("text is broken between words, and a longer word stays whole", () => {
  assert.equal(wrapped("one two three", 7, 2), "one two\n  three");
  assert.equal(
    wrapped("  a runs/quick/long.html b", 8),
    "  a\n  runs/quick/long.html\n  b",
  );
  assert.equal(wrapped("one two", Infinity), "one two");
  assert.equal(wrapped("", 5), "");
});

Deno.test("verdicts have colours beside their signs, also where a line breaks", () => {
  const text = "Answered. (✓ 1 holds, ✗ 2 does\n   not hold, ? 5 cannot tell)";
  assert.equal(
    coloured(text),
    "Answered. (\x1b[32m✓ 1 holds\x1b[39m, \x1b[31m✗ 2 does\n   not hold" +
      "\x1b[39m, \x1b[33m? 5 cannot tell\x1b[39m)",
  );
  assert.equal(coloured("Does it help? 3 of 5."), "Does it help? 3 of 5.");
});
