/** ONNX files: a graph of nodes and tensors as the bytes of its protobuf. */
import { elements } from "./tensor.ts";

/**
 * What is used here of onnx.proto (ONNX 1.12, IR version 8), fields by their
 * numbers there.
 */
const SCHEMA = `syntax = "proto3";
message ModelProto {
  int64 ir_version = 1;
  string producer_name = 2;
  string doc_string = 6;
  GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8;
  repeated StringStringEntryProto metadata_props = 14;
}
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message StringStringEntryProto { string key = 1; string value = 2; }
message GraphProto {
  repeated NodeProto node = 1;
  string name = 2;
  repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
}
message NodeProto {
  repeated string input = 1;
  repeated string output = 2;
  string name = 3;
  string op_type = 4;
  repeated AttributeProto attribute = 5;
}
message AttributeProto {
  string name = 1;
  float f = 2;
  int64 i = 3;
  repeated int64 ints = 8;
  int32 type = 20;
}
message TensorProto {
  repeated int64 dims = 1;
  int32 data_type = 2;
  string name = 8;
  bytes raw_data = 9;
}
message ValueInfoProto { string name = 1; TypeProto type = 2; }
message TypeProto { Tensor tensor_type = 1; }
message Tensor { int32 elem_type = 1; TensorShapeProto shape = 2; }
message TensorShapeProto { repeated Dimension dim = 1; }
message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
`;

const FLOAT = 1, INT64 = 7;
/** The operators' version: the first with LayerNormalization. */
const OPSET = 17;

/** A number is a FLOAT; whole ones are given as `{ int }`. */
export type Attribute = { float: number } | { int: number } | {
  ints: readonly number[];
};

/** An input or an output: a name for a side that is free. */
export interface Port {
  name: string;
  shape: readonly (number | string)[];
}

/** A graph under construction; each method gives the name of what it adds. */
export class OnnxGraph {
  readonly #nodes: unknown[] = [];
  readonly #initializers = new Map<string, unknown>();
  #count = 0;

  /** The one output of a node. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
  ): string {
    const output = `${op.toLowerCase()}_${++this.#count}`;
    this.#nodes.push({
      op_type: op,
      name: output,
      input: inputs,
      output: [output],
      attribute: Object.entries(attributes).map(([name, a]) =>
        "float" in a
          ? { name, f: a.float, type: 1 }
          : "int" in a
          ? { name, i: a.int, type: 2 }
          : { name, ints: a.ints, type: 7 }
      ),
    });
    return output;
  }

  /** A tensor of the file, row-major; the same name is the same tensor. */
  tensor(
    name: string,
    data: Float32Array | BigInt64Array,
    shape: readonly number[],
  ): string {
    if (data.length !== elements(shape)) {
      throw new Error(`${name}: ${data.length} values for [${shape}]`);
    }
    this.#initializers.set(name, {
      name,
      dims: shape,
      data_type: data instanceof Float32Array ? FLOAT : INT64,
      raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    });
    return name;
  }

  /** A constant of one number. */
  number(value: number): string {
    return this.tensor(`number_${value}`, Float32Array.of(value), []);
  }

  /** A constant list of whole numbers, such as a shape. */
  whole(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.tensor(`whole_${values.join("_")}`, data, [values.length]);
  }

  /** A node's output under the name that the graph gives it outside. */
  output(name: string, value: string): void {
    this.#nodes.push({
      op_type: "Identity",
      name,
      input: [value],
      output: [name],
    });
  }

  /** The file's bytes: float32 in and out; `metadata` for those who use it. */
  async bytes(
    { inputs, outputs, metadata = {}, about = "" }: {
      inputs: readonly Port[];
      outputs: readonly Port[];
      metadata?: Record<string, string>;
      about?: string;
    },
  ): Promise<Uint8Array> {
    // Loaded where it is wanted: start-up time counts.
    const { default: protobuf } = await import("protobufjs");
    const port = ({ name, shape }: Port) => ({
      name,
      type: {
        tensor_type: {
          elem_type: FLOAT,
          shape: {
            dim: shape.map((side) =>
              typeof side === "string"
                ? { dim_param: side }
                : { dim_value: side }
            ),
          },
        },
      },
    });
    const Model = protobuf.parse(SCHEMA, { keepCase: true })
      .root.lookupType("ModelProto");
    return Model.encode({
      ir_version: 8,
      producer_name: "FERLab",
      doc_string: about,
      opset_import: [{ domain: "", version: OPSET }],
      metadata_props: Object.entries(metadata)
        .map(([key, value]) => ({ key, value })),
      graph: {
        name: "net",
        node: this.#nodes,
        initializer: [...this.#initializers.values()],
        input: inputs.map(port),
        output: outputs.map(port),
      },
    }).finish();
  }
}
