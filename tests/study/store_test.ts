// The record file under other processes, kills and foreign revisions.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import {
  openStore,
  recordsPath,
  runStudy,
  trialRows,
} from "../../lib/study/mod.ts";

const WORKER_STUDY = {
  name: "grid",
  grid: { lr: [0.1, 0.01, 0.001, 0.0001], depth: [1, 2, 4] },
};
const WORKER = fileURLToPath(new URL("./_worker.ts", import.meta.url));

function worker(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", WORKER, ...args],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

async function output(child: Deno.ChildProcess): Promise<string> {
  await child.stdin.close();
  const { success, stdout } = await child.output();
  assert.ok(success);
  return new TextDecoder().decode(stdout);
}

Deno.test("a worker killed by SIGKILL loses no trial and no epoch", async () => {
  const dir = await Deno.makeTempDir();
  const child = worker(dir, "hang");
  let text = "";
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    if (text.includes("hanging")) {
      child.kill("SIGKILL");
      break;
    }
  }
  await child.status;
  await child.stdin.close().catch(() => {});
  const left = trialRows(dir, "grid");
  assert.equal(left.filter((r) => r.state === "RUNNING").length, 1);
  const lines = (await output(worker(dir))).trim().split("\n");
  assert.equal(lines[0], "start 12", "the broken-off trial goes first");
  const summary = JSON.parse(lines.at(-1)!);
  assert.deepEqual(summary, {
    total: 12,
    ran: 11,
    complete: 12,
    failed: 0,
    remaining: 0,
    interrupted: false,
  });
  const rows = trialRows(dir, "grid");
  assert.equal(rows.length, 13);
  assert.equal(rows[1].state, "FAIL");
  assert.equal(rows[1].attrs.fail_kind, "dead");
  assert.equal(rows[1].intermediate.length, 2);
  assert.deepEqual(rows[12].system.retry_history, [1]);
  assert.deepEqual(rows[12].params, rows[1].params);
  assert.deepEqual(rows[12].intermediate.map((e) => e.epoch), [0, 1, 2]);
});

Deno.test("a worker that dies beside a running one is made up for", async () => {
  const dir = await Deno.makeTempDir();
  const child = worker(dir, "hang");
  let text = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!text.includes("hanging")) text += (await reader.read()).value;
  let alive = true;
  const summary = await runStudy(WORKER_STUDY, async () => {
    if (alive) {
      alive = false;
      child.kill("SIGKILL");
      await child.status;
    }
    return { value: 1 };
  }, { dir });
  await reader.cancel();
  await child.stdin.close().catch(() => {});
  assert.deepEqual([summary.ran, summary.complete, summary.remaining], [
    11,
    12,
    0,
  ]);
});

Deno.test("two processes share a grid without running a point twice", async () => {
  const dir = await Deno.makeTempDir();
  const children = [worker(dir, "wait"), worker(dir, "wait")];
  const readers = children.map((c) =>
    c.stdout.pipeThrough(new TextDecoderStream()).getReader()
  );
  const texts = ["", ""];
  const read = async (i: number) => {
    const { value } = await readers[i].read();
    texts[i] += value ?? "";
    return value !== undefined;
  };
  // Both hold their first trial before either may go on.
  for (const i of [0, 1]) while (!/start \d+\n/.test(texts[i])) await read(i);
  for (const child of children) {
    const writer = child.stdin.getWriter();
    await writer.write(new Uint8Array([10]));
    await writer.close();
  }
  for (const i of [0, 1]) while (await read(i));
  await Promise.all(children.map((c) => c.status));
  const started = texts.join("\n").match(/start \d+/g) ?? [];
  assert.equal(started.length, 12);
  assert.equal(new Set(started).size, 12);
  const rows = trialRows(dir, "grid");
  assert.equal(rows.length, 12);
  assert.ok(rows.every((r) => r.state === "COMPLETE"));
});

Deno.test("two open stores never claim the same trial", async () => {
  const path = recordsPath(await Deno.makeTempDir());
  const def = { name: "claims", grid: { lr: [1, 2, 3, 4, 5, 6] } };
  const stores = [openStore(path), openStore(path)];
  const id = stores[0].createStudy(def);
  assert.equal(stores[1].createStudy(def), id);
  assert.equal(stores[0].enqueue(id, def), 6);
  assert.equal(stores[1].enqueue(id, def), 0);
  const keys = new Set(
    stores[0].trials("claims").map((r) =>
      (r.system["ferlab:point"] as { key: string }).key
    ),
  );
  const claimed = [0, 1, 0, 1, 0, 1, 0].map((s) => stores[s].claim(id, keys));
  assert.equal(claimed[6], null);
  const ids = claimed.slice(0, 6).map((c) => c!.trialId);
  assert.equal(new Set(ids).size, 6);
  for (const store of stores) store.close();
  const db = new DatabaseSync(path);
  assert.throws(
    () => db.exec("UPDATE trials SET state='RUNNING' WHERE trial_id=1"),
    /trial already claimed/,
  );
  assert.equal(
    db.prepare("SELECT count(*) AS n FROM trial_heartbeats").get()?.n,
    6,
  );
  db.close();
});

Deno.test("another machine's trial is put back by a stale heartbeat only", async () => {
  const path = recordsPath(await Deno.makeTempDir());
  const def = { name: "far", grid: { lr: [1] } };
  const store = openStore(path);
  const id = store.createStudy(def);
  store.enqueue(id, def);
  const row = store.trials("far")[0];
  const { key } = row.system["ferlab:point"] as { key: string };
  store.claim(id, new Set([key]));
  const db = new DatabaseSync(path);
  db.exec(
    `UPDATE trial_system_attributes SET value_json='{"pid":1,"host":"far","start":null}'
    WHERE key='ferlab:worker'`,
  );
  assert.equal(store.reap(id), 0);
  db.exec(
    "UPDATE trial_heartbeats SET heartbeat=datetime('now','-130 seconds')",
  );
  db.close();
  assert.equal(store.reap(id), 1);
  assert.equal(store.owns(row.trialId), false);
  assert.throws(
    () => store.report(row.trialId, { epoch: 0, value: 1 }),
    /another process took it over/,
  );
  assert.deepEqual(store.trials("far").map((r) => r.state), [
    "FAIL",
    "WAITING",
  ]);
  store.close();
});

Deno.test("an unknown revision is refused and not a byte is written", async () => {
  const dir = await Deno.makeTempDir();
  const def = { name: "old", grid: { lr: [1] } };
  await runStudy(def, () => Promise.resolve({ value: 1 }), { dir });
  const db = new DatabaseSync(recordsPath(dir));
  db.exec("UPDATE alembic_version SET version_num='v9.9.9.z'");
  db.close();
  const before = await Deno.readFile(recordsPath(dir));
  await assert.rejects(
    runStudy(def, () => Promise.resolve({ value: 1 }), { dir }),
    /v9\.9\.9\.z.*v3\.2\.0\.a.*nothing was written/,
  );
  assert.deepEqual(await Deno.readFile(recordsPath(dir)), before);
  assert.throws(() => trialRows(dir, "old"), /v9\.9\.9\.z/);
});

Deno.test("a file that is no database is refused and kept", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(recordsPath(dir), "not a database, but notes\n");
  assert.throws(() => trialRows(dir, "x"), /not a trial record file|database/);
  assert.throws(() => openStore(recordsPath(dir)), /records\.sqlite/);
  assert.equal(
    await Deno.readTextFile(recordsPath(dir)),
    "not a database, but notes\n",
  );
});
