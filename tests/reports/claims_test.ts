/** Claims in their cells: what is shown, kept and settled; profiles; the notes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  answer,
  atProfile,
  brief,
  claims,
  decide,
  openStudy,
} from "../../lib/reports/mod.ts";
import { parametersOf, published, publishedText } from "../../lib/rows/mod.ts";
import { decades, StudyError } from "../../lib/study/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { inOneLine } from "../_refused.ts";

type Answer = Parameters<typeof answer>[1];

const shown = async (cell: unknown) => {
  // deno-lint-ignore no-explicit-any
  const data = await (cell as any)[Symbol.for("Jupyter.display")]();
  return String(data["text/plain"] ?? data["text/html"]);
};

const holds = { ours: "+1", verdict: "holds" as const, why: "a test says so" };

test("claims of a trained study are shown and kept, on synthetic faces unsettled", async (dir) => {
  Deno.env.set("JPY_SESSION_NAME", join(dir, "99-own.executed.ipynb"));
  const study = openStudy({ profile: "smoke", outDir: dir }, {
    name: "own",
    parameters: { lr: [1e-3] },
    recipe: { epochs: 1, lr: 1e-4 },
  });
  // An empty file, as a killed process leaves it, is no record.
  await Deno.writeTextFile(join(dir, "records.sqlite"), "");
  // The parameter stands for the recipe's own rate.
  assert.match(
    await shown(study),
    /^lr: 1e-3\nepochs: 1\nrepeats: 1\n[^]*trials: 1, 1 missing/,
  );
  const kept = async () =>
    JSON.parse(await Deno.readTextFile(join(dir, "99-own.claims.json")));
  const list = [
    { claim: "about faces", published: "–", ...holds },
    { claim: "about speed", published: "–", aboutFaces: false, ...holds },
    {
      claim: "of another net",
      published: (await published("eps-depth2")).rows.slice(0, 1),
      ...holds,
      onlyAt: { profile: "paper", because: "ours is another net" },
    },
  ];
  await claims(study, list);
  assert.deepEqual(
    (await kept()).claims.map((c: { verdict: string }) => c.verdict),
    ["not yet run", "not yet run", "not yet run"],
  );
  const trials = await study.run();
  assert.equal(trials.length, 1);
  // A trial that two studies of one record plan counts once.
  await claims([study, openStudy(study.where, study.cell!)], list);
  assert.equal((await kept()).trials, 1);
  assert.equal(trials[0].lr, 1e-3);
  assert.deepEqual(parametersOf(trials), ["lr"]);
  assert.equal(trials[0].history.length, 1);
  const table = await shown(await claims(study, list));
  assert.match(table, /on synthetic faces it holds/);
  assert.equal(brief("+1 point"), "+1 point");
  const points = "points ".repeat(9);
  assert.equal(brief("+1 point; +2 points"), "+1 point; +2 points");
  assert.equal(brief(`+1 point; ${points}`), "+1 point …");
  assert.equal(brief(points + points), points + "points …");
  const was = await kept();
  assert.equal(was.notebook, "99-own");
  assert.equal(was.trials, 1);
  assert.deepEqual(
    was.claims.map((c: { verdict: string; why: string }) => [c.verdict, c.why]),
    [
      [
        "cannot tell",
        "on synthetic faces it holds, which real faces have to confirm; " +
        "a test says so",
      ],
      ["holds", "a test says so"],
      ["cannot tell", "ours is another net"],
    ],
  );
  // The answer goes by the verdict as it counts here, and stands beside it.
  const words = { holds: "It pays", open: "whether it pays", number: "+1" };
  const said = async (more: object) =>
    (await shown(await answer(study, { ...words, ...more }))).split("\n")[0];
  assert.equal(
    await said({ by: holds }),
    "Cannot tell from synthetic faces whether it pays: +1.",
  );
  const isOpen = { ...holds, verdict: "cannot tell" as const };
  assert.equal(await said({ by: isOpen }), "Cannot tell whether it pays: +1.");
  // A small effect is no small sample.
  const small = { ...isOpen, under: "one point" };
  assert.equal(await said({ by: small }), "Cannot tell whether it pays: +1.");
  assert.equal(
    await said({ by: { ...small, aboutFaces: false } }),
    "Cannot tell whether it pays, but any difference is under one point: +1.",
  );
  const fails = { ...holds, verdict: "does not hold", aboutFaces: false };
  assert.equal(await said({ by: fails, fails: "it costs" }), "It costs: +1.");
  assert.match(
    await shown(await answer(study, { ...words, left: "the full net" })),
    /\d s\. Left to the published protocol on a GPU: the full net\.$/,
  );
  assert.equal((await kept()).answer.left, "the full net");
  assert.equal(await said({}), "On synthetic faces it pays: +1.");
  const { answer: { text, restsOn }, claims: still } = await kept();
  assert.equal(text, "On synthetic faces it pays: +1.");
  assert.match(
    restsOn,
    /^synthetic faces; IR50 and ViT of 0\.\d+ M parameters from random weights; 64 images × 1 epoch; 1 seed; 1 trial in \d+ s$/,
  );
  assert.deepEqual(still, was.claims);
  await claims(study, list);
  assert.equal((await kept()).answer.text, text);
  assert.equal(was.claims[2].published, "54.04 % at depth 2, Adam's eps 1e-6");
  assert.match(await shown(study), /lr: 1e-3[^]*trials: 1, all on record/);
  await assert.rejects(
    answer(study, { holds: "Yes", number: "1" } as Answer),
    { name: "StudyError", message: "answer: open is undefined: give a text" },
  );
  await assert.rejects(
    // deno-lint-ignore no-explicit-any
    answer(study, { ...words, left: 3 as any }),
    { name: "StudyError", message: "answer: left is 3: give a text" },
  );
  // What is no claim is named before anything is kept.
  const [faces] = list;
  for (
    const [wrong, message] of [
      [[faces, faces], /^claims: "about faces" stands there twice$/],
      [[{ ...faces, verdict: "true" }], /^claims: "about faces": verdict: .*/],
      [
        [faces, { ...faces, claim: "b", ours: 5 }],
        /^claims: "b": ours: give a rule's verdict: .*gains\(effects\)\)$/,
      ],
      [[{ ...faces, claim: "" }], /^claims: number 1: claim: .*/],
      [
        [{ ...faces, published: 5 }],
        /^claims: "about faces": published: give /,
      ],
      [[faces, null], /^claims: number 2: .*/],
      [Promise.resolve(list), /^claims: give a list of claims$/],
    ] as const
  ) {
    // deno-lint-ignore no-explicit-any
    const given = wrong as any;
    const refused = inOneLine("StudyError", message);
    await assert.rejects(claims(study, given), refused);
  }
  for (const studies of [[], trials, list]) {
    // deno-lint-ignore no-explicit-any
    const wrong = studies as any;
    await assert.rejects(claims(wrong, list), /claims: give a study, /);
  }
  const file = join(dir, "99-own.claims.json");
  const elsewhere = openStudy({ profile: "smoke", outDir: file }, {
    name: "own",
    parameters: { lr: [1e-3] },
  });
  await assert.rejects(
    claims(elsewhere, list),
    /^StudyError: .*99-own.*: the claims cannot be kept: .*; give outDir a/,
  );
  assert.equal((await kept()).claims.length, 3);
  // What a changed plan does not hold is none of its trials.
  const changed = (lr: unknown) =>
    openStudy({ profile: "smoke", outDir: dir }, {
      name: "own",
      // deno-lint-ignore no-explicit-any
      parameters: { lr: lr as any },
      search: Array.isArray(lr) ? undefined : { kind: "random", points: 2 },
      recipe: { epochs: 1 },
    });
  assert.equal((await changed([3e-3]).trials()).length, 0);
  assert.match(await shown(changed([3e-3])), /trials: 1, 1 missing/);
  assert.equal((await changed({ low: 5e-3, high: 1e-2 }).trials()).length, 0);
  assert.equal((await changed({ low: 5e-4, high: 1e-2 }).trials()).length, 1);
  // A record of another recipe, other images or faces is another study's.
  for (
    const other of [
      { recipe: { epochs: 1, depth: 2 } },
      { recipe: { epochs: 1 }, limits: { train: 49, validation: 7, test: 7 } },
    ]
  ) {
    const o = openStudy({ profile: "smoke", outDir: dir }, {
      name: "own",
      parameters: { lr: [1e-3] },
      ...other,
    });
    assert.equal((await o.trials()).length, 0);
  }
  const otherFaces = openStudy({ profile: "smoke", outDir: dir, seed: 1 }, {
    name: "own",
    parameters: { lr: [1e-3] },
    recipe: { epochs: 1 },
  });
  assert.equal((await otherFaces.trials()).length, 0);
  assert.equal((await study.trials()).length, 1);
  // In a dry run nothing is trained or kept.
  Deno.env.set("FERLAB_DRY_RUN", "1");
  try {
    const wider = openStudy({ profile: "smoke", outDir: dir }, {
      name: "own",
      parameters: { lr: [1e-3, 1e-2] },
      recipe: { epochs: 1 },
    });
    assert.equal((await wider.run()).length, 1);
    await claims(wider, [{ claim: "new", published: "–", ...holds }]);
    assert.equal((await kept()).claims.length, 3);
  } finally {
    Deno.env.delete("FERLAB_DRY_RUN");
    Deno.env.delete("JPY_SESSION_NAME");
  }
});

