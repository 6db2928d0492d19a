// What is particular to trial records on a PostgreSQL server.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  openStore,
  type Outcome,
  type Store,
  StoreUnavailableError,
} from "../../lib/study/store/mod.ts";
import { parsePostgresUrl } from "../../lib/study/store/url.ts";
import { inFolder } from "../_folder.ts";
import { PASSWORD } from "./_postgres.ts";
import { point, points } from "./_points.ts";
import { Proxy } from "./_proxy.ts";
import { postgresTest as test, queued } from "./_stores.ts";
import { makeRoot, makeServer } from "./_tls.ts";

const COMPLETE: Outcome = { state: "COMPLETE", value: 0.5 };

function hidesPassword(error: Error): boolean {
  const text = Deno.inspect(error, { depth: 9, showHidden: true });
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)]) {
    assert.ok(!text.includes(secret), text);
  }
  assert.ok(!error.message.includes("\n"));
  return true;
}

Deno.test("a URL is read as libpq reads it", () => {
  const empty = { PGSSLROOTCERT: "/nowhere" };
  const { password, ...target } = parsePostgresUrl(
    "postgresql+psycopg2://a%40b:p%2Fq@db.example.org:5433/my%20db?sslmode=require",
    empty,
  );
  assert.equal(password, "p/q");
  assert.deepEqual(target, {
    name: "postgresql://a%40b@db.example.org:5433/my%20db",
    host: "db.example.org",
    port: 5433,
    user: "a@b",
    database: "my db",
    sslMode: "require",
    verifies: false,
    applicationName: "ferlab",
    connectSeconds: 10,
  });
  const socket = parsePostgresUrl("postgres:///d?host=/run/pg&user=u", empty);
  assert.equal(socket.name, "postgresql://u@/d?host=/run/pg&port=5432");
  assert.equal(socket.password, undefined);
  assert.equal(parsePostgresUrl("postgres://u@[::1]/d", empty).host, "::1");
});

Deno.test("what a URL leaves open comes from libpq's environment", () =>
  inFolder(async (dir) => {
    const file = join(dir, "pgpass");
    await Deno.writeTextFile(
      file,
      "# comment\nhost:5432:*:me:wrong\\:user\nh\\:ost:*:*:*:no\n*:5433:d:*:a\\:b\\\\c\n",
    );
    const env = {
      PGHOST: "host",
      PGPORT: "5433",
      PGUSER: "you",
      PGDATABASE: "d",
      PGSSLMODE: "disable",
      PGPASSFILE: file,
    };
    await Deno.chmod(file, 0o600);
    const { name, password, sslMode } = parsePostgresUrl("postgres://", env);
    assert.equal(name, "postgresql://you@host:5433/d");
    assert.equal(password, "a:b\\c");
    assert.equal(sslMode, "disable");
    const given = { ...env, PGPASSWORD: "given" };
    assert.equal(parsePostgresUrl("postgres://", given).password, "given");
    assert.equal(
      parsePostgresUrl("postgres://x:own@y/z", given).password,
      "own",
    );
    await Deno.chmod(file, 0o644);
    assert.equal(parsePostgresUrl("postgres://", env).password, undefined);
  }));

Deno.test("a bad URL is refused without being shown", async () => {
  const bad = [
    "postgres://u:s3c/ret@host/db",
    "postgres://u:12/s3cret@host/db",
    "postgres://u:12?s3cret@host/db",
    "postgres://u:12#s3cret@host/db",
    "postgres://u:s3cret%zz@host/db",
    "postgres://u:s3cret@host:99999/db",
    "postgres://u:s3cret@a,b/db",
    "postgres://u:s3cret@host/db?pasword=s3cret",
    "postgres://u:s3cret@host/db?sslmode=allow",
    "postgres://u:s3cret@host/db?sslmode=verify-full&sslrootcert=/no/file",
    "postgres://u:s3cret@host/db?sslmode=require&sslrootcert=system",
  ];
  for (const url of bad) {
    await assert.rejects(openStore(url), (e: Error) => {
      assert.equal(e.name, "StudyError");
      assert.ok(!Deno.inspect(e, { depth: 9 }).includes("s3c"), e.message);
      return true;
    }, url);
  }
});

