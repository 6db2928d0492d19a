/** Stored names against a model's: prefixes, other projects' names, the lists of what does not fit. */
import assert from "node:assert/strict";
import {
  match,
  renameKnown,
  type Wanted,
  WeightsError,
} from "../../lib/weights/mod.ts";

const BN = ["weight", "bias", "running_mean", "running_var"];
/** Units a stage of IR50. */
const LAYERS = [3, 4, 14, 3];

const norm = (name: string, width: number): Wanted[] =>
  BN.map((part) => ({ name: `${name}.${part}`, shape: [width] }));
const counted = (name: string, width: number): Wanted[] => [
  ...norm(name, width),
  { name: `${name}.num_batches_tracked`, shape: [] },
];
const conv = (name: string, out: number, from: number, kernel = 3) => ({
  name: `${name}.weight`,
  shape: [out, from, kernel, kernel],
});

/** Names and shapes of an IR50 backbone as TM and insightface have them. */
function backbone(bn = norm): Wanted[] {
  const all = [
    conv("conv1", 64, 3),
    ...bn("bn1", 64),
    { name: "prelu.weight", shape: [64] },
  ];
  let width = 64;
  LAYERS.forEach((units, i) => {
    const out = 64 * 2 ** i;
    for (let j = 0; j < units; j++) {
      const at = `layer${i + 1}.${j}`;
      all.push(
        ...bn(`${at}.bn1`, width),
        conv(`${at}.conv1`, out, width),
        ...bn(`${at}.bn2`, out),
        { name: `${at}.prelu.weight`, shape: [out] },
        conv(`${at}.conv2`, out, out),
        ...bn(`${at}.bn3`, out),
      );
      if (j === 0) {
        all.push(
          conv(`${at}.downsample.0`, out, width, 1),
          ...bn(`${at}.downsample.1`, out),
        );
      }
      width = out;
    }
  });
  return all;
}

/** As face.evoLVe's IR_50, or with `six` members in a unit as later projects have. */
function evolve(six = false): Wanted[] {
  const all = [
    conv("input_layer.0", 64, 3),
    ...counted("input_layer.1", 64),
    { name: "input_layer.2.weight", shape: [64] },
    ...counted("output_layer.0", 512),
    { name: "output_layer.3.weight", shape: [512, 25088] },
  ];
  let width = 64, k = 0;
  LAYERS.forEach((units, i) => {
    const out = 64 * 2 ** i;
    for (let j = 0; j < units; j++, k++) {
      const at = `body.${k}.res_layer`;
      if (width !== out) {
        all.push(
          conv(`body.${k}.shortcut_layer.0`, out, width, 1),
          ...counted(`body.${k}.shortcut_layer.1`, out),
        );
      }
      let m = 0;
      all.push(...counted(`${at}.${m++}`, width));
      all.push(conv(`${at}.${m++}`, out, width));
      if (six) all.push(...counted(`${at}.${m++}`, out));
      all.push({ name: `${at}.${m++}.weight`, shape: [out] });
      all.push(conv(`${at}.${m++}`, out, out));
      all.push(...counted(`${at}.${m++}`, out));
      width = out;
    }
  });
  return all;
}

const stored = (entries: Wanted[]) =>
  new Map(entries.map((entry) => [entry.name, entry]));
const within = (prefix: string, entries: Wanted[]) =>
  entries.map(({ name, shape }) => ({ name: prefix + name, shape }));
const head = { name: "head.weight", shape: [7, 512] };
const model = [...within("irback.", backbone()), head];

Deno.test("a bare backbone's file loads into irback, and the head is missing", () => {
  const file = stored([
    ...backbone(counted),
    ...counted("bn2", 512),
    { name: "fc.weight", shape: [512, 25088] },
  ]);
  const { loaded, missing, unexpected, renamed } = match(file, model, {
    allow: ["missing", "unexpected"],
  });
  assert.equal(loaded.size, backbone().length);
  assert.deepEqual(missing, ["head.weight"]);
  assert.deepEqual(unexpected, [...BN.map((x) => `bn2.${x}`), "fc.weight"]);
  assert.deepEqual(renamed.rules, ["irback. put before"]);
  assert.equal(
    renamed.names.get("irback.layer3.13.conv2.weight"),
    "layer3.13.conv2.weight",
  );
});

Deno.test("wrappers and another project's first part come off", () => {
  for (
    const [prefix, rule] of [
      [
        "module._orig_mod.",
        "names of wrappers (module., _orig_mod., …) removed",
      ],
      [
        "_fsdp_wrapped_module._checkpoint_wrapped_module.",
        "names of wrappers (module., _orig_mod., …) removed",
      ],
      ["backbone.", "backbone. taken off"],
    ]
  ) {
    const file = stored(within(prefix, backbone()));
    const { loaded, renamed } = match(file, backbone());
    assert.equal(loaded.size, file.size);
    assert.deepEqual(renamed.rules, [rule]);
  }
  const file = stored(within("module.", model));
  assert.equal(match(file, model).loaded.size, model.length);
  const both = renameKnown(["module.a", "a"]);
  assert.deepEqual(both.rules, []);
});

