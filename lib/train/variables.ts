/** A model under training on the device: values, optimizer state, averages. */
import { fromTorch, type Layout, type ModelState, toTorch } from "../nn/mod.ts";
import { tf, Variable } from "../tensorflow/mod.ts";
import type { StoredTensor } from "../weights/mod.ts";
import { type ParameterRule, parameterRules } from "./parameter_rules.ts";
import {
  type Optimizer,
  optimizerOf,
  type OptimizerSettings,
  type RateRule,
} from "./optimizers.ts";
import type { Recipe } from "./recipe.ts";

export interface Parameter {
  value: Variable;
  layout: Layout;
  rule: ParameterRule;
  /** The place of its rule among `rules`. */
  row: number;
  /** Optimizer state, in the order of the optimizer's `slots`. */
  slots: Variable[];
  /** The running mean of the weights, where the recipe keeps one. */
  average?: Variable;
  /** The gradients of a batch's pieces so far, where there are several. */
  sum?: Variable;
}

export interface Variables {
  parameters: Map<string, Parameter>;
  buffers: Map<string, Pick<Parameter, "value" | "average">>;
  optimizer: Optimizer;
  /** The parameters' rules, each once. */
  rules: RateRule[];
  /** What the optimizer's state is filed under: "adam" or "sgd". */
  family: string;
}

export type VariableSettings =
  & OptimizerSettings
  & Pick<
    Recipe,
    "weightDecay" | "weightDecayOn" | "groups" | "ema" | "accumulate"
  >;

export function variablesOf(
  state: ModelState,
  settings: VariableSettings,
): Variables {
  const optimizer = optimizerOf(settings);
  const averaged = settings.ema.decay > 0;
  const infos = Array.from(state.parameters.values(), ({ info }) => info);
  const parameters: Variables["parameters"] = new Map();
  const buffers: Variables["buffers"] = new Map();
  const rules: RateRule[] = [];
  tf.tidy(() => {
    for (const rule of parameterRules(infos, settings)) {
      const { name } = rule;
      const { info, data } = state.parameters.get(name)!;
      const value = tf.tensor(data, info.shape);
      const zeros = tf.zerosLike(value);
      const trained = rule.lr > 0;
      let row = rules.findIndex(({ lr, weightDecay }) =>
        lr === rule.lr && weightDecay === rule.weightDecay
      );
      if (row < 0) row = rules.push(rule) - 1;
      parameters.set(name, {
        value: new Variable(value, name),
        layout: info.layout,
        rule,
        row,
        slots: trained
          ? optimizer.slots.map((slot) =>
            new Variable(zeros, `${slot}.${name}`)
          )
          : [],
        average: averaged ? new Variable(value, `ema.${name}`) : undefined,
        sum: trained && settings.accumulate > 1
          ? new Variable(zeros, `sum.${name}`)
          : undefined,
      });
    }
    for (const [name, { info, data }] of state.buffers) {
      const value = tf.tensor(data, info.shape);
      buffers.set(name, {
        value: new Variable(value, name),
        average: averaged ? new Variable(value, `ema.${name}`) : undefined,
      });
    }
  });
  const family = settings.optimizer === "sgd" ? "sgd" : "adam";
  return { parameters, buffers, optimizer, rules, family };
}

/** The values for `applyScope`, or their running means where these are kept. */
export function readVariables(
  { parameters, buffers }: Variables,
  of: "value" | "average" = "value",
) {
  const read = (all: Map<string, Pick<Parameter, "value" | "average">>) =>
    Object.fromEntries(
      Array.from(all, ([name, v]) => [name, (v[of] ?? v.value).read()]),
    );
  return { parameters: read(parameters), buffers: read(buffers) };
}

/** Every variable with its name in a checkpoint. */
function* named(
  { parameters, buffers, optimizer, family }: Variables,
): Iterable<{ name: string; variable: Variable; layout: Layout }> {
  for (const [name, { value, slots, average, layout }] of parameters) {
    yield { name, variable: value, layout };
    for (const [i, variable] of slots.entries()) {
      const slot = `${family}.${optimizer.slots[i]}.${name}`;
      yield { name: slot, variable, layout };
    }
    if (average) yield { name: `ema.${name}`, variable: average, layout };
  }
  for (const [name, { value, average }] of buffers) {
    yield { name, variable: value, layout: "none" };
    if (average) {
      yield { name: `ema.${name}`, variable: average, layout: "none" };
    }
  }
}

/** The whole state under PyTorch's names and in its layout. */
export function saveVariables(variables: Variables): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const { name, variable, layout } of named(variables)) {
    const value = variable.read();
    const { data, shape } = toTorch(
      value.dataSync() as Float32Array<ArrayBuffer>,
      variable.shape,
      layout,
    );
    value.dispose();
    tensors.set(name, { dtype: "F32", shape, data });
  }
  return tensors;
}

/**
 * Puts back what `saveVariables` gave.
 *
 * @throws on a missing name or another shape, before anything is changed.
 */
export function loadVariables(
  variables: Variables,
  tensors: ReadonlyMap<string, StoredTensor>,
): void {
  const found = Array.from(named(variables), ({ name, variable, layout }) => {
    const stored = tensors.get(name);
    if (!stored) throw new Error(`checkpoint: ${name} is missing`);
    const { data, shape } = fromTorch(
      stored.data as Float32Array,
      stored.shape,
      layout,
    );
    if (String(shape) !== String(variable.shape)) {
      throw new Error(
        `checkpoint: ${name} has shape [${shape}], the model wants [${variable.shape}]`,
      );
    }
    return { variable, data, shape };
  });
  for (const { variable, data, shape } of found) {
    tf.tidy(() => variable.assign(tf.tensor(data, shape)));
  }
}

/** All that are held, in an order that their structure gives. */
export function everyVariable({ parameters, buffers }: Variables): Variable[] {
  const own = [
    ...Array.from(
      parameters.values(),
      ({ value, slots, average, sum }) => [value, ...slots, average, sum],
    ),
    ...Array.from(buffers.values(), ({ value, average }) => [value, average]),
  ];
  return own.flat().filter((v) => v !== undefined);
}

/** What of the variables a compiled step is made for: all but their values. */
export function structureOf({ parameters, buffers }: Variables): string {
  return JSON.stringify([
    Array.from(parameters, ([name, { value, rule, row, slots, ...more }]) => [
      name,
      value.shape,
      row,
      rule.weightDecay > 0,
      slots.length,
      !!more.average,
      !!more.sum,
    ]),
    Array.from(
      buffers,
      ([name, { value, average }]) => [name, value.shape, !!average],
    ),
  ]);
}

export function disposeVariables(variables: Variables): void {
  everyVariable(variables).forEach((v) => v.dispose());
}
