/** Learning-rate schedules as data; `learning_rates.ts` computes them. */
import { z } from "zod";
import {
  beta,
  inMessage,
  oneOf,
  positive,
  real,
  takes,
  wholeNumber,
} from "../faults/mod.ts";

type Unit = "epoch" | "step";

/** How often the rate changes; all counts of the schedule are in this unit. */
function per<const T extends Unit>(units: T[], unit: NoInfer<T>) {
  return oneOf(units).default(unit).describe(
    "What the schedule counts in, and when the rate changes: epoch or step.",
  );
}
const epochFirst = () => per(["epoch", "step"], "epoch");

/** A number between 0 and 1, both left out. */
function fraction() {
  const error = takes("a number above 0 and below 1");
  return z.number(error).gt(0, error).lt(1, error);
}

/** The lowest rate, as it is or as a share. */
const floor = {
  min: real(0, 1e6).default(0)
    .describe("The lowest learning rate; from 0, at most the recipe's lr."),
  minShare: real(0, 1).optional().describe(
    "The lowest learning rate as a share of the recipe's lr, in place of min; 0 to 1.",
  ),
};
const over = () =>
  wholeNumber(1, 1e9).optional().describe(
    "Epochs or steps that it takes (PyTorch's T_max, total_iters); from 1, default what there is of the run.",
  );
const gamma = () => {
  const rises = ({ input }: { input?: unknown }) =>
    `got ${
      inMessage(input)
    }, with which the rate rises each time; give at most 1`;
  return positive().refine((x) => x <= 1, { error: rises })
    .describe("What the rate is multiplied by each time; above 0, at most 1.");
};

/** A schedule of this kind. */
function schedule<const K extends string, S extends z.ZodRawShape>(
  kind: K,
  shape: S,
) {
  return z.strictObject({ kind: z.literal(kind), ...shape });
}

const kinds = [
  schedule("constant", { per: per(["epoch"], "epoch") }),
  schedule("exponential", { per: epochFirst(), gamma: gamma() }),
  schedule("cosine", { per: epochFirst(), over: over(), ...floor }),
  schedule("warmupCosine", {
    per: epochFirst(),
    warmup: wholeNumber(0, 1e9)
      .describe("Epochs or steps of linear warm-up; from 0."),
    startFactor: real(0, 1).default(0.1)
      .describe("The first rate as a share of the full one; 0 to 1."),
    over: over(),
    ...floor,
  }),
  schedule("linear", {
    per: epochFirst(),
    startFactor: real(0, 1).default(1)
      .describe("The first rate as a share of the full one; 0 to 1."),
    endFactor: real(0, 1).default(0)
      .describe("The last rate as a share of the full one; 0 to 1."),
    over: over(),
  }),
  schedule("step", {
    per: epochFirst(),
    size: wholeNumber(1, 1e9).describe(
      "Epochs or steps from cut to cut; from 1.",
    ),
    gamma: gamma(),
  }),
  schedule("plateau", {
    per: per(["epoch"], "epoch"),
    mode: oneOf(["max", "min"]).default("max").describe(
      "Whether better is higher (max: validation accuracy) or lower (min: validation loss).",
    ),
    factor: fraction().default(0.1)
      .describe("What the rate is multiplied by; above 0 and below 1."),
    patience: wholeNumber(0, 1e9).default(10).describe(
      "Epochs without improvement before a cut; from 0.",
    ),
    threshold: real(0, 1e6).default(1e-4)
      .describe("How much better a value must be to count as better; from 0."),
    thresholdMode: oneOf(["rel", "abs"]).default("rel").describe(
      "Whether threshold is a share of the best value (rel) or in its unit (abs).",
    ),
    cooldown: wholeNumber(0, 1e9).default(0)
      .describe("Epochs after a cut that do not count as bad; from 0."),
    ...floor,
    eps: real(0, 1e6).default(1e-8)
      .describe("Cuts no larger than this are not made; from 0."),
  }).refine(
    (s) => s.mode === "max" || s.thresholdMode === "abs" || s.threshold < 1,
    {
      path: ["threshold"],
      error:
        "no loss falls by all of itself; give less than 1, or thresholdMode abs",
    },
  ),
  schedule("oneCycle", {
    per: per(["epoch", "step"], "step"),
    maxLr: positive().optional()
      .describe("The rate at the peak; above 0, default the recipe's lr."),
    pctStart: real(0, 1).default(0.3)
      .describe("The rising part, as a share of the run; 0 to 1."),
    anneal: oneOf(["cos", "linear"]).default("cos")
      .describe("The shape between start, peak and end: cos or linear."),
    divFactor: positive().default(25)
      .describe("The peak over the first rate; above 0."),
    finalDivFactor: positive().default(1e4)
      .describe("The first rate over the last; above 0."),
    cycleMomentum: oneOf([true, false]).default(true).describe(
      "Whether Adam's beta1 falls while the rate rises, in place of the recipe's; true or false.",
    ),
    baseMomentum: beta().default(0.85)
      .describe("beta1 at the peak; from 0 to below 1."),
    maxMomentum: beta().default(0.95)
      .describe("beta1 at the start and the end; from 0 to below 1."),
  }).refine((s) => s.baseMomentum <= s.maxMomentum, {
    path: ["baseMomentum"],
    error: "it is above maxMomentum; give at most maxMomentum",
  }).refine((s) => s.divFactor >= 1, {
    path: ["divFactor"],
    error: "below 1 the first rate lies above the peak; give at least 1",
  }).refine((s) => s.divFactor < 1 || s.divFactor * s.finalDivFactor >= 1, {
    path: ["finalDivFactor"],
    error:
      "with it the last rate lies above the peak; give at least 1 / divFactor",
  }),
  schedule("timmCosine", {
    per: per(["step"], "step"),
    warmup: wholeNumber(0, 1e9).default(0)
      .describe("Steps of linear warm-up, cut out of the cosine; from 0."),
    ...floor,
    warmupInit: real(0, 1e6).default(0).describe(
      "The rate that the warm-up starts from; from 0, at most the recipe's lr.",
    ),
    asWritten: oneOf([true, false]).default(false).describe(
      "Whether the update index is epoch·steps·batch, the notes' slip, in place of epoch·steps + batch; true or false.",
    ),
  }),
] as const;

