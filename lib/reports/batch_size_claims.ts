/** What the notes say of the batch size, and how it is judged. */
import { kneeOf } from "../charts/mod.ts";
import { roundedRows } from "./batch_size_rules.ts";
import {
  cannotTell,
  type Claim,
  type Judgement,
  type MeasuredRow,
  type Results,
} from "./report.ts";
import { ownNet } from "./speed.ts";
import {
  largestNet,
  ratioOf,
  ratioText,
  speedsOf,
  withParams,
} from "./speed_rows.ts";

/** A batch is at the knee with this share of the best throughput. */
export const KNEE_SHARE = 0.95;
/** A gain beyond batch 16 is small below this (the published one is +24 %). */
const SMALL_GAIN = 1.25;

const forward = (rows: MeasuredRow[]) => withParams(rows, { mode: "forward" });

/** The rows' batch sizes that have a value, rising. */
const batchesOf = (rows: readonly MeasuredRow[]): number[] =>
  [
    ...new Set(
      rows.flatMap((r) => r.value === null ? [] : [Number(r.params.batchSize)]),
    ),
  ].sort((a, b) => a - b);

const kneeOfRows = (rows: readonly MeasuredRow[]) =>
  kneeOf(
    speedsOf(rows).map((s) => ({
      batchSize: Number(s.params.batchSize),
      imagesPerSecond: s.imagesPerSecond,
    })),
    KNEE_SHARE,
  );

function judgeGain(results: Results): Judgement {
  const found = largestNet(
    results,
    (rows) => batchesOf(forward(rows)).filter((b) => b >= 16).length > 1,
  );
  const rows = forward(found.rows), sizes = batchesOf(rows);
  const above = sizes.filter((b) => b > 16 && b <= 256);
  if (!sizes.includes(16) || above.length === 0) {
    return cannotTell("batch 16 and a larger one have no finished trial");
  }
  const most = above.at(-1)!;
  const gain = ratioOf(
    withParams(rows, { batchSize: most }),
    withParams(rows, { batchSize: 16 }),
  );
  if (!gain) return cannotTell("no repeat has batch 16 and a larger one");
  const ours = `${found.net} net, ${most} over 16: ×${ratioText(gain)}`;
  if (!found.isFull) {
    return cannotTell(
      `the ${found.net} net is not the Baseline; a knee belongs to net and ` +
        "machine",
      ours,
    );
  }
  if (gain.n < 3) return cannotTell("fewer than 3 repeats", ours);
  const rule = `small is below ×${SMALL_GAIN}, for the whole interval; ` +
    "on this machine";
  if (gain.high! <= SMALL_GAIN) {
    return { ours, verdict: "holds", why: rule };
  }
  return gain.low! > SMALL_GAIN
    ? { ours, verdict: "does not hold", why: rule }
    : cannotTell(`the interval holds ×${SMALL_GAIN}`, ours);
}

function judgeChoice(results: Results): Judgement {
  const found = largestNet(
    results,
    (rows) => batchesOf(forward(rows)).includes(256),
  );
  const rows = forward(found.rows), sizes = batchesOf(rows);
  const knee = kneeOfRows(rows);
  if (knee === null) return cannotTell("no forward pass is on record");
  const ours = `${found.net} net: knee at ${knee} of ${sizes.join(", ")}`;
  const published = "by the same rule the published table has its knee at 128";
  if (!found.isFull || !sizes.includes(512)) {
    return cannotTell(
      `${published}; the full net did not run to batch 512 here`,
      ours,
    );
  }
  const ratios = sizes.filter((b) => b !== 256).map((b) =>
    ratioOf(
      withParams(rows, { batchSize: 256 }),
      withParams(rows, { batchSize: b }),
    )
  );
  if (ratios.some((r) => !r || r.n < 3)) {
    return cannotTell(`${published}; fewer than 3 repeats`, ours);
  }
  const isFlat = ratios.every((r) => r!.low! >= KNEE_SHARE);
  const isShort = ratios.some((r) => r!.high! < KNEE_SHARE);
  return isFlat || isShort
    ? { ours, verdict: isFlat ? "holds" : "does not hold", why: published }
    : cannotTell(`${published}; the intervals do not settle it`, ours);
}

async function judgeRounding(): Promise<Judgement> {
  const rows = await roundedRows();
  const odd = rows.filter((r) => !r.fits);
  return {
    ours: `${rows.length - odd.length} of ${rows.length} rows fit`,
    verdict: odd.length === 0 ? "holds" : "does not hold",
    why: "the published numbers alone: both columns are one measurement, and " +
      "at small batches the time has one digit",
  };
}

/** By speed alone. */
export function decide(results: Results): string {
  const rule = "Rule: the smallest batch size on record with at least " +
    `${100 * KNEE_SHARE} % of the best images a second`;
  const net = ownNet[results.profile];
  const words = (["forward", "training step"] as const).flatMap((mode) => {
    const rows = withParams(results.measured(), { net, mode });
    const knee = kneeOfRows(rows);
    return knee === null
      ? []
      : [`${knee} for ${mode === "forward" ? "the forward pass" : "training"}`];
  });
  return `${rule}. On this machine and the ${net} net: ${
    words.join(" and ") || "none, as nothing was measured"
  }. It is a choice by speed alone. What the batch size does to accuracy is ` +
    "another question: a larger batch takes fewer steps an epoch, and its " +
    "learning rate has to be tuned again.";
}

export const claims: Claim[] = [
  {
    claim: "gains of throughput beyond batch 16 are small",
    published: "1279 images/s at 16, 1591 at 256: ×1.244",
    aboutFaces: false,
    judge: judgeGain,
  },
  {
    claim: "256 is the batch size to take",
    published: "1591 images/s, 99.3 % of the best (1602 at 512)",
    aboutFaces: false,
    judge: judgeChoice,
  },
  {
    claim: "256 fits the memory at depth 6 and 8 too",
    published: "21,580 MiB at depth 8 (run efficiency), of 24 GiB",
    aboutFaces: false,
    judge: () =>
      cannotTell(
        "it is about the memory of the author's GPU, and no such trial " +
          "runs here; the published 21,580 MiB at depth 8 is below 24 GiB",
      ),
  },
  {
    claim: "throughput and time per step are one measurement",
    published: "throughput × time = batch in all rows",
    aboutFaces: false,
    judge: judgeRounding,
  },
];
