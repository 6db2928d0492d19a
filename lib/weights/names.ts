/** Names of weights: wrappers off, other projects' names as ours, a checkpoint's own. */

export interface Renaming {
  /** Our name of each stored name, in the same order. */
  names: Map<string, string>;
  /** What was found and done, one phrase each; empty where nothing was. */
  rules: string[];
}

/** A rule: what it is called, and the names as it puts them; null where it is not for these. */
interface Rule {
  name: string;
  rename(names: readonly string[]): ((name: string) => string) | null;
}

/** Without what PyTorch's wrappers (DDP, compile, FSDP, …) put around a module. */
const unwrap = (name: string) =>
  name.replace(
    /(^|\.)_(orig_mod|fsdp_wrapped_module|checkpoint_wrapped_module)(?=\.)/g,
    "",
  ).replace(/^\.?(module\.)*/, "");

const wrappers: Rule = {
  name: "names of wrappers (module., _orig_mod., …) removed",
  rename: (names) =>
    names.some((name) => unwrap(name) !== name) ? unwrap : null,
};

/** Members of a unit by their place in `res_layer`. */
const PLAIN_UNIT = ["bn1", "conv1", "prelu", "conv2", "bn3"];
/** As IResNet's unit; later projects in these names have it. */
const IRESNET_UNIT = ["bn1", "conv1", "bn2", "prelu", "conv2", "bn3"];

/**
 * face.evoLVe's `backbone/model_irse.py`, from InsightFace_Pytorch: units are
 * counted through as `body.K`. Its unit is BN, conv, PReLU, conv, BN: it has no
 * BN before the PReLU (our bn2), unlike insightface's, and the first unit of
 * stage 1 has no weights in its shortcut. A stage starts where the shortcut has.
 */
const evolve: Rule = {
  name: "names of face.evoLVe's IR (input_layer, body, res_layer)",
  rename(names) {
    const has = new Set(names);
    const at = names.find((name) => name.endsWith("input_layer.0.weight"));
    if (at === undefined) return null;
    const prefix = at.slice(0, -"input_layer.0.weight".length);
    const places: [stage: number, unit: number][] = [];
    for (let k = 0; has.has(`${prefix}body.${k}.res_layer.1.weight`); k++) {
      const [stage, unit] = places.at(-1) ?? [0, 0];
      const starts = k === 0 ||
        has.has(`${prefix}body.${k}.shortcut_layer.0.weight`);
      places.push(starts ? [stage + 1, 0] : [stage, unit + 1]);
    }
    if (places.at(-1)?.[0] !== 4) return null;
    const members = has.has(`${prefix}body.0.res_layer.2.running_mean`)
      ? IRESNET_UNIT
      : PLAIN_UNIT;
    const stem = ["conv1", "bn1", "prelu"];
    return (name) => {
      if (!name.startsWith(prefix)) return name;
      const rest = name.slice(prefix.length);
      const input = rest.match(/^input_layer\.([012])\.(.+)$/);
      if (input) return `${prefix}${stem[Number(input[1])]}.${input[2]}`;
      const body = rest.match(
        /^body\.(\d+)\.(res_layer|shortcut_layer)\.(\d+)\.(\w+)$/,
      );
      const place = body && places[Number(body[1])];
      if (!place) return name;
      const [, , layer, member, what] = body;
      const ours = layer === "shortcut_layer"
        ? `downsample.${member}`
        : members[Number(member)];
      return ours === undefined
        ? name
        : `${prefix}layer${place[0]}.${place[1]}.${ours}.${what}`;
    };
  },
};

/**
 * Stored names as ours by the known rules. insightface's IResNet has our
 * backbone's names already. A rule that would give two tensors one name is
 * left out.
 */
export function renameKnown(stored: Iterable<string>): Renaming {
  const original = [...stored];
  let names = original;
  const rules: string[] = [];
  for (const rule of [wrappers, evolve]) {
    const rename = rule.rename(names);
    const renamed = rename && names.map(rename);
    if (!renamed || new Set(renamed).size < names.length) continue;
    names = renamed;
    rules.push(rule.name);
  }
  return { names: new Map(original.map((name, i) => [name, names[i]])), rules };
}

/**
 * The model's own tensors of a checkpoint, without the optimizer's state, or
 * with `average` their running means under the same names.
 */
export function modelTensors<T>(
  tensors: ReadonlyMap<string, T>,
  { average = false } = {},
): Map<string, T> {
  const own = average ? /^ema\./ : /^(?!(adam|sgd|ema)\.)/;
  return new Map(
    Array.from(tensors)
      .filter(([name]) => own.test(name))
      .map(([name, tensor]) => [average ? name.slice(4) : name, tensor]),
  );
}
