/** What a PostgreSQL URL and libpq's environment say of a server. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { StudyError } from "../errors.ts";

export type SslMode =
  | "disable"
  | "prefer"
  | "require"
  | "verify-ca"
  | "verify-full";

const SSL_MODES = ["disable", "prefer", "require", "verify-ca", "verify-full"];
const PARAMETERS = [
  ...["host", "port", "user", "password", "dbname"],
  ...["sslmode", "sslrootcert", "application_name", "connect_timeout"],
];

/** Where a database is, and how to get in. */
export interface Target {
  /** The URL without its password. */
  name: string;
  /** A host name, an address, or the folder of a Unix socket. */
  host: string;
  port: number;
  user: string;
  password?: string;
  database: string;
  sslMode: SslMode;
  /** Certificates to trust, in PEM; undefined for the system's own. */
  rootCertificates?: string;
  /** Whether the server's certificate is checked against a root. */
  verifies: boolean;
  applicationName: string;
  connectSeconds: number;
}

type Environment = Record<string, string | undefined>;

/** Whether a store's URL means PostgreSQL. */
export function isPostgresUrl(url: string): boolean {
  return /^postgres(ql)?(\+\w+)?:/i.test(url);
}

function refuse(what: string): never {
  throw new StudyError(
    `the PostgreSQL URL ${what}: give postgresql://user@host:port/database, ` +
      `special characters %-encoded`,
  );
}

/**
 * Reads a URL as libpq does: what it leaves open comes from the environment
 * (PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE, PGSSLROOTCERT,
 * PGAPPNAME, PGCONNECT_TIMEOUT) and from ~/.pgpass (PGPASSFILE).
 *
 * @throws StudyError which never shows the URL, for it may hold a password.
 */
export function parsePostgresUrl(
  text: string,
  env: Environment = Deno.env.toObject(),
): Target {
  let url: URL;
  let decoded: Record<"user" | "password" | "host" | "database", string>;
  try {
    url = new URL(text);
    decoded = {
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      host: decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, "$1"),
      database: decodeURIComponent(url.pathname.replace(/^\//, "")),
    };
  } catch {
    refuse("cannot be read");
  }
  // What stands behind an unencoded "/", "?" or "#" of a password.
  if (/@/.test(url.pathname + url.search) || url.hash) {
    refuse("has an @ or # where none belongs");
  }
  const query = Object.fromEntries(url.searchParams);
  const unknown = Object.keys(query).find((k) => !PARAMETERS.includes(k));
  if (unknown !== undefined) {
    refuse(
      `has the parameter "${unknown}", known are ${PARAMETERS.join(", ")}`,
    );
  }
  const user = query.user || decoded.user || env.PGUSER || userInfo().username;
  const given = query.host || decoded.host || env.PGHOST;
  const port = Number(query.port || url.port || env.PGPORT || 5432);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    refuse("has no usable port");
  }
  const host = given || localSocket(port) || "localhost";
  if (host.includes(",")) refuse("names several hosts, give one");
  const database = query.dbname || decoded.database || env.PGDATABASE || user;
  return {
    name: nameOf(user, host, port, database),
    ...{ host, port, user, database },
    password: query.password || decoded.password || env.PGPASSWORD ||
      passFile(env, { host, port, database, user }),
    ...trust(query, env),
    applicationName: query.application_name || env.PGAPPNAME || "ferlab",
    connectSeconds:
      Number(query.connect_timeout || env.PGCONNECT_TIMEOUT || 0) || 10,
  };
}

function nameOf(user: string, host: string, port: number, database: string) {
  const [u, d] = [encodeURIComponent(user), encodeURIComponent(database)];
  if (host.startsWith("/")) {
    return `postgresql://${u}@/${d}?host=${host}&port=${port}`;
  }
  const h = host.includes(":") ? `[${host}]` : host;
  return `postgresql://${u}@${h}:${port}/${d}`;
}

/** The folder of a local server's socket, where libpq looks as well. */
function localSocket(port: number): string | undefined {
  return ["/var/run/postgresql", "/tmp"]
    .find((dir) => existsSync(join(dir, `.s.PGSQL.${port}`)));
}

/** `sslmode` and `sslrootcert`, with libpq's meaning and defaults. */
function trust(
  query: Record<string, string>,
  env: Environment,
): Pick<Target, "sslMode" | "rootCertificates" | "verifies"> {
  const root = query.sslrootcert || env.PGSSLROOTCERT;
  const system = root === "system";
  const mode = query.sslmode || env.PGSSLMODE ||
    (system ? "verify-full" : "prefer");
  if (!SSL_MODES.includes(mode)) {
    refuse(`has sslmode "${mode}", known are ${SSL_MODES.join(", ")}`);
  }
  const sslMode = mode as SslMode;
  if (system) {
    if (sslMode !== "verify-full") {
      refuse(
        `has sslrootcert=system, which goes with sslmode=verify-full only`,
      );
    }
    return { sslMode, verifies: true };
  }
  const file = root || join(homedir(), ".postgresql", "root.crt");
  if (existsSync(file)) {
    // Also under "require": so does libpq.
    return {
      sslMode,
      verifies: true,
      rootCertificates: readFileSync(file, "utf8"),
    };
  }
  if (sslMode.startsWith("verify")) {
    throw new StudyError(
      `sslmode=${sslMode} needs the root certificate ${file}, which is not ` +
        `there: give its path as sslrootcert, or sslrootcert=system`,
    );
  }
  return { sslMode, verifies: false };
}

/** The password that ~/.pgpass has for a server. */
function passFile(
  env: Environment,
  { host, port, database, user }: Pick<
    Target,
    "host" | "port" | "database" | "user"
  >,
): string | undefined {
  const file = env.PGPASSFILE || join(homedir(), ".pgpass");
  const stat = statSync(file, { throwIfNoEntry: false });
  // libpq leaves a file that others may read alone.
  if (!stat?.isFile() || (stat.mode & 0o077) !== 0) return undefined;
  const wanted = [
    host.startsWith("/") ? [host, "localhost"] : [host],
    [String(port)],
    [database],
    [user],
  ];
  for (const line of readFileSync(file, "utf8").split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const fields = (line.match(/(?:\\.|[^:\\])+/g) ?? [])
      .map((field) => field.replace(/\\(.)/g, "$1"));
    if (
      fields.length >= 5 &&
      wanted.every((names, i) => fields[i] === "*" || names.includes(fields[i]))
    ) return fields[4];
  }
  return undefined;
}
