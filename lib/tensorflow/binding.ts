/** tfjs-node's `TFJSBinding` over libtensorflow: tensors and eager ops. */
import {
  C,
  checkStatus,
  cString,
  int64s,
  missingNative,
  type Pointer,
  status,
  textAt,
} from "./c_api.ts";
import { requireDevice } from "./cuda.ts";
import { deviceChoice, DeviceError } from "./device.ts";
import { callSite, valueInError } from "./caller.ts";
import { checkCall, checkInputs, MOST_OUTPUTS } from "./calls.ts";
import type { Tracer } from "./trace.ts";
import { type Attr, AttrType, DataType } from "./types.ts";
import { storedStrings, storedValues } from "./value_checks.ts";

export { type Attr, AttrType, DataType } from "./types.ts";

export interface TensorMetadata {
  id: number;
  shape: number[];
  dtype: number;
}

export interface Device {
  name: string;
  type: string;
  /** Bytes that TensorFlow may take on a GPU; no figure of the machine's on a CPU. */
  memory: number;
}

// ConfigProto.allow_soft_placement (field 7) = true: an op without a GPU
// kernel runs on the CPU. inter_op_parallelism_threads (5) = 1: the ops of a
// step follow one another, and each of them takes all cores; two at once
// would wait for each other's threads.
const CONFIG = [0x38, 0x01, 0x28, 0x01];
// ConfigProto.device_count (field 1) {"GPU": 0}: GPUs are left alone.
const NO_GPU = [0x0a, 0x07, 0x0a, 0x03, 0x47, 0x50, 0x55, 0x10, 0x00];

function newContext(): { context: Pointer; devices: Device[] } {
  const config = Uint8Array.from(
    deviceChoice() === "cpu" ? [...CONFIG, ...NO_GPU] : CONFIG,
  );
  const options = C.TFE_NewContextOptions();
  const length = BigInt(config.length);
  C.TFE_ContextOptionsSetConfig(options, config, length, status);
  checkStatus("context options");
  const context = C.TFE_NewContext(options, status);
  checkStatus("TensorFlow cannot start");
  C.TFE_DeleteContextOptions(options);
  const list = C.TFE_ContextListDevices(context, status);
  checkStatus("devices");
  const devices = Array.from(
    { length: C.TF_DeviceListCount(list) },
    (_, i) => ({
      name: textAt(C.TF_DeviceListName(list, i, status)),
      type: textAt(C.TF_DeviceListType(list, i, status)),
      memory: Number(C.TF_DeviceListMemoryBytes(list, i, status)),
    }),
  );
  C.TF_DeleteDeviceList(list);
  return { context, devices };
}

export const { context, devices } = newContext();
export const gpu = devices.find((d) => d.type === "GPU");
if (!gpu && deviceChoice() === "gpu") {
  await requireDevice(); // says why, where it can
  throw new DeviceError(
    "a GPU is asked for, and TensorFlow finds none: `deno task tf info " +
      "--device auto` tells what is missing",
  );
}
export const device = gpu ?? devices[0];

const handles = new Map<number, Pointer>();
/** Shapes of the same tensors. */
const shapes = new Map<number, readonly number[]>();
let nextId = 1;
let tracer: Tracer | null = null;

/** Sends the binding's calls to `t` until it is called with null again. */
export function setTracer(t: Tracer | null): void {
  tracer = t;
}

export function currentTracer(): Tracer | null {
  return tracer;
}

/** Sees an eager op that has run: its inputs' ids and its outputs. */
export type Observer = (
  op: string,
  inputs: readonly number[],
  outputs: readonly TensorMetadata[],
) => void;

let observer: Observer | null = null;

/** Told the milliseconds of each eager op. */
export type OpTimer = (op: string, ms: number) => void;

let timer: OpTimer | null = null;

/**
 * Times each op until it is called with null again; compiled functions run op
 * by op until then.
 */
export function timeOps(t: OpTimer | null): void {
  timer = t;
}

export const timesOps = () => timer !== null;

/**
 * Shows each eager op to `o` until it is called with null again; neither
 * traced ops nor those that `o` runs itself.
 */
export function observe(o: Observer | null): void {
  observer = o;
}

