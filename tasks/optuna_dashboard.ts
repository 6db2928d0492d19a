/** The real optuna-dashboard, for who compares with it. */
import { dirname, join } from "node:path";
import { pythonWith } from "./python.ts";

/** A port of this machine that is free now. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** Serves a storage while `body` runs, which gets the server's address. */
export async function withDashboard(
  storage: string,
  body: (url: string) => Promise<void>,
): Promise<void> {
  const url = `http://127.0.0.1:${freePort()}`;
  const server = new Deno.Command(
    join(dirname(await pythonWith("optuna")), "optuna-dashboard"),
    {
      args: [storage, "--port", new URL(url).port, "--server", "wsgiref"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    },
  ).spawn();
  const said = new Response(server.stderr).text();
  let ended = false;
  const end = server.status.then(() => ended = true);
  try {
    // It says that it listens before it does.
    for (;;) {
      const answer = await fetch(`${url}/api/meta`).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) break;
      if (ended) throw new Error(`optuna-dashboard ended: ${await said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await body(url);
  } finally {
    if (!ended) server.kill("SIGKILL");
    await end;
    await said;
  }
}
