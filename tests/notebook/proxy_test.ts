/** The kernel for front ends: outputs, errors, stop, restart, its end. */
import assert from "node:assert/strict";
import { interruptible } from "../../lib/notebook/kernel/agent.ts";
import { withSvgTwin } from "../../lib/notebook/kernel/outputs.ts";
import {
  newConnection,
  readConnection,
  Wire,
} from "../../lib/notebook/kernel/wire.ts";
import { finished } from "../_run.ts";
import {
  Client,
  leftOver,
  proxyArgs,
  proxyTest,
  serving,
  withProxy,
} from "./_client.ts";
import { filesTest, ROOT, withFiles } from "./_notebook.ts";

const test = { files: filesTest, proxy: proxyTest };

const GO = 'console.log("go");';
const HOME = ROOT; // where the proxy starts

/** Runs `code`, stops it once it has begun, and gives its answer. */
async function stopped(client: Client, code: string, times = 1) {
  const id = await client.cell(`${GO} ${code}`);
  await client.printed(id, "go");
  for (let i = 0; i < times; i++) {
    await client.ask("interrupt_request", {}, "control");
  }
  return await client.answer(id);
}

/** The text/plain of what a cell evaluates to. */
async function value(client: Client, code: string): Promise<string> {
  const { messages } = await client.run(code);
  const result = messages.find((m) => m.type === "execute_result");
  const data = result?.content.data as Record<string, string> | undefined;
  // deno-lint-ignore no-control-regex
  return (data?.["text/plain"] ?? "").replace(/\x1b\[\d+m/g, "");
}

test.proxy("1000 lines of 20 cells sent at once are each in their own cell", async ({ client }) => {
  const ids: string[] = [];
  for (let n = 0; n < 20; n++) {
    ids.push(
      await client.cell(
        `for (let i = 0; i < 50; i++) console.log("${n}:" + i);`,
      ),
    );
  }
  for (const [n, id] of ids.entries()) {
    const { text, reply, messages } = await client.answer(id);
    const lines = Array.from({ length: 50 }, (_, i) => `${n}:${i}\n`);
    assert.equal(text, lines.join(""));
    assert.equal(reply.execution_count, n + 1);
    const types = messages.map((m) => m.content.execution_state ?? m.type);
    assert.deepEqual(types.slice(0, 2), ["busy", "execute_input"]);
    assert.equal(types.at(-1), "idle");
    assert.equal(types.filter((t) => t === "idle").length, 1);
  }
});

test.proxy("a cell that fails is told so and aborts those that wait", async ({ client }) => {
  const ids = [
    await client.cell("const seven = 7;\n\nthrow new TypeError('no');"),
    await client.cell("globalThis.ran = true"),
    await client.cell("1"),
  ];
  const [first, ...others] = await Promise.all(
    ids.map((id) => client.answer(id)),
  );
  const { status, ename, evalue, traceback } = first.reply;
  assert.deepEqual([status, ename, evalue], ["error", "TypeError", "no"]);
  assert.match((traceback as string[]).join("\n"), /line 3 of the cell/);
  const errors = first.messages.filter((m) => m.type === "error");
  assert.deepEqual(errors.map((m) => m.content), [
    { ename, evalue, traceback },
  ]);
  for (const { reply } of others) assert.equal(reply.status, "aborted");
  assert.equal(
    await value(client, "[seven, globalThis.ran]"),
    "[ 7, undefined ]",
  );

  const syntax = await client.run("1;\nconst x = (;");
  assert.equal(syntax.reply.ename, "SyntaxError");
  assert.match((syntax.reply.traceback as string[]).join("\n"), /<cell>:2:1/);
  assert.ok(syntax.messages.some((m) => m.type === "error"));
  const thrown = await client.run("throw 'words'");
  assert.match((thrown.reply.traceback as string[]).join("\n"), /words/);

  const caused = await client.run(
    "throw new Error('a', { cause: new Error('disk') })",
  );
  assert.match(
    (caused.reply.traceback as string[]).join("\n"),
    /line 1 of .*Caused by: Error: disk/s,
  );

  const go = [
    await client.cell("throw 1", { stop_on_error: false }),
    await client.cell("2"),
  ];
  await client.answer(go[0]);
  assert.equal((await client.answer(go[1])).reply.status, "ok");
});

test.proxy("a stopped cell keeps the variables of all cells", async ({ client }) => {
  await client.run("let kept = 41; let ended = '';");
  const cells = [
    "while (true) {}",
    "await new Promise(() => {});",
    "for (;;) await new Promise((r) => setTimeout(r, 5));",
    "await 0; while (true) {}",
  ];
  for (const code of cells) {
    const { reply, messages } = await stopped(client, code);
    assert.equal(reply.ename, "Interrupted", code);
    assert.match(String(reply.evalue), /variables are kept/, code);
    assert.ok(messages.some((m) => m.type === "error"));
    assert.equal(await value(client, "kept + 1"), "42", code);
  }
  // A cell that listens for SIGINT ends in its own way.
  const { reply, text } = await stopped(
    client,
    `await new Promise((stop) => Deno.addSignalListener("SIGINT", stop));
       ended = "well"; console.log("saved");`,
  );
  assert.equal(reply.status, "ok");
  assert.match(text, /saved/);
  assert.equal(await value(client, "ended + kept"), `"well41"`);
  // Stopped with nothing running, nothing happens.
  await client.ask("interrupt_request", {}, "control");
  assert.equal(await value(client, "kept"), "41");
});

test.proxy("a cell that is stopped before it waits for anything is stopped", async ({ client }) => {
  const stop = async (code: string) => {
    const id = await client.cell(code);
    await client.until(() =>
      client.heard.some((m) =>
        m.parent.msg_id === id && m.header.msg_type === "execute_input"
      )
    );
    await client.ask("interrupt_request", {}, "control");
    const { reply } = await client.answer(id);
    assert.equal(reply.ename, "Interrupted");
    assert.equal(await value(client, "await 2"), "2");
  };
  await stop("await new Promise(() => {});"); // the kernel starts
  for (let i = 0; i < 3; i++) await stop("await new Promise(() => {});");
});

test.files("a file that is no connection file is told in one line", async (file) => {
  const good = newConnection();
  const cases = {
    "is no connection file: it holds no object": [],
    "it has no ip": { ...good, ip: 5 },
    "it has no key": { ...good, key: undefined },
    "shell_port is no port": { ...good, shell_port: 70_000 },
    "its transport is neither tcp nor ipc": { ...good, transport: "udp" },
    "signed by hmac-sha256 alone": { ...good, signature_scheme: "hmac-md5" },
  };
  const path = file("c.json");
  for (const [told, content] of Object.entries(cases)) {
    await Deno.writeTextFile(path, JSON.stringify(content));
    await assert.rejects(readConnection(path), ({ message }: Error) => {
      assert.ok(message.startsWith(path) && message.includes(told), message);
      return !message.includes("\n");
    });
  }
  await assert.rejects(readConnection(file(".")), /cannot read the connection/);
  await Deno.writeTextFile(path, JSON.stringify(good));
  assert.deepEqual(await readConnection(path), good);
  // As front ends that were written for IPython's kernel call it.
  await Deno.writeTextFile(path, "{");
  const args = proxyArgs(path).with(-2, "-f");
  const { code, err } = await finished(
    new Deno.Command(Deno.execPath(), {
      ...{ args, stdin: "null", stdout: "piped", stderr: "piped" },
    }),
  );
  assert.equal(code, 2);
  assert.match(err, /^error: .*c\.json: is no connection file: .*\n$/);
});

test.proxy("variables that are lost are said to be lost", async ({ client }) => {
  await client.run("let kept = 41");
  const twice = await stopped(client, "while (true) {}", 2);
  assert.match(String(twice.reply.evalue), /variables .* lost/);
  assert.equal(await value(client, "typeof kept"), `"undefined"`);
  const died = await client.run("Deno.exit(3)");
  assert.equal(died.reply.ename, "KernelDied");
  assert.match(String(died.reply.evalue), /exit code 3.*lost/);
  assert.equal(await value(client, "1 + 1"), "2");
});

test.proxy("questions of front ends are answered, unknown ones put up with", async ({ client, c }) => {
  const info = await client.ask("kernel_info_request");
  assert.equal(info.reply.protocol_version, "5.3");
  await client.run("const longName = 1");
  const completed = await client.ask("complete_request", {
    code: "longN",
    cursor_pos: 5,
  });
  assert.deepEqual(completed.reply.matches, ["longName"]);
  const half = await client.ask("is_complete_request", { code: "if (" });
  assert.equal(half.reply.status, "incomplete");
  const past = await client.ask("history_request", {
    hist_access_type: "tail",
    n: 1,
  });
  assert.deepEqual(past.reply.history, [[0, 1, "const longName = 1"]]);
  assert.deepEqual((await client.ask("comm_info_request")).reply.comms, {});
  const inspected = await client.ask("inspect_request", {
    code: "longName",
    cursor_pos: 2,
  });
  assert.equal(inspected.reply.status, "ok");
  await client.send("dance_request", {});
  // A message that somebody without the key signed is not taken.
  const header = new Wire("wrong").header("execute_request");
  await client.shell.send(
    new Wire("wrong").frames(header, {}, { code: "globalThis.bad = 1" }),
  );
  assert.equal(await value(client, "globalThis.bad"), "");
  const second = await Client.connect(c);
  assert.equal(await value(second, "longName"), "1");
  const file = "await Deno.remove(await Deno.makeTempFile())";
  assert.equal((await second.run(file)).reply.status, "ok");
  second.close();
});

test.proxy("silent cells publish and count nothing; displays are passed on", async ({ client }) => {
  const silent = await client.run("throw 1", { silent: true });
  assert.equal(silent.reply.status, "error");
  assert.deepEqual(
    new Set(silent.messages.map((m) => m.type)),
    new Set(["status"]),
  );
  const shown = await client.run(
    `await Deno.jupyter.broadcast("display_data", { metadata: {},
         data: { "image/svg+xml": "<svg/>" }, transient: { display_id: "a" } });
       await Deno.jupyter.broadcast("clear_output", { wait: true });
       await Deno.jupyter.broadcast("update_display_data", { metadata: {},
         data: { "text/plain": "b" }, transient: { display_id: "a" } }); 5`,
  );
  assert.equal(shown.reply.execution_count, 1);
  const [display, clear, update, result] = shown.messages.slice(2, -1);
  assert.equal(
    (display.content.data as Record<string, string>)["text/html"],
    "<svg/>",
  );
  assert.deepEqual(clear, { type: "clear_output", content: { wait: true } });
  assert.deepEqual(update.content.transient, { display_id: "a" });
  assert.equal(result.content.execution_count, 1);
});

Deno.test("at shutdown, and when its client dies, no process is left", async () => {
  await withProxy(async ({ client, proxy, c }) => {
    const inner = Number(await value(client, "Deno.pid"));
    const { reply } = await client.ask(
      "shutdown_request",
      { restart: true },
      "control",
    );
    assert.equal(reply.restart, true);
    assert.equal((await proxy.status).code, 0);
    assert.deepEqual(await leftOver([inner, proxy.pid]), []);
    // A restart starts it anew on the same ports.
    await serving(c, async ({ client: again }) => {
      assert.notEqual(Number(await value(again, "Deno.pid")), inner);
    });
  });
  await withFiles(async (file) => {
    const c = newConnection();
    await Deno.writeTextFile(file("c.json"), JSON.stringify(c));
    // The front end: starts the proxy, says its number, lives until killed.
    const front = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `const p = new Deno.Command(Deno.execPath(), {
           args: ${JSON.stringify(proxyArgs(file("c.json")))},
           stdin: "null", stdout: "null" }).spawn();
         console.log(p.pid); await p.status;`,
      ],
      cwd: HOME,
      stdout: "piped",
    }).spawn();
    const said = front.stdout.getReader();
    const proxy = Number(new TextDecoder().decode((await said.read()).value));
    await said.cancel();
    const client = await Client.connect(c);
    const inner = Number(await value(client, "Deno.pid"));
    await client.printed(await client.cell(`${GO} while (true) {}`), "go");
    front.kill("SIGKILL");
    await front.status;
    assert.deepEqual(await leftOver([proxy, inner]), []);
    client.close();
  });
});

