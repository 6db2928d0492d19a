// Runs a test on each database that a trial store may lie in.
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import {
  openStore,
  type Store,
  type StoreOptions,
} from "../../lib/study/store/mod.ts";
import { inFolder, testsWith } from "../_folder.ts";
import { points } from "./_points.ts";
import { type Cluster, postgresForTests } from "./_postgres.ts";

const postgres = await postgresForTests();

/** An empty database of one test. */
export interface Place {
  /** What `openStore` takes. */
  url: string;
  /** What Optuna takes. */
  optuna: string;
  /** Opens it; closed when the test ends. */
  open(options?: StoreOptions): Promise<Store>;
  /** Runs SQL past the store; the first column of the last statement's rows. */
  sql(text: string): Promise<string[]>;
}

async function withStores(
  place: Omit<Place, "open">,
  body: (place: Place) => Promise<void>,
): Promise<void> {
  const opened: Store[] = [];
  try {
    await body({
      ...place,
      async open(options) {
        const store = await openStore(place.url, options);
        opened.push(store);
        return store;
      },
    });
  } finally {
    for (const store of opened) await store.close();
  }
}

export function onSqlite(body: (place: Place) => Promise<void>): Promise<void> {
  return inFolder((dir) => {
    const url = join(dir, "records.sqlite");
    return withStores({
      url,
      optuna: `sqlite:///${url}`,
      // deno-lint-ignore require-await
      async sql(text) {
        const db = new DatabaseSync(url);
        try {
          const parts = text.split(";").filter((part) => part.trim() !== "");
          for (const part of parts.slice(0, -1)) db.exec(part);
          return db.prepare(parts.at(-1)!).all()
            .map((row) => String(Object.values(row)[0]));
        } finally {
          db.close();
        }
      },
    }, body);
  });
}

/** A test of a SQLite file. */
export const sqliteTest = testsWith(onSqlite);

async function onPostgres(
  cluster: Cluster,
  body: (place: Place) => Promise<void>,
): Promise<void> {
  const url = await cluster.database();
  const database = new URL(url).pathname.slice(1);
  await withStores({
    url,
    // "postgresql:" is psycopg 3 to SQLAlchemy 2.1.
    optuna: url.replace("postgresql:", "postgresql+psycopg2:"),
    sql: (text) => cluster.sql(text, database),
  }, body);
}

/** One test for each database. */
export function storeTest(
  name: string,
  body: (place: Place) => Promise<void>,
): void {
  Deno.test(`SQLite: ${name}`, () => onSqlite(body));
  postgresTest(name, body);
}

/** A test for PostgreSQL only. */
export function postgresTest(
  name: string,
  body: (place: Place, cluster: Cluster) => Promise<void>,
): void {
  Deno.test({
    name: `PostgreSQL: ${name}`,
    ignore: !postgres,
    async fn() {
      const cluster = await postgres!();
      await onPostgres(cluster, (place) => body(place, cluster));
    },
  });
}

/** A study with so many waiting trials; its id. */
export async function queued(store: Store, count: number): Promise<number> {
  const { studyId } = await store.createStudy({
    name: "study",
    direction: "maximize",
    metric: "accuracy",
  });
  await store.enqueue(studyId, points(count));
  return studyId;
}
