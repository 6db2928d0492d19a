/** Splits: official, held out, by folds; facts that hold for any images. */
import assert from "node:assert/strict";
import {
  assignSplits,
  hash32,
  Random,
  type SplitName,
  SPLITS,
} from "../../lib/data/mod.ts";
import { inOneLine } from "../_refused.ts";

interface Image {
  label: number;
  split?: SplitName;
  subject?: string;
}

/** `n` images of 5 uneven classes; with subjects of uneven sizes where asked. */
function images(n: number, seed: number, subjects = 0): Image[] {
  const random = new Random(hash32(seed, n));
  return Array.from({ length: n }, () => {
    const label = Math.floor(5 * random.next() ** 2);
    const subject = `s${Math.floor(subjects * random.next() ** 1.5)}`;
    return subjects > 0 ? { label, subject } : { label };
  });
}

function count<T>(items: readonly T[], item: T): number {
  return items.filter((other) => other === item).length;
}

/** Labels of the images in a split. */
function labelsIn(all: Image[], splits: SplitName[], name: SplitName) {
  return all.filter((_, i) => splits[i] === name).map(({ label }) => label);
}

Deno.test("held-out splits have the asked size, each class within one of its share", () => {
  for (const [n, seed] of [[57, 0], [400, 1], [1001, 2]]) {
    const all = images(n, seed);
    const rule = { kind: "holdout", validation: 0.1, test: 20 } as const;
    const splits = assignSplits(all, rule, seed);
    assert.equal(splits.length, n);
    const want = { validation: Math.round(n / 10), test: 20 };
    for (const name of ["validation", "test"] as const) {
      assert.equal(count(splits, name), want[name]);
      const held = labelsIn(all, splits, name);
      const rest = name === "test"
        ? labelsIn(all, splits, "train").concat(held)
        : all.map(({ label }) => label);
      for (let c = 0; c < 5; c++) {
        const share = count(rest, c) / rest.length * held.length;
        assert.ok(
          Math.abs(count(held, c) - share) < 1,
          `class ${c} of ${name}`,
        );
      }
    }
  }
});

Deno.test("the seed decides: the same twice, another with another", () => {
  const all = images(300, 3), people = images(300, 3, 25);
  const holdout = { kind: "holdout", validation: 0.2, test: 0.2 } as const;
  const folds = { kind: "folds", folds: 5, fold: 1 } as const;
  const pairs = [[all, holdout], [all, folds], [people, holdout]] as const;
  for (const [pool, rule] of pairs) {
    const first = assignSplits(pool, rule, 7);
    assert.deepEqual(assignSplits(pool, rule, 7), first);
    assert.notDeepEqual(assignSplits(pool, rule, 8), first);
  }
});

Deno.test("images of an official test split do not change how the others are divided", () => {
  for (const subjects of [0, 30]) {
    const pool = images(200, 4, subjects);
    const more = images(50, 5, subjects)
      .map((image): Image => ({ ...image, split: "test" }));
    const mixed = [...more.slice(0, 20), ...pool, ...more.slice(20)];
    const rule = { kind: "holdout", validation: 0.15 } as const;
    const alone = assignSplits(pool, rule, 6);
    const together = assignSplits(mixed, rule, 6);
    assert.deepEqual(together.slice(20, 220), alone);
    assert.equal(count(together, "test"), 50);
  }
});

Deno.test("whoever is held out is in no other split, and the size is near what was asked", () => {
  for (let seed = 0; seed < 20; seed++) {
    const all = images(400, seed, 40);
    const rule = { kind: "holdout", validation: 0.2, test: 0.2 } as const;
    const splits = assignSplits(all, rule, seed);
    const of = new Map<string, SplitName>();
    all.forEach(({ subject }, i) => {
      assert.equal(of.get(subject!) ?? splits[i], splits[i]);
      of.set(subject!, splits[i]);
    });
    const sizes = Object.values(Object.groupBy(all, (i) => i.subject!))
      .map((members) => members!.length);
    for (const name of ["validation", "test"] as const) {
      const off = Math.abs(count(splits, name) - 80);
      assert.ok(off <= Math.max(...sizes) / 2, `${name} is off by ${off}`);
    }
  }
});

