/** The numbers by which TensorFlow and tfjs-node name dtypes and attributes. */

/** TensorFlow's `DataType` numbers. */
export const DataType = {
  FLOAT: 1,
  DOUBLE: 2,
  INT32: 3,
  UINT8: 4,
  STRING: 7,
  COMPLEX64: 8,
  INT64: 9,
  BOOL: 10,
  BFLOAT16: 14,
  HALF: 19,
  RESOURCE: 20,
} as const;

/** The kinds of op attribute that tfjs-node's binding knows. */
export const AttrType = {
  STRING: 0,
  INT: 1,
  FLOAT: 2,
  BOOL: 3,
  TYPE: 4,
  SHAPE: 5,
  RESOURCE: 6,
} as const;

export interface Attr {
  name: string;
  type: number;
  value: unknown;
}
