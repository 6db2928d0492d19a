/** The study's models. */
export { ir50, type Ir50Options } from "./ir50.ts";
export { baseline, type BaselineOptions } from "./vit.ts";
