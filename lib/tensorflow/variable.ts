/** A float32 tensor that is updated in place: parameters, optimizer state. */
import { backend, tensorId, tf } from "./backend.ts";
import { type Attr, AttrType, binding, DataType } from "./binding.ts";

const dtype: Attr = {
  name: "dtype",
  type: AttrType.TYPE,
  value: DataType.FLOAT,
};
let count = 0;

export class Variable {
  readonly id: number;
  readonly shape: number[];

  /** Takes a copy of `initial`, which stays the caller's. */
  constructor(initial: tf.Tensor, name = "variable") {
    this.shape = initial.shape;
    const [handle] = binding.executeOp(
      "VarHandleOp",
      [
        dtype,
        { name: "shape", type: AttrType.SHAPE, value: this.shape },
        {
          name: "shared_name",
          type: AttrType.STRING,
          value: `${name}#${count++}`,
        },
        { name: "container", type: AttrType.STRING, value: "" },
      ],
      [],
      1,
    );
    this.id = handle.id;
    this.assign(initial);
  }

  /** The current value, as a new tensor. */
  read(): tf.Tensor {
    const [value] = binding.executeOp("ReadVariableOp", [dtype], [this.id], 1);
    // Inside a trace the handle's shape is unknown to the graph.
    const [shaped] = binding.executeOp(
      "EnsureShape",
      [
        { name: "T", type: AttrType.TYPE, value: DataType.FLOAT },
        { name: "shape", type: AttrType.SHAPE, value: this.shape },
      ],
      [value.id],
      1,
    );
    binding.deleteTensor(value.id);
    return backend.createOutputTensor(shaped);
  }

  assign(value: tf.Tensor): void {
    this.#write("AssignVariableOp", value);
  }

  add(value: tf.Tensor): void {
    this.#write("AssignAddVariableOp", value);
  }

  subtract(value: tf.Tensor): void {
    this.#write("AssignSubVariableOp", value);
  }

  #write(op: string, value: tf.Tensor): void {
    binding.executeOp(op, [dtype], [this.id, tensorId(value)], 0);
  }

  dispose(): void {
    binding.executeOp(
      "DestroyResourceOp",
      [{
        name: "ignore_lookup_error",
        type: AttrType.BOOL,
        value: true,
      }],
      [this.id],
      0,
    );
    binding.deleteTensor(this.id);
  }
}
