/** `NOTEBOOK.claims.json`: what a notebook leaves of its answer and claims. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { readAs } from "../faults/mod.ts";
import { StudyError } from "../study/mod.ts";
import { fromRoot } from "./run_in_cell.ts";
import { Profile } from "./profiles.ts";
import { trainedSeconds, type Trial } from "../rows/mod.ts";
import type { Study } from "./study.ts";
import { VERDICTS } from "./verdicts.ts";

/** What the index and the page of all claims are made of. */
export const ClaimsFile = z.object({
  notebook: z.string(),
  profile: Profile,
  data: z.string(),
  trials: z.int().min(0),
  /** Time of all trials, in s. */
  seconds: z.number().min(0),
  /** What its studies were planned to see, a line each. */
  sees: z.array(z.string()).default([]),
  answer: z.object({
    /** One sentence with its number and interval. */
    text: z.string(),
    /** Data, net, images and epochs, seeds, hours. */
    restsOn: z.string(),
    /** What the published protocol on a GPU would still have to settle. */
    left: z.string().optional(),
  }).optional(),
  claims: z.array(z.object({
    claim: z.string(),
    published: z.string(),
    ours: z.string(),
    verdict: z.enum(VERDICTS),
    why: z.string(),
  })),
});
export type ClaimsFile = z.infer<typeof ClaimsFile>;

/** What a notebook left of its claims; neither where it left none. */
export function readClaims(
  folder: string,
  name: string,
): { data?: ClaimsFile; error?: string } {
  const file = join(folder, `${name}.claims.json`);
  return existsSync(file)
    ? readAs(file, ClaimsFile, "a notebook's claims")
    : {};
}

/**
 * Keeps the claims or the answer of the notebook that runs, beside the records;
 * of the same profile and data the other part stays. A dry run keeps nothing.
 *
 * @throws StudyError, one line, for a folder that cannot be written
 */
export function keepClaims(
  studies: readonly Study[],
  trials: readonly Trial[],
  part: Partial<Pick<ClaimsFile, "answer" | "claims">>,
): void {
  if (Deno.env.get("FERLAB_DRY_RUN")) return;
  const [{ name, profile, dataName: data, dir }] = studies;
  // The runner and Jupyter's server tell a kernel its notebook.
  const notebook = basename(Deno.env.get("JPY_SESSION_NAME") || name)
    .replace(/(\.executed)?\.ipynb$/, "");
  const folder = fromRoot(dir), path = join(folder, `${notebook}.claims.json`);
  const { data: old } = readClaims(folder, notebook);
  const isSame = old?.profile === profile && old.data === data;
  const file: ClaimsFile = {
    ...{ notebook, profile, data },
    trials: trials.length,
    seconds: trainedSeconds(trials),
    sees: [...new Set(studies.flatMap((s) => s.sees ?? []))],
    answer: isSame ? old.answer : undefined,
    claims: isSame ? old.claims : [],
    ...part,
  };
  try {
    mkdirSync(folder, { recursive: true });
    // Whoever reads it while it is written sees the old file or the new one.
    const partial = `${path}.${Deno.pid}.tmp`;
    writeFileSync(partial, JSON.stringify(file, null, 2) + "\n");
    renameSync(partial, path);
  } catch (error) {
    throw new StudyError(
      `${path}: the claims cannot be kept: ${(error as Error).message}; ` +
        `give outDir a folder that can be written`,
    );
  }
}
