// The part of TensorFlow's C API by which ops and kernels are registered
// (tensorflow/c/kernels.h, tensorflow/c/ops.h), and what all our ops share.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct TF_Tensor TF_Tensor;
typedef struct TF_Status TF_Status;
typedef struct TF_OpKernelContext TF_OpKernelContext;
typedef struct TF_OpKernelConstruction TF_OpKernelConstruction;
typedef struct TF_KernelBuilder TF_KernelBuilder;
typedef struct TF_OpDefinitionBuilder TF_OpDefinitionBuilder;
typedef struct TF_ShapeInferenceContext TF_ShapeInferenceContext;
typedef struct TF_ShapeHandle TF_ShapeHandle;
typedef struct TF_DimensionHandle TF_DimensionHandle;
enum { TF_FLOAT = 1, TF_INVALID_ARGUMENT = 3, TF_RESOURCE_EXHAUSTED = 8 };

extern TF_Status *TF_NewStatus(void);
extern void TF_DeleteStatus(TF_Status *);
extern int TF_GetCode(const TF_Status *);
extern void TF_SetStatus(TF_Status *, int, const char *);
extern const char *TF_Message(const TF_Status *);

extern void *TF_TensorData(const TF_Tensor *);
extern int TF_NumDims(const TF_Tensor *);
extern int64_t TF_Dim(const TF_Tensor *, int);
extern void TF_DeleteTensor(TF_Tensor *);

extern TF_OpDefinitionBuilder *TF_NewOpDefinitionBuilder(const char *);
extern void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder *, const char *);
extern void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder *, const char *);
extern void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder *, const char *);
extern void TF_OpDefinitionBuilderSetShapeInferenceFunction(
    TF_OpDefinitionBuilder *, void (*)(TF_ShapeInferenceContext *, TF_Status *));
extern void TF_RegisterOpDefinition(TF_OpDefinitionBuilder *, TF_Status *);
extern TF_KernelBuilder *TF_NewKernelBuilder(const char *, const char *,
                                             void *(*)(TF_OpKernelConstruction *),
                                             void (*)(void *, TF_OpKernelContext *),
                                             void (*)(void *));
extern void TF_RegisterKernelBuilder(const char *, TF_KernelBuilder *, TF_Status *);

extern void TF_OpKernelConstruction_GetAttrInt32(TF_OpKernelConstruction *, const char *,
                                                 int32_t *, TF_Status *);
extern void TF_OpKernelConstruction_GetAttrFloat(TF_OpKernelConstruction *, const char *, float *,
                                                 TF_Status *);
extern int TF_NumInputs(TF_OpKernelContext *);
extern void TF_GetInput(TF_OpKernelContext *, int, TF_Tensor **, TF_Status *);
extern TF_Tensor *TF_AllocateOutput(TF_OpKernelContext *, int, int, const int64_t *, int, size_t,
                                    TF_Status *);
extern void TF_OpKernelContext_Failure(TF_OpKernelContext *, TF_Status *);

extern TF_ShapeHandle *TF_NewShapeHandle(void);
extern void TF_DeleteShapeHandle(TF_ShapeHandle *);
extern TF_DimensionHandle *TF_NewDimensionHandle(void);
extern void TF_DeleteDimensionHandle(TF_DimensionHandle *);
extern int64_t TF_DimensionHandleValue(TF_DimensionHandle *);
extern int64_t TF_ShapeInferenceContextRank(TF_ShapeInferenceContext *, TF_ShapeHandle *);
extern void TF_ShapeInferenceContextGetInput(TF_ShapeInferenceContext *, int, TF_ShapeHandle *,
                                             TF_Status *);
extern void TF_ShapeInferenceContextSetOutput(TF_ShapeInferenceContext *, int, TF_ShapeHandle *,
                                              TF_Status *);
extern void TF_ShapeInferenceContextDim(TF_ShapeInferenceContext *, TF_ShapeHandle *, int64_t,
                                        TF_DimensionHandle *);
extern void TF_ShapeInferenceContextSubshape(TF_ShapeInferenceContext *, TF_ShapeHandle *, int64_t,
                                             int64_t, TF_ShapeHandle *, TF_Status *);
extern TF_ShapeHandle *TF_ShapeInferenceContextScalar(TF_ShapeInferenceContext *);
extern TF_ShapeHandle *TF_ShapeInferenceContextVectorFromSize(TF_ShapeInferenceContext *, size_t);
extern void TF_ShapeInferenceContextConcatenateShapes(TF_ShapeInferenceContext *, TF_ShapeHandle *,
                                                      TF_ShapeHandle *, TF_ShapeHandle *,
                                                      TF_Status *);

extern void TF_ShapeInferenceContextSetUnknownShape(TF_ShapeInferenceContext *, TF_Status *);

#define MAX_ARGUMENTS 12
/** TensorFlow's own limit. */
#define MAX_RANK 254

/** One call of a kernel: its tensors as float arrays. */
typedef struct {
  TF_OpKernelContext *context;
  TF_Status *status;
  int inputs, outputs, failed;
  TF_Tensor *tensors[2 * MAX_ARGUMENTS];
  const float *in[MAX_ARGUMENTS];
  float *out[MAX_ARGUMENTS];
  float *memory; // of `memory_of`
} Call;

/** Ends the call with a message; further steps do nothing. */
static void fail(Call *call, int code, const char *message) {
  if (call->failed) return;
  call->failed = 1;
  TF_SetStatus(call->status, code, message);
  TF_OpKernelContext_Failure(call->context, call->status);
}

