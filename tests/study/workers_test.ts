// Many workers on one PostgreSQL: some killed, one frozen, the server restarted.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openStore, type TrialRow } from "../../lib/study/mod.ts";
import { inFolder } from "../_folder.ts";
import { program, ROOT } from "../_run.ts";
import { postgresForTests } from "./_postgres.ts";
import { until } from "./_processes.ts";

const postgres = await postgresForTests();
const POINTS = Number(Deno.env.get("FERLAB_TEST_WORKER_POINTS") ?? 2000);
const GRACE = 3;

Deno.test({
  name:
    `${POINTS} trials on 4 workers, kills and a restart: none twice, none lost`,
  ignore: !postgres,
  sanitizeOps: false,
  fn: () => inFolder((dir) => withWorkers(dir)),
});

/** All workers that were started, for the end of the test. */
const children: Deno.ChildProcess[] = [];

async function withWorkers(dir: string): Promise<void> {
  try {
    await manyWorkers(dir);
  } finally {
    for (const child of children) {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended */ }
      await child.status;
    }
  }
}

async function manyWorkers(dir: string): Promise<void> {
  const cluster = await postgres!();
  const url = await cluster.database();
  const worker = () =>
    program("tasks/worker.ts", [
      ...["--study", "many", "--dir", dir, "--json"],
      ...["--objective", join(ROOT, "tests/study/_trivial.ts")],
      ...["--heartbeat", "0.5", "--grace", String(GRACE)],
    ], {
      cwd: ROOT,
      env: {
        FERLAB_STORE: url,
        FERLAB_TEST_DIR: dir,
        FERLAB_TEST_POINTS: String(POINTS),
        NO_COLOR: "1",
      },
      ...{ stdout: "piped", stderr: "piped" },
    }).spawn();
  const ends = new Map<number, Promise<Deno.CommandOutput>>();
  const start = () => {
    const child = worker();
    children.push(child);
    ends.set(child.pid, child.output());
  };
  for (let i = 0; i < 4; i++) start();

  const killed = new Map<number, number>();
  const waitsAt = (kind: string, x: number) =>
    until(`point ${x}`, () => {
      const file = join(dir, `${kind}-${x}`);
      return existsSync(file)
        ? Number(Deno.readTextFileSync(file)) || undefined
        : undefined;
    });
  const kill = async (x: number) => {
    const pid = await waitsAt("kill", x);
    killed.set(x, Date.now());
    Deno.kill(pid, "SIGKILL");
    assert.equal((await ends.get(pid)!).signal, "SIGKILL");
    ends.delete(pid);
    start();
  };
  await kill(POINTS / 10);
  const frozen = await waitsAt("freeze", POINTS / 5);
  Deno.kill(frozen, "SIGSTOP");
  const frozenAt = Date.now();
  await cluster.down("immediate");
  await cluster.up();
  await kill(POINTS / 2);

  const store = await openStore(url);
  const [study] = await until("the study", async () => {
    const found = await store.studies();
    return found.length ? found : undefined;
  });
  const trialsOf = async (x: number): Promise<TrialRow[]> =>
    (await store.trials(study.studyId)).filter((t) => t.params.x === x);
  await until("the frozen worker's trial to be taken over", async () => {
    const trials = await trialsOf(POINTS / 5);
    return trials.find((t) => t.state === "COMPLETE");
  });
  await Deno.writeTextFile(join(dir, "thawed"), "");
  Deno.kill(frozen, "SIGCONT");
  for (const [pid, end] of ends) {
    const { code, stderr } = await end;
    const text = new TextDecoder().decode(stderr);
    assert.equal(code, 0, text);
    assert(!text.includes("s3cret"), text);
    if (pid === frozen) {
      assert.match(text, /lost: x \d+: .* another process took it over/);
    }
  }

  const rows = await store.trials(study.studyId);
  await store.close();
  const complete = rows.filter((t) => t.state === "COMPLETE");
  assert.deepEqual(
    complete.map((t) => Number(t.params.x)).sort((a, b) => a - b),
    Array.from({ length: POINTS }, (_, x) => x),
    "every point is complete, and once",
  );
  for (const t of complete) assert.equal(t.value, t.params.x);
  assert.deepEqual(rows.map((t) => t.number), [...rows.keys()]);
  // What ran twice is what was broken off: three by us, and what the
  // workers did at the moment of a kill or of the restart.
  const runs = (await Deno.readTextFile(join(dir, "runs"))).trim()
    .split("\n").length;
  const dead = rows.filter((t) => t.state === "FAIL");
  assert(dead.every((t) => t.attrs.fail_kind === "dead"));
  assert(dead.length >= 3 && runs <= POINTS + dead.length);
  assert.equal(rows.length, POINTS + dead.length);
  const seconds = (x: number, from: number) => {
    const copy = complete.find((t) => t.params.x === x)!;
    assert(copy.system.failed_trial !== undefined);
    return (copy.start!.getTime() - from) / 1000;
  };
  const taken = [...killed].map(([x, from]) => seconds(x, from));
  taken.push(seconds(POINTS / 5, frozenAt));
  console.log(`taken over after ${taken.map((s) => s.toFixed(1))} s`);
  for (const s of taken) assert(s < GRACE + 5, `${s} s`);
}