test.proxy("a kernel in an endless loop ends when its proxy is killed", async ({ client, proxy }) => {
  const inner = Number(await value(client, "Deno.pid"));
  await client.printed(await client.cell(`${GO} while (true) {}`), "go");
  proxy.kill("SIGKILL");
  assert.deepEqual(await leftOver([inner]), []);
});

Deno.test("only a cell's own awaits are made to end", () => {
  const until = 'globalThis[Symbol.for("ferlab.until")]';
  const each = 'globalThis[Symbol.for("ferlab.each")]';
  assert.equal(
    interruptible("const a: number = await f(await g());"),
    `const a: number = await ${until}((f(await ${until}((g())))));`,
  );
  assert.equal(
    interruptible("for await (const x of xs) f(x);"),
    `for await (const x of ${each}((xs))) f(x);`,
  );
  for (
    const code of [
      "async () => { await 1 }",
      "class A { async m() { await 1 } }",
      "await (",
      "enum E { A }\nawait E.A;",
    ]
  ) assert.equal(interruptible(code), code);
});

Deno.test("an SVG gets a twin that follows the page's theme, once", () => {
  const svg = "<?xml version='1.0'?>\n<svg><style>:where(.p) {\n" +
    "  --plot-background: white;\n}</style></svg>";
  const { data } = withSvgTwin({ data: { "image/svg+xml": svg } });
  const twin = (data as Record<string, string>)["text/html"];
  assert.match(twin, /^<svg>.*--plot-background: var\(--jp-/s);
  const own = { data: { "image/svg+xml": svg, "text/html": "mine" } };
  assert.deepEqual(withSvgTwin(own), own);
});
