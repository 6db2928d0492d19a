// Trial records as polars frames: types by the schema, nothing lost.
import assert from "node:assert/strict";
import pl from "nodejs-polars";
import {
  epochsFrame,
  frameTable,
  trialsFrame,
} from "../../lib/study/frames.ts";
import { choice, FLOAT, INT, TIME, trial } from "./_trials.ts";

type Frame = ReturnType<typeof trialsFrame>;

const types = (frame: Frame) =>
  Object.fromEntries(
    Object.entries(frame.schema).map(([name, type]) => [name, String(type)]),
  );

const cells = (frame: Frame, name: string) => frame.getColumn(name).toArray();

function html(frame: Frame, options?: { rows: number }): string {
  const shown = frameTable(frame, options) as unknown as Record<
    symbol,
    () => Record<string, string>
  >;
  return shown[Symbol.for("Jupyter.display")]()["text/html"];
}

Deno.test("a trial's frame has its settings, results and single attributes", () => {
  const frame = trialsFrame([
    trial({
      params: {
        lr: 0.01,
        "mixing.alpha": 1,
        depth: 4,
        loss: "ce",
        cosine: true,
      },
      distributions: {
        lr: FLOAT,
        "mixing.alpha": FLOAT,
        depth: INT,
        loss: choice("ce", "focal"),
        cosine: choice(true, false),
      },
      value: 0.5,
      attrs: {
        repeat: 2,
        seed: 2 ** 31 - 1,
        chosenEpoch: 7,
        dataHash: "00ff",
        recipe: { lr: 0.01 },
        confusion: [[1, 0], [0, 1]],
      },
    }),
    trial({
      number: 1,
      state: "FAIL",
      attrs: { repeat: 0, seed: 1, fail_kind: "error", fail_reason: "no disk" },
    }),
  ]);
  assert.deepEqual(frame.toRecords(), [{
    number: 0,
    state: "COMPLETE",
    value: 0.5,
    start: TIME,
    complete: new Date("2026-11-25T10:01:30.623Z"),
    seconds: 90.5,
    repeat: 2,
    seed: 2147483647,
    lr: 0.01,
    "mixing.alpha": 1,
    depth: 4,
    loss: "ce",
    cosine: true,
    fail_kind: null,
    fail_reason: null,
    chosenEpoch: 7,
    dataHash: "00ff",
  }, {
    number: 1,
    state: "FAIL",
    value: null,
    start: TIME,
    complete: new Date("2026-11-25T10:01:30.623Z"),
    seconds: 90.5,
    repeat: 0,
    seed: 1,
    lr: null,
    "mixing.alpha": null,
    depth: null,
    loss: null,
    cosine: null,
    fail_kind: "error",
    fail_reason: "no disk",
    chosenEpoch: null,
    dataHash: null,
  }]);
});

Deno.test("a parameter's column has its distribution's type, whatever the values", () => {
  const params = { lr: 1, depth: 4, size: 48, mixed: 3, kind: null as never };
  const frame = trialsFrame([
    trial({
      params,
      distributions: {
        lr: FLOAT,
        depth: INT,
        size: choice(48, 96),
        mixed: choice(3, "auto"),
        kind: choice(null, "a"),
      },
    }),
  ]);
  const { lr, depth, size, mixed, kind } = types(frame);
  assert.deepEqual({ lr, depth, size, mixed, kind }, {
    lr: "DataType(Float64)",
    depth: "DataType(Int64)",
    size: "DataType(Float64)",
    mixed: "DataType(String)",
    kind: "DataType(String)",
  });
  assert.deepEqual(cells(frame, "mixed"), ["3"]);
  assert.deepEqual(cells(frame, "kind"), [null]);
});

