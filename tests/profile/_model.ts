/** A small CLS model with its first values. */
import { modelOf } from "../../lib/models/mod.ts";
import { initialise } from "../../lib/nn/mod.ts";
import { tiny } from "../models/_tiny.ts";

export const forward = modelOf({ ...tiny, model: "cls" });
export const shape: [number, number, number] = [56, 56, 3];
export const state = initialise(forward, shape, 0);
