/** Whether a call is as the op's definition says, asked before libtensorflow is. */
import { callSite, valueInError } from "./caller.ts";
import { type Arg, type AttrDef, opDef } from "./opdefs.ts";
import { type Attr, AttrType } from "./types.ts";
import { shapeError } from "./value_checks.ts";

/** Attribute kinds of an op's definition as the binding names them. */
const KINDS: Record<string, number> = {
  string: AttrType.STRING,
  int: AttrType.INT,
  float: AttrType.FLOAT,
  bool: AttrType.BOOL,
  type: AttrType.TYPE,
  shape: AttrType.SHAPE,
};
/** Kinds whose lists the binding can set. */
const LISTS: readonly number[] = [AttrType.INT, AttrType.FLOAT, AttrType.TYPE];
const LAST_DTYPE = 23;
export const MOST_OUTPUTS = 256;
/** Lists of whole numbers are windows, strides, paddings: beyond this kernels overflow. */
const LONGEST = 2 ** 16;

/** What is wrong with `value` as one of `kind`, undefined if nothing is. */
function valueError(kind: number, value: unknown): string | undefined {
  const fits = {
    [AttrType.STRING]: () => typeof value === "string",
    [AttrType.INT]: () => Number.isSafeInteger(value),
    [AttrType.FLOAT]: () => typeof value === "number",
    [AttrType.BOOL]: () => typeof value === "boolean",
    [AttrType.TYPE]: () =>
      Number.isInteger(value) && (value as number) >= 1 &&
      (value as number) <= LAST_DTYPE,
    [AttrType.SHAPE]: () => !shapeError(value, -1),
  }[kind]!;
  return fits() ? undefined : `it cannot be ${valueInError(value)}`;
}

/** What is wrong with `attr`, undefined if nothing is. */
function attrError(attr: Attr, declared: AttrDef): string | undefined {
  const [, list, name] = declared.kind.match(/^(?:(list)\()?(\w+)\)?$/)!;
  const kind = KINDS[name];
  const { type, value } = attr;
  if (kind === undefined || (list && !LISTS.includes(kind))) {
    return "the binding cannot set it";
  }
  if (type !== kind) {
    const given = Object.keys(AttrType)[type]?.toLowerCase();
    return `it was given as ${given ?? valueInError(type)}`;
  }
  const { allowed, least = -Infinity } = declared;
  if (!list) {
    return valueError(kind, value) ??
      (allowed && kind === AttrType.STRING && !allowed.includes(value as string)
        ? `it is one of ${allowed.join(", ")}, not ${valueInError(value)}`
        : kind === AttrType.INT && (value as number) < least
        ? `it is ${least} or more, not ${value}`
        : undefined);
  }
  if (!Array.isArray(value)) return `it cannot be ${valueInError(value)}`;
  if (value.length < least) return `it has ${least} values or more`;
  for (const item of value) {
    const error = valueError(kind, item);
    if (error) return error;
    if (kind === AttrType.INT && Math.abs(item) > LONGEST) {
      return `${item} is beyond ${LONGEST}`;
    }
  }
}

/** Ops that end the process or wait for ever by design. */
const REFUSED =
  /^(Abort|_?(Host)?(Recv|Send)|Barrier.*|.*Dequeue.*|.*Unstage.*|Collective.*|Configure.*TPU)$/;

/** How many inputs each input argument of a call takes, in order. */
export interface CallPlan {
  /** Undefined for one tensor, else the length of the list. */
  inputs: (number | undefined)[];
  /** Attributes that the lists' lengths set. */
  counted: Set<string | undefined>;
}

/**
 * Throws one line that names op and place unless the call is as the op's
 * definition says: attributes, numbers of inputs and outputs. What dtypes and
 * shapes must be, the library checks itself.
 */
