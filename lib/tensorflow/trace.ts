/** Records ops into a `TF_Graph` instead of running them, then makes a function of it. */
import { type Attr, AttrType, checkOp, context, DataType } from "./binding.ts";
import {
  describeTensor,
  handleOf,
  hasHandle,
  newId,
  newTensor,
} from "./binding.ts";
import type { TensorMetadata, Values } from "./binding.ts";
import { callSite } from "./caller.ts";
import { type CallPlan, checkInputs } from "./calls.ts";
import {
  C,
  checkStatus,
  cString,
  int64s,
  type Pointer,
  status,
} from "./c_api.ts";

interface Node {
  op: Pointer;
  index: number;
  shape: number[];
}

interface Constant {
  shape: number[];
  dtype: number;
  values: Values;
}

/** A `TF_Output[]` in memory. */
function outputList(
  nodes: readonly Omit<Node, "shape">[],
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16 * Math.max(1, nodes.length));
  const view = new DataView(bytes.buffer);
  nodes.forEach(({ op, index }, i) => {
    view.setBigUint64(16 * i, BigInt(Deno.UnsafePointer.value(op)), true);
    view.setInt32(16 * i + 8, index, true);
  });
  return bytes;
}

/** Outputs of unknown shape that nothing but their partner op reads. */
function isInternal(op: string, index: number): boolean {
  return op === "ReadVariableOp" || op === "VarHandleOp" ||
    (op.startsWith("FusedBatchNorm") && index >= 3);
}

export class Tracer {
  readonly #graph = C.TF_NewGraph();
  readonly #nodes = new Map<number, Node>();
  readonly #constants = new Map<number, Constant>();
  readonly #captured = new Map<number, Pointer>();
  readonly #captureNodes: Node[] = [];
  readonly #inputs: Node[] = [];
  readonly #effects: Pointer[] = [];
  /** Per resource: the last op that wrote it and the reads since. */
  readonly #order = new Map<number, { write: Pointer; reads: Pointer[] }>();
  #count = 0;

  /** @param precision of the arithmetic that the graph will be run with */
  constructor(readonly precision: "float32" | "bfloat16" = "float32") {}

  /** A function argument. */
  input(shape: number[], dtype: number): TensorMetadata {
    const node = this.#placeholder(shape, dtype);
    this.#inputs.push(node);
    const id = newId();
    this.#nodes.set(id, node);
    return { id, shape, dtype };
  }

  /** A tensor made while tracing: a constant, should an op read it. */
  created(
    id: number,
    shape: number[],
    dtype: number,
    values: Constant["values"],
  ): void {
    this.#constants.set(id, { shape, dtype, values });
  }

  forget(id: number): void {
    this.#nodes.delete(id);
    this.#constants.delete(id);
  }

  refuseRead(): never {
    throw new Error(
      `a tensor's value cannot be read inside a compiled function${callSite()}: return the tensor and read it outside`,
    );
  }

