/** What the two database drivers have in common. */
import { setTimeout } from "node:timers/promises";

export type Value = null | number | string | Uint8Array;
export type Row = Record<string, Value>;

/** How two databases spell one thing. */
export interface Dialect {
  kind: "sqlite" | "postgres";
  /** Locks the rows of a SELECT until the transaction ends. */
  forUpdate: string;
  /** The same, without those that another transaction has locked. */
  skipLocked: string;
  /** Seconds since the UTC timestamp in a column. */
  age(column: string): string;
  /** A JSON text of scalars. */
  jsonArray(...expressions: string[]): string;
  /** `{"epoch": …, "value": …}`; the type's name for what is not finite. */
  jsonStep: string;
  /** The texts of a group, joined by commas. */
  join(expression: string): string;
}

/** A database within one transaction. */
export interface Connection {
  readonly dialect: Dialect;
  /** Runs one statement with `?` placeholders; its rows. */
  query(sql: string, values?: Value[]): Promise<Row[]>;
  /** Sends a write without waiting; the transaction fails when it does. */
  run(sql: string, values?: Value[]): void;
  /** Runs several statements that take no values. */
  script(sql: string): Promise<void>;
}

/** An open database; its transactions run one after the other. */
export interface Database {
  /** For messages: a path, or a URL without its password. */
  readonly name: string;
  readonly dialect: Dialect;
  /** Runs `work` on one snapshot. */
  read<T>(work: (c: Connection) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in one transaction: all of it is written, or nothing. It is
   * done again after a lost connection or a lock: `again` is true then, and
   * the earlier attempt may have been written.
   */
  write<T>(work: (c: Connection, again: boolean) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Runs one work after the other. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

/**
 * Does `attempt` until it succeeds, waiting between with growing, jittered
 * pauses.
 *
 * @param passing whether an error may pass; any other one is thrown at once.
 * @param o.until in milliseconds of `performance.now()`.
 * @throws what `o.giveUp` makes of the last error.
 */
export async function persist<T>(
  attempt: (again: boolean) => Promise<T>,
  o: {
    passing: (error: unknown) => boolean;
    until: number;
    maxPauseMs: number;
    onWait: (error: unknown) => void;
    giveUp: (error: unknown) => Error;
  },
): Promise<T> {
  for (let n = 0;; n++) {
    try {
      return await attempt(n > 0);
    } catch (error) {
      if (!o.passing(error)) throw error;
      const left = o.until - performance.now();
      if (left <= 0) throw o.giveUp(error);
      o.onWait(error);
      const pause = Math.min(o.maxPauseMs, 4 * 2 ** Math.min(n, 20));
      await setTimeout(Math.min(left, pause * (0.5 + Math.random() / 2)));
    }
  }
}

/** Inserts rows, many in one statement. */
export function insertRows(
  c: Connection,
  into: string,
  rows: readonly Value[][],
  onConflict = "",
): void {
  const CHUNK = 100;
  for (let from = 0; from < rows.length; from += CHUNK) {
    const chunk = rows.slice(from, from + CHUNK);
    const row = `(${chunk[0].map(() => "?").join(", ")})`;
    c.run(
      `INSERT INTO ${into} VALUES ${chunk.map(() => row).join(", ")} ` +
        onConflict,
      chunk.flat(),
    );
  }
}