test("no password is in names, errors or records", async (place) => {
  const store = await place.open();
  assert.match(store.name, /^postgresql:\/\/ferlab@127\.0\.0\.1:\d+\/test/);
  const studyId = await queued(store, 1);
  await store.claim(studyId);
  assert.ok(!Deno.inspect(await store.trials(studyId)).includes(PASSWORD));
  const url = new URL(place.url);
  url.pathname = "/nowhere";
  await assert.rejects(openStore(url.href), (e: Error) => {
    assert.match(e.message, /database "nowhere" does not exist/);
    return hidesPassword(e);
  });
  url.pathname = new URL(place.url).pathname;
  url.password = `${url.password}x`;
  await assert.rejects(openStore(url.href), (e: Error) => {
    assert.match(e.message, /password authentication failed for user "ferlab"/);
    return hidesPassword(e);
  });
  url.port = "1";
  await assert.rejects(
    openStore(url.href, { waitSeconds: 0.1 }),
    (e: Error) => {
      assert.ok(e instanceof StoreUnavailableError);
      assert.match(e.message, /could not be used for 0\.1 s .*ECONNREFUSED/);
      return hidesPassword(e);
    },
  );
  await place.sql("ALTER TABLE ferlab_settings RENAME TO elsewhere");
  await assert.rejects(
    store.settings(studyId).then(() =>
      store.addSetting(studyId, 0, [point(1)])
    ),
    (e: Error) => {
      assert.match(e.message, /relation "ferlab_settings" does not exist/);
      return hidesPassword(e);
    },
  );
});

test(
  "sslmode and sslrootcert are honoured",
  (place, cluster) =>
    inFolder(async (dir) => {
      const mode = async (parameters: string, host = "localhost") => {
        const url = place.url.replace("127.0.0.1", host);
        const store = await openStore(`${url}?${parameters}`);
        await store.close();
      };
      const using = async (parameters: string) => {
        const store = await openStore(`${place.url}?${parameters}`);
        const [ssl] = await place.sql(
          "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) " +
            "WHERE application_name='ferlab'",
        );
        await store.close();
        return ssl;
      };
      await assert.rejects(mode("sslmode=require"), /has no TLS/);
      assert.equal(await using("sslmode=prefer"), "f");
      const root = await makeRoot(dir, "root");
      const other = await makeRoot(dir, "other");
      await makeServer(dir, "root", "localhost");
      await cluster.useTls(
        await Deno.readTextFile(join(dir, "server.crt")),
        await Deno.readTextFile(join(dir, "server.key")),
      );
      assert.equal(await using("sslmode=disable"), "f");
      assert.equal(await using("sslmode=prefer"), "t");
      assert.equal(await using("sslmode=require"), "t");
      await mode(`sslmode=verify-full&sslrootcert=${root}`);
      await mode(`sslmode=verify-ca&sslrootcert=${root}`, "127.0.0.1");
      await assert.rejects(
        mode(`sslmode=verify-full&sslrootcert=${root}`, "127.0.0.1"),
        /Hostname\/IP does not match/,
      );
      for (const sslmode of ["verify-full", "verify-ca", "require"]) {
        await assert.rejects(
          mode(`sslmode=${sslmode}&sslrootcert=${other}`),
          /unable to verify/,
        );
      }
      await assert.rejects(
        mode("sslmode=verify-full&sslrootcert=system"),
        /unable to verify/,
      );
    }),
);

test("a server that restarts costs nothing", async (place, cluster) => {
  const store = await place.open();
  const studyId = await queued(store, 2);
  const { trialId } = (await store.claim(studyId))!;
  for (const how of ["fast", "immediate"] as const) {
    await cluster.down(how);
    const work = [
      store.report(trialId, [{ epoch: how === "fast" ? 1 : 2, value: 1 }]),
      store.heartbeat(trialId),
      store.trials(studyId),
    ];
    await cluster.up();
    await Promise.all(work);
  }
  await store.finish(trialId, COMPLETE);
  const [row] = await store.trials(studyId);
  assert.deepEqual(row.epochs.map((e) => e.epoch), [1, 2]);
  assert.equal(row.value, 0.5);
});

test(
  "a server that stays away is named after the wait",
  async (place, cluster) => {
    const warnings: string[] = [];
    const store = await place.open({
      waitSeconds: 3,
      onWarning: (message) => warnings.push(message),
    });
    const studyId = await queued(store, 1);
    await cluster.down();
    try {
      await assert.rejects(store.claim(studyId), (e: Error) => {
        assert.ok(e instanceof StoreUnavailableError);
        assert.match(e.message, /ferlab@127.*could not be used for 3 s/);
        return hidesPassword(e);
      });
    } finally {
      await cluster.up();
    }
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /ECONNREFUSED.*: waiting up to 3 s$/);
    assert.equal((await store.claim(studyId))!.number, 0);
  },
);