  executeOp(
    name: string,
    attrs: readonly Attr[],
    inputs: readonly number[],
    n: number,
    plan: CallPlan,
  ): TensorMetadata[] {
    const nodes = inputs.map((id) => this.#nodeOf(id));
    checkInputs(name, attrs, nodes.map((node) => node.shape));
    const description = C.TF_NewOperation(
      this.#graph,
      cString(name),
      this.#name(name),
    );
    let at = 0;
    for (const length of plan.inputs) {
      if (length === undefined) {
        C.TF_AddInput(description, outputList([nodes[at++]]));
        continue;
      }
      const part = nodes.slice(at, at += length);
      C.TF_AddInputList(description, outputList(part), length);
    }
    for (const attr of attrs) {
      if (!plan.counted.has(attr.name)) this.#setAttr(description, attr);
    }
    const resources = this.#resourcesOf(inputs);
    const write = name !== "ReadVariableOp";
    for (const id of resources) {
      const order = this.#order.get(id);
      if (order?.write) C.TF_AddControlInput(description, order.write);
      if (write) {
        order?.reads.forEach((r) => C.TF_AddControlInput(description, r));
      }
    }
    const op = C.TF_FinishOperation(description, status);
    checkOp(name);
    for (const id of resources) {
      if (write) this.#order.set(id, { write: op, reads: [] });
      else if (this.#order.has(id)) this.#order.get(id)!.reads.push(op);
      else this.#order.set(id, { write: null, reads: [op] });
    }
    if (n === 0) this.#effects.push(op);
    return Array.from({ length: n }, (_, i) => this.#output(name, op, i));
  }

  /**
   * Adds the graph to the context as function `name`; the tracer is spent.
   * `captures` are the tensors from outside by their ids, in the inputs' order.
   */
  finish(
    name: string,
    outputs: readonly number[],
  ): { captures: Map<number, Pointer>; nodes: number } {
    const ins = [...this.#inputs, ...this.#captureNodes];
    const outs = outputs.map((id) => this.#nodeOf(id));
    const effects = new BigUint64Array(Math.max(1, this.#effects.length));
    this.#effects.forEach((op, i) =>
      effects[i] = BigInt(Deno.UnsafePointer.value(op))
    );
    try {
      const fn = C.TF_GraphToFunctionWithControlOutputs(
        this.#graph,
        cString(name),
        0,
        -1,
        null,
        ins.length,
        outputList(ins),
        outs.length,
        outputList(outs),
        null,
        this.#effects.length,
        effects,
        null,
        null,
        null,
        status,
      );
      checkStatus("compile");
      C.TFE_ContextAddFunction(context, fn, status);
      checkStatus("compile");
      C.TF_DeleteFunction(fn);
    } catch (error) {
      this.abandon();
      throw error;
    }
    C.TF_DeleteGraph(this.#graph);
    return { captures: this.#captured, nodes: this.#count };
  }

  /** Frees what the trace holds after an error. */
  abandon(): void {
    C.TF_DeleteGraph(this.#graph);
    for (const handle of this.#captured.values()) {
      C.TFE_DeleteTensorHandle(handle);
    }
    this.#captured.clear();
  }

  #name(op: string): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(`${op}_${this.#count++}\0`);
  }

  #resourcesOf(ids: readonly number[]): number[] {
    return ids.filter((id) =>
      hasHandle(id) &&
      C.TFE_TensorHandleDataType(handleOf(id)) === DataType.RESOURCE
    );
  }

  #placeholder(shape: number[], dtype: number): Node {
    const op = C.TF_NewOperation(
      this.#graph,
      cString("Placeholder"),
      this.#name("input"),
    );
    C.TF_SetAttrType(op, cString("dtype"), dtype);
    C.TF_SetAttrShape(op, cString("shape"), int64s(shape), shape.length);
    const finished = C.TF_FinishOperation(op, status);
    checkStatus("argument");
    return { op: finished, index: 0, shape };
  }

  #nodeOf(id: number): Node {
    const known = this.#nodes.get(id);
    if (known) return known;
    const constant = this.#constants.get(id);
    const node = constant ? this.#const(constant) : this.#capture(id);
    this.#nodes.set(id, node);
    return node;
  }

  #const({ shape, dtype, values }: Constant): Node {
    const tensor = newTensor(shape, dtype, values);
    const op = C.TF_NewOperation(
      this.#graph,
      cString("Const"),
      this.#name("const"),
    );
    C.TF_SetAttrTensor(op, cString("value"), tensor, status);
    C.TF_DeleteTensor(tensor);
    C.TF_SetAttrType(op, cString("dtype"), dtype);
    const finished = C.TF_FinishOperation(op, status);
    checkStatus(`constant${callSite()}`);
    return { op: finished, index: 0, shape };
  }

  /** A tensor from outside becomes an input that shares its memory. */
  #capture(id: number): Node {
    const outside = handleOf(id);
    const { shape, dtype } = describeTensor(outside);
    const node = this.#placeholder(shape, dtype);
    this.#captured.set(
      id,
      C.TFE_TensorHandleCopySharingTensor(outside, status),
    );
    checkStatus("capture");
    this.#captureNodes.push(node);
    return node;
  }

  #output(name: string, op: Pointer, index: number): TensorMetadata {
    const output = outputList([{ op, index }]);
    const rank = C.TF_GraphGetTensorNumDims(this.#graph, output, status);
    checkOp(name);
    const dims = int64s(new Array(Math.max(rank, 1)).fill(0));
    if (rank > 0) {
      C.TF_GraphGetTensorShape(this.#graph, output, dims, rank, status);
      checkOp(name);
    }
    let shape = Array.from(dims.subarray(0, Math.max(rank, 0)), Number);
    if (rank < 0 || shape.some((d) => d < 0)) {
      if (!isInternal(name, index)) {
        throw new Error(
          `op ${name}${callSite()}: the shape of its result depends on values, so it cannot be compiled`,
        );
      }
      shape = [0];
    }
    const id = newId();
    this.#nodes.set(id, { op, index, shape });
    return { id, shape, dtype: C.TF_OperationOutputType(output) };
  }

  #setAttr(op: Pointer, { name, type, value }: Attr): void {
    const key = cString(name);
    switch (type) {
      case AttrType.STRING: {
        const bytes = new TextEncoder().encode(value as string);
        C.TF_SetAttrString(op, key, bytes, BigInt(bytes.length));
        break;
      }
      case AttrType.INT:
        if (Array.isArray(value)) {
          C.TF_SetAttrIntList(op, key, int64s(value), value.length);
        } else C.TF_SetAttrInt(op, key, BigInt(value as number));
        break;
      case AttrType.FLOAT:
        if (Array.isArray(value)) {
          C.TF_SetAttrFloatList(
            op,
            key,
            Float32Array.from(value),
            value.length,
          );
        } else C.TF_SetAttrFloat(op, key, value as number);
        break;
      case AttrType.BOOL:
        C.TF_SetAttrBool(op, key, value ? 1 : 0);
        break;
      case AttrType.TYPE:
        if (Array.isArray(value)) {
          C.TF_SetAttrTypeList(
            op,
            key,
            Int32Array.from(value),
            value.length,
          );
        } else C.TF_SetAttrType(op, key, value as number);
        break;
      case AttrType.SHAPE: {
        const shape = value as number[];
        C.TF_SetAttrShape(op, key, int64s(shape), shape.length);
        break;
      }
      default:
        throw new Error(`attribute ${name}: kind ${type} is not supported`);
    }
  }
}