const named = kinds.map((k) => JSON.stringify(k.shape.kind.value)).join(" or ");

/**
 * A schedule as data, told apart by `kind`. `constant` is also what a run has
 * whose scheduler is set up and never stepped, as the notes' was at first.
 */
export const Schedule = z.discriminatedUnion("kind", kinds, {
  error: (issue) =>
    issue.code === "invalid_union"
      ? `got ${
        inMessage((issue.input as { kind?: unknown }).kind)
      }; give ${named}`
      : `got ${inMessage(issue.input)}; give an object with kind ${named}`,
});
export type Schedule = z.infer<typeof Schedule>;

/**
 * Of which field a schedule would lift the rate above the recipe's `lr`, or
 * never let it fall, and why; null where it does not.
 */
export function risesBy(
  s: Schedule,
  lr: number,
): { field: string; fault: string } | null {
  if ("min" in s) {
    if (s.min > 0 && s.minShare !== undefined) {
      return {
        field: "min",
        fault: "it is given beside minShare; give one of them",
      };
    }
    if (s.min > lr) {
      return {
        field: "min",
        fault: `${s.min} is above lr ${lr}, so the rate would ${
          s.kind === "plateau" ? "never be cut" : "rise"
        }; give at most ${lr}, or minShare, a share of lr`,
      };
    }
  }
  if (s.kind === "plateau" && lr * (1 - s.factor) <= s.eps) {
    return {
      field: "eps",
      fault: `a cut of lr ${lr} is by no more than ${s.eps}, so the rate ` +
        `would never be cut; give less than ${lr * (1 - s.factor)}`,
    };
  }
  return "warmupInit" in s && s.warmup > 0 && s.warmupInit > lr
    ? {
      field: "warmupInit",
      fault: `${s.warmupInit} is above lr ${lr}; give at most ${lr}`,
    }
    : null;
}

/**
 * Whether the curve depends on how long the run is: with another number of
 * epochs such a run is another training, not the same one gone on with.
 */
export function followsRunLength(s: Schedule): boolean {
  switch (s.kind) {
    case "cosine":
    case "warmupCosine":
    case "linear":
      return s.over === undefined;
    default:
      return s.kind === "oneCycle" || s.kind === "timmCosine";
  }
}
