/** The commands of `deno task data`. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import type { Audit } from "../../lib/data/audit/types.ts";
import { csvList } from "../../lib/data/formats/csv_list.ts";
import { fer2013 } from "../../lib/data/formats/fer2013.ts";
import { imageFolder } from "../../lib/data/formats/image_folder.ts";
import type { Listing } from "../../lib/data/listing.ts";
import { folderTest, inFolder, testsWith } from "../_folder.ts";
import { ran } from "../_run.ts";
import { assertRefused } from "../_refused.ts";
import { picture, png } from "./_pictures.ts";

/** Runs `deno task data ARGS` in a folder. */
const data = (cwd: string, ...args: string[]) =>
  ran("tasks/data.ts", args, {
    cwd,
    env: { XDG_CACHE_HOME: join(cwd, "cache") },
  });

function write(dir: string, path: string, bytes: Uint8Array | string) {
  Deno.mkdirSync(dirname(join(dir, path)), { recursive: true });
  const content = typeof bytes === "string"
    ? new TextEncoder().encode(bytes)
    : bytes;
  Deno.writeFileSync(join(dir, path), content);
}

/** Has `set/SPLIT/CLASS/1.png`: the same file names, each its own picture. */
const setTest = testsWith<{ dir: string; set: string }>((body) =>
  inFolder(async (dir) => {
    const set = join(dir, "set");
    let seed = 0;
    for (const split of ["train", "validation", "test"]) {
      for (const name of ["anger", "happiness"]) {
        write(set, `${split}/${name}/1.png`, await png(seed++));
      }
    }
    await body({ dir, set });
  })
);
const test = { set: setTest, folder: folderTest };

/** Adds a leak, a conflict and a damaged file. */
async function spoil(set: string) {
  const test = readFileSync(join(set, "test/anger/1.png"));
  write(set, "train/anger/other.png", test);
  const jpeg = await (await picture(1)).flop().jpeg({ quality: 40 }).toBuffer();
  write(set, "train/anger/again.jpg", jpeg);
  write(set, "train/happiness/page.jpg", "<html>404</html>");
}

test.set("a clean audit exits 0 and says so", async ({ dir }) => {
  const { code, out, err } = await data(dir, "audit", "set");
  assert.equal(code, 0, err);
  assert.equal(err, "");
  assert.match(out, /^image-folder, folders by split and class: 6 images, 2/);
  assert.match(out, /^class +train +validation +test\nAngry +1 +1 +1\n/m);
  assert.match(out, /^sizes: 64 × 64 \(6\)$/m);
  assert.match(out, /\nclean: nothing was found\n$/);
});

test.set("an audit with grave findings exits 1 and lists them by weight", async ({ dir, set }) => {
  await spoil(set);
  const { code, out, err } = await data(dir, "audit", "set");
  assert.equal(code, 1, err);
  const found = out.slice(out.indexOf("same image"));
  assert.match(
    found,
    /^same image in several splits: 1\n {2}test\/anger\/1\.png = train\/anger\/other\.png\n\nfile that cannot be decoded: 1\n {2}train\/happiness\/page\.jpg: .*HTML.*\n\nnear copy with another label: 1\n {2}train\/anger\/again\.jpg \(Angry\) ~ train\/happiness\/1\.png \(Happy, mirrored, \d\.\d+\)\n\n/,
  );
  assert.match(
    out,
    /\n3 findings that change results; in train, too: 1 of 2 test images \(50\.0 %\)\n$/,
  );
});

test.set("copies within one class are notes: exit 0", async ({ dir, set }) => {
  const bytes = readFileSync(join(set, "train/anger/1.png"));
  write(set, "train/anger/2.png", bytes);
  const { code, out } = await data(dir, "audit", "set");
  assert.equal(code, 0);
  assert.match(out, /\nnothing that changes results, 1 note\n$/);
});

test.folder("without official splits copies may be parted by chance", async (dir) => {
  for (const [i, name] of ["Sad/1", "Sad/2", "Happy/1"].entries()) {
    write(dir, `set/${name}.png`, await png(i >> 1));
  }
  const { code, out } = await data(dir, "audit", "set");
  assert.equal(code, 0);
  assert.match(out, /, 1 note; a random split may put copies on both sides/);
});