/**
 * Whether FERLab's own ops stand in for TensorFlow's: on the CPU where they
 * could be compiled, unless a trace is made for bfloat16, for which they have
 * no arithmetic, or somebody watches each op.
 */
export function usesNativeOps(): boolean {
  return missingNative === null && !gpu && !observer &&
    tracer?.precision !== "bfloat16";
}

export function newId(): number {
  return nextId++;
}

export function handleOf(id: number): Pointer {
  const handle = handles.get(id);
  if (!handle) {
    throw new Error(
      `tensor ${
        valueInError(id)
      } has no value${callSite()}: it was disposed, or it belongs to a finished trace`,
    );
  }
  return handle;
}

export function hasHandle(id: number): boolean {
  return handles.has(id);
}

/** Number of live tensor handles; constant over a loop that does not leak. */
export function handleCount(): number {
  return handles.size;
}

export function adopt(handle: Pointer): TensorMetadata {
  const id = newId();
  const description = describeTensor(handle);
  handles.set(id, handle);
  shapes.set(id, description.shape);
  return { id, ...description };
}

export function describeTensor(
  handle: Pointer,
): { shape: number[]; dtype: number } {
  const rank = C.TFE_TensorHandleNumDims(handle, status);
  checkStatus("tensor shape");
  const shape = Array.from(
    { length: rank },
    (_, d) => Number(C.TFE_TensorHandleDim(handle, d, status)),
  );
  return { shape, dtype: C.TFE_TensorHandleDataType(handle) };
}

export type Values =
  | ArrayBufferView
  | readonly (boolean | number | Uint8Array)[];

function allocate(shape: number[], dtype: number, bytes: number): Pointer {
  const tensor = C.TF_AllocateTensor(
    dtype,
    int64s(shape),
    shape.length,
    BigInt(bytes),
  );
  if (!tensor) {
    throw new Error(
      `no memory for a tensor of shape [${shape}], ${bytes} bytes`,
    );
  }
  return tensor;
}

/** A `TF_Tensor` that holds `values`; the caller deletes it. */
export function newTensor(
  shape: number[],
  dtype: number,
  values: Values,
): Pointer {
  if (dtype === DataType.STRING) {
    return newStringTensor(shape, storedStrings(shape, values));
  }
  const view = storedValues(shape, dtype, values);
  const tensor = allocate(shape, dtype, view.byteLength);
  if (view.byteLength) {
    new Uint8Array(
      Deno.UnsafePointerView.getArrayBuffer(
        C.TF_TensorData(tensor)!,
        view.byteLength,
      ),
    ).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }
  return tensor;
}

const TSTRING_BYTES = 24;

function stringAt(tensor: Pointer, index: number): Pointer {
  return Deno.UnsafePointer.offset(
    C.TF_TensorData(tensor)!,
    index * TSTRING_BYTES,
  );
}

function newStringTensor(
  shape: number[],
  values: readonly Uint8Array[],
): Pointer {
  const tensor = allocate(
    shape,
    DataType.STRING,
    values.length * TSTRING_BYTES,
  );
  values.forEach((value, i) => {
    const at = stringAt(tensor, i);
    C.TF_StringInit(at);
    C.TF_StringCopy(at, Uint8Array.from(value), BigInt(value.length));
  });
  return tensor;
}

function readStrings(tensor: Pointer): Uint8Array[] {
  return Array.from(
    { length: Number(C.TF_TensorElementCount(tensor)) },
    (_, i) => {
      const at = stringAt(tensor, i);
      const size = Number(C.TF_StringGetSize(at));
      return size
        ? new Uint8Array(
          Deno.UnsafePointerView.getArrayBuffer(
            C.TF_StringGetDataPointer(at)!,
            size,
          ).slice(0),
        )
        : new Uint8Array();
    },
  );
}

function createTensor(shape: number[], dtype: number, values: Values): number {
  const tensor = newTensor(shape, dtype, values);
  let handle = C.TFE_NewTensorHandle(tensor, status);
  C.TF_DeleteTensor(tensor);
  checkStatus("new tensor");
  // TensorFlow keeps int32 and string tensors in host memory.
  if (gpu && dtype !== DataType.INT32 && dtype !== DataType.STRING) {
    const host = handle;
    handle = C.TFE_TensorHandleCopyToDevice(
      host,
      context,
      cString(gpu.name),
      status,
    );
    C.TFE_DeleteTensorHandle(host);
    checkStatus("copy to the GPU");
  }
  const id = newId();
  handles.set(id, handle);
  shapes.set(id, [...shape]);
  tracer?.created(id, shape, dtype, values);
  return id;
}

