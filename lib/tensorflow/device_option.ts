/** `--device` of the commands that train or measure. */
import { type Command, Option } from "commander";
import { requireDevice } from "./cuda.ts";
import { DEVICES } from "./device.ts";

/**
 * Adds `--device` to a command. What is chosen holds for this process and for
 * all that it starts; a GPU that is not there is an error before it begins.
 */
export function addDeviceOption(command: Command): Command {
  // An empty one is none, as in `FERLAB_DEVICE= deno task …`.
  if (Deno.env.get("FERLAB_DEVICE") === "") Deno.env.delete("FERLAB_DEVICE");
  return command
    .addOption(
      new Option("--device <name>", "where TensorFlow runs")
        .choices(DEVICES).env("FERLAB_DEVICE").default("auto"),
    )
    .hook("preAction", (chosen) => useDevice(chosen.opts().device));
}

async function useDevice(device: string): Promise<void> {
  Deno.env.set("FERLAB_DEVICE", device);
  await requireDevice();
}

/** Does the same before a module that loads TensorFlow is imported. */
export async function useDeviceOf(args: readonly string[]): Promise<void> {
  const at = args.findIndex((arg) => /^--device(=|$)/.test(arg));
  const given = args[at]?.split("=")[1] ?? args[at + 1];
  const device = DEVICES.find((name) => at >= 0 && name === given);
  if (device) await useDevice(device);
}
