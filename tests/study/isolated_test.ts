// Trials in processes of their own: what happens to one costs no other.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  readStudyFile,
  runStudyFile,
  type StudyFile,
  studyFolder,
} from "../../lib/study/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { inOneLine } from "../_refused.ts";
import { trialsIn, withStore } from "./_store.ts";

const path = new URL("./_objective.ts", import.meta.url).pathname;

async function module(
  how: string[],
): Promise<Extract<StudyFile, { kind: "module" }>> {
  const file = await readStudyFile(path);
  assert.equal(file.kind, "module");
  if (file.kind !== "module") throw new Error("unreachable");
  const parameters = { how: { values: how, role: "scientific" as const } };
  return { ...file, study: { ...file.study, parameters } };
}

test("a crash, a kill, an error and NaN are failures with a reason, the rest is unharmed", async (dir) => {
  const file = await module(
    ["well", "exit", "prints", "kill", "NaN", "throws"],
  );
  const summary = await runStudyFile(file, { dir, isolate: true, jobs: 2 });
  assert.deepEqual([summary.complete, summary.failed], [2, 4]);
  const rows = await trialsIn(dir, "how");
  const told = new Map(rows.map((r) => [
    r.params.how,
    [r.state, r.attrs.fail_kind, r.attrs.fail_reason],
  ]));
  const killed = "its process was ended by SIGKILL, as Linux does when " +
    "memory runs out: try a smaller batchSize";
  for (
    const [how, ...why] of [
      ["exit", "crashed", "its process ended with exit code 7: last words"],
      ["kill", "crashed", killed],
      ["NaN", "diverged", "the value is NaN"],
      ["throws", "error", "no such image"],
    ]
  ) assert.deepEqual(told.get(how), ["FAIL", ...why]);
  const [well, , prints] = rows;
  assert.equal(well.value, Number(well.attrs.seed) % 1000);
  assert.notEqual(well.attrs.pid, Deno.pid);
  assert.deepEqual(well.epochs, [{ loss: 2, epoch: 1, value: 0.25 }]);
  const artifacts = await withStore(
    dir,
    (store) => store.artifacts(1, "bytes"),
  );
  assert.deepEqual(artifacts.get(well.trialId), new Uint8Array([1, 2, 255]));
  const [{ key }] = [prints.system["ferlab:point"] as { key: string }];
  const log = await Deno.readTextFile(
    join(dir, "logs", `${prints.number}-${key}.log`),
  );
  for (const line of ["a printed line", "a written line", "epoch 1: 0.25"]) {
    assert(log.includes(` ${line}\n`), log);
  }
});

test("a stop reaches the process, and the trial waits to go on", async (dir) => {
  const stop = new AbortController();
  const summary = await runStudyFile(await module(["well"]), {
    dir,
    isolate: true,
    signal: stop.signal,
    onEvent: (e) => void (e.type === "epoch" && stop.abort()),
  });
  assert.deepEqual([summary.interrupted, summary.remaining], [true, 1]);
  const [stopped, copy] = await trialsIn(dir, "how");
  assert.equal(stopped.attrs.fail_kind, "interrupted");
  assert.equal(copy.state, "WAITING");
});

test("a module without objective, study or sense is told in one line", async (dir) => {
  const refused = async (name: string, text: string, message: RegExp) => {
    const file = join(dir, name);
    await Deno.writeTextFile(file, text);
    const refused = inOneLine("StudyError", message);
    await assert.rejects(readStudyFile(file), refused);
  };
  await refused(
    "a.ts",
    "export const study = {};",
    /a\.ts: has no default function/,
  );
  await refused("b.ts", "export default () => {};", /b\.ts: has no study/);
  await refused("c.ts", "export default (", /c\.ts: cannot be loaded/);
  await refused("d.json", "{", /d\.json: is no JSON/);
  await refused("e.json", '{"study":{"name":"e"}}', /e\.json: plan\.recipe: /);
  await refused(
    "f.json",
    '{"study":{"name":"f","parameters":{"lerning":[1]}},"recipe":{"size":32}}',
    /f\.json: recipe\.lerning: unknown field; take it out/,
  );
  await refused(
    "g.json",
    '{"study":{"name":"g","parameters":{"mixing.__proto__.x":[1]}},"recipe":{}}',
    /g\.json: parameters\.mixing\.__proto__\.x: the recipe has no such field/,
  );
  assert.ok(!("x" in {}));
  await refused(
    "h.json",
    '{"study":{"name":"h"},"recipe":{},"data":{"name":"synthetic"},"a\\u001b":1}',
    /h\.json: plan\.a\\u001b: unknown field; known are study, recipe, limits, objective, data$/,
  );
  const good = '{"study":{"name":"i"},"recipe":{},"data":{"name":"synthetic"}}';
  const path = join(dir, "i.json");
  await Deno.writeTextFile(path, `\ufeff${good}\r\n`);
  assert.equal((await readStudyFile(path)).kind, "plan");
  const units = Uint16Array.from(`\ufeff${good}`, (c) => c.charCodeAt(0));
  await Deno.writeFile(path, new Uint8Array(units.buffer));
  await assert.rejects(readStudyFile(path), /i\.json: is UTF-16 text: save/);
  await assert.rejects(readStudyFile(join(dir, "none.json")), /cannot be read/);
});

Deno.test("a study's name leads to no folder but one below runs", () => {
  const of = (name: string) => studyFolder(name).replaceAll("\\", "/");
  assert.equal(of("lr search/2"), "runs/studies/lr search/2");
  assert.equal(of("../../home/x"), "runs/studies/-/-/home/x");
  assert.equal(of("/etc"), "runs/studies/-/etc");
  assert.equal(of("a\\..\\b"), "runs/studies/a/-/b");
  assert.equal(of(".."), "runs/studies/-");
});
