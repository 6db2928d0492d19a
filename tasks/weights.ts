/** `deno task weights`: shows, converts and compares files of weights. */
import { Command, InvalidArgumentError } from "commander";
import {
  aboutNet,
  elements,
  escaped,
  firstTen,
  modelTensors,
  printable,
  readWeights,
  renameKnown,
  type StoredTensor,
  type TensorData,
  type Weights,
  WeightsError,
  writeSafetensors,
} from "../lib/weights/mod.ts";
import { fileFault } from "../lib/faults/mod.ts";
import { inOneLine } from "../lib/notebook/commands/mod.ts";
import { numbers, table, words } from "./text.ts";
import {
  exiting,
  finished,
  numberOption,
  UsageError,
  withOptions,
} from "./cli.ts";

interface Statistics {
  min: number | null;
  mean: number | null;
  /** With n − 1, as PyTorch's `std`; null for one element. */
  std: number | null;
  max: number | null;
  /** NaNs and infinities, which the others leave out. */
  nonFinite: number;
}

function statistics(data: TensorData): Statistics {
  let n = 0, sum = 0, min = Infinity, max = -Infinity;
  for (const raw of data) {
    const x = Number(raw);
    if (!Number.isFinite(x)) continue;
    n++;
    sum += x;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  const nonFinite = data.length - n;
  if (n === 0) {
    return { min: null, mean: null, std: null, max: null, nonFinite };
  }
  const mean = sum / n;
  let squares = 0;
  for (const raw of data) {
    const x = Number(raw);
    if (Number.isFinite(x)) squares += (x - mean) ** 2;
  }
  const std = n > 1 ? Math.sqrt(squares / (n - 1)) : null;
  return { min, mean, std, max, nonFinite };
}

const dtypeOf = ({ dtype, storedAs }: StoredTensor) => storedAs ?? dtype;

const fourDigits = (x: number | null) =>
  x === null ? "–" : String(Number(x.toPrecision(4)));

async function inspectFile(
  file: string,
  { json, key }: { json?: boolean; key?: string },
): Promise<number> {
  const weights = await readWeights(file, { key });
  const { tensors, format, metadata, otherKeys, standIns, leftOut } = weights;
  const rows = [...tensors].map(([name, tensor]) => ({
    name,
    shape: tensor.shape,
    dtype: dtypeOf(tensor),
    count: elements(tensor.shape),
    ...statistics(tensor.data),
  }));
  const count = rows.reduce((sum, row) => sum + row.count, 0);
  const { rules } = renameKnown(tensors.keys());
  if (json) {
    const json = JSON.stringify(
      {
        file,
        format,
        key: weights.key,
        otherKeys,
        standIns,
        leftOut,
        renaming: rules,
        metadata,
        count,
        tensors: rows,
      },
      null,
      2,
    );
    // JSON's own escapes leave out half of what steers a terminal.
    console.log(json.split("\n").map(escaped).join("\n"));
    return 0;
  }
  console.log(`format    ${format}`);
  if (weights.key) console.log(`key       ${printable(weights.key)}`);
  if (otherKeys.length) {
    const keys = otherKeys.map((k) => k || "(the file's top)");
    console.log(`also at   ${firstTen(keys)}`);
  }
  if (standIns.length) console.log(`not run   ${firstTen(standIns)}`);
  if (leftOut.length) console.log(`left out  ${firstTen(leftOut)}`);
  for (const rule of rules) console.log(`renaming  ${rule}`);
  for (const [name, text] of Object.entries(metadata)) {
    console.log(`metadata  ${printable(name)}: ${printable(text)}`);
  }
  console.log(`tensors   ${rows.length}, with ${count} elements\n`);
  console.log(table([
    words(
      "name",
      rows.map((r) =>
        printable(r.name) +
        (r.nonFinite ? ` (${r.nonFinite} not finite)` : "")
      ),
    ),
    words("shape", rows.map((r) => `[${r.shape.join(", ")}]`)),
    words("dtype", rows.map((r) => r.dtype)),
    numbers("count", rows.map((r) => String(r.count))),
    ...(["min", "mean", "std", "max"] as const)
      .map((of) => numbers(of, rows.map((r) => fourDigits(r[of])))),
  ]));
  return 0;
}

interface ConvertOptions {
  prefix?: string;
  rename?: boolean;
  key?: string;
  average?: boolean;
  recipe?: string;
  classes?: string;
}

/** Writes what `write` writes, or says in one line why it cannot. */
async function written(output: string, write: () => Promise<void>) {
  try {
    await write();
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw new WeightsError(`${output}: cannot be written: ${fileFault(error)}`);
  }
}

/** A trained net as ONNX. */
async function convertNet(
  input: string,
  output: string,
  { prefix, rename, ...options }: ConvertOptions,
): Promise<number> {
  if (prefix !== undefined || rename) {
    throw new UsageError("--prefix and --rename are for .safetensors");
  }
  // By an address, so that without it the command needs no TensorFlow.
  const { netAsOnnx } = await import(import.meta.resolve("./weights_onnx.ts"));
  const { bytes, notes, about } = await netAsOnnx(input, options);
  const beside = `${output}.${crypto.randomUUID()}.tmp`;
  await written(output, async () => {
    try {
      await Deno.writeFile(beside, bytes);
      await Deno.rename(beside, output);
    } catch (error) {
      await Deno.remove(beside).catch(() => {});
      throw error;
    }
  });
  for (const note of notes) console.error(escaped(`weights: ${note}`));
  console.log(escaped(`${output}: ${about}`));
  return 0;
}

async function convertFile(
  input: string,
  output: string,
  options: ConvertOptions,
): Promise<number> {
  if (output.endsWith(".onnx")) return await convertNet(input, output, options);
  const { prefix = "", rename, key, average, recipe, classes } = options;
  if (recipe || classes) {
    throw new UsageError("--recipe and --classes are for .onnx");
  }
  const weights = await readWeights(input, { key });
  const source = "checkpoint" in weights.metadata
    ? modelTensors(weights.tensors, { average })
    : weights.tensors;
  if (average && (source === weights.tensors || source.size === 0)) {
    throw new WeightsError(
      `${input}: holds no running mean of weights; leave out --average`,
    );
  }
  const { names, rules } = renameKnown(source.keys());
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, data }] of source) {
    const ours = prefix + (rename ? names.get(name) : name);
    tensors.set(ours, { dtype, shape, data });
  }
  // Names that another program gave are no longer those of the net.
  const about = prefix ? {} : aboutNet(weights.metadata, { average });
  // "format" is the reference library's sign of PyTorch's layout.
  await written(
    output,
    () => writeSafetensors(output, tensors, { format: "pt", ...about }),
  );
  const halves = [...weights.tensors.values()].filter((t) => t.storedAs).length;
  if (weights.key) console.log(`from the key ${printable(weights.key)}`);
  if (weights.standIns.length) {
    console.log(`not run: ${firstTen(weights.standIns)}`);
  }
  if (weights.leftOut.length) {
    console.log(`left out: ${firstTen(weights.leftOut)}`);
  }
  for (const rule of rename ? rules : []) console.log(rule);
  if (halves) console.log(`${halves} tensors of half precision as float32`);
  console.log(`${tensors.size} tensors in ${output}`);
  return 0;
}

