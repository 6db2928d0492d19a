/**
 * `deno task bench study`: the study engine beside Optuna, as JSON lines, and
 * as a table on stderr. Both sides are warm and take turns.
 */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, postgresForTests } from "../../tests/study/_postgres.ts";
import {
  compareSides,
  inFolder,
  inTurns,
  machine,
  machineLoad,
  median,
  printResult,
  round,
} from "./parts.ts";
import {
  type Answer,
  fill,
  FILLED_EPOCHS,
  type Job,
  Optuna,
  ourLoad,
  ourReports,
  ourTrials,
} from "./study_sides.ts";
import { pythonWith } from "../python.ts";

/** Options of {@link benchStudy}. */
export interface StudyBenchOptions {
  rounds: number;
  quick?: boolean;
}

/** A kind of store, and the URL of new, empty records in one. */
interface Place {
  name: "SQLite" | "PostgreSQL";
  fresh(): Promise<string>;
}

/** One job, which both sides do; ours perhaps in several ways. */
interface Contest {
  /** Trials, or epochs. */
  size: number;
  quickSize: number;
  ours: {
    measure: (size: number) => string;
    run: (url: string, size: number) => Promise<Answer>;
  }[];
  theirs: Job;
  /** Whether times are for one of `size`, or for all. */
  each: boolean;
  /** Makes the records that both sides read; new ones for each without it. */
  fill?: (url: string, size: number) => Promise<void>;
  /** The most ms that ours may take at full size, beside the ratio's goal. */
  most?: number;
}

const METRICS = { loss: 1.5, accuracy: 0.5, valLoss: 2.5, f1: 0.4, lr: 1e-3 };

const CONTESTS: Contest[] = [
  ...(["random", "tpe"] as const).map((kind): Contest => ({
    ...{ size: 200, quickSize: 20, each: true },
    ours: [{
      measure: (n) => `a trial of ${n}, ${kind} search`,
      run: (url, n) => ourTrials(url, n, kind),
    }],
    theirs: { what: "trials", sampler: kind },
  })),
  {
    ...{ size: 10_000, quickSize: 200, each: true },
    ours: [{
      measure: (n) => `an epoch of ${n}`,
      run: ourReports,
    }, {
      measure: (n) => `an epoch of ${n}, with 5 more metrics`,
      run: (url, n) => ourReports(url, n, METRICS),
    }],
    theirs: { what: "report" },
  },
  {
    ...{ size: 100_000, quickSize: 5000, each: false },
    ours: [{
      measure: (n) =>
        `load of ${n / FILLED_EPOCHS} trials of ${FILLED_EPOCHS} epochs`,
      run: ourLoad,
    }],
    theirs: { what: "load" },
    fill: (url, n) => fill(url, n / FILLED_EPOCHS),
    most: 1000,
  },
];

/** Times of each side, ms; ours come first. They take turns. */
async function timesOf(
  contest: Contest,
  size: number,
  place: Place,
  optuna: Optuna,
  rounds: number,
): Promise<number[][]> {
  const { ours, theirs, each, fill, quickSize } = contest;
  const filled = fill && await place.fresh();
  if (filled) await fill(filled, size);
  const sides = [
    ...ours.map(({ run }) => run),
    (url: string, n: number) => optuna.run(theirs, url, n),
  ];
  return await inTurns(
    rounds,
    sides.map((run) => async (isWarmUp) => {
      const n = isWarmUp && !filled ? quickSize : size;
      const { ms, done } = await run(filled ?? await place.fresh(), n);
      if (done !== n) throw new Error(`${done} of ${n} are in the records`);
      return each ? ms / n : ms;
    }),
  );
}

/** A line of the table on stderr. */
function tell(store: string, measure: string, cells: string[]): void {
  console.error(
    store.padEnd(12) + measure.padEnd(40) +
      cells.map((cell) => cell.padStart(9)).join(""),
  );
}

/** Runs a contest and prints it. */
async function hold(
  contest: Contest,
  place: Place,
  optuna: Optuna,
  { rounds, quick }: StudyBenchOptions,
): Promise<void> {
  const size = quick ? contest.quickSize : contest.size;
  const times = await timesOf(contest, size, place, optuna, rounds);
  const theirs = times.at(-1)!;
  const { most } = contest;
  contest.ours.forEach(({ measure }, i) => {
    const [mine, its] = [median(times[i]), median(theirs)];
    const now = machineLoad();
    compareSides(measure(size), {
      ...{ peer: "Optuna", ours: times[i], theirs, goal: { ratio: 1 } },
      more: {
        ...(most && !quick ? { most, mostMet: mine < most } : {}),
        ...{ store: place.name, load: now },
      },
    });
    tell(
      ...[place.name, measure(size)] as const,
      [mine, its, mine / its, now].map((x) => String(round(x))),
    );
  });
}

/** ms to write a page of a file and have it on the disk, the median of 50. */
function syncMs(folder: string): number {
  const file = openSync(join(folder, "sync"), "w");
  const page = new Uint8Array(4096);
  const times = Array.from({ length: 50 }, () => {
    const start = performance.now();
    writeSync(file, page, 0, page.length, 0);
    fsyncSync(file);
    return performance.now() - start;
  });
  closeSync(file);
  return median(times);
}

/** A cluster that keeps what it commits, where PostgreSQL is installed. */
async function durableCluster(): Promise<Cluster | undefined> {
  const start = await postgresForTests();
  const cluster = await start?.();
  await cluster?.sql("ALTER SYSTEM SET fsync TO on");
  await cluster?.down();
  await cluster?.up();
  return cluster;
}

/** Measures the study engine and prints it; gives the exit code. */
export const benchStudy = (o: StudyBenchOptions): Promise<number> =>
  inFolder(async (folder) => {
    const options = o.quick ? { ...o, rounds: 1 } : o;
    const optuna = new Optuna(await pythonWith("optuna"));
    let cluster: Cluster | undefined;
    try {
      const made = cluster = await durableCluster();
      printResult({
        ...await optuna.read(), // once it is loaded
        ...{ ...machine(), syncMs: round(syncMs(folder)) },
      });
      let files = 0;
      const places: Place[] = [{
        name: "SQLite",
        fresh: () =>
          Promise.resolve(`sqlite:///${join(folder, `${++files}.sqlite`)}`),
      }];
      if (made) {
        places.push({
          name: "PostgreSQL",
          // SQLAlchemy would take another driver without its name.
          fresh: async () =>
            (await made.database()).replace("://", "+psycopg2://"),
        });
      } else {
        printResult({
          store: "PostgreSQL",
          skipped: "it is not installed here",
        });
      }
      tell("store", "measure, ms", ["ours", "Optuna", "ratio", "load"]);
      for (const place of places) {
        for (const contest of CONTESTS) {
          await hold(contest, place, optuna, options);
        }
      }
      return 0;
    } finally {
      await optuna.end();
      await cluster?.stop();
    }
  });