function deleteTensor(id: number): void {
  tracer?.forget(id);
  const handle = handles.get(id);
  if (!handle) return;
  C.TFE_DeleteTensorHandle(handle);
  handles.delete(id);
  shapes.delete(id);
}

type ArrayOf = new (buffer: ArrayBuffer) => ArrayBufferView;

/** What the values of a dtype are read into. */
const ARRAYS = new Map<number, ArrayOf>([
  [DataType.FLOAT, Float32Array],
  [DataType.COMPLEX64, Float32Array],
  [DataType.DOUBLE, Float64Array],
  [DataType.INT32, Int32Array],
  [DataType.INT64, BigInt64Array],
  [DataType.UINT8, Uint8Array],
  [DataType.BOOL, Uint8Array],
]);

function tensorDataSync(id: number): ArrayBufferView | Uint8Array[] {
  if (tracer) tracer.refuseRead();
  const handle = handleOf(id);
  const dtype = C.TFE_TensorHandleDataType(handle);
  const ArrayType = ARRAYS.get(dtype);
  if (!ArrayType && dtype !== DataType.STRING) {
    throw new Error(
      `a tensor of dtype ${dtype} cannot be read${callSite()}: cast it to float32 first`,
    );
  }
  const tensor = C.TFE_TensorHandleResolve(handle, status);
  checkStatus("read a tensor");
  try {
    if (!ArrayType) return readStrings(tensor);
    const size = Number(C.TF_TensorByteSize(tensor));
    return new ArrayType(
      size
        ? Deno.UnsafePointerView.getArrayBuffer(C.TF_TensorData(tensor)!, size)
          .slice(0)
        : new ArrayBuffer(0),
    );
  } finally {
    C.TF_DeleteTensor(tensor);
  }
}

const encoder = new TextEncoder();

function setAttr(op: Pointer, { name, type, value }: Attr): void {
  const key = cString(name);
  switch (type) {
    case AttrType.STRING: {
      const bytes = encoder.encode(value as string);
      C.TFE_OpSetAttrString(op, key, bytes, BigInt(bytes.length));
      break;
    }
    case AttrType.INT:
      if (Array.isArray(value)) {
        C.TFE_OpSetAttrIntList(op, key, int64s(value), value.length);
      } else C.TFE_OpSetAttrInt(op, key, BigInt(value as number));
      break;
    case AttrType.FLOAT:
      if (Array.isArray(value)) {
        C.TFE_OpSetAttrFloatList(
          op,
          key,
          Float32Array.from(value),
          value.length,
        );
      } else C.TFE_OpSetAttrFloat(op, key, value as number);
      break;
    case AttrType.BOOL:
      C.TFE_OpSetAttrBool(op, key, value ? 1 : 0);
      break;
    case AttrType.TYPE:
      if (Array.isArray(value)) {
        C.TFE_OpSetAttrTypeList(op, key, Int32Array.from(value), value.length);
      } else C.TFE_OpSetAttrType(op, key, value as number);
      break;
    case AttrType.SHAPE: {
      const shape = value as number[];
      C.TFE_OpSetAttrShape(op, key, int64s(shape), shape.length, status);
      break;
    }
    default:
      throw new Error(`attribute ${name}: kind ${type} is not supported`);
  }
}

/** Throws what the status holds after a call of op `name`. */
export function checkOp(name: string): void {
  if (C.TF_GetCode(status) !== 0) checkStatus(`op ${name}${callSite()}`);
}

/** An eager op with device, inputs and attributes set; the caller deletes it. */
export function newOp(
  name: string,
  attrs: readonly Attr[],
  inputs: readonly number[],
): Pointer {
  const op = C.TFE_NewOp(context, cString(name), status);
  checkOp(name);
  try {
    if (gpu) C.TFE_OpSetDevice(op, cString(gpu.name), status);
    for (const id of inputs) {
      C.TFE_OpAddInput(op, handleOf(id), status);
      checkOp(name);
    }
    for (const attr of attrs) setAttr(op, attr);
    return op;
  } catch (error) {
    C.TFE_DeleteOp(op);
    throw error;
  }
}

