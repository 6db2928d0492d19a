/**
 * Python's pickle, protocols 2 to 5, read as data: nothing of a file is run.
 * A file can only name globals: the caller says what each of them stands for.
 */
import type { Budget } from "./budget.ts";
import { printable } from "./tensor.ts";

/** A pickle that is damaged, or that asks for what is not given; one line. */
export class PickleError extends Error {
  override name = "PickleError";
}

/** A global; `call` stands for Python's call of it, without one nothing does. */
export class PickleGlobal {
  constructor(
    readonly name: string,
    readonly call?: (args: unknown[]) => unknown,
    /** Whether it is one that is not run, so that its objects are stand-ins. */
    readonly isUnknown = false,
  ) {}
}

/**
 * An object of a class that is not run, with its items where it is a dict. Its
 * other state is not kept.
 */
export class StandIn extends Map<unknown, unknown> {
  /** Whether its state is that of a `torch.nn.Module`. */
  isModule = false;
  constructor(readonly name: string) {
    super();
  }
}

export interface PickleOptions {
  /** The global of that dotted name, or undefined to refuse it. */
  global: (name: string) => PickleGlobal | undefined;
  /** The object of a persistent id. */
  persistent: (id: unknown) => unknown;
  budget: Budget;
}

/** The refusal of a global, by its dotted name. */
export class ForbiddenGlobal extends PickleError {
  constructor(readonly global: string) {
    super(`the pickle asks for ${printable(global)}, which is not run`);
  }
}

const MARK = Symbol("mark");
/** Longer integers have no use in a weight file, and cost quadratic time. */
const MAX_LONG = 256;
/** Pickles nest far less, and put 1,000 items at a time on the stack. */
const MAX_STACK = 2 ** 22;
/** What a value takes in memory, about; bytes. */
const COST = { opcode: 8, array: 48, map: 200, item: 32, note: 64 };

const utf8 = new TextDecoder();

function bad(what: string): never {
  throw new PickleError(`the pickle is damaged: ${what}`);
}

/** Reads little-endian values from a place on. */
class Cursor {
  readonly #view: DataView;
  constructor(readonly bytes: Uint8Array, public at: number) {
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
  }

