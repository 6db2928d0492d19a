/** A PostgreSQL server as a trial database. */
import type { Socket } from "node:net";
import postgres from "postgres";
import { oneLine, StoreUnavailableError, StudyError } from "../errors.ts";
import {
  type Connection,
  type Database,
  type Dialect,
  persist,
  type Row,
  Serial,
  type Value,
} from "./database.ts";
import { coded, connectSocket } from "./postgres_socket.ts";
import type { Target } from "./url.ts";
import type { StoreOptions } from "./types.ts";

const POSTGRES: Dialect = {
  kind: "postgres",
  forUpdate: "FOR UPDATE",
  skipLocked: "FOR UPDATE SKIP LOCKED",
  age: (column) =>
    `EXTRACT(EPOCH FROM (clock_timestamp() AT TIME ZONE 'UTC') - ${column})`,
  jsonArray: (...expressions) =>
    `json_build_array(${expressions.join(", ")})::text`,
  // Half the time of json_build_object.
  jsonStep: `'{"epoch":' || step || ',"value":' || ` +
    "CASE intermediate_value_type WHEN 'FINITE' " +
    "THEN intermediate_value::text " +
    `ELSE '"' || intermediate_value_type || '"' END || '}'`,
  join: (expression) => `string_agg(${expression}, ',')`,
};

/** Errors of a connection or of the server that another attempt may not meet. */
const PASSING = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT"],
  ...["EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN", "ENOTFOUND", "ENOENT"],
  ...["CONNECTION_CLOSED", "CONNECTION_DESTROYED", "CONNECTION_ENDED"],
  ...["CONNECT_TIMEOUT", "ERR_STREAM_WRITE_AFTER_END", "ERR_STREAM_DESTROYED"],
  "40001", // serialization failure
  "40P01", // deadlock
  "25P03", // idle in a transaction for too long
  "53300", // too many connections
  "55P03", // lock not available
  "57P01", // shutting down
  "57P02", // crash shutdown
  "57P03", // starting up
  "57P05", // idle session
]);

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "");
}

function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return PASSING.has(code) || code.startsWith("08");
}

/** An error of the server for the user, with its SQLSTATE. */
export class PostgresError extends StudyError {
  constructor(message: string, readonly code: string) {
    super(message);
  }
}

/** One connection; given up for good when it is lost. */
class Session {
  readonly sql: postgres.Sql;
  waiting = 0;
  // The driver may leave a statement without an answer when its connection is
  // lost, so that each is raced against this.
  readonly #gone = Promise.withResolvers<never>();
  #lost = false;
  #socket?: Socket;
  #opened = false;

