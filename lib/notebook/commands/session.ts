/** `deno task nb session`: kernels that are kept between reruns. */
import type { Command } from "commander";
import {
  findSession,
  listSessions,
  type Session,
  startSession,
  stopSession,
} from "../run/session.ts";
import { fail, path, shownPath, warn } from "./shared.ts";

type Options = { all?: boolean; json?: boolean };

const told = ({ notebook, pid, started }: Session) => ({
  notebook: shownPath(notebook),
  pid,
  started,
});

function print(sessions: Session[], o: Options, word = "") {
  const list = sessions.map(told);
  if (o.json) console.log(JSON.stringify({ sessions: list }, null, 2));
  else {
    for (const s of list) {
      console.log(
        `${word}${s.notebook}  process ${s.pid}, since ${s.started}`,
      );
    }
  }
}

async function start(file: string, o: Options): Promise<number> {
  print([await startSession(path(file), warn)], o);
  return 0;
}

async function list(o: Options): Promise<number> {
  print(await listSessions(), o);
  return 0;
}

async function stop(file: string | undefined, o: Options): Promise<number> {
  if (!file === !o.all) {
    fail("say which session: a notebook, or --all");
    return 2;
  }
  const one = file && await findSession(path(file));
  const sessions = file ? (one ? [one] : []) : await listSessions();
  if (file && !one) {
    fail(
      `${file}: it has no session; \`nb session list\` shows those that live`,
    );
    return 1;
  }
  for (const session of sessions) await stopSession(session);
  if (o.json || sessions.length > 0) print(sessions, o, "stopped ");
  else console.log("no session lives: nothing to stop");
  return 0;
}

export function addSession(program: Command): void {
  const session = program.command("session")
    .summary("keep a notebook's kernel between reruns")
    .description(
      "Keep a kernel for a notebook after the command has ended, so that " +
        "`rerun` finds the work of earlier cells in it.",
    );
  session.command("start")
    .description("Start a session; it runs no cell.")
    .argument("<notebook>", "the .ipynb file")
    .option("--json", "print the session as JSON")
    .action(async (file, options) => Deno.exit(await start(file, options)));
  session.command("stop")
    .description("End a notebook's session and all that its cells started.")
    .argument("[notebook]", "the .ipynb file")
    .option("--all", "end all sessions")
    .option("--json", "print the sessions ended as JSON")
    .action(async (file, options) => Deno.exit(await stop(file, options)));
  session.command("list")
    .description("List the sessions that live.")
    .option("--json", "print them as JSON")
    .action(async (options) => Deno.exit(await list(options)));
}
