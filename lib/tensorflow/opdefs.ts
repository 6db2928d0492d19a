/** Which inputs of an op are lists, read from the library's own op registry. */
import { C } from "./library.ts";

export interface OpDef {
  /** One entry an input argument: undefined for one tensor, else the attribute that counts a list. */
  inputs: ({ numberAttr?: string; typeListAttr?: string } | undefined)[];
  stateful: boolean;
}

/** Fields of a protobuf message in wire order: [field number, value]. */
function* fields(
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

let registry: Map<string, OpDef> | undefined;

// Field numbers: OpList.op = 1; OpDef.name = 1, input_arg = 2,
// is_stateful = 17; ArgDef.number_attr = 5, type_list_attr = 6
// (tensorflow/core/framework/op_def.proto).
function load(): Map<string, OpDef> {
  const text = new TextDecoder();
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
  const ops = new Map<string, OpDef>();
  for (const [, op] of fields(list)) {
    const def: OpDef = { inputs: [], stateful: false };
    let name = "";
    for (const [field, value] of fields(op as Uint8Array)) {
      if (field === 1) name = text.decode(value as Uint8Array);
      if (field === 17) def.stateful = value === 1;
      if (field !== 2) continue;
      let list: OpDef["inputs"][number];
      for (const [n, v] of fields(value as Uint8Array)) {
        if (n === 5) list = { numberAttr: text.decode(v as Uint8Array) };
        if (n === 6) list = { typeListAttr: text.decode(v as Uint8Array) };
      }
      def.inputs.push(list);
    }
    ops.set(name, def);
  }
  return ops;
}

/** The definition of op `name`, undefined when the library has none. */
export function opDef(name: string): OpDef | undefined {
  return (registry ??= load()).get(name);
}
