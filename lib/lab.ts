/** What a notebook imports: one line gives it everything. */
export * from "./charts/mod.ts";
export * from "./data/mod.ts";
export * from "./models/mod.ts";
export * from "./profile/mod.ts";
export * from "./reports/mod.ts";
export * as statistics from "./statistics/mod.ts";
export * from "./study/mod.ts";
export * from "./train/mod.ts";
export * from "./weights/mod.ts";
export { engineInfo } from "./tensorflow/mod.ts";
export { z } from "zod";
