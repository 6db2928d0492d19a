/** What the fence after each cell costs: cells with it and without, in turn. */
import { join } from "node:path";
import { addressOf, Wire } from "../../lib/notebook/wire.ts";
import { Kernel } from "../../lib/notebook/kernel.ts";
import { startSession, stopSession } from "../../lib/notebook/mod.ts";
import { ZmtpSocket } from "../../lib/notebook/zmtp.ts";
import { inTurns, line, median, round, timed } from "./parts.ts";
import type { Bench } from "./notebook_parts.ts";

const TINY = 200; // cells

/** Requests that wait for their reply and no more. */
async function bareClient(connection: string) {
  const c = JSON.parse(await Deno.readTextFile(connection));
  const wire = new Wire(c.key);
  const socket = await ZmtpSocket.connect(
    addressOf(c, c.shell_port),
    "DEALER",
    AbortSignal.timeout(5000),
  );
  const replies = socket[Symbol.asyncIterator]();
  return {
    async execute(code: string) {
      const header = wire.header("execute_request");
      await socket.send(wire.frames(header, {}, {
        ...{ code, silent: false, store_history: true, user_expressions: {} },
        ...{ allow_stdin: false, stop_on_error: true },
      }));
      while (true) {
        const { value } = await replies.next();
        if (wire.read(value)?.parent.msg_id === header.msg_id) return;
      }
    },
    close: () => socket.close(),
  };
}

/** ms a cell, with the fence after each and without. */
export async function fence(bench: Bench, rounds: number) {
  const session = await startSession(join(bench.folder, "kept.ipynb"));
  const fenced = await Kernel.connect(session.connection, session.pid);
  const bare = await bareClient(session.connection);
  const each =
    (client: { execute(code: string): Promise<unknown> }) => async () =>
      await timed(async () => {
        for (let i = 0; i < TINY; i++) await client.execute(`${i}`);
      }) / TINY;
  const [with_, without] = await inTurns(rounds, [each(fenced), each(bare)]);
  bare.close();
  await fenced.disconnect();
  await stopSession(session);
  const overhead = median(with_.map((x, i) => x - without[i]));
  line(`a cell of ${TINY} tiny ones with its fence`, {
    ...{ peer: "the same request without", ours: with_, theirs: without },
    more: {
      overhead: round(overhead),
      goal: "overhead < 5",
      met: overhead < 5,
    },
  });
}