export function checkCall(
  name: string,
  attrs: readonly Attr[],
  inputs: readonly number[],
  outputs: number,
): CallPlan {
  const def = typeof name === "string" ? opDef(name) : undefined;
  if (!def) {
    const called = typeof name === "string"
      ? name.slice(0, 60)
      : valueInError(name);
    throw new Error(
      `op ${called} is not in this libtensorflow${callSite()}`,
    );
  }
  const fail = (why: string): never => {
    throw new Error(`op ${name}${callSite()}: ${why}`);
  };
  if (REFUSED.test(name)) fail("it may end the process or wait for ever");
  if (!Array.isArray(attrs)) fail("its attributes must be a list");
  if (!Array.isArray(inputs)) fail("its inputs must be a list of ids");
  const lengths = new Map<string, number>();
  for (const attr of attrs) {
    const declared = def.attrs.get(attr?.name);
    if (!declared) {
      const known = [...def.attrs.keys()].join(", ");
      return fail(
        `it has no attribute ${valueInError(attr?.name)}, only ${
          known || "inputs"
        }`,
      );
    }
    const error = attrError(attr, declared);
    if (error) fail(`attribute ${attr.name} is a ${declared.kind}: ${error}`);
    const { value } = attr;
    lengths.set(attr.name, Array.isArray(value) ? value.length : Number(value));
  }
  const missing = def.needed.find((needed) => !lengths.has(needed));
  if (missing) fail(`it needs attribute ${missing}`);
  const lengthOf = (arg: Arg): number | undefined => {
    if (!arg) return undefined;
    const counter = arg.numberAttr ?? arg.typeListAttr!;
    const length = lengths.get(counter) ??
      fail(`it needs attribute ${counter}`);
    return length >= 0
      ? length
      : fail(`attribute ${counter} cannot be ${length}`);
  };
  const total = (lengths: (number | undefined)[]) =>
    lengths.reduce<number>((sum, length) => sum + (length ?? 1), 0);
  const plan = def.inputs.map(lengthOf);
  if (total(plan) !== inputs.length) {
    fail(`it takes ${total(plan)} inputs, not ${inputs.length}`);
  }
  const made = total(def.outputs.map(lengthOf));
  if (made !== outputs) {
    fail(`it gives ${made} outputs, not ${valueInError(outputs)}`);
  }
  if (made > MOST_OUTPUTS) fail(`${made} outputs are too many`);
  return {
    inputs: plan,
    counted: new Set(def.inputs.map((arg) => arg?.numberAttr)),
  };
}

type Shape = readonly number[];

/** What is wrong with inputs of these shapes, undefined if nothing is. */
type Rule = (
  shapes: readonly Shape[],
  attrs: readonly Attr[],
) => string | undefined;

/** Inputs of these ranks, undefined for any. */
const ranked = (...ranks: (number | undefined)[]): Rule => (shapes) => {
  const i = ranks.findIndex((rank, i) =>
    rank !== undefined && shapes[i].length !== rank
  );
  return i < 0
    ? undefined
    : `input ${i} is [${shapes[i]}], not of rank ${ranks[i]}`;
};

/** A convolution's gradient: inputs of these ranks, windows of the largest. */
const convolution = (...ranks: number[]): Rule => (shapes, attrs) => {
  const rank = Math.max(...ranks);
  const window = attrs.find(({ name, value }) =>
    /^(strides|dilations)$/.test(name) && (value as Shape).length !== rank
  );
  return ranked(...ranks)(shapes, attrs) ??
    (window && `attribute ${window.name} has not ${rank} values`);
};

/** What neither the ops' shape functions nor their kernels look at. */
const RULES = new Map<string, Rule>([
  ["Conv2DBackpropFilter", convolution(4, 1, 4)],
  ["Conv2DBackpropInput", convolution(1, 4, 4)],
  ["DepthwiseConv2dNativeBackpropFilter", convolution(4, 1, 4)],
  ["DepthwiseConv2dNativeBackpropInput", convolution(1, 4, 4)],
  ["Conv3DBackpropFilterV2", convolution(5, 1, 5)],
  ["Conv3DBackpropInputV2", convolution(1, 5, 5)],
  ["SplitV", ranked(undefined, 1, 0)],
  ["GatherV2", ([params, indices], attrs) => {
    const dims = attrs.find((a) => a.name === "batch_dims")?.value as number;
    const most = Math.min(params.length, indices.length);
    return Math.abs(dims ?? 0) > most
      ? `attribute batch_dims is ${dims}, beyond ${most}`
      : undefined;
  }],
]);

/** Throws where inputs of these shapes would end the process in the op's kernel. */
export function checkInputs(
  name: string,
  attrs: readonly Attr[],
  shapes: readonly Shape[],
): void {
  const error = RULES.get(name)?.(shapes, attrs);
  if (error) throw new Error(`op ${name}${callSite()}: ${error}`);
}