/** The largest absolute difference; NaNs at the same place are equal. */
function distance(a: TensorData, b: TensorData): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue;
    // Of 64-bit integers the difference is exact.
    const difference = typeof a[i] === "bigint" && typeof b[i] === "bigint"
      ? Number(a[i] as bigint - (b[i] as bigint))
      : Number(a[i]) - Number(b[i]);
    if (Number.isNaN(Number(a[i])) && Number.isNaN(Number(b[i]))) continue;
    const size = Number.isNaN(difference) ? Infinity : Math.abs(difference);
    if (size > largest) largest = size;
  }
  return largest;
}

/** One line a difference between two files. */
function tensorDifferences(a: Weights, b: Weights, tolerance: number) {
  const lines: string[] = [];
  let largest = 0;
  for (const [name, tensor] of a.tensors) {
    const other = b.tensors.get(name);
    if (!other) {
      lines.push(`only in the first   ${printable(name)}`);
    } else if (String(tensor.shape) !== String(other.shape)) {
      lines.push(
        `shapes differ       ${printable(name)}: [${
          tensor.shape.join(", ")
        }] and [${other.shape.join(", ")}]`,
      );
    } else {
      const d = distance(tensor.data, other.data);
      largest = Math.max(largest, d);
      if (d > tolerance) {
        lines.push(
          `values differ       ${printable(name)}: by up to ${fourDigits(d)}`,
        );
      }
    }
  }
  for (const name of b.tensors.keys()) {
    if (!a.tensors.has(name)) {
      lines.push(`only in the second  ${printable(name)}`);
    }
  }
  return { lines, largest };
}