  constructor(target: Target) {
    this.#gone.promise.catch(() => {});
    const { host, port, user, password, database } = target;
    this.sql = postgres({
      ...{ host, port, user, database, password },
      max: 1,
      ssl: false, // `socket` sees to TLS
      fetch_types: false,
      max_lifetime: null,
      connect_timeout: target.connectSeconds,
      connection: { application_name: target.applicationName },
      // Times stay text; JavaScript's Date has no microseconds.
      types: {
        date: {
          to: 1114,
          from: [1082, 1114, 1184],
          serialize: String,
          parse: String,
        },
      },
      onnotice: () => {},
      onclose: () => this.lose(),
      socket: async () => {
        if (this.#opened) throw closed();
        this.#opened = true;
        const socket = await connectSocket(target, () => this.waiting > 0);
        socket.once("close", () => this.lose());
        return this.#socket = socket;
      },
      // Not in the driver's types.
    } as postgres.Options<Record<string, postgres.PostgresType>>);
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Gives the connection up. */
  lose(): void {
    this.#lost = true;
    // An error that the server sent before it closed is heard first.
    setTimeout(() => this.#gone.reject(closed()), 100);
  }

  /** Sends a statement; those sent before it are done first. */
  async send(sql: string, values?: Value[]): Promise<Row[]> {
    if (this.lost) throw closed();
    this.waiting++;
    try {
      const query = values
        ? this.sql.unsafe(
          numbered(sql),
          values as postgres.ParameterOrJSON<
            never
          >[],
          { prepare: true, simple: false } as { prepare: boolean },
        )
        : this.sql.unsafe(sql);
      return await Promise.race([
        query.execute() as unknown as Promise<Row[]>,
        this.#gone.promise,
      ]);
    } finally {
      this.waiting--;
    }
  }

  async end(seconds: number): Promise<void> {
    const wasLost = this.#lost;
    this.#lost = true;
    const ended = this.sql.end({ timeout: seconds });
    if (!wasLost) await ended;
    else ended.catch(() => {}); // it may never come
    this.#socket?.destroy();
  }
}

const closed = () => coded("the connection was lost", "CONNECTION_CLOSED");

const texts = new Map<string, string>();

/** `?` as `$1`, `$2`, … */
function numbered(sql: string): string {
  let text = texts.get(sql);
  if (text === undefined) {
    let n = 0;
    text = sql.replace(/\?/g, () => `$${++n}`);
    texts.set(sql, text);
  }
  return text;
}

class PostgresConnection implements Connection {
  readonly dialect = POSTGRES;
  readonly sent: Promise<unknown>[] = [];

  constructor(readonly session: Session) {}

  query(sql: string, values: Value[] = []): Promise<Row[]> {
    return this.session.send(sql, values);
  }

  run(sql: string, values: Value[] = []): void {
    this.later(this.session.send(sql, values));
  }

  async script(sql: string): Promise<void> {
    await this.session.send(sql);
  }

  later(sent: Promise<unknown>): void {
    sent.catch(() => {}); // `settle` throws it
    this.sent.push(sent);
  }

  async settle(): Promise<void> {
    await Promise.all(this.sent);
  }
}

const SESSION = "SET TIME ZONE 'UTC'; SET datestyle TO 'ISO'; " +
  // A client that vanished is not to hold a study's lock.
  "SET idle_in_transaction_session_timeout TO '60s'; " +
  "SET client_min_messages TO 'error'";

class PostgresDatabase implements Database {
  readonly dialect = POSTGRES;
  readonly name: string;
  readonly #serial = new Serial();
  #session?: Session;
  #everOpen = false;

  constructor(
    readonly target: Target,
    readonly options: Required<StoreOptions>,
  ) {
    this.name = target.name;
  }

  read<T>(work: (c: Connection) => Promise<T>): Promise<T> {
    return this.#persist((session) =>
      this.#transaction(
        session,
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        work,
      )
    );
  }

  write<T>(
    work: (c: Connection, again: boolean) => Promise<T>,
  ): Promise<T> {
    if (this.options.readOnly) {
      return Promise.reject(
        new StudyError(`${this.name} was opened for reading only`),
      );
    }
    return this.#persist((session, again) =>
      this.#transaction(
        session,
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        (c) => work(c, again),
      )
    );
  }

  async #transaction<T>(
    session: Session,
    begin: string,
    work: (c: Connection) => Promise<T>,
  ): Promise<T> {
    const c = new PostgresConnection(session);
    c.later(session.send(begin));
    try {
      const result = await work(c);
      c.later(session.send("COMMIT"));
      await c.settle();
      return result;
    } catch (error) {
      // Of several failed statements the first says why.
      const first = await c.settle().then(() => error, (e) => e);
      // The server's own errors have codes of five characters.
      if (isPassing(first) && codeOf(first).length > 5) session.lose();
      else await session.send("ROLLBACK").catch(() => {});
      throw first;
    }
  }

  #persist<T>(
    attempt: (session: Session, again: boolean) => Promise<T>,
  ): Promise<T> {
    const since = performance.now();
    return this.#serial.run(() => {
      // A wrong port is found sooner than a server comes back.
      const seconds = this.#everOpen
        ? this.options.waitSeconds
        : Math.min(30, this.options.waitSeconds);
      let warned = false;
      return persist(
        async (again) => attempt(await this.#open(), again),
        {
          passing: (error) =>
            isPassing(error) &&
            (this.#everOpen || codeOf(error) !== "ENOTFOUND"),
          until: since + seconds * 1000,
          maxPauseMs: 2000,
          onWait: (error) => {
            if (warned || performance.now() - since < 500) return;
            warned = true;
            this.options.onWarning(
              `${this.name}: ${this.#clean(error)}: waiting up to ${seconds} s`,
            );
          },
          giveUp: (error) =>
            new StoreUnavailableError(
              `${this.name} could not be used for ${seconds} s ` +
                `(${this.#clean(error)}): see that the server runs and that ` +
                `the URL is right, and run the study again`,
            ),
        },
      ).catch((error) => {
        if (error instanceof StudyError || codeOf(error) === "") throw error;
        throw new PostgresError(
          `${this.name}: ${this.#clean(error)}`,
          codeOf(error),
        );
      });
    });
  }

  async #open(): Promise<Session> {
    if (this.#session && !this.#session.lost) return this.#session;
    await this.#session?.end(0);
    const session = this.#session = new Session(this.target);
    try {
      await session.send(SESSION);
    } catch (error) {
      await session.end(0);
      throw error;
    }
    this.#everOpen = true;
    return session;
  }

  /** An error's text in one line, and without the password in any case. */
  #clean(error: unknown): string {
    const { password } = this.target;
    const text = oneLine(error);
    return password ? text.replaceAll(password, "***") : text;
  }

  close(): Promise<void> {
    return this.#serial.run(async () => {
      await this.#session?.end(5);
    });
  }
}

/** Connects to a server with the first call. */
export function openPostgres(
  target: Target,
  options: Required<StoreOptions>,
): Database {
  return new PostgresDatabase(target, options);
}

/**
 * Sees that other clients' sessions are in UTC as ours are: heartbeats have no
 * time zone, and one in another zone looks dead at once.
 *
 * @param made whether the tables were made now, so that the database's own
 * time zone may be set.
 */
export async function settleTimeZone(
  db: Database,
  made: boolean,
  onWarning: (message: string) => void,
): Promise<void> {
  const present = () =>
    db.read(async (c) => {
      const [row] = await c.query(
        `SELECT reset_val AS zone, current_database() AS name,
          CASE WHEN (
            SELECT bool_and(
              t AT TIME ZONE s.reset_val = t AT TIME ZONE 'UTC')
            FROM (VALUES (timestamptz '2026-01-01Z'),
              (timestamptz '2026-07-01Z')) AS v(t)
          ) THEN 1 ELSE 0 END AS utc
        FROM pg_settings s WHERE s.name='TimeZone'`,
      );
      return row;
    });
  const { zone, name, utc } = await present();
  if (utc === 1) return;
  const quoted = `"${String(name).replaceAll('"', '""')}"`;
  const alter = `ALTER DATABASE ${quoted} SET timezone TO 'UTC'`;
  if (made) {
    const done = await db.write((c) => c.script(alter)).then(
      () => true,
      (error) => {
        if (codeOf(error) === "42501") return false;
        throw error;
      },
    );
    if (done) return;
  }
  onWarning(
    `${db.name} has the time zone ${zone}, so that Optuna's workers on it and ` +
      `ours may take each other for dead: let its owner run \`${alter}\``,
  );
}
