/// <reference lib="dom" />
/** What a page has of its report, read without trust. */
import type { Trial } from "../../rows/mod.ts";
import type { Asked } from "../pack.ts";
import { trialId } from "../item_keys.ts";
import type { CallJson, Json } from "../record.ts";
import { trialsIn, type TrialTable } from "../packed_trials.ts";

/** An output of the report that can be asked. */
export interface Output {
  asked: Asked;
  /** Where it stands: in its cell, and in the lead. */
  places: Element[];
}

/** The page's own data as `nb export` writes it. */
interface Embedded {
  outputs: { ids: string[]; asked: string }[];
  trials: string[];
}

/** Characters of what is compressed that no report needs. */
const MOST = 100_000_000;

/** Text that was compressed. @throws for what is damaged or too long */
async function unpacked(base64: string): Promise<string> {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new DecompressionStream("gzip"))
    .pipeThrough(new TextDecoderStream());
  let text = "";
  const reader = stream.getReader();
  for (let r = await reader.read(); !r.done; r = await reader.read()) {
    text += r.value;
    if (text.length > MOST) {
      await reader.cancel();
      throw new Error("the data are too large");
    }
  }
  return text;
}

/**
 * One list of calls for all outputs, each with its places in it: what several
 * of them call is called once. A call comes after those that it rests on.
 */
function mergeCalls(all: readonly Asked[]): CallJson[] {
  const calls: CallJson[] = [], known = new Map<string, number>();
  for (const asked of all) {
    const places: number[] = [];
    const at = (n: Json) => places[n] ?? -1;
    const fields = (of: Record<string, Json>) =>
      Object.fromEntries(Object.entries(of).map(([k, v]) => [k, value(v)]));
    const value = (json: Json): Json => {
      if (!Array.isArray(json)) return json;
      const [kind, first, ...rest] = json;
      switch (kind) {
        case "a":
        case "w":
          return [kind, ...json.slice(1).map(value)];
        case "o":
          return [kind, fields(first), ...rest];
        case "r": {
          const [changed, ...names] = rest;
          return [kind, first, columns(changed), ...names];
        }
        case "c":
          return [kind, at(first)];
        case "i": {
          const [list, key, changed] = rest;
          return [kind, at(first), list, key, fields(changed)];
        }
      }
      return json;
    };
    const columns = (of: Record<string, Json[]>) =>
      Object.fromEntries(
        Object.entries(of).map(([k, values]) => [k, values.map(value)]),
      );
    for (const [name, ...args] of asked.calls) {
      const call: CallJson = [name, ...args.map(value)];
      const text = JSON.stringify(call);
      if (!known.has(text)) known.set(text, calls.push(call) - 1);
      places.push(known.get(text)!);
    }
    const moved = (n?: number) => n === undefined ? undefined : at(n);
    asked.calls = calls;
    asked.root = moved(asked.root);
    if (asked.by) asked.by.call = moved(asked.by.call);
    if (asked.decision) asked.decision.call = moved(asked.decision.call);
    const words = asked.answer?.words;
    if (words) words.number = value(words.number);
    for (const claim of asked.claims ?? []) claim.call = moved(claim.call);
  }
  return calls;
}

/** All that can be asked. @throws what is damaged, in one line */
export async function readPage(embedded: Embedded): Promise<{
  outputs: Output[];
  trials: Map<string, Trial>;
  calls: CallJson[];
}> {
  const trials = new Map<string, Trial>(), twice = new Set<string>();
  for (const text of embedded.trials) {
    const table = JSON.parse(await unpacked(text)) as TrialTable;
    for (const trial of trialsIn(table)) {
      const id = trialId(trial.study, trial.number), known = trials.get(id);
      // Of two records of one study nobody knows which a call means.
      if (known && known.start !== trial.start) twice.add(id);
      trials.set(id, trial);
    }
  }
  for (const id of twice) trials.delete(id);
  const outputs: Output[] = [];
  for (const { ids, asked } of embedded.outputs) {
    const read = JSON.parse(await unpacked(asked)) as Asked;
    if (!Array.isArray(read?.calls)) throw new Error("an output has no calls");
    const places = ids.flatMap((id) => document.querySelector(`.${id}`) ?? []);
    outputs.push({ asked: read, places });
  }
  const calls = mergeCalls(outputs.map((output) => output.asked));
  return { outputs, trials, calls };
}
