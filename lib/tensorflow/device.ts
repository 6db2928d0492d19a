/** Which device is asked for: FERLAB_DEVICE, or `--device` of a command. */

export const DEVICES = ["auto", "cpu", "gpu"] as const;

/** "auto": a GPU where TensorFlow finds one. */
export type DeviceChoice = typeof DEVICES[number];

/** A device that does not exist, or that this machine does not have. */
export class DeviceError extends Error {
  override name = "DeviceError";
}

/**
 * The device asked for. It is no part of a recipe or of a trial's identity: a
 * trial's record says where it ran.
 * @throws DeviceError when FERLAB_DEVICE is none of them
 */
export function deviceChoice(): DeviceChoice {
  const given = Deno.env.get("FERLAB_DEVICE") || "auto";
  const choice = DEVICES.find((device) => device === given);
  if (choice) return choice;
  throw new DeviceError(
    `FERLAB_DEVICE is ${JSON.stringify(given)}: it must be cpu, gpu or auto`,
  );
}
