/** Notebooks of other kernels, in other encodings, malformed: named, not harmed. */
import assert from "node:assert/strict";
import {
  checkNotebooks,
  cleanNotebook,
  findingText,
  formatNotebook,
  readNotebook,
  rerunCells,
  runNotebook,
  startSession,
  writeNotebook,
} from "../../lib/notebook/mod.ts";
import { finished } from "../_run.ts";
import {
  errorOf,
  filesTest as test,
  nb,
  nbCommand,
  runCells,
  save,
  withFiles,
} from "./_notebook.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** A notebook of format 4.`minor` as JSON, with one good code cell. */
const json = (minor: number, ...cells: Json[]): Json => ({
  nbformat: 4,
  nbformat_minor: minor,
  metadata: { kernelspec: { name: "deno", display_name: "Deno" } },
  cells: cells.length ? cells : [cell({})],
});
const cell = (more: Json): Json => ({
  ...{ cell_type: "code", source: "1;", metadata: {} },
  ...{ outputs: [], execution_count: null },
  ...more,
});

test("a notebook of another kernel is refused by name, and check says it", async (file) => {
  const put = (metadata: Json) =>
    Deno.writeTextFile(
      file("a.ipynb"),
      JSON.stringify({ ...json(4, cell({ source: "print( 1 )" })), metadata }),
    );
  for (
    const [metadata, name] of [
      [
        { kernelspec: { name: "python3", display_name: "Python 3" } },
        '"python3"',
      ],
      [
        { kernelspec: { name: "rust" }, language_info: { name: "Rust" } },
        '"rust"',
      ],
      [{ language_info: { name: "python" } }, "one of python"],
    ] as const
  ) {
    await put(metadata);
    const path = file("a.ipynb");
    const message = (text: string) =>
      new RegExp(`^Error: ${path}: its kernel is ${name}; only Deno.* ${text}`);
    await assert.rejects(runNotebook(path), message("notebooks are run"));
    await assert.rejects(
      rerunCells(path, { cells: ["1"] }),
      message("notebooks are run"),
    );
    await assert.rejects(startSession(path), message("notebooks are run"));
    await assert.rejects(formatNotebook(path), /is formatted$/);
    const found = await checkNotebooks([path]);
    assert.deepEqual(found.map(({ kind }) => kind), ["ids", "metadata"]);
    assert.match(
      found[1].message,
      new RegExp(`its kernel is ${name}, not Deno`),
    );
  }
  for (
    const metadata of [
      {},
      { kernelspec: { name: "ferlab", language: "typescript" } },
      { language_info: { name: "typescript" } },
    ]
  ) {
    await put(metadata);
    await formatNotebook(file("a.ipynb"));
    assert.equal(
      (await readNotebook(file("a.ipynb"))).cells[0].source,
      "print(1);",
    );
  }
});

test("other encodings than UTF-8 are refused by name and left as they are", async (file) => {
  const text = JSON.stringify(json(4, cell({ source: 'const s="ä";' })));
  const latin = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const wide = (big: boolean) => {
    const view = new DataView(new ArrayBuffer(2 * text.length + 2));
    view.setUint16(0, 0xfeff, !big);
    [...text].forEach((c, i) =>
      view.setUint16(2 * i + 2, c.charCodeAt(0), !big)
    );
    return new Uint8Array(view.buffer);
  };
  for (
    const [bytes, name] of [
      [latin, /: cannot read the notebook: it is not in UTF-8, but in Latin-1/],
      [wide(false), /it is in UTF-16; save it as UTF-8$/],
      [wide(true), /it is in UTF-16/],
      [wide(false).subarray(2), /it is in UTF-16/],
    ] as const
  ) {
    await Deno.writeFile(file("a.ipynb"), bytes);
    for (
      const use of [readNotebook, formatNotebook, cleanNotebook, runNotebook]
    ) {
      await assert.rejects(use(file("a.ipynb")), name);
    }
    assert.deepEqual(await Deno.readFile(file("a.ipynb")), bytes);
  }
  await Deno.writeTextFile(file("a.ipynb"), "\ufeff" + text);
  await formatNotebook(file("a.ipynb"));
  assert.equal(
    (await readNotebook(file("a.ipynb"))).cells[0].source,
    'const s = "ä";',
  );
});

Deno.test("a malformed cell is named with its file and what is wrong with it", async () => {
  const output = (output: Json) => ({ outputs: [output] });
  const cases: [Json, RegExp][] = [
    [{ source: 5 }, /cell 2: its source is a number, but/],
    [{ source: undefined }, /cell 2: its source is missing/],
    [{ outputs: {} }, /cell 2: its outputs is an object/],
    [{ outputs: null }, /cell 2: its outputs is null/],
    [
      output({ output_type: "stream", name: "stdout" }),
      /cell 2: its output 1 \(stream\): its text is missing/,
    ],
    [
      output({ output_type: "error", ename: "E", evalue: "" }),
      /its output 1 \(error\): its traceback is missing/,
    ],
    [
      output({ output_type: "shown" }),
      /cell 2: its output 1 has the output_type "shown"/,
    ],
    [output(null), /cell 2: its output 1 is null/],
    [
      output({ output_type: "display_data", metadata: {} }),
      /its data is missing/,
    ],
    [{ metadata: [] }, /cell 2: its metadata is a list/],
    [
      { cell_type: "markdown", outputs: [1] },
      /markdown cell 1: its output 1 is a number/,
    ],
  ];
  await withFiles(async (file) => {
    const path = file("a.ipynb");
    for (const [bad, message] of cases) {
      const made = json(4, cell({}), cell(bad));
      await Deno.writeTextFile(path, JSON.stringify(made));
      await assert.rejects(readNotebook(path), message);
      const [finding] = await checkNotebooks([path]);
      assert.equal(finding.kind, "file");
      assert.match(findingText(finding), message);
    }
  });
});