Deno.test("a wrong parameter of a notebook is one line that says what there is", () => {
  const message = (f: () => unknown) => {
    try {
      f();
    } catch (error) {
      assert.ok(error instanceof StudyError, String(error));
      return error.message;
    }
    assert.fail("accepted");
  };
  const cell = { name: "x", parameters: { lr: [1e-3] } };
  assert.equal(
    message(() => openStudy({ profile: "huge" }, cell)),
    'parameter profile: "huge" is no profile: use one of smoke, quick, cpu, paper',
  );
  assert.match(
    message(() => openStudy({ profile: "smoke", seed: -1 }, cell)),
    /^parameter seed: /,
  );
  assert.match(
    message(() =>
      openStudy({ profile: "smoke" }, { ...cell, parameters: { lr: [] } })
    ),
    /parameters\.lr: is empty: list its values/,
  );
  assert.equal(
    message(() =>
      openStudy({ profile: "smoke" }, { ...cell, parameters: { seed: [1, 2] } })
    ),
    'study "x": parameters.seed: a repeat\'s seed is given by its number: ' +
      "leave it out, and give repeats",
  );
  for (const name of ["../../x", "a/b", "a\\b", "..", " "]) {
    assert.match(
      message(() => openStudy({ profile: "smoke" }, { ...cell, name })),
      /^openStudy: name ".*": its tables are named by it/,
    );
  }
  const also = (field: string) => () =>
    openStudy({ profile: "smoke" }, { ...cell, [field]: 2 });
  assert.equal(
    message(also("epochs")),
    "openStudy: epochs belongs into recipe: { epochs: … }, or into " +
      "parameters where it is varied",
  );
  assert.match(message(also("mixing.alpha")), /into recipe: { mixing: … }/);
  assert.match(
    message(also("repeat")),
    /^openStudy: repeat is no field of a study; did you mean "repeats"\?$/,
  );
  assert.match(
    message(also("weather")),
    /^openStudy: weather is no field of a study: these are name, .*, recipe, /,
  );
  assert.match(
    message(() => atProfile("paper", { smoke: {}, quick: {} })),
    /no grid for paper: add one, or use smoke, quick$/,
  );
});

