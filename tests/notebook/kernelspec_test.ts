/** The kernel as it is registered for a user, and taken away again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  installKernelspec,
  isOurs,
  registered,
  uninstallKernelspec,
} from "../../lib/notebook/kernel/kernelspec.ts";
import { filesTest as test, withFiles } from "./_notebook.ts";

Deno.test({
  name: "--install writes where Jupyter and VS Code look for kernels",
  ignore: Deno.build.os !== "linux",
  // microsoft/vscode-jupyter, src/kernels/raw/finder/jupyterPaths.node.ts
  fn: () =>
    withFiles(async (file) => {
      const lab = new URL("../../tasks/lab.ts", import.meta.url).pathname;
      const { code } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", lab, "--install"],
        env: {
          ...{ HOME: file("."), XDG_DATA_HOME: "", JUPYTER_DATA_DIR: "" },
          // Deno's own packages stay where they are.
          XDG_CACHE_HOME: Deno.env.get("XDG_CACHE_HOME") ??
            join(Deno.env.get("HOME")!, ".cache"),
        },
      }).output();
      assert.equal(code, 0);
      const spec = file(".local/share/jupyter/kernels/deno/kernel.json");
      const { argv, language } = JSON.parse(await Deno.readTextFile(spec));
      assert.equal(argv[0], Deno.execPath());
      assert.ok(argv.includes("{connection_file}"));
      assert.equal(language, "typescript");
    }),
});

test("the kernel takes the name that notebooks ask for, and gives it back", async (file) => {
  const data = file(".");
  await installKernelspec(data);
  assert.ok(isOurs((await registered(data))!));
  assert.equal((await installKernelspec(data)).length, 1); // again: the same
  await uninstallKernelspec(data);
  assert.equal(await registered(data), undefined);

  // Deno's own is kept beside it.
  const own = { argv: ["/bin/deno", "jupyter", "--kernel"] };
  const folder = join(data, "kernels", "deno");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "kernel.json"), JSON.stringify(own));
  await installKernelspec(data);
  assert.ok(isOurs((await registered(data))!));
  assert.deepEqual(await registered(data, "deno-plain"), own.argv);
  const [line] = await uninstallKernelspec(data);
  assert.match(line, /removed/);
  assert.deepEqual(await registered(data), own.argv);
  assert.equal(await registered(data, "deno-plain"), undefined);

  // What is not ours stays.
  assert.match((await uninstallKernelspec(data))[0], /is not registered/);
  assert.deepEqual(await registered(data), own.argv);
});