test(
  "connections that break at any moment lose and double nothing",
  async (place, cluster) => {
    const stores = [await place.open(), await place.open()];
    const studyId = await queued(stores[0], 30);
    let working = 2;
    const work = async (store: Store) => {
      const ran: number[] = [];
      for (;;) {
        const claim = await store.claim(studyId);
        if (!claim) break;
        await store.report(claim.trialId, [{ epoch: 1, value: 0.5 }]);
        await store.finish(claim.trialId, COMPLETE);
        ran.push(claim.number);
      }
      working--;
      return ran;
    };
    const ran = stores.map(work);
    // Any moment of any call; then some calls in peace.
    for (let broken = 0; working > 0 && broken < 12; broken++) {
      await cluster.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity " +
          "WHERE application_name='ferlab'",
      );
    }
    const numbers = (await Promise.all(ran)).flat().sort((a, b) => a - b);
    assert.deepEqual(numbers, [...Array(30).keys()]);
    const rows = await stores[0].trials(studyId);
    assert.ok(rows.every((r) => r.state === "COMPLETE" && r.value === 0.5));
  },
);

test(
  "a call whose COMMIT was not answered is not done twice",
  async (place, cluster) => {
    const proxy = new Proxy(cluster.port);
    const store = await openStore(
      // Without TLS, for the proxy to see what is sent.
      place.url.replace(`:${cluster.port}/`, `:${proxy.port}/`) +
        "?sslmode=disable",
    );
    const cut = async <T>(call: Promise<T>): Promise<T> => {
      proxy.cutNextCommit();
      const result = await call;
      assert.equal(proxy.cutsLeft, 0);
      return result;
    };
    try {
      const study = {
        name: "s",
        direction: "minimize",
        metric: "loss",
      } as const;
      const { studyId } = await cut(store.createStudy(study));
      assert.equal(await cut(store.enqueue(studyId, points(3))), 3);
      assert.equal(await cut(store.addSetting(studyId, 0, [point(3)])), true);
      const { key: _, ...free } = point(9);
      const ended = {
        outcome: COMPLETE,
        epochs: [],
        start: null,
        complete: null,
      };
      assert.equal(
        await cut(store.addFinished(studyId, [
          { ...free, ...ended },
          { ...point(8), ...ended },
        ])),
        2,
      );
      const claim = (await cut(store.claim(studyId)))!;
      assert.equal(claim.number, 0);
      await cut(store.report(claim.trialId, [{ epoch: 1, value: 1 }]));
      await cut(store.finish(claim.trialId, {
        state: "FAIL",
        kind: "interrupted",
        reason: "stopped",
        again: true,
      }));
      const ids = (await store.results(studyId)).filter((r) => r.value !== null)
        .map((r) => r.trialId);
      assert.equal(await cut(store.retry(studyId, ids)), 2);
      const rows = await store.trials(studyId);
      assert.deepEqual(
        rows.map((r) => r.state),
        [
          ...["FAIL", "WAITING", "WAITING", "WAITING", "COMPLETE", "COMPLETE"],
          ...["WAITING", "WAITING", "WAITING"],
        ],
      );
    } finally {
      await store.close();
      await proxy.close();
    }
  },
);

test("the tables' database gets the time zone UTC", async (place) => {
  const database = new URL(place.url).pathname.slice(1);
  const zone = () => place.sql("SHOW timezone");
  await place.sql(`ALTER DATABASE ${database} SET timezone TO 'Asia/Tokyo'`);
  assert.deepEqual(await zone(), ["Asia/Tokyo"]);
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const store = await place.open({ onWarning });
  assert.deepEqual(await zone(), ["UTC"]);
  assert.deepEqual(warnings, []);
  await place.sql(`ALTER DATABASE ${database} SET timezone TO 'Asia/Tokyo'`);
  const late = await place.open({ onWarning });
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0],
    /time zone Asia\/Tokyo.*ALTER DATABASE "test\d+" SET timezone TO 'UTC'/,
  );
  const studyId = await queued(store, 1);
  await late.claim(studyId);
  assert.deepEqual(await store.reap(studyId, 120), [], "it lives all the same");
});

test("a role that owns nothing works, and is warned of the zone", async (place) => {
  const database = new URL(place.url).pathname.slice(1);
  await (await place.open()).close();
  await place.sql(
    `ALTER DATABASE ${database} SET timezone TO 'America/New_York';
    CREATE ROLE worker LOGIN PASSWORD 'other';
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO worker;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO worker`,
  );
  const url = new URL(place.url);
  url.username = "worker";
  url.password = "other";
  const warnings: string[] = [];
  const store = await openStore(url.href, {
    onWarning: (message) => warnings.push(message),
  });
  const studyId = await queued(store, 1);
  const { trialId } = (await store.claim(studyId))!;
  await store.report(trialId, [{ epoch: 1, value: 1 }]);
  await store.finish(trialId, COMPLETE);
  await store.close();
  assert.match(warnings[0], /worker@.*time zone America\/New_York/);
});

test("other tables of the database are left alone", async (place) => {
  await place.sql("CREATE TABLE notes (text TEXT)");
  await assert.rejects(place.open({ readOnly: true }), /no trial records here/);
  await queued(await place.open(), 1);
  assert.deepEqual(await place.sql("SELECT count(*) FROM notes"), ["0"]);
});
