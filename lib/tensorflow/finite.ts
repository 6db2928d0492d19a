/** Whether tensors hold NaN or infinity, asked by the binding's ids. */
import { AttrType, binding, DataType, describeTensor } from "./binding.ts";
import { handleOf } from "./binding.ts";

const FLOATS: readonly number[] = [
  DataType.FLOAT,
  DataType.DOUBLE,
  DataType.HALF,
  DataType.BFLOAT16,
];

/** Whether no value of tensor `id` is NaN or infinite; true unless of floats. */
export function allFinite(id: number): boolean {
  const { shape, dtype } = describeTensor(handleOf(id));
  if (!FLOATS.includes(dtype)) return true;
  const [finite] = binding.executeOp(
    "IsFinite",
    [
      { name: "T", type: AttrType.TYPE, value: dtype },
    ],
    [id],
    1,
  );
  const axes = binding.createTensor(
    [shape.length],
    DataType.INT32,
    Int32Array.from(shape.keys()),
  );
  const [all] = binding.executeOp(
    "All",
    [
      { name: "keep_dims", type: AttrType.BOOL, value: false },
      { name: "Tidx", type: AttrType.TYPE, value: DataType.INT32 },
    ],
    [finite.id, axes],
    1,
  );
  const [yes] = binding.tensorDataSync(all.id) as Uint8Array;
  [finite.id, axes, all.id].forEach(binding.deleteTensor);
  return yes === 1;
}

/** The largest absolute value of float32 tensor `id`, NaN left out; undefined of others. */
export function largestOf(id: number): number | undefined {
  if (describeTensor(handleOf(id)).dtype !== DataType.FLOAT) return undefined;
  let largest = 0;
  for (const value of binding.tensorDataSync(id) as Float32Array) {
    if (Math.abs(value) > largest) largest = Math.abs(value);
  }
  return largest;
}