Deno.test("every image is in the test split of exactly one fold, and validation is the next", () => {
  for (const subjects of [0, 40]) {
    const all = images(301, 9, subjects);
    const k = 5;
    const folds = Array.from(
      { length: k },
      (_, fold) => assignSplits(all, { kind: "folds", folds: k, fold }, 2),
    );
    all.forEach((_, i) => {
      assert.equal(count(folds.map((f) => f[i]), "test"), 1);
      folds.forEach((f, fold) => {
        const next = folds[(fold + 1) % k];
        assert.equal(f[i] === "validation", next[i] === "test");
      });
    });
    if (subjects > 0) {
      for (const splits of folds) {
        for (
          const group of Object.values(Object.groupBy(all, (i) => i.subject!))
        ) {
          const own = new Set(
            group!.map((image) => splits[all.indexOf(image)]),
          );
          assert.equal(own.size, 1);
        }
      }
    }
  }
});

Deno.test("folds without subjects differ by at most one image, in all and in each class", () => {
  const all = images(304, 10);
  const tests = Array.from(
    { length: 7 },
    (_, fold) =>
      labelsIn(
        all,
        assignSplits(all, { kind: "folds", folds: 7, fold }, 0),
        "test",
      ),
  );
  const spread = (n: number[]) => Math.max(...n) - Math.min(...n);
  assert.ok(spread(tests.map(({ length }) => length)) <= 1);
  for (let c = 0; c < 5; c++) {
    assert.ok(
      spread(tests.map((labels) => count(labels, c))) <= 1,
      `class ${c}`,
    );
  }
});

Deno.test("folds by subject keep the classes near their share", () => {
  const all = images(1000, 11, 100);
  const whole = all.map(({ label }) => label);
  for (let fold = 0; fold < 5; fold++) {
    const splits = assignSplits(all, { kind: "folds", folds: 5, fold }, 0);
    const held = labelsIn(all, splits, "test");
    for (let c = 0; c < 5; c++) {
      const share = count(held, c) / count(whole, c);
      assert.ok(share > 0.15 && share < 0.25, `class ${c}: ${share}`);
    }
  }
});

Deno.test("with an official test split a fold is the validation split", () => {
  const all: Image[] = images(100, 12)
    .map((image, i) => ({ ...image, split: i < 20 ? "test" : "train" }));
  const splits = assignSplits(all, { kind: "folds", folds: 4, fold: 3 }, 0);
  assert.deepEqual(SPLITS.map((name) => count(splits, name)), [60, 20, 20]);
  assert.ok(splits.slice(0, 20).every((s) => s === "test"));
});

Deno.test("the official split is taken as it is", () => {
  const all = SPLITS.map((split): Image => ({ label: 0, split }));
  assert.deepEqual(assignSplits(all, { kind: "official" }, 0), SPLITS);
});

Deno.test("a rule that does not fit the images is a one-line error", () => {
  const all = images(30, 0);
  const official = SPLITS.map((split): Image => ({ label: 0, split }));
  const cases: [Image[], Parameters<typeof assignSplits>[1], RegExp][] = [
    [all, { kind: "official" }, /30 of 30 images have no official split/],
    [
      all,
      { kind: "holdout", validation: 0.001 },
      /split\.validation: 0\.001 of 30/,
    ],
    [all, { kind: "holdout", test: 30 }, /split\.test: 30 of 30/],
    [all, { kind: "holdout", test: 2.5 }, /split\.test: 2\.5/],
    [all, { kind: "holdout", validation: 0.5, test: 15 }, /nothing is left/],
    [official, { kind: "holdout", test: 0.1 }, /has a test split of its own/],
    [official, { kind: "folds", folds: 3, fold: 0 }, /of its own/],
    [
      all,
      { kind: "folds", folds: 31, fold: 0 },
      /from 3 to 30, the number of im/,
    ],
    [all, { kind: "folds", folds: 3, fold: 3 }, /split\.fold: 3; give 0 to 2/],
    [
      images(30, 0, 2),
      { kind: "folds", folds: 3, fold: 0 },
      /number of subjects/,
    ],
  ];
  for (const [pool, rule, message] of cases) {
    const refused = inOneLine("DataError", message);
    assert.throws(() => assignSplits(pool, rule, 0), refused);
  }
});