// TF_ShapeAndTypeList { int32 num_items; TF_ShapeAndType* items; } of
// TF_ShapeAndType { int32 num_dims; int64* dims; int32 dtype; }
const MOST_INPUTS = 4096;
const MOST_DIMENSIONS = 1 << 16;
const shapeList = new BigUint64Array(2);
const shapeItems = new BigUint64Array(3 * MOST_INPUTS);
const shapeDimensions = new BigInt64Array(MOST_DIMENSIONS);
const bufferAddress = (buffer: BigUint64Array | BigInt64Array) =>
  BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
shapeList[1] = bufferAddress(shapeItems);
const dimensionsAt = bufferAddress(shapeDimensions);

/** Throws where the ranks and sizes of an eager op's inputs do not fit: its kernel may end the process instead. */
function checkShapes(
  name: string,
  op: Pointer,
  attrs: readonly Attr[],
  inputs: readonly number[],
) {
  const given = inputs.map((id) => shapes.get(id)!);
  checkInputs(name, attrs, given);
  let dimension = 0;
  given.forEach((shape, i) => {
    if (
      i === MOST_INPUTS || dimension + shape.length > MOST_DIMENSIONS
    ) throw new Error(`op ${name}${callSite()}: it has too many inputs`);
    shapeItems[3 * i] = BigInt(shape.length);
    shapeItems[3 * i + 1] = dimensionsAt + BigInt(8 * dimension);
    for (const size of shape) shapeDimensions[dimension++] = BigInt(size);
  });
  shapeList[0] = BigInt(inputs.length);
  C.TFE_InferShapes(op, shapeList, null, null, null, null, null, status);
  checkOp(name);
}

const outputs = new BigUint64Array(MOST_OUTPUTS);
const outputCount = new Int32Array(1);

function executeOp(
  name: string,
  attrs: readonly Attr[],
  inputs: readonly number[],
  n: number,
): TensorMetadata[] {
  const plan = checkCall(name, attrs, inputs, n);
  if (tracer) return tracer.executeOp(name, attrs, inputs, n, plan);
  const op = newOp(name, attrs, inputs);
  try {
    checkShapes(name, op, attrs, inputs);
    outputCount[0] = n;
    const start = timer ? performance.now() : 0;
    C.TFE_Execute(op, outputs, outputCount, status);
    timer?.(name, performance.now() - start);
  } finally {
    C.TFE_DeleteOp(op);
  }
  checkOp(name);
  const made = Array.from(
    { length: outputCount[0] },
    (_, i) => adopt(Deno.UnsafePointer.create(outputs[i])),
  );
  if (observer) {
    const shown = observer;
    observer = null;
    try {
      shown(name, inputs, made);
    } finally {
      observer = shown;
    }
  }
  return made;
}

function noSavedModel(): never {
  throw new Error(
    "saved models are not supported: save weights as safetensors instead",
  );
}

/** What tfjs-node-gpu's JavaScript half calls. */
export const binding = {
  TF_FLOAT: DataType.FLOAT,
  TF_INT32: DataType.INT32,
  TF_INT64: DataType.INT64,
  TF_BOOL: DataType.BOOL,
  TF_COMPLEX64: DataType.COMPLEX64,
  TF_STRING: DataType.STRING,
  TF_RESOURCE: DataType.RESOURCE,
  TF_UINT8: DataType.UINT8,
  TF_ATTR_STRING: AttrType.STRING,
  TF_ATTR_INT: AttrType.INT,
  TF_ATTR_FLOAT: AttrType.FLOAT,
  TF_ATTR_BOOL: AttrType.BOOL,
  TF_ATTR_TYPE: AttrType.TYPE,
  TF_ATTR_SHAPE: AttrType.SHAPE,
  TF_ATTR_RESOURCE: AttrType.RESOURCE,
  TF_Version: textAt(C.TF_Version()),
  createTensor,
  deleteTensor,
  tensorDataSync,
  executeOp,
  isUsingGpuDevice: () => gpu !== undefined,
  getNumOfTensors: handleCount,
  getNumOfSavedModels: () => 0,
  loadSavedModel: noSavedModel,
  deleteSavedModel: noSavedModel,
  runSavedModel: noSavedModel,
};
