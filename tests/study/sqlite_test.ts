// What is particular to trial records in a SQLite file.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { openStore, StoreUnavailableError } from "../../lib/study/store/mod.ts";
import { networkMount } from "../../lib/study/store/mounts.ts";
import { folderTest, inFolder } from "../_folder.ts";
import { point, points } from "./_points.ts";
import { queued, sqliteTest } from "./_stores.ts";

const test = { folder: folderTest, sqlite: sqliteTest };
const names = (dir: string) => [...Deno.readDirSync(dir)].map((e) => e.name);

test.sqlite("a locked file is waited for, and the event loop runs on", async ({ url, open }) => {
  const store = await open();
  const studyId = await queued(store, 1);
  const { trialId } = (await store.claim(studyId))!;
  const other = new DatabaseSync(url);
  other.exec("BEGIN IMMEDIATE");
  let done = false;
  const finished = store.finish(trialId, { state: "COMPLETE", value: 1 })
    .then(() => done = true);
  for (let turns = 0; turns < 20; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(done, false);
  other.exec("COMMIT");
  await finished;
  other.close();
  assert.equal((await store.trials(studyId))[0].state, "COMPLETE");
});

test.sqlite("a file that stays locked is named, and nothing is lost", async ({ url, open }) => {
  const studyId = await queued(await open(), 1);
  const store = await open({ waitSeconds: 0.1 });
  const { trialId } = (await store.claim(studyId))!;
  const other = new DatabaseSync(url);
  other.exec("BEGIN IMMEDIATE");
  await assert.rejects(
    store.finish(trialId, { state: "COMPLETE", value: 1 }),
    (e: Error) =>
      e instanceof StoreUnavailableError && e.message.includes(url) &&
      e.message.includes("for 0.1 s") && !e.message.includes("\n"),
  );
  await assert.rejects(openStore(url, { waitSeconds: 0.1 }), /stayed locked/);
  other.exec("ROLLBACK");
  other.close();
  await store.finish(trialId, { state: "COMPLETE", value: 1 });
  assert.equal((await store.trials(studyId))[0].value, 1);
});

test.sqlite("a reader that never ends stops no writer", async ({ url, open }) => {
  const store = await open({ waitSeconds: 0 });
  const studyId = await queued(store, 1);
  const reader = new DatabaseSync(url, { readOnly: true });
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM trials").get();
  const { trialId } = (await store.claim(studyId))!;
  await store.finish(trialId, { state: "COMPLETE", value: 1 });
  reader.close();
  assert.equal((await store.trials(studyId))[0].value, 1);
});

test.sqlite("trials of one process report at once", async ({ open }) => {
  const store = await open();
  const studyId = await queued(store, 4);
  const claims = await Promise.all(
    [1, 2, 3, 4].map(() => store.claim(studyId)),
  );
  await Promise.all(
    Array.from(
      { length: 100 },
      (_, i) =>
        store.report(claims[i % 4]!.trialId, [
          { epoch: 1 + Math.floor(i / 4), value: i },
        ]),
    ),
  );
  const rows = await store.trials(studyId);
  assert.deepEqual(rows.map((r) => r.intermediate.length), [25, 25, 25, 25]);
});

test.sqlite("a second claim past the store fails", async ({ open, sql }) => {
  const store = await open();
  const { trialId } = (await store.claim(await queued(store, 1)))!;
  await assert.rejects(
    sql(`UPDATE trials SET state='RUNNING' WHERE trial_id=${trialId}`),
    /trial already claimed/,
  );
});

test.sqlite("an id that is used again finds no epochs of another trial", async ({ url, open }) => {
  const store = await open();
  const studyId = await queued(store, 1);
  const { trialId } = (await store.claim(studyId))!;
  await store.report(trialId, [{ epoch: 1, value: 1 }]);
  await store.saveArtifact(trialId, "x", new Uint8Array([1]));
  // As Optuna deletes: without foreign keys, and its own tables only.
  const other = new DatabaseSync(url, { enableForeignKeyConstraints: false });
  other.exec("DELETE FROM trial_intermediate_values; DELETE FROM trials");
  other.exec("DELETE FROM trial_heartbeats; DELETE FROM trial_params");
  other.exec("DELETE FROM trial_system_attributes");
  other.exec("DELETE FROM trial_user_attributes");
  other.close();
  await store.enqueue(studyId, points(1));
  const [row] = await store.trials(studyId);
  assert.equal(row.trialId, trialId);
  assert.deepEqual(row.epochs, []);
  assert.equal((await store.artifacts(studyId, "x")).size, 0);
});

test.sqlite("a trial's row deleted by hand takes what belongs to it along", async ({ url, open, sql }) => {
  const deleteRow = (number: number) => {
    const db = new DatabaseSync(url, { enableForeignKeyConstraints: false });
    db.exec(`DELETE FROM trials WHERE number=${number}`);
    db.close();
  };
  const store = await open();
  const studyId = await queued(store, 4);
  deleteRow(3);
  assert.equal(await store.enqueue(studyId, [point(3)]), 1);
  // Records of an earlier version, whose rows stayed.
  await sql("DROP TRIGGER ferlab_trials_number; SELECT 1");
  deleteRow(4);
  const later = await open();
  assert.equal(await later.enqueue(studyId, [point(4)]), 1);
  const last = (await later.trials(studyId)).at(-1)!;
  assert.deepEqual([last.number, last.params], [5, point(4).params]);
});

test.sqlite("reading makes no file, beside a writer and without one", async ({ url, open }) => {
  const dir = join(url, "..");
  const store = await open();
  const studyId = await queued(store, 2);
  const reader = await openStore(`sqlite:///${url}`, { readOnly: true });
  assert.equal((await reader.trials(studyId)).length, 2);
  await store.close();
  assert.deepEqual(names(dir), ["records.sqlite"]);
  const bytes = await Deno.readFile(url);
  assert.equal((await reader.trials(studyId)).length, 2);
  assert.deepEqual(names(dir), ["records.sqlite"]);
  assert.deepEqual(await Deno.readFile(url), bytes);
});

test.sqlite("what a killed writer committed is read, without its help files", async ({ url, open }) => {
  const store = await open();
  const studyId = await queued(store, 2);
  await inFolder(async (dir) => {
    const copy = join(dir, "records.sqlite");
    await Deno.copyFile(url, copy);
    await Deno.copyFile(`${url}-wal`, `${copy}-wal`);
    const reader = await openStore(copy, { readOnly: true });
    assert.equal((await reader.trials(studyId)).length, 2);
    assert.deepEqual(names(dir).sort(), [
      "records.sqlite",
      "records.sqlite-wal",
    ]);
  });
});

test.sqlite("another revision's file keeps every byte", async ({ url, open, sql }) => {
  await (await open()).close();
  await sql("PRAGMA journal_mode=DELETE");
  await sql("UPDATE alembic_version SET version_num='v9.9.9.z'");
  const before = await Deno.readFile(url);
  await assert.rejects(open(), /v9\.9\.9\.z/);
  await assert.rejects(open({ readOnly: true }), /v9\.9\.9\.z/);
  assert.deepEqual(await Deno.readFile(url), before);
  assert.deepEqual(names(join(url, "..")), ["records.sqlite"]);
});

const beside = (url: string) => ["", "-wal", "-shm"].map((end) => url + end);

for (const ends of [[0, 1, 2], [0], [1], [0, 1]]) {
  const what = ends.map((i) => beside("x.sqlite")[i]).join(", ");
  test.sqlite(`${what} deleted while in use costs no record`, async ({ url, open }) => {
    const warnings: string[] = [];
    const onWarning = (message: string) => void warnings.push(message);
    const store = await open({ onWarning });
    const other = await open({ onWarning });
    const studyId = await queued(store, 3);
    const [a, b] = [await store.claim(studyId), await other.claim(studyId)];
    ends.forEach((i) => Deno.removeSync(beside(url)[i]));
    await store.finish(a!.trialId, { state: "COMPLETE", value: 1 });
    assert.match(warnings[0], /was deleted while the study runs: /);
    if (ends.includes(0)) {
      await other.finish(b!.trialId, { state: "COMPLETE", value: 2 });
      assert.equal(warnings.length, 1, "the file is there again");
      ends.forEach((i) => Deno.removeSync(beside(url)[i]));
    }
    await other.close();
    await store.close();
    const values = (await (await open()).trials(studyId)).map((t) => t.value);
    assert.deepEqual(values, [1, ends.includes(0) ? 2 : null, null]);
    assert.deepEqual(
      [...Deno.readDirSync(join(url, ".."))].filter((e) =>
        /restor/.test(e.name)
      ),
      [],
    );
  });
}

test.sqlite("a file put in the place of one in use is not written, and nothing is lost", async ({ url, open }) => {
  const store = await open();
  const studyId = await queued(store, 2);
  const { trialId } = (await store.claim(studyId))!;
  await store.finish(trialId, { state: "COMPLETE", value: 1 });
  const foreign = await openStore(`${url}.new`);
  await queued(foreign, 1);
  await foreign.close();
  beside(url).forEach((file) => Deno.removeSync(file));
  Deno.renameSync(`${url}.new`, url);
  const before = Deno.readFileSync(url);
  const told =
    /was replaced by another file .* are in (\S+\.kept-\d+); put the one/;
  await assert.rejects(store.claim(studyId), told);
  const error = await store.claim(studyId).catch((e: Error) => e) as Error;
  await assert.rejects(store.close(), told);
  assert.deepEqual(Deno.readFileSync(url), before);
  const kept = await openStore(told.exec(error.message)![1]);
  assert.equal((await kept.trials(studyId))[0].value, 1);
  await kept.close();
});

test.sqlite("a file that is no database is refused and kept", async ({ url, open }) => {
  await Deno.writeTextFile(url, "not a database, but notes\n");
  for (const readOnly of [false, true]) {
    await assert.rejects(open({ readOnly }), {
      name: "StudyError",
      message: `${url} is no SQLite database: nothing was written; move ` +
        `it away, or choose another folder or --store`,
    });
  }
  assert.equal(await Deno.readTextFile(url), "not a database, but notes\n");
});

test.sqlite("a damaged file says what to do", async ({ url, open }) => {
  const store = await open();
  const studyId = await queued(store, 200);
  await store.close();
  const bytes = Deno.readFileSync(url);
  const cut = bytes.subarray(0, bytes.length / 2);
  const spoilt = bytes.slice().fill(0xff, 4096);
  for (const damaged of [cut, spoilt]) {
    Deno.writeFileSync(url, damaged);
    for (const readOnly of [false, true]) {
      await assert.rejects(
        async () => await (await open({ readOnly })).trials(studyId),
        {
          name: "StudyError",
          message:
            /is damaged \(.*\): move it to \S+\.damaged, copy what is left with `sqlite3 /,
        },
      );
    }
  }
});

test.sqlite("a damaged value is told with its place, a time that is none left out", async ({ url, open }) => {
  const store = await open();
  const studyId = await queued(store, 2);
  await store.close();
  const change = (sql: string) => {
    const db = new DatabaseSync(url);
    db.exec(sql);
    db.close();
  };
  const trials = async () => {
    const reader = await open({ readOnly: true });
    try {
      return await reader.trials(studyId);
    } finally {
      await reader.close();
    }
  };
  change("UPDATE trials SET datetime_start='yesterday'");
  assert.equal((await trials())[0].start, null);
  change(
    "INSERT INTO trial_user_attributes (trial_id, key, value_json) " +
      "SELECT trial_id, 'recipe', '{cut' FROM trials WHERE number=1",
  );
  await assert.rejects(trials(), (error: Error) => {
    assert.equal(error.name, "StudyError");
    assert.ok(error.message.startsWith(`${url}: trial 1's attribute recipe`));
    assert.match(error.message, /is no JSON \(.+\): put it right /);
    return true;
  });
  change("DROP TABLE trial_values");
  await assert.rejects(trials(), {
    message: /lacks a part of the records \(.*trial_values\): put a backup/,
  });
});

test.folder("a folder, a device or another kind of store is refused and nothing made", async (dir) => {
  for (const readOnly of [false, true]) {
    const open = (url: string) => openStore(url, { readOnly });
    await assert.rejects(open(dir), { message: /is a folder: give the file/ });
    await assert.rejects(open("/dev/null"), { message: /is no plain file/ });
    for (
      const url of ["mysql://u:secret@h/db", "redis+tls://h", "file:///x"]
    ) {
      await assert.rejects(open(url), (error: Error) => {
        assert.match(error.message, /^\w[\w+]*:\/\/…: no such store: give a /);
        return error.name === "StudyError";
      });
    }
  }
  assert.deepEqual(names(dir), []);
});

test.sqlite("another program's database is refused", async ({ url, open }) => {
  const db = new DatabaseSync(url);
  db.exec("CREATE TABLE notes (text)");
  db.close();
  await assert.rejects(open(), /its schema revision is none/);
});

Deno.test({
  name: "a folder that cannot be written is found at opening",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    assert.rejects(openStore("/proc/self/task/records.sqlite"), {
      name: "StudyError",
      message: /^\/proc\/self\/task\/records\.sqlite: cannot write trial/,
    }),
});

test.folder("a network file system is known by its mount", (dir) => {
  const real = Deno.realPathSync(dir);
  const under = (...mounts: string[]) =>
    networkMount(join(dir, "no", "records.sqlite"), mounts.join("\n"));
  assert.equal(under("disk / ext4 rw 0 0"), undefined);
  for (const type of ["nfs4", "cifs", "smb3", "fuse.sshfs", "9p"]) {
    assert.equal(under("disk / ext4 rw", `host:/x ${real} ${type} rw`), type);
  }
  assert.equal(under("h:/ / nfs rw", `disk ${real} ext4 rw`), undefined);
  assert.equal(under("d / ext4 rw", `h:/x ${real}er nfs rw`), undefined);
  const spaced = join(dir, "a b");
  Deno.mkdirSync(spaced);
  assert.equal(networkMount(spaced, `h:/x ${real}/a\\040b nfs4 rw`), "nfs4");
  return Promise.resolve();
});
