/** The three studies of CLS against ViT: comparison, ablation, controls. */
import type { StudyInput, TrainingPlan } from "../study/mod.ts";
import type { Recipe } from "../train/mod.ts";
import { pretrained, type Profile, trainingPlan } from "./profile.ts";

export const COMPARISON = "cls-vs-vit";
export const ABLATION = "cls-ablation";
export const CONTROLS = "cls-controls";

interface Size {
  depth: number;
  /** Learning rates of the comparison, and the one of the ablation. */
  rates: number[];
  lr: number;
  /** Runs of each setting, where not as many as the profile's. */
  repeats?: { comparison: number; ablation: number };
  patches: string[];
  scales: string[];
  alphas: number[];
  /** Factors of the learning rate an epoch; 1 is a constant rate. */
  gammas: number[];
  paper?: Partial<Recipe>;
}

/** Smoke: 6 trials; quick: 14; cpu and paper: the whole ablation. */
const sizes: Record<Profile, Size> = {
  smoke: {
    depth: 1,
    rates: [1e-3],
    lr: 1e-3,
    patches: ["dropped", "catAfterMlp"],
    scales: ["inverse"],
    alphas: [1],
    gammas: [1],
  },
  quick: {
    depth: 2,
    rates: [1e-3],
    lr: 1e-3,
    repeats: { comparison: 3, ablation: 1 },
    patches: ["dropped", "catAfterMlp", "catBeforeMlp"],
    scales: ["right", "inverse"],
    alphas: [1],
    gammas: [1],
  },
  cpu: {
    depth: 4,
    rates: [3.16e-4, 1e-3, 3.16e-3],
    lr: 1e-3,
    // Seeds are what its tests count; three leave a family of six too little.
    repeats: { comparison: 5, ablation: 5 },
    patches: ["dropped", "catAfterMlp", "catBeforeMlp"],
    scales: ["right", "inverse"],
    alphas: [0.2, 1],
    // The last of three epochs at 0.5 ^ 2, for the 60th at .955 ^ 59 = 0.066.
    gammas: [1, 0.5],
  },
  paper: {
    depth: 8,
    rates: [3.162e-5, 1.778e-5, 1e-5, 5.623e-6, 3.162e-6],
    lr: 1e-5,
    repeats: { comparison: 5, ablation: 5 },
    patches: ["dropped", "catAfterMlp", "catBeforeMlp"],
    scales: ["right", "inverse"],
    alphas: [0.2, 1],
    gammas: [1, 0.955],
    paper: { epochs: 60, ...pretrained },
  },
};

/** What all three studies share. */
function plan(
  profile: Profile,
  o: {
    name: string;
    parameters: StudyInput["parameters"];
    repeats?: number;
    recipe: Partial<Recipe>;
  },
): TrainingPlan {
  const { depth, paper } = sizes[profile];
  const { recipe, ...study } = o;
  return trainingPlan(profile, {
    ...study,
    recipe: {
      depth,
      mixing: { kind: "mixup-or-cutmix", alpha: 1, pairing: "roll" },
      ...recipe,
    },
    paper,
  });
}

/**
 * Both models at every rate; then the CLS block with its patches, its scale,
 * the mixing and the decay varied; then the Baseline and a mean pool under the
 * same mixings and decays. Equal repeats have equal seeds in all three.
 */
export function trainings(profile: Profile): TrainingPlan[] {
  const size = sizes[profile];
  const { comparison, ablation } = size.repeats ?? {};
  const varied = {
    "mixing.alpha": size.alphas,
    "schedule.gamma": size.gammas,
  };
  const recipe: Partial<Recipe> = {
    lr: size.lr,
    schedule: { kind: "exponential", per: "epoch", gamma: 1 },
  };
  return [
    plan(profile, {
      name: COMPARISON,
      parameters: { model: ["baseline", "cls"], lr: size.rates },
      repeats: comparison,
      recipe: {},
    }),
    plan(profile, {
      name: ABLATION,
      parameters: { patches: size.patches, scale: size.scales, ...varied },
      repeats: ablation,
      recipe: { ...recipe, model: "cls" },
    }),
    plan(profile, {
      name: CONTROLS,
      parameters: { model: ["baseline", "meanPool"], ...varied },
      repeats: ablation,
      recipe,
    }),
  ];
}
