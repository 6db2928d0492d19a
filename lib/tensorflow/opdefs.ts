/** What an op takes and gives, read from the library's own op registry. */
import { C } from "./c_api.ts";

/** An input or output: one tensor, else a list that an attribute counts. */
export type Arg =
  | { numberAttr?: string; typeListAttr?: string }
  | undefined;

export interface AttrDef {
  /** "int", "list(type)", … */
  kind: string;
  /** The strings that it may be, if not all. */
  allowed?: string[];
  /** The least value of an int, the least length of a list. */
  least?: number;
}

export interface OpDef {
  inputs: Arg[];
  outputs: Arg[];
  attrs: Map<string, AttrDef>;
  /** Attributes that neither a default nor an input's dtype tells. */
  needed: string[];
}

/** Fields of a protobuf message in wire order: [field number, value]. */
export function* fields(
  bytes: Uint8Array,
): Generator<[number, number | Uint8Array]> {
  let at = 0;
  const varint = () => {
    let value = 0, scale = 1, byte;
    do {
      byte = bytes[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte & 128);
    return value;
  };
  while (at < bytes.length) {
    const key = varint();
    switch (key & 7) {
      case 0:
        yield [key >>> 3, varint()];
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = varint();
        yield [key >>> 3, bytes.subarray(at, at += length)];
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        throw new Error("the library's op list is not a protobuf message");
    }
  }
}

const decoder = new TextDecoder();
const text = (value: number | Uint8Array) =>
  decoder.decode(value as Uint8Array);

/** ArgDef.number_attr = 5, type_list_attr = 6. */
function parseArg(bytes: Uint8Array): Arg {
  let arg: Arg;
  for (const [field, value] of fields(bytes)) {
    if (field === 5) arg = { numberAttr: text(value) };
    if (field === 6) arg = { typeListAttr: text(value) };
  }
  return arg;
}

/** AttrValue.list = 1; ListValue.s = 2; undefined where it lists none. */
function parseStrings(bytes: Uint8Array): string[] | undefined {
  const strings: string[] = [];
  for (const [field, list] of fields(bytes)) {
    if (field !== 1) continue;
    for (const [n, v] of fields(list as Uint8Array)) {
      if (n === 2) strings.push(text(v));
    }
  }
  return strings.length ? strings : undefined;
}

// Field numbers: OpDef.input_arg = 2, output_arg = 3, attr = 4;
// ArgDef.type_attr = 4;
// AttrDef.name = 1, type = 2, default_value = 3, minimum = 6, allowed_values = 7
// (tensorflow/core/framework/op_def.proto).
function parse(op: Uint8Array): OpDef {
  const def: OpDef = { inputs: [], outputs: [], attrs: new Map(), needed: [] };
  const told = new Set<string>();
  for (const [field, value] of fields(op)) {
    if (field === 2) {
      def.inputs.push(parseArg(value as Uint8Array));
      for (const [n, v] of fields(value as Uint8Array)) {
        if (n === 4) told.add(text(v));
      }
    }
    if (field === 3) def.outputs.push(parseArg(value as Uint8Array));
    if (field !== 4) continue;
    const attr: AttrDef = { kind: "" };
    let name = "";
    for (const [n, v] of fields(value as Uint8Array)) {
      if (n === 1) name = text(v);
      if (n === 2) attr.kind = text(v);
      if (n === 3) told.add(name);
      if (n === 6) attr.least = v as number;
      if (n === 7) attr.allowed = parseStrings(v as Uint8Array);
    }
    def.attrs.set(name, attr);
  }
  def.needed = [...def.attrs.keys()].filter((name) => !told.has(name));
  return def;
}

let registry: Map<string, Uint8Array | OpDef> | undefined;

// OpList.op = 1; OpDef.name = 1.
function load(): Map<string, Uint8Array | OpDef> {
  const buffer = C.TF_GetAllOpList();
  // TF_Buffer { const void* data; size_t length; … }
  const view = new Deno.UnsafePointerView(buffer!);
  const list = new Uint8Array(
    Deno.UnsafePointerView.getArrayBuffer(
      view.getPointer(0)!,
      Number(view.getBigUint64(8)),
    ).slice(0),
  );
  C.TF_DeleteBuffer(buffer);
  const ops = new Map<string, Uint8Array>();
  for (const [, op] of fields(list)) {
    for (const [field, value] of fields(op as Uint8Array)) {
      if (field !== 1) continue;
      ops.set(text(value), op as Uint8Array);
      break;
    }
  }
  return ops;
}

/** The definition of op `name`, undefined when the library has none. */
export function opDef(name: string): OpDef | undefined {
  registry ??= load();
  const known = registry.get(name);
  if (!(known instanceof Uint8Array)) return known;
  const def = parse(known);
  registry.set(name, def);
  return def;
}