  /** The place of the next `n` bytes, which are passed. */
  #skip(n: number): number {
    if (this.bytes.length - this.at < n) {
      throw new PickleError("the pickle is cut short");
    }
    const at = this.at;
    this.at += n;
    return at;
  }

  take = (n: number) => {
    const at = this.#skip(n);
    return this.bytes.subarray(at, at + n);
  };
  text = (n: number) => utf8.decode(this.take(n));
  u8 = () => this.#view.getUint8(this.#skip(1));
  u16 = () => this.#view.getUint16(this.#skip(2), true);
  u32 = () => this.#view.getUint32(this.#skip(4), true);
  i32 = () => this.#view.getInt32(this.#skip(4), true);
  u64 = () => Number(this.#view.getBigUint64(this.#skip(8), true));
  /** Big-endian, as the one such opcode has it. */
  f64 = () => this.#view.getFloat64(this.#skip(8));

  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw new PickleError("the pickle is cut short");
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  /** A two's complement integer of `n` bytes; a bigint where a number is not exact. */
  long(n: number): number | bigint {
    if (n > MAX_LONG) bad(`an integer of ${n} bytes`);
    let value = 0n;
    for (const byte of this.take(n).toReversed()) {
      value = value << 8n | BigInt(byte);
    }
    value = BigInt.asIntN(8 * n, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
}

/**
 * The object of one pickle and the place behind it. Dicts become `Map`s, lists
 * and tuples arrays, None null, objects stand-ins. State that BUILD sets is left
 * out.
 *
 * Opcodes: Python's `pickletools`.
 *
 * @throws PickleError, and what the options' functions throw.
 */
export function unpickle(
  bytes: Uint8Array,
  at: number,
  options: PickleOptions,
): { value: unknown; end: number } {
  const read = new Cursor(bytes, at);
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  const spend = (size: number) => options.budget.spend(size, "its pickle");
  const text = (n: number) => {
    const encoded = read.take(n);
    spend(2 * n);
    return utf8.decode(encoded);
  };
  const array = (values: unknown[]) => {
    spend(COST.array);
    stack.push(values);
  };
  const map = () => {
    spend(COST.map);
    stack.push(new Map());
  };
  const set = (values: unknown[]) => {
    spend(COST.map + COST.item * values.length);
    stack.push(new Set(values));
  };
  const note = (key: number) => {
    spend(COST.note);
    memo.set(key, top());
  };

  const pop = () => {
    const value = stack.length ? stack.pop() : bad("the stack is empty");
    return value === MARK ? bad("a mark instead of a value") : value;
  };
  const top = () => {
    const value = stack.at(-1);
    return value === undefined || value === MARK
      ? bad("the stack is empty")
      : value;
  };
  const popMark = () => {
    const mark = stack.lastIndexOf(MARK);
    if (mark < 0) bad("there is no mark");
    const values = stack.splice(mark);
    values.shift();
    return values;
  };
  const popMany = (n: number) => {
    const values: unknown[] = [];
    for (let i = 0; i < n; i++) values.unshift(pop());
    return values;
  };
  const recall = (key: number) => {
    if (!memo.has(key)) bad(`nothing is noted as ${key}`);
    stack.push(memo.get(key));
  };
  const global = (name: string) => {
    const found = options.global(name);
    if (!found) throw new ForbiddenGlobal(name);
    stack.push(found);
  };
  const call = (callee: unknown, args: unknown) => {
    spend(COST.map);
    if (!Array.isArray(args)) return bad("no arguments");
    // A list may be an argument many times over.
    for (const arg of args) {
      spend(COST.item * (Array.isArray(arg) ? 1 + arg.length : 1));
    }
    if (callee instanceof PickleGlobal && callee.call) {
      stack.push(callee.call(args));
    } else if (callee instanceof PickleGlobal || callee instanceof StandIn) {
      stack.push(new StandIn(callee.name));
    } else {
      bad("a call of no function");
    }
  };
  /** As `call`, but what it makes is an object, whatever it is made of. */
  const object = (callee: unknown, args: unknown) =>
    call(
      callee instanceof PickleGlobal && callee.isUnknown
        ? new PickleGlobal(callee.name)
        : callee,
      args,
    );
  const build = () => {
    const state = pop(), object = top();
    if (object instanceof StandIn && state instanceof Map) {
      object.isModule = state.has("_modules") && state.has("_parameters");
    }
  };
  const append = (values: unknown[]) => {
    const list = top();
    // The elements of a class's own list.
    if (list instanceof StandIn) return;
    if (!Array.isArray(list)) return bad("an append to no list");
    for (const value of values) list.push(value);
  };
  const add = (values: unknown[]) => {
    const set = top();
    if (set instanceof StandIn) return;
    spend(COST.item * values.length);
    if (!(set instanceof Set)) return bad("an element for no set");
    for (const value of values) set.add(value);
  };
  const setItems = (pairs: unknown[]) => {
    const dict = top();
    if (!(dict instanceof Map) || pairs.length % 2) {
      return bad("items for no dict");
    }
    spend(COST.item * pairs.length);
    for (let i = 0; i < pairs.length; i += 2) dict.set(pairs[i], pairs[i + 1]);
  };
  const stackGlobal = () => {
    const [module, name] = popMany(2);
    if (typeof module !== "string" || typeof name !== "string") {
      return bad("a global without a name");
    }
    spend(2 * (module.length + name.length));
    global(`${module}.${name}`);
  };

  const opcodes: Record<number, () => void> = {
    0x80: () => { // PROTO
      const version = read.u8();
      if (version > 5) {
        throw new PickleError(
          `a pickle of protocol ${version}; known are 2 to 5`,
        );
      }
    },
    0x95: () => void read.u64(), // FRAME
    0x28: () => stack.push(MARK),
    0x30: () => void (stack.length ? stack.pop() : bad("the stack is empty")), // POP
    0x31: () => void popMark(), // POP_MARK
    0x32: () => stack.push(top()), // DUP
    0x4e: () => stack.push(null), // NONE
    0x88: () => stack.push(true),
    0x89: () => stack.push(false),
    0x4a: () => stack.push(read.i32()), // BININT
    0x4b: () => stack.push(read.u8()), // BININT1
    0x4d: () => stack.push(read.u16()), // BININT2
    0x8a: () => stack.push(read.long(read.u8())), // LONG1
    0x8b: () => stack.push(read.long(read.u32())), // LONG4
    0x47: () => stack.push(read.f64()), // BINFLOAT
    0x58: () => stack.push(text(read.u32())), // BINUNICODE
    0x8c: () => stack.push(text(read.u8())), // SHORT_BINUNICODE
    0x8d: () => stack.push(text(read.u64())), // BINUNICODE8
    // Python 2 has its texts so.
    0x55: () => stack.push(text(read.u8())), // SHORT_BINSTRING
    0x54: () => stack.push(text(read.u32())), // BINSTRING
    0x42: () => stack.push(read.take(read.u32())), // BINBYTES
    0x43: () => stack.push(read.take(read.u8())), // SHORT_BINBYTES
    0x8e: () => stack.push(read.take(read.u64())), // BINBYTES8
    0x96: () => stack.push(read.take(read.u64())), // BYTEARRAY8
    0x7d: map, // EMPTY_DICT
    0x5d: () => array([]), // EMPTY_LIST
    0x29: () => array([]), // EMPTY_TUPLE
    0x8f: () => set([]), // EMPTY_SET
    0x91: () => set(popMark()), // FROZENSET
    0x74: () => array(popMark()), // TUPLE
    0x85: () => array(popMany(1)),
    0x86: () => array(popMany(2)),
    0x87: () => array(popMany(3)),
    0x61: () => append([pop()]), // APPEND
    0x65: () => append(popMark()), // APPENDS
    0x73: () => setItems(popMany(2)), // SETITEM
    0x75: () => setItems(popMark()), // SETITEMS
    0x90: () => add(popMark()), // ADDITEMS
    0x71: () => note(read.u8()), // BINPUT
    0x72: () => note(read.u32()), // LONG_BINPUT
    0x94: () => note(memo.size), // MEMOIZE
    0x68: () => recall(read.u8()), // BINGET
    0x6a: () => recall(read.u32()), // LONG_BINGET
    0x63: () => global(`${read.line()}.${read.line()}`), // GLOBAL
    0x93: stackGlobal,
    0x52: () => { // REDUCE
      const [callee, args] = popMany(2);
      call(callee, args);
    },
    0x81: () => { // NEWOBJ
      const [callee, args] = popMany(2);
      object(callee, args);
    },
    0x92: () => { // NEWOBJ_EX
      const [callee, args] = popMany(3);
      object(callee, args);
    },
    0x62: build,
    0x51: () => { // BINPERSID
      spend(COST.map);
      stack.push(options.persistent(pop()));
    },
  };

  for (;;) {
    const opcode = read.u8();
    spend(COST.opcode);
    if (stack.length > MAX_STACK) bad("too many values are open at once");
    if (opcode === 0x2e) return { value: pop(), end: read.at }; // STOP
    const run = Object.hasOwn(opcodes, opcode) && opcodes[opcode];
    if (run) run();
    else if (bytes[at] !== 0x80) { // PROTO, which those two have not
      throw new PickleError(
        "a pickle of protocol 0 or 1; save it with pickle_protocol=2",
      );
    } else bad(`unknown opcode 0x${opcode.toString(16).padStart(2, "0")}`);
  }
}