test.set("the first five findings of a kind are told, the rest counted; --all tells all", async ({ dir, set }) => {
  for (let i = 10; i < 35; i++) write(set, `train/anger/${i}.jpg`, "<p>");
  const text = await data(dir, "audit", "set");
  assert.equal(text.out.match(/^ {2}train\/anger\/\d+\.jpg: /gm)?.length, 5);
  assert.match(text.out, /^ {2}and 20 more; --all tells all$/m);
  const all = await data(dir, "audit", "set", "--all");
  assert.equal(all.out.match(/^ {2}train\/anger\/\d+\.jpg: /gm)?.length, 25);
  const { code, out } = await data(dir, "audit", "set", "--json");
  assert.equal(code, 1);
  const audit: Audit = JSON.parse(out);
  assert.equal(audit.findings.length, 25);
  assert.deepEqual(audit.counts.validation, [1, 1]);
});

test.set("a class without an image in a split is n/a in the table", async ({ dir, set }) => {
  Deno.removeSync(join(set, "validation/happiness/1.png"));
  const { out } = await data(dir, "audit", "set");
  assert.match(out, /^Happy +1 +n\/a +1$/m);
  assert.match(out, /Happy: no image in validation, so its recall there/);
});

test.set("the page holds no image unless samples are asked for", async ({ dir, set }) => {
  await spoil(set);
  write(set, "train/anger/a<b>&c.png", await png(30));
  await data(dir, "audit", "set", "--html", "page.html");
  const plain = readFileSync(join(dir, "page.html"), "utf8");
  assert.match(plain, /Content-Security-Policy/);
  assert.doesNotMatch(plain, /<img|<script|Not to be published/);
  assert.match(plain, /same image in several splits/);
  const bar = `<td>1<span class="bar" title="50.0 %" style="width:`;
  assert.ok(plain.includes(bar), plain);

  const { err } = await data(
    dir,
    ...["audit", "set", "--html", "page.html", "--samples"],
  );
  assert.match(err, /^page\.html: holds faces of the data set; do not pub/);
  const full = readFileSync(join(dir, "page.html"), "utf8");
  assert.match(full, /<b>Not to be published\.<\/b>/);
  assert.match(full, /<img src="data:image\/jpeg;base64,/);
  assert.doesNotMatch(full, /a<b>/);
});

test.set("wrong usage is one line and exit code 2", async ({ dir }) => {
  const cases: [args: string, message: RegExp][] = [
    ["audit set --samples", /^data: --samples .*--html FILE/],
    ["audit nowhere", /^data: there is no folder .*nowhere/],
    ["audit set --format x", /--format .*'x' is inv.* fer2013, raf/],
    ["audit set/test/anger/1.png", /^data: .*is a file: give the fold/],
    ["tidy", /^data: no command "tidy": they are info, audit, convert/],
  ];
  for (const [args, message] of cases) {
    const ended = await data(dir, ...args.split(" "));
    assertRefused(ended, 2, message);
    assert.equal(ended.out, "");
  }
});

test.set("a path that the system does not take is named, with the reason", async ({ dir }) => {
  Deno.symlinkSync("loop", join(dir, "loop"));
  const long = "n".repeat(300), convert = "convert set --to csv";
  for (
    const [args, why] of [
      ["info loop", "loop: a link leads back to itself"],
      [`info ${long}`, "n: a name is too long"],
      [`${convert} loop/x`, "x: a link leads back to itself"],
      [`${convert} ${long}`, "n: a name is too long"],
      [`${convert} set/test/anger/1.png/x`, "x: a file is where a folder has"],
    ]
  ) {
    const told = new RegExp(`^data: .*${why}.*: give another path\n$`);
    assertRefused(await data(dir, ...args.split(" ")), 1, told);
  }
  const kept = await data(dir, ...convert.split(" "), "loop");
  assertRefused(kept, 2, /^data: loop exists: nothing is overwritten/);
});

test.set("info tells format, counts, sizes, the audit's hash and the cache", async ({ dir }) => {
  const before = await data(dir, "info", "set");
  assert.equal(before.code, 0, before.err);
  assert.match(before.out, /^format +image-folder\nlayout +folders by split/);
  assert.match(before.out, /^sizes +64 × 64 \(6\)$/m);
  assert.match(before.out, /^cache +no decoded set of 6 images$/m);
  assert.match(before.out, /content decides what it is, never its name/);
  const audit: Audit = JSON.parse(
    (await data(dir, "audit", "set", "--json")).out,
  );
  const after = await data(dir, "info", "set");
  assert.match(after.out, new RegExp(`^hash +${audit.hash}$`, "m"));
  assert.match(after.out, /^cache +a set of 6 images: 48 × 48 pixels, gray/m);
});

test.set("the cache is listed and cleared", async ({ dir }) => {
  await data(dir, "audit", "set");
  const { out } = await data(dir, "cache");
  assert.match(out, /^ *6 +48 × 48 pixels, gray +\d/m);
  const cleared = await data(dir, "cache", "clear");
  assert.match(cleared.err, /^removed [12] files?, \d/);
  assert.match((await data(dir, "cache")).err, /^the cache is empty: /);
});

/** Split, class and file content of each image, sorted. */
function contents(dir: string, { images, classes }: Listing): string[] {
  return images.map(({ source, split, label }) => {
    assert.ok("file" in source);
    const bytes = readFileSync(join(dir, source.file)).toString("base64");
    return `${split} ${classes[label]} ${bytes}`;
  }).sort();
}

for (
  const [to, format] of [["folders", imageFolder], ["csv", csvList]] as const
) {
  test.set(`a set written as ${to} is read again as it was, odd names too`, async ({ dir, set }) => {
    for (const [i, name] of [" 9", "a\\b", 'a"c', "d\ne", "f "].entries()) {
      write(dir, `set/train/anger/${name}.png`, await png(20 + i));
    }
    const { code, out, err } = await data(
      dir,
      ...["convert", "set", "new", "--to", to],
    );
    assert.equal(code, 0, err);
    assert.equal(out, "new\n");
    const made = join(dir, "new");
    assert.deepEqual(
      contents(made, format.list(made, {})),
      contents(set, imageFolder.list(set, {})),
    );
    const again = await data(dir, "convert", "set", "new", "--to", to);
    assert.equal(again.code, 2);
    assert.match(again.err, /^data: new exists: nothing is overwritten/);
  });
}

test.folder("a table's pixels become PNG of the same values", async (dir) => {
  const lines = ["Training", "PublicTest", "PrivateTest"].map((usage, i) => {
    const pixels = Array.from({ length: 2304 }, (_, k) => (i + k) % 256);
    return `3,${pixels.join(" ")},${usage}`;
  });
  write(dir, "set/f.csv", `emotion,pixels,Usage\n${lines.join("\n")}\n`);
  const { code, err } = await data(
    dir,
    ...["convert", "set", "new", "--to", "folders"],
  );
  assert.equal(code, 0, err);
  const made = imageFolder.list(join(dir, "new"), {});
  assert.deepEqual(made.images.map(({ name }) => name).sort(), [
    "test/Happy/f.csv-4.png",
    "train/Happy/f.csv-2.png",
    "validation/Happy/f.csv-3.png",
  ]);
  for (const { name, source } of fer2013.list(join(dir, "set"), {}).images) {
    const file = `${name.replace(":", "-")}.png`;
    const { name: found } = made.images.find((i) => i.name.endsWith(file))!;
    const raw = await sharp(join(dir, "new", found)).toColourspace("b-w")
      .raw().toBuffer();
    assert.ok("pixels" in source);
    assert.deepEqual(new Uint8Array(raw), source.pixels);
  }
});

test.folder("files of one name in one class are all kept", async (dir) => {
  const rows = ["a/1.png,Sad", "b/1.png,Sad", "b/2.png,Happy"];
  write(dir, "set/list.csv", `image,label\n${rows.join("\n")}\n`);
  for (const [i, name] of ["a/1", "b/1", "b/2"].entries()) {
    write(dir, `set/${name}.png`, await png(i));
  }
  const { err } = await data(
    dir,
    ...["convert", "set", "new", "--to", "folders", "--format", "csv-list"],
  );
  assert.match(err, /^3 images of 3 written$/m);
  const made = join(dir, "new");
  assert.deepEqual(
    contents(made, imageFolder.list(made, {})),
    contents(join(dir, "set"), csvList.list(join(dir, "set"), {})),
  );
});

test.set("a file that cannot be read is named and left out: exit 1", async ({ dir, set }) => {
  Deno.symlinkSync(join(dir, "gone"), join(set, "train/anger/2.png"));
  const { code, err } = await data(
    dir,
    ...["convert", "set", "new", "--to", "csv"],
  );
  assert.equal(code, 1);
  assert.match(err, /^left out: train\/anger\/2\.png: cannot be read/);
  assert.match(err, /^6 images of 7 written$/m);
  assert.ok(existsSync(join(dir, "new/labels.csv")));
});
