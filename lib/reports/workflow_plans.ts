/** The tuning workflow's plans: each a pure function of what is decided. */
import type { StudyInput, TrainingPlan } from "../study/mod.ts";
import type { Recipe } from "../train/mod.ts";
import { type Profile, trainingPlan } from "./profile.ts";

/** What the workflow tunes; the names are the recipe's dotted paths. */
export type Settings = {
  lr: number;
  eps: number;
  "betas.0": number;
  "betas.1": number;
  depth: number;
  weightDecay: number;
};

/** Start values: Adam's paper (arXiv 1412.6980); no decay, as in the notes. */
const START: Omit<Settings, "lr" | "depth"> = {
  eps: 1e-8,
  "betas.0": 0.9,
  "betas.1": 0.999,
  weightDecay: 0,
};

interface Size {
  lrs: number[];
  /** One change each to the optimizer's start values. */
  changes: Partial<Settings>[];
  /** The cheapest first; steps 1 and 2 use `start`. */
  depths: number[];
  start: number;
  /** Of the learning rate of step 1, tried again for each depth. */
  factors: number[];
  decays: number[];
  /** Epochs of steps 1 and 2, and of all others. */
  short: number;
  long: number;
  /** Runs of a setting in the steps 1 to 4, and in the last. */
  repeats: { lr: number; optimizer: number; depth: number; decay: number };
  finalRepeats: number;
  /** Points of the search where the budget's would take too long. */
  points?: number;
  recipe?: Partial<Recipe>;
  limits?: TrainingPlan["limits"];
}