static Call begin(TF_OpKernelContext *context, int inputs) {
  Call call = {.context = context, .status = TF_NewStatus(), .inputs = inputs};
  for (int i = 0; i < inputs; i++) {
    TF_GetInput(context, i, &call.tensors[i], call.status);
    if (!call.tensors[i]) fail(&call, TF_INVALID_ARGUMENT, "an input without a value");
    else call.in[i] = TF_TensorData(call.tensors[i]);
  }
  return call;
}

static int rank(const Call *call, int i) {
  return call->tensors[i] ? TF_NumDims(call->tensors[i]) : 0;
}
/** Size of input i's axis; from the last where it is negative; 1 where there is none. */
static int64_t dim(const Call *call, int i, int axis) {
  int n = rank(call, i);
  if (axis < 0) axis += n;
  return axis < 0 || axis >= n ? 1 : TF_Dim(call->tensors[i], axis);
}
static int64_t size_of(const Call *call, int i) {
  int64_t size = 1;
  for (int axis = 0; axis < rank(call, i); axis++) size *= dim(call, i, axis);
  return size;
}

static const char MEMORY[] = "no memory for its output or workspace";

/** `count` floats until the call ends; NULL, and a failed call, where there are none left. */
static float *memory_of(Call *call, int64_t count) {
  call->memory = malloc(4 * count + 4);
  if (!call->memory) fail(call, TF_RESOURCE_EXHAUSTED, MEMORY);
  return call->memory;
}

/** The next output; NULL, and a failed call, where there is no memory. */
static float *output(Call *call, int n, const int64_t *dims) {
  int64_t size = 4, values = 1;
  // TensorFlow ends the process for more values than an int64 counts.
  int fits = 1;
  for (int i = 0; i < n; i++) fits = fits && !__builtin_mul_overflow(values, dims[i], &values);
  if (!fits || __builtin_mul_overflow(size, values, &size)) {
    fail(call, TF_RESOURCE_EXHAUSTED, MEMORY);
    return NULL;
  }
  int at = call->outputs++;
  TF_Tensor *tensor =
      TF_AllocateOutput(call->context, at, TF_FLOAT, dims, n, size, call->status);
  call->tensors[call->inputs + at] = tensor;
  if (!tensor || TF_GetCode(call->status) != 0) {
    fail(call, TF_RESOURCE_EXHAUSTED, MEMORY);
    return NULL;
  }
  return call->out[at] = TF_TensorData(tensor);
}

/** An output of input i's shape. */
static float *output_like(Call *call, int i) {
  int64_t dims[MAX_RANK];
  int n = rank(call, i);
  for (int axis = 0; axis < n; axis++) dims[axis] = dim(call, i, axis);
  return output(call, n, dims);
}

/** `values`, if there are any, as 0s. */
static float *zeroed(float *values, int64_t count) {
  return values && count ? memset(values, 0, 4 * count) : values;
}

/** An output of input i's shape, 0 everywhere: for what this call may have no use for. */
static float *zeros_like(Call *call, int i) {
  return zeroed(output_like(call, i), size_of(call, i));
}

static void finish(Call *call) {
  for (int i = 0; i < call->inputs + call->outputs; i++) {
    if (call->tensors[i]) TF_DeleteTensor(call->tensors[i]);
  }
  free(call->memory);
  TF_DeleteStatus(call->status);
}

/** The attributes of an op, by their names in its definition. */
typedef struct {
  int32_t stride, reads, training, statistics, adds, turned;
  float epsilon, momentum, pixels, scale, mean, std;
} Attributes;

static void no_delete(void *kernel) { free(kernel); }

static void *attributes_of(TF_OpKernelConstruction *c, const char *const *names) {
  Attributes *a = calloc(1, sizeof *a);
  TF_Status *status = TF_NewStatus();
  for (int i = 0; names[i]; i++) {
    const char *name = names[i];
    int32_t *whole = NULL;
    float *real = NULL;
    if (!strcmp(name, "stride: int")) whole = &a->stride;
    if (!strcmp(name, "reads: int")) whole = &a->reads;
    if (!strcmp(name, "training: int")) whole = &a->training;
    if (!strcmp(name, "statistics: int")) whole = &a->statistics;
    if (!strcmp(name, "adds: int")) whole = &a->adds;
    if (!strcmp(name, "turned: int")) whole = &a->turned;
    if (!strcmp(name, "epsilon: float")) real = &a->epsilon;
    if (!strcmp(name, "momentum: float")) real = &a->momentum;
    if (!strcmp(name, "pixels: float")) real = &a->pixels;
    if (!strcmp(name, "scale: float")) real = &a->scale;
    if (!strcmp(name, "mean: float")) real = &a->mean;
    if (!strcmp(name, "std: float")) real = &a->std;
    char bare[32];
    snprintf(bare, sizeof bare, "%.*s", (int)(strchr(name, ':') - name), name);
    if (whole) TF_OpKernelConstruction_GetAttrInt32(c, bare, whole, status);
    if (real) TF_OpKernelConstruction_GetAttrFloat(c, bare, real, status);
  }
  TF_DeleteStatus(status);
  return a;
}

static void pass_shape(TF_ShapeInferenceContext *c, int from, int to, TF_Status *s) {
  TF_ShapeHandle *h = TF_NewShapeHandle();
  TF_ShapeInferenceContextGetInput(c, from, h, s);
  TF_ShapeInferenceContextSetOutput(c, to, h, s);
  TF_DeleteShapeHandle(h);
}