Deno.test("a file of face.evoLVe loads, and each unit's bn2 and stage 1's shortcut are missing", () => {
  const file = stored(within("module.", evolve()));
  const { loaded, missing, unexpected, wrongShape, renamed } = match(
    file,
    model,
    { allow: ["missing", "unexpected"] },
  );
  const lost = model.map(({ name }) => name).filter((name) =>
    /layer\d\.\d+\.bn2\.|layer1\.0\.downsample|head/.test(name)
  );
  assert.equal(lost.length, 24 * 4 + 5 + 1);
  assert.deepEqual(missing, lost);
  assert.equal(loaded.size, model.length - lost.length);
  assert.deepEqual(wrongShape, []);
  assert.ok(unexpected.every((name) => name.includes("output_layer.")));
  assert.equal(renamed.rules.length, 3);
  const from = (name: string) => renamed.names.get(`irback.${name}`);
  assert.equal(from("prelu.weight"), "module.input_layer.2.weight");
  assert.equal(from("layer1.2.bn3.bias"), "module.body.2.res_layer.4.bias");
  assert.equal(
    from("layer2.0.downsample.1.weight"),
    "module.body.3.shortcut_layer.1.weight",
  );
  assert.equal(
    from("layer3.0.prelu.weight"),
    "module.body.7.res_layer.2.weight",
  );
  assert.equal(
    from("layer4.2.conv2.weight"),
    "module.body.23.res_layer.3.weight",
  );
});

Deno.test("units of six members in evoLVe's names have a bn2", () => {
  const { missing, renamed } = match(stored(evolve(true)), backbone(), {
    allow: ["missing", "unexpected"],
  });
  assert.ok(missing.every((name) => name.startsWith("layer1.0.downsample")));
  assert.equal(
    renamed.names.get("layer2.1.bn2.running_var"),
    "body.4.res_layer.2.running_var",
  );
});

Deno.test("what does not fit stops in one line with ten of each list and the rest counted", () => {
  const file = stored([
    ...backbone().filter(({ name }) => !name.startsWith("layer4")),
    { name: "bn1.weight", shape: [32] },
    { name: "extra\n.weight", shape: [] },
    { name: "extra.num_batches_tracked", shape: [] },
    { name: "n_averaged", shape: [] },
  ]);
  const run = (allow: Parameters<typeof match>[2]) => () =>
    match(file, backbone(), { source: "a.pth", ...allow });
  assert.throws(run({}), (error) => {
    assert.ok(error instanceof WeightsError);
    assert.match(
      error.message,
      /^a\.pth: does not fit the model: 50 missing: (layer4\.\S+, ){9}layer4\.\S+ and 40 more; 1 unexpected: extra\\u000a\.weight; 1 of another shape: bn1\.weight \[32\] for \[64\]; allow "missing", "unexpected", "wrongShape" if that is meant$/,
    );
    return true;
  });
  assert.throws(
    run({ allow: ["missing", "unexpected"] }),
    /allow "wrongShape"/,
  );
  const all = run({ allow: ["missing", "unexpected", "wrongShape"] })();
  assert.deepEqual(all.wrongShape, [
    { name: "bn1.weight", stored: [32], wanted: [64] },
  ]);
  assert.ok(!all.loaded.has("bn1.weight"));
});

Deno.test("a file of which not one tensor fits is never let through", () => {
  assert.throws(
    () =>
      match(stored([{ name: "blocks.0.weight", shape: [1] }]), backbone(), {
        allow: ["missing", "unexpected", "wrongShape"],
      }),
    /not one tensor fits/,
  );
});

Deno.test("BatchNorm's counters are loaded where wanted and never missed", () => {
  const plain = match(stored(backbone()), backbone(counted));
  assert.deepEqual(plain.missing, []);
  const both = match(stored(backbone(counted)), backbone(counted));
  assert.ok(both.loaded.has("bn1.num_batches_tracked"));
});

Deno.test("as many first parts as names are matched all the same", () => {
  const shape = [1];
  const stored = new Map(
    Array.from({ length: 20_000 }, (_, i) => [`p${i}.w`, { shape }]),
  );
  stored.set("p7.conv", { shape });
  const wanted = [{ name: "a.w", shape }, { name: "a.conv", shape }];
  const found = match(stored, wanted, { allow: ["unexpected"] });
  assert.deepEqual([...found.renamed.names], [["a.w", "p7.w"], [
    "a.conv",
    "p7.conv",
  ]]);
});
