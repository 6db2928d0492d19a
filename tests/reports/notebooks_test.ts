/** A folder's notebooks and the page of claims: titles, questions, verdicts. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Verdict } from "../../lib/reports/mod.ts";
import { claimsPage } from "../../tasks/study/claims.ts";
import { notebooksIn, readHead } from "../../tasks/study/notebook_files.ts";
import { folderTest as test } from "../_folder.ts";

const write = async (dir: string, file: string, content: unknown) => {
  await Deno.mkdir(join(dir, file, ".."), { recursive: true });
  const text = typeof content === "string" ? content : JSON.stringify(content);
  await Deno.writeTextFile(join(dir, file), text);
};

const notebook = (...sources: (string | string[])[]) => ({
  cells: sources.map((source) => ({ cell_type: "markdown", source })),
});

const judged = (
  { verdicts, ...more }: { verdicts: Verdict[]; [field: string]: unknown },
) => ({
  ...{ notebook: "90-width", profile: "quick", data: "synthetic" },
  ...{ trials: 12, seconds: 60, title: "of an older version" },
  ...more,
  claims: verdicts.map((verdict, i) => ({
    ...{ claim: `width ${i} | more`, published: "62 %", ours: "33 %" },
    ...{ verdict, why: "cannot\ntell" },
  })),
});

test("a notebook's title and question are read from its first words", async (dir) => {
  const head = async (...sources: (string | string[])[]) => {
    await write(dir, "a.ipynb", notebook(...sources));
    return readHead(join(dir, "a.ipynb"));
  };
  assert.deepEqual(
    await head(
      "```\n# a comment\n```",
      [
        "# Depth\n",
        "\n",
        "**Question.** How deep\n",
        "is best?\n",
        "\n",
        "Now",
      ],
      "# Second",
    ),
    { title: "Depth", question: "How deep is best?" },
  );
  const nothing = { title: undefined, question: undefined };
  assert.deepEqual(await head("## Part"), nothing);
  assert.deepEqual(await head(), nothing);
});

test("a folder's notebooks are those that no run wrote", async (dir) => {
  for (const name of ["90-width", "90-width.executed", "mine"]) {
    await write(dir, `${name}.ipynb`, notebook());
  }
  await write(dir, "91-draft.ipynb", "{");
  assert.deepEqual(notebooksIn(dir), ["90-width", "91-draft", "mine"]);
  const draft = readHead(join(dir, "91-draft.ipynb"));
  assert.deepEqual(draft, { question: "cannot be read as a notebook" });
});

test("the page of claims is made of the folder's files alone", async (dir) => {
  const file = "90-width.claims.json";
  const of = (profile: string, trials: number, verdicts: Verdict[]) =>
    write(dir, `${profile}/${file}`, judged({ profile, trials, verdicts }));
  await of("quick", 12, ["cannot tell", "holds"]);
  await write(dir, "quick/90-width.ipynb", notebook("# Width"));
  await write(dir, "quick/00-start-here.ipynb", notebook("# Start here"));
  // Its verdicts do not count: there are no trials, or the profile is none.
  await of("paper", 0, ["not yet run"]);
  await of("smoke", 5, ["holds"]);
  const { text: page } = claimsPage(dir);
  assert.match(
    page,
    /2 claims: ✓ 1 holds, \? 1 cannot tell\. The trials took\n1 min in all/,
  );
  assert.match(
    page,
    /### 90 Width\n\nProfile quick on synthetic faces: 12 trials, 1 min\. \[notebook\]\(quick\/90-width\.ipynb\)\.\n/,
  );
  assert(
    page.includes(
      "| width 1 \\| more | 62 % | 33 % | **✓ holds** | cannot tell |",
    ),
    page,
  );
  // In their order, those without claims too; one that ran claims nothing.
  assert(page.indexOf("### 03 Depth\n\nNot yet run.") < page.indexOf("### 90"));
  assert.doesNotMatch(page, /Start here/);
  // Its own title where the executed notebook is gone.
  await Deno.remove(join(dir, "quick/90-width.ipynb"));
  assert.match(claimsPage(dir).text, /## 90 90-width\n/);
});

test("the page opens with a line for each answer, then one for each claim that leads to its reason", async (dir) => {
  const whole = judged({ verdicts: ["does not hold"] });
  const ours = `+1.20 points (−0.30 to +2.70, n 3); ${"more ".repeat(30)}`;
  await write(dir, "quick/90-width.claims.json", {
    ...whole,
    answer: {
      text: "4_4 is best: +1.2 points.",
      restsOn: "5 seeds",
      left: "the width 8",
    },
    claims: [{ ...whole.claims[0], ours }],
  });
  await write(
    dir,
    "quick/90-width.ipynb",
    notebook("# Adam's width\n\n**Question.** Which width?\n\nHere."),
  );
  await write(dir, "quick/90-width.html", "");
  const { text } = claimsPage(dir);
  const answer = "| [90 Adam's width](quick/90-width.html) | Which width? | " +
    "**4_4 is best: +1.2 points.** It rests on 5 seeds. Left to the " +
    "published protocol on a GPU: the width 8. |";
  const line = "| [90](#90-adams-width) width 0 \\| more | 62 % | " +
    "+1.20 points (−0.30 to +2.70, n 3) … | ✗&nbsp;does&nbsp;not&nbsp;hold |";
  const at = [
    answer,
    line,
    "### 90 Adam's width",
    "| cannot tell |",
  ]
    .map((part) => text.indexOf(part));
  assert.ok(at[0] > 0 && at.every((x, i) => x > (at[i - 1] ?? 0)), text);
});

test("claims that are damaged or foreign are named in one line, and the others shown", async (dir) => {
  const file = "quick/90-width.claims.json";
  const whole = judged({ verdicts: ["holds"] });
  const damaged = [
    "",
    "{",
    "[]",
    "null",
    { ...whole, profile: "huge" },
    { ...whole, trials: -1 },
    { ...whole, seconds: "long" },
    { ...whole, claims: [{ ...whole.claims[0], verdict: "true" }] },
    { ...whole, claims: { length: 1e9 } },
  ];
  await write(dir, "quick/90-width.ipynb", "{");
  await write(dir, "quick/91-sound.claims.json", whole);
  for (const content of damaged) {
    await write(dir, file, content);
    const { text, damaged: [line, ...more] } = claimsPage(dir);
    assert.deepEqual(more, []);
    assert.match(
      line,
      /^quick\/90-width\.claims\.json: not a notebook's cl.*$/,
    );
    assert.match(text, /1 claims: ✓ 1 holds\./);
    assert.match(
      text,
      /## 90 90-width\n\n\*\*Left out:\*\* quick\/90-width\.cl/,
    );
    assert.match(text, /## 91 91-sound\n[^]*\*\*✓ holds\*\*/);
  }
  // One that is far too large is not read.
  await Deno.truncate(join(dir, file), 2 ** 33);
  assert.match(
    claimsPage(dir).damaged[0],
    /it has 8589934592 bytes, too many$/,
  );
  // A weaker profile that can be read counts then.
  await write(dir, "cpu/90-width.claims.json", "{");
  await write(dir, file, whole);
  const { text, damaged: lines } = claimsPage(dir);
  assert.equal(lines.length, 1);
  assert.match(text, /2 claims: ✓ 2 holds\./);
});

test("marks in a claim are text on the page of claims", async (dir) => {
  const whole = judged({ verdicts: ["holds"] });
  const [claim] = whole.claims;
  await write(dir, "quick/90-width.claims.json", {
    ...whole,
    claims: [{
      ...claim,
      claim: "<script>a</script> [b](c) **d** `e` a_b _f_ &lt; \\| ~g~",
      why: "![h](i)",
    }],
  });
  const { text } = claimsPage(dir);
  const row =
    "| \\<script>a\\</script> \\[b](c) \\*\\*d\\*\\* \\`e\\` a_b \\_f\\_ " +
    "\\&lt; \\\\\\| \\~g\\~ | 62 % | 33 % | **✓ holds** | !\\[h](i) |";
  assert(text.includes(row), text);
});