async function compareFiles(
  first: string,
  second: string,
  { tolerance }: { tolerance: number },
): Promise<number> {
  const a = await readWeights(first), b = await readWeights(second);
  const { lines, largest } = tensorDifferences(a, b, tolerance);
  for (const line of lines) console.log(line);
  const common = [...a.tensors.keys()].filter((n) => b.tensors.has(n)).length;
  console.log(
    `${
      lines.length ? "different" : "equal"
    }: ${common} tensors in both, largest difference ${fourDigits(largest)}`,
  );
  return lines.length ? 1 : 0;
}

const tolerance = numberOption("a number from 0", (n) => n >= 0);

function outputName(name: string): string {
  if (/\.(safetensors|onnx)$/.test(name)) return name;
  throw new InvalidArgumentError(
    "end the name in .safetensors or .onnx, which are written",
  );
}

const KEY = "the mapping of a checkpoint, such as model_ema";
const program = inOneLine(new Command("deno task weights")).description(
  "Shows, converts and compares weights: PyTorch's .pth/.pt, safetensors, and\n" +
    "model.safetensors.index.json with its shards.\n" +
    "No code in a file is run. Exit code 1: different, or a file that cannot\n" +
    "be used; 2: a wrong command line.",
);
const inspected = program.command("inspect").argument("<file>")
  .description("names, shapes, dtypes and statistics");
withOptions(inspected, { "--json": "as JSON", "--key <key>": KEY });
finished(inspected, inspectFile);

const converted = program.command("convert").argument("<in>")
  .argument("<out>", "the file to write, .safetensors or .onnx", outputName)
  .description(
    "writes safetensors that PyTorch loads (halves become float32, and of\n" +
      "FERLab's checkpoints the optimizer's state is left out), or a trained net\n" +
      "as ONNX: images [batch, channels, size, size] from 0 to 1 to logits",
  );
withOptions(converted, {
  "--prefix <prefix>": "put before each name, such as irback.",
  "--rename": "give known names as FERLab's: no module., face.evoLVe's IR",
  "--key <key>": KEY,
  "--average": "the running mean of a training's checkpoint instead",
  "--recipe <file>": "ONNX: the net's recipe, where weights say none",
  "--classes <names>": "ONNX: the classes' names by label",
});
finished(converted, convertFile);

const compared = program.command("compare").argument("<a>").argument("<b>")
  .description("missing tensors, shapes, largest differences");
withOptions(compared, {
  "--tolerance <n>": ["the largest difference that counts as equal", {
    ...{ read: tolerance, default: 0 },
  }],
});
finished(compared, compareFiles);

// Without a command its help is shown, which is no success.
await exiting(
  "weights",
  () => program.parseAsync(Deno.args, { from: "user" }),
);
