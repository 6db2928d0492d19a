/** What commands use of trained nets before TensorFlow is loaded. */
export { confusedWith } from "./confused.ts";