Deno.test("decades of rates are those that the notes' code has", () => {
  assert.deepEqual(
    decades(1e-3, 1e-5, 5).map((lr) => lr.toExponential()),
    ["1e-3", "6.31e-4", "3.981e-4", "2.512e-4", "1.585e-4", "1e-4"].concat(
      ["6.31e-5", "3.981e-5", "2.512e-5", "1.585e-5", "1e-5"],
    ),
  );
  assert.deepEqual(decades(1e-2, 1e0), [0.01, 0.1, 1]);
  const ends: [unknown, unknown, unknown?][] = [
    [0, 1],
    [NaN, 1],
    [Infinity, 1],
    ["1e-3", 1],
    [1n, 10n],
    [1e-3, 1, 0.5],
    [1e-3, 1, NaN],
    [1e-3, 1e-5, 1e9],
  ];
  for (const [from, to, steps] of ends) {
    assert.throws(
      () => decades(from as number, to as number, steps as number),
      /^StudyError: decades\(.*\): give two rates above 0 .* at most$/,
    );
  }
});

Deno.test("published rows have the recipe's names, and accuracies as shares", async () => {
  const alpha = await published("mixup-alpha");
  assert.deepEqual(parametersOf(alpha.rows), ["lr", "mixing.alpha"]);
  assert.ok(alpha.rows.every((r) => r.accuracy > 0.8 && r.accuracy < 0.9));
  const [drop] = (await published("attn-drop")).rows;
  assert.equal(drop.attentionDrop, 0);
  assert.equal(drop.accuracy, 0.86734);
  const speed = await published("efficiency");
  assert.match(speed.tables[0].name, /^stage-4 models/);
  assert.equal(speed.rows[0].imagesPerSecond, 1381);
  await assert.rejects(
    published("nothing"),
    /no published table "nothing" in data\/published: use one of attn-drop/,
  );
  assert.equal(publishedText([]), "no published run");
  assert.equal(
    publishedText(speed.rows.slice(0, 1)),
    "Baseline(IR50 + ViT Block): 1381 images/s at batch size 256",
  );
  assert.match(publishedText(alpha.rows), /; and \d+ more$/);
});

Deno.test("a decision says its choice, or why there is none", async () => {
  assert.equal(
    await shown(decide(4, { name: "depth" })),
    "**Decision.** Depth 4.",
  );
  assert.equal(
    await shown(decide(4, { unless: "too few seeds" })),
    "**Decision.** None: too few seeds.",
  );
  assert.equal(
    await shown(decide(undefined)),
    "**Decision.** None: too few trials are on record.",
  );
  const wrong = (choice: unknown) => () => decide(choice as string);
  assert.throws(
    wrong(Promise.resolve(4)),
    /^StudyError: decide: the choice is a promise \(await it\)/,
  );
  assert.throws(wrong({ depth: 4 }), /the choice is one object/);
});
