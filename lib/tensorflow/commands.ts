/** What commands use before TensorFlow is loaded. */
export { DeviceError } from "./device.ts";
export { addDeviceOption, useDeviceOf } from "./device_option.ts";
export { ensureLibrary } from "./install.ts";