Deno.test("a parameter or attribute called like another column gets a prefix", () => {
  const frame = trialsFrame([
    trial({
      params: { seed: 3, depth: 4 },
      distributions: { seed: INT, depth: INT },
      attrs: { seed: 99, depth: 5, state: "odd" },
    }),
  ]);
  const [row] = frame.toRecords();
  assert.equal(row.seed, 99);
  assert.equal(row["param:seed"], 3);
  assert.equal(row.depth, 4);
  assert.equal(row["attr:depth"], 5);
  assert.equal(row["attr:state"], "odd");
  assert.equal(new Set(frame.columns).size, frame.columns.length);
  const params = { seed: 1, "param:seed": 2, depth: 3 };
  const attrs = { depth: 4, "attr:depth": 5 };
  const named = trialsFrame([trial({ params, attrs })]).toRecords()[0];
  assert.equal(named["param:param:seed"], 1);
  assert.equal(named["param:seed"], 2);
  assert.equal(named["attr:attr:depth"], 4);
  assert.equal(named["attr:depth"], 5);
});

Deno.test("3,000 rows without a value before the first one change no type", () => {
  const empty = Array.from({ length: 3000 }, (_, number) => trial({ number }));
  const last = trial({
    number: 3000,
    value: 0.25,
    params: { lr: 0.5, depth: 3, loss: "ce" },
    distributions: { lr: FLOAT, depth: INT, loss: choice("ce") },
    attrs: { seed: 5, accuracy: 0.125, note: "text", done: true },
  });
  const frame = trialsFrame([...empty, last]);
  const { number: _, start: _s, complete: _c, ...row } = frame.row(3000)
    .reduce<Record<string, unknown>>(
      (all, cell, i) => ({ ...all, [frame.columns[i]]: cell }),
      {},
    );
  assert.deepEqual(row, {
    state: "COMPLETE",
    value: 0.25,
    seconds: 90.5,
    repeat: null,
    seed: 5,
    lr: 0.5,
    depth: 3,
    loss: "ce",
    fail_kind: null,
    fail_reason: null,
    accuracy: 0.125,
    note: "text",
    done: true,
  });
  for (
    const name of ["value", "lr", "depth", "loss", "seed", "accuracy", "done"]
  ) assert.equal(frame.getColumn(name).nullCount(), 3000, name);
});

Deno.test("NaN is a value and null is none, in trials and epochs", () => {
  const frame = trialsFrame([
    trial({ value: NaN, attrs: { loss: Infinity } }),
    trial({ number: 1, value: null, attrs: { loss: NaN } }),
    trial({ number: 2, value: -Infinity }),
  ]);
  assert.deepEqual(cells(frame, "value"), [NaN, null, -Infinity]);
  assert.deepEqual(cells(frame, "loss"), [Infinity, NaN, null]);
  const epochs = epochsFrame([
    trial({
      intermediate: [{ epoch: 1, value: NaN }, { epoch: 2, value: 1 }],
      epochs: [{ epoch: 1, value: NaN, loss: NaN }],
    }),
  ]);
  assert.deepEqual(cells(epochs, "value"), [NaN, 1]);
  assert.deepEqual(cells(epochs, "loss"), [NaN, null]);
});

Deno.test("whole numbers above 2^53 stay what they are, also as JSON", () => {
  const frame = trialsFrame([
    trial({
      params: { big: 2 ** 60 },
      distributions: { big: INT },
      attrs: { id: 9007199254740993n },
    }),
    trial({ number: 1, attrs: { id: -9007199254740993n } }),
  ]);
  assert.deepEqual(cells(frame, "big"), [2 ** 60, null]);
  assert.deepEqual(cells(frame, "id"), [
    "9007199254740993",
    "-9007199254740993",
  ]);
  const json = JSON.stringify(frame.toRecords());
  assert.match(json, /"9007199254740993"/);
  assert.match(frame.writeJSON().toString(), /"big":1152921504606846976/);
});