const SIZES: Record<Profile, Size> = {
  smoke: {
    lrs: [3e-4, 3e-3],
    changes: [{ eps: 1e-6 }],
    depths: [1],
    start: 1,
    factors: [1],
    decays: [0],
    short: 1,
    long: 1,
    repeats: { lr: 1, optimizer: 1, depth: 1, decay: 1 },
    finalRepeats: 1,
    points: 1,
  },
  quick: {
    lrs: [3e-4, 1e-3, 3e-3],
    changes: [{ eps: 1e-6 }],
    depths: [1, 2],
    start: 2,
    factors: [1, 0.5],
    decays: [0, 1e-3],
    short: 2,
    long: 3,
    repeats: { lr: 2, optimizer: 3, depth: 2, decay: 3 },
    finalRepeats: 3,
    // Smaller batches: more steps of fewer images.
    recipe: { batchSize: 8 },
    limits: { train: 384, validation: 140, test: 210 },
  },
  cpu: {
    lrs: [1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
    changes: [{ eps: 1e-6 }, { "betas.0": 0.8 }, { "betas.1": 0.99 }],
    depths: [1, 2, 4],
    start: 2,
    factors: [1, 0.5, 0.25],
    decays: [0, 1e-4, 1e-3],
    short: 3,
    long: 6,
    repeats: { lr: 3, optimizer: 3, depth: 3, decay: 3 },
    finalRepeats: 5,
  },
  paper: {
    lrs: [1e-5, 3.162e-5, 1e-4, 2e-4, 4e-4, 1e-3],
    changes: [
      { eps: 1e-6 },
      { eps: 1e-7 },
      { "betas.0": 0.8 },
      { "betas.0": 0.95 },
      { "betas.1": 0.99 },
      { "betas.1": 0.995 },
    ],
    depths: [2, 4, 6, 8],
    start: 4,
    factors: [1, 0.316, 0.1],
    decays: [0, 1e-4, 0.05],
    short: 10,
    long: 60,
    repeats: { lr: 3, optimizer: 3, depth: 3, decay: 3 },
    finalRepeats: 5,
  },
};

/** Where the workflow and the search of the same budget have arrived. */
export interface Ends {
  workflow: Settings;
  search: Settings;
  /** Validation accuracy at which each was picked; null before that. */
  picked: { workflow: number | null; search: number | null };
}

/** Before the first step: the middle rate, until step 1 has tuned it. */
export function startOf(profile: Profile): Ends {
  const { lrs, start } = SIZES[profile];
  const settings: Settings = {
    lr: lrs[Math.floor(lrs.length / 2)],
    ...START,
    depth: start,
  };
  return {
    workflow: settings,
    search: settings,
    picked: { workflow: null, search: null },
  };
}

const short4 = (value: number) => Number(value.toPrecision(4));

/** `settings` as fields of a recipe. */
function fieldsOf(settings: Settings): Partial<Recipe> {
  const { lr, eps, depth, weightDecay } = settings;
  const betas: Recipe["betas"] = [settings["betas.0"], settings["betas.1"]];
  return { lr, eps, betas, depth, weightDecay };
}

interface Tuning extends Pick<StudyInput, "parameters" | "search"> {
  name: string;
  /** The step's own: a winner's luck is not carried into the next step. */
  seed: number;
  settings: Settings;
  epochs: number;
  repeats: number;
  /** Whether the test split may be read: in the last step alone. */
  isLast?: boolean;
}

function tuningPlan(profile: Profile, o: Tuning): TrainingPlan {
  const { recipe, limits } = SIZES[profile];
  const plan = trainingPlan(profile, {
    name: o.name,
    parameters: o.parameters,
    search: o.search,
    repeats: o.repeats,
    recipe: { ...recipe, ...fieldsOf(o.settings), epochs: o.epochs },
  });
  return {
    ...plan,
    ...limits ? { limits } : {},
    study: {
      ...plan.study,
      seed: o.seed,
      ...o.isLast ? {} : { metric: "best validation accuracy" },
    },
    ...o.isLast ? {} : { objective: { split: "validation" } },
  };
}

/** Step 1: the learning rate, at the start values and with short runs. */
export function lrPlan(profile: Profile): TrainingPlan {
  const { lrs, short, repeats } = SIZES[profile];
  return tuningPlan(profile, {
    name: "workflow-1-lr",
    seed: 1,
    parameters: { lr: lrs },
    settings: startOf(profile).workflow,
    epochs: short,
    repeats: repeats.lr,
  });
}

/** Step 2: the optimizer's parameters, one changed at a time. */
export function optimizerPlan(profile: Profile, ends: Ends): TrainingPlan {
  const { changes, short, repeats } = SIZES[profile];
  const { eps, "betas.0": beta1, "betas.1": beta2 } = ends.workflow;
  const kept = { eps, "betas.0": beta1, "betas.1": beta2 };
  const points = [kept, ...changes.map((change) => ({ ...kept, ...change }))];
  const values = (name: keyof typeof kept) => [
    ...new Set(points.map((point) => point[name])),
  ];
  return tuningPlan(profile, {
    name: "workflow-2-optimizer",
    seed: 2,
    parameters: {
      eps: values("eps"),
      "betas.0": values("betas.0"),
      "betas.1": values("betas.1"),
    },
    search: { kind: "list", points },
    settings: ends.workflow,
    epochs: short,
    repeats: repeats.optimizer,
  });
}

/** Step 3: the depth with long runs, the rate tuned again for each. */
export function architecturePlan(profile: Profile, ends: Ends): TrainingPlan {
  const { depths, factors, long, repeats } = SIZES[profile];
  const lrs = factors.map((factor) => short4(factor * ends.workflow.lr));
  return tuningPlan(profile, {
    name: "workflow-3-architecture",
    seed: 3,
    parameters: { depth: depths, lr: { values: lrs, role: "nuisance" } },
    settings: ends.workflow,
    epochs: long,
    repeats: repeats.depth,
  });
}

/** Step 4: weight decay, with long runs at what is decided so far. */
export function decayPlan(profile: Profile, ends: Ends): TrainingPlan {
  const { decays, long, repeats } = SIZES[profile];
  return tuningPlan(profile, {
    name: "workflow-4-decay",
    seed: 4,
    parameters: { weightDecay: decays },
    settings: ends.workflow,
    epochs: long,
    repeats: repeats.decay,
  });
}

/** Long trials that train on as many images as steps 1 to 4 together. */
export function searchPoints(profile: Profile): number {
  const { repeats, long, short, ...size } = SIZES[profile];
  if (size.points) return size.points;
  const epochs = short * size.lrs.length * repeats.lr +
    short * (1 + size.changes.length) * repeats.optimizer +
    long * size.depths.length * size.factors.length * repeats.depth +
    long * size.decays.length * repeats.decay;
  return Math.floor(epochs / long);
}

/**
 * The alternative: a quasi-random search over all at once, of the same budget
 * (Google's tuning playbook). It knows nothing of steps 1 to 4.
 */
export function searchPlan(profile: Profile): TrainingPlan {
  const { lrs, depths, decays, factors, long } = SIZES[profile];
  const decay = Math.max(...decays) || 1e-3;
  const [least, most] = [Math.min(...depths), Math.max(...depths)];
  return tuningPlan(profile, {
    name: "workflow-5-search",
    seed: 5,
    parameters: {
      lr: {
        low: short4(Math.min(...lrs) * Math.min(...factors)),
        high: Math.max(...lrs),
        log: true,
      },
      eps: { low: 1e-9, high: 1e-6, log: true },
      weightDecay: { low: short4(decay / 1000), high: decay, log: true },
      ...least < most ? { depth: { low: least, high: most, int: true } } : {},
    },
    search: { kind: "sobol", points: searchPoints(profile) },
    settings: { ...startOf(profile).workflow, depth: least },
    epochs: long,
    repeats: 1,
  });
}

const keyOf = (settings: Settings) =>
  JSON.stringify(Object.entries(settings).sort());

export const isSame = (a: Settings, b: Settings) => keyOf(a) === keyOf(b);

/** The last step: both ends again, on seeds that neither was picked by. */
export function finalPlan(profile: Profile, ends: Ends): TrainingPlan {
  const { workflow, search } = ends;
  const { long, finalRepeats } = SIZES[profile];
  return tuningPlan(profile, {
    name: "workflow-final",
    seed: 6,
    parameters: {},
    search: {
      kind: "list",
      points: isSame(workflow, search) ? [workflow] : [workflow, search],
    },
    settings: workflow,
    epochs: long,
    repeats: finalRepeats,
    isLast: true,
  });
}
