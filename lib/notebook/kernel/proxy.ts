/**
 * A kernel for interactive front ends: it speaks Jupyter's protocol (5.3),
 * runs Deno's own kernel behind it and puts right what that one gets wrong:
 * outputs on the wrong cell, errors that do not stop a run, a stop button that
 * loses the variables, a kernel that outlives its client.
 */
import { parseArgs } from "node:util";
import { CellQueue } from "./cell_queue.ts";
import { Front, type Request } from "./front_ends.ts";
import { projectFolder } from "../project.ts";
import { withinTime } from "../concurrency.ts";
import { type Connection, readConnection } from "./wire.ts";

const PARENT_EVERY = 500; // ms between two looks whether the client is there
/** ms that a kernel which starts or works may take; `jupyter console` waits 1 s. */
const COMPLETE = 700;

const info = () => ({
  status: "ok",
  protocol_version: "5.3",
  implementation: "ferlab",
  implementation_version: Deno.version.deno,
  language_info: {
    name: "typescript",
    version: Deno.version.typescript,
    mimetype: "text/x.typescript",
    file_extension: ".ts",
    pygments_lexer: "typescript",
    codemirror_mode: "typescript",
    nbconvert_exporter: "script",
  },
  banner: `FERLab, Deno ${Deno.version.deno}`,
  help_links: [{ text: "Deno", url: "https://docs.deno.com" }],
});

/** Serves front ends until one asks for the end; resolves after it. */
export async function serveKernel(
  connection: Connection,
  cwd: string,
): Promise<void> {
  let end: () => void;
  const ended = new Promise<void>((r) => end = r);
  // deno-lint-ignore prefer-const -- its sockets need what it is given to
  let front: Front;
  const cells = new CellQueue((...message) => front.publish(...message), cwd);

  const interrupt = () => {
    cells.interrupt().catch(() => {}); // its cell tells why there is no kernel
  };
  const answer = async (r: Request): Promise<void> => {
    switch (r.header.msg_type) {
      case "kernel_info_request":
        return r.reply(info());
      case "comm_info_request":
        return r.reply({ status: "ok", comms: {} });
      case "comm_open": {
        const { comm_id } = r.content;
        front.publish(r.header, "comm_close", { comm_id, data: {} });
        return;
      }
      case "history_request":
        return r.reply({ status: "ok", history: cells.history(r.content) });
      case "complete_request":
        return r.reply(await cells.complete(r.content));
      case "inspect_request":
        return r.reply(await cells.inspect(r.content));
      case "is_complete_request": {
        const asked = cells.ask(r.header.msg_type, r.content);
        return r.reply(
          await withinTime(COMPLETE, asked, { status: "unknown" }),
        );
      }
      case "interrupt_request":
        interrupt();
        return r.reply({ status: "ok" });
      case "shutdown_request":
        await cells.end();
        r.reply({ status: "ok", restart: r.content.restart ?? false });
        return end();
    }
  };
  const status = (r: Request, execution_state: "busy" | "idle") =>
    front.publish(r.header, "status", { execution_state });
  const handle = async (r: Request) => {
    status(r, "busy");
    try {
      await answer(r);
    } catch (e) { // the kernel does not start, say; the front end goes on
      const evalue = (e as Error).message;
      r.reply({ status: "error", ename: "KernelError", evalue, traceback: [] });
    } finally {
      status(r, "idle");
    }
  };
  const shell = (r: Request) =>
    r.header.msg_type === "execute_request" ? cells.add(r) : handle(r);
  front = new Front(connection, { shell, control: handle });
  front.publish({}, "status", { execution_state: "starting" });

  const parent = Deno.ppid;
  const watch = setInterval(() => {
    if (Deno.ppid !== parent) end();
  }, PARENT_EVERY);
  const stop = () => end();
  const signals = Deno.build.os === "windows"
    ? [] as const
    : ["SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  Deno.addSignalListener("SIGINT", interrupt);
  await ended;
  clearInterval(watch);
  for (const signal of signals) Deno.removeSignalListener(signal, stop);
  Deno.removeSignalListener("SIGINT", interrupt);
  await cells.end();
  // What was said last is still on its way.
  await new Promise((r) => setTimeout(r, 50));
  front.close();
}

if (import.meta.main) {
  /** Ends with one line. */
  const fail = (code: number) => (error: Error): never => {
    const [line] = error.message.split("\n");
    console.error(`error: ${line}`);
    Deno.exit(code);
  };
  let connection: Connection;
  try {
    const { conn } = parseArgs({
      options: { conn: { type: "string", short: "f" } },
    }).values;
    connection = await readConnection(conn);
  } catch (e) {
    fail(2)(e as Error);
  }
  await serveKernel(connection!, projectFolder(Deno.cwd())).catch(fail(1));
  Deno.exit(0);
}