Deno.test("times keep their year and millisecond in every unit", () => {
  const start = [TIME, new Date("1969-12-31T23:59:59.999Z"), null];
  const frame = trialsFrame(
    start.map((start, number) => trial({ number, start })),
  );
  assert.equal(types(frame).start, "DataType(Datetime(ms,UTC))");
  assert.deepEqual(cells(frame, "start"), start);
  for (const [unit, perMs] of [["ms", 1], ["us", 1e3], ["ns", 1e6]] as const) {
    const column = frame.getColumn("start").cast(pl.Datetime(unit, "UTC"));
    assert.deepEqual(column.toArray(), start);
    assert.deepEqual(column.cast(pl.Int64).toArray(), [
      1795600800123 * perMs,
      -1 * perMs,
      null,
    ]);
  }
  assert.match(html(frame), /<td>2026-11-25 10:00:00<\/td>/);
});

Deno.test("a study without trials has the fixed columns with their types", () => {
  const frame = trialsFrame([]);
  assert.equal(frame.height, 0);
  assert.deepEqual(types(frame), {
    number: "DataType(Int64)",
    state: "DataType(String)",
    value: "DataType(Float64)",
    start: "DataType(Datetime(ms,UTC))",
    complete: "DataType(Datetime(ms,UTC))",
    seconds: "DataType(Float64)",
    repeat: "DataType(Int64)",
    seed: "DataType(Int64)",
    fail_kind: "DataType(String)",
    fail_reason: "DataType(String)",
  });
  assert.deepEqual(types(epochsFrame([])), {
    number: "DataType(Int64)",
    epoch: "DataType(Int64)",
    value: "DataType(Float64)",
  });
  assert.match(html(frame), /<th>number<\/th>.*<p>no rows<\/p>$/);
});

Deno.test("an epoch's row has the trial's number and the epoch's metrics", () => {
  const frame = epochsFrame([
    trial({
      number: 4,
      intermediate: [{ epoch: 1, value: 0.2 }, { epoch: 2, value: 0.3 }],
      epochs: [
        { epoch: 1, value: 0.2, trainLoss: 2, rates: [1, 2] },
        { epoch: 2, value: 0.3, trainLoss: 1, rates: [1, 2] },
      ],
    }),
    trial({ number: 5 }),
    // As another tool records it: without our own table.
    trial({ number: 6, intermediate: [{ epoch: 0, value: 0.1 }] }),
  ]);
  assert.deepEqual(frame.toRecords(), [
    { number: 4, epoch: 1, value: 0.2, trainLoss: 2 },
    { number: 4, epoch: 2, value: 0.3, trainLoss: 1 },
    { number: 6, epoch: 0, value: 0.1, trainLoss: null },
  ]);
});

Deno.test("trials and epochs join on the number", () => {
  const rows = [0.1, 0.01].map((lr, number) =>
    trial({
      number,
      params: { lr },
      distributions: { lr: FLOAT },
      intermediate: [{ epoch: 1, value: number }, { epoch: 2, value: number }],
    })
  );
  const joined = epochsFrame(rows).join(
    trialsFrame(rows).select("number", "lr"),
    { on: "number" },
  );
  assert.deepEqual(cells(joined, "lr"), [0.1, 0.1, 0.01, 0.01]);
});

Deno.test("a shown table is escaped, and says that it is cut", () => {
  const rows = Array.from({ length: 12_000 }, (_, number) =>
    trial({
      number,
      value: number === 1 ? null : number === 2 ? NaN : 1 / 3,
      attrs: {
        "<b>": `<img src=x onerror="alert('1')"> & more`,
        long: "x".repeat(200),
      },
    }));
  const text = html(trialsFrame(rows), { rows: 3 });
  assert.match(text, /<p>the first 3 of 12000 rows<\/p>$/);
  assert.equal(text.match(/<tr>/g)?.length, 4);
  assert.match(text, /<th>&#60;b&#62;<\/th>/);
  assert.match(text, /<td>&#60;img src=x onerror=&#34;alert\(&#39;1&#39;\)/);
  assert.doesNotMatch(text, /<img|<b>/);
  assert.match(text, /<td class="num">0.333333<\/td>/);
  assert.match(text, /<td class="num">NaN<\/td>/);
  assert.match(text, /<td>COMPLETE<\/td><td class="num"><\/td>/);
  assert.ok(text.length < 3000, `${text.length} characters`);
});