test("one bad file does not stop the others of a batch", async (file) => {
  const source = 'const s="a";s';
  for (const name of ["a", "b", "c"]) {
    const made = json(4, cell({ source: name === "b" ? 5 : source }));
    await Deno.writeTextFile(file(`${name}.ipynb`), JSON.stringify(made));
  }
  const files = ["a.ipynb", "b.ipynb", "c.ipynb"];
  for (
    const command of ["status", "check", "export", "test", "clean", "fmt"]
  ) {
    const { code, out, err } = await nb(file("."), command, ...files);
    assert.equal(code, 1, command);
    const where = command === "check" ? out : err;
    assert.match(where, /b\.ipynb cell 1: its source is a number/, command);
    if (command !== "clean") assert.match(out, /a\.(ipynb|html)/, command);
    if (command !== "clean") assert.match(out, /c\.(ipynb|html)/, command);
  }
  for (const name of ["a", "c"]) {
    const { cells } = await readNotebook(file(`${name}.ipynb`));
    assert.equal(cells[0].source, 'const s = "a";\ns;');
    await Deno.stat(file(`${name}.html`));
  }
});

Deno.test("ids that nbformat does not allow come out valid of run, fmt and clean; check names each", async () => {
  const ids = (cells: { id?: string }[]) => cells.map(({ id }) => id);
  const old = json(4, cell({ id: "one" }), cell({ source: "2;" }));
  const bad = json(
    5,
    cell({ id: "dup" }),
    cell({ id: "dup", source: "2;" }),
    cell({ id: "x".repeat(65), source: "3;" }),
    cell({ id: "bad id!ä", source: "4;" }),
    cell({ id: "", source: "5;" }),
  );
  await withFiles(async (file) => {
    for (const made of [old, bad]) {
      const outcomes: (string | undefined)[][] = [];
      for (const use of [cleanNotebook, formatNotebook, runNotebook]) {
        await Deno.writeTextFile(file("a.ipynb"), JSON.stringify(made));
        await use(file("a.ipynb"), { out: file("a.ipynb") } as Json);
        const saved = await readNotebook(file("a.ipynb"));
        assert.equal(saved.nbformat_minor, 5);
        assert.equal(new Set(ids(saved.cells)).size, made.cells.length);
        for (const id of ids(saved.cells)) assert.match(id!, /^[\w-]{1,64}$/);
        outcomes.push(ids(saved.cells));
      }
      assert.deepEqual(outcomes[1], outcomes[0]);
      assert.deepEqual(outcomes[2], outcomes[0]);
      assert.equal(outcomes[0][0], made.cells[0].id);
    }
    await Deno.writeTextFile(file("a.ipynb"), JSON.stringify(bad));
    await Deno.writeTextFile(file("b.ipynb"), JSON.stringify(old));
    const told = (await checkNotebooks([file("a.ipynb"), file("b.ipynb")]))
      .filter(({ kind }) => kind === "ids").map(({ cell, message }) =>
        `${cell} ${message}`
      );
    assert.equal(told.length, 6);
    assert.match(
      told.join("\n"),
      /^cell 2 .*"dup" .* also that of cell 1.*\ncell 3 .* 64 characters.*\ncell 4 .*"bad id!ä" has other.*\ncell 5 .* is empty.*\n.* ids, which nbformat 4\.4 does not know.*\n.* 1 of 2 cells have no id/,
    );
    await assert.rejects(
      rerunCells(file("a.ipynb"), { cells: ["dup"] }),
      /^Error: cells 1 and 2 have the id "dup"; give the number/,
    );
  });
});

test("a file that is written in place keeps its layout", async (file) => {
  const made = json(4);
  for (
    const text of [
      JSON.stringify(made, null, 4),
      JSON.stringify(made, null, "\t") + "\n",
      JSON.stringify(made),
      JSON.stringify(made, null, 1).replaceAll("\n", "\r\n"),
    ]
  ) {
    await Deno.writeTextFile(file("a.ipynb"), text);
    await writeNotebook(file("a.ipynb"), await readNotebook(file("a.ipynb")));
    const written = await Deno.readTextFile(file("a.ipynb"));
    assert.equal(written.replace(/\[\s*"1;"\s*\]/, '"1;"'), text);
  }
});

Deno.test("half a character in an error is called that", async () => {
  const { error, cells } = await runCells([
    'throw new TypeError("smile".concat("\\ud83d"));',
  ]);
  assert.match(
    error!,
    /cell 1: what the cell threw, .* half a character .*toWellFormed/,
  );
  assert.equal(errorOf(cells[0]).ename, "Error");
});

test("a bad TMPDIR and a broken deno.json give their reason", async (file) => {
  await save(file("a.ipynb"), "1");
  const env = { TMPDIR: file("none") };
  const bad = await finished(nbCommand(file("."), ["run", "a.ipynb"], env));
  assert.equal(bad.code, 1);
  assert.match(bad.err, /none: the kernel cannot be started, .*set TMPDIR/);
  await Deno.writeTextFile(file("deno.json"), '{ "imports": ');
  const broken = /Failed deserializing config file .*deno\.json': .* line 1/;
  await assert.rejects(runNotebook(file("a.ipynb")), broken);
  const [{ message }] = await checkNotebooks([file("a.ipynb")]);
  assert.match(message, broken);
  const { errors } = await formatNotebook(file("a.ipynb"));
  assert.match(errors[0], broken);
});
