/** The learning rate of any step of a schedule, in closed form. */
import type { Schedule } from "./schedules.ts";

type Of<K extends Schedule["kind"]> = Extract<Schedule, { kind: K }>;

/** The length of a training. */
export interface RunLength {
  stepsPerEpoch: number;
  epochs: number;
}

export interface Rate {
  lr: number;
  /** Adam's first beta, of a schedule that moves it. */
  beta1?: number;
}

/** From `a` at 0 to `b` at 1 on half a cosine. */
const cosine = (a: number, b: number, at: number) =>
  b + (a - b) * (1 + Math.cos(Math.PI * at)) / 2;
const linear = (a: number, b: number, at: number) => a + (b - a) * at;

/** The lowest rate. */
const floorOf = (
  { min, minShare }: { min: number; minShare?: number },
  lr: number,
) => minShare === undefined ? min : minShare * lr;

/** torch 2.15 `OneCycleLR`: the peak lies at `pctStart · total - 1`. */
function oneCycle(s: Of<"oneCycle">, lr: number, t: number, total: number) {
  const move = s.anneal === "cos" ? cosine : linear;
  const max = s.maxLr ?? lr;
  const first = max / s.divFactor;
  const { baseMomentum: low, maxMomentum: high } = s;
  const peak = s.pctStart * total - 1, last = total - 1;
  const rate = (lr: number, beta1: number): Rate =>
    s.cycleMomentum ? { lr, beta1 } : { lr };
  if (t <= peak) {
    const at = peak === 0 ? 1 : t / peak;
    return rate(move(first, max, at), move(high, low, at));
  }
  const at = (Math.min(t, last) - peak) / (last - peak);
  return rate(move(max, first / s.finalDivFactor, at), move(low, high, at));
}

/**
 * timm 0.9.16 `CosineLRScheduler`, one cycle, updated after each step with the
 * index of that same step: step `t` runs at the rate of index `t - 1`.
 */
function timmCosine(
  s: Of<"timmCosine">,
  lr: number,
  t: number,
  { stepsPerEpoch, epochs }: RunLength,
): number {
  const before = Math.max(t - 1, 0);
  const epoch = Math.floor(before / stepsPerEpoch);
  const i = s.asWritten
    ? epoch * stepsPerEpoch * (before % stepsPerEpoch)
    : before;
  const total = stepsPerEpoch * epochs;
  if (i < s.warmup) return linear(s.warmupInit, lr, i / s.warmup);
  const min = floorOf(s, lr);
  return i < total ? cosine(lr, min, i / total) : min;
}

function warmupCosine(
  s: Of<"warmupCosine">,
  lr: number,
  t: number,
  total: number,
): number {
  const { warmup, over = total - warmup } = s;
  if (over < 1) {
    throw new RangeError(
      `schedule.warmup: ${warmup} leaves nothing of the run's ${total} ${s.per}s; give at most ${
        total - 1
      }`,
    );
  }
  if (t < warmup) return linear(s.startFactor * lr, lr, t / warmup);
  return cosine(lr, floorOf(s, lr), (t - warmup) / over);
}

/**
 * The rate after the epochs whose validation values are `metrics`, as torch
 * 2.15 `ReduceLROnPlateau` has it. `best` is infinite before the first value;
 * NaN is never better.
 */
export function plateau(
  s: Of<"plateau">,
  lr: number,
  metrics: readonly number[],
): { lr: number; badEpochs: number; best: number } {
  const sign = s.mode === "max" ? 1 : -1;
  const min = floorOf(s, lr);
  let best = -sign * Infinity, badEpochs = 0, cooling = 0;
  for (const value of metrics) {
    const bar = s.thresholdMode === "rel"
      ? best * (1 + sign * s.threshold)
      : best + sign * s.threshold;
    if (sign * value > sign * bar) {
      best = value;
      badEpochs = 0;
    } else badEpochs++;
    if (cooling > 0) {
      cooling--;
      badEpochs = 0;
    }
    if (badEpochs > s.patience) {
      const cut = Math.max(lr * s.factor, min);
      if (lr - cut > s.eps) lr = cut;
      cooling = s.cooldown;
      badEpochs = 0;
    }
  }
  return { lr, badEpochs, best };
}

/**
 * The rate that a step trains at, from nothing but its 0-based number, so that
 * a resumed run goes on along the same curve. `lr` is the recipe's.
 *
 * Only `plateau` reads `metrics`, the validation value of each epoch before
 * the step's (later ones are not looked at). Formulas are PyTorch 2.15's; like
 * there, `cosine` rises again after `over`.
 *
 * @throws RangeError when a warm-up leaves nothing of the run, or `metrics`
 * does not reach up to the step's epoch.
 */
export function lrAt(
  schedule: Schedule,
  lr: number,
  at: RunLength & { step: number; metrics?: readonly number[] },
): Rate {
  const { step, stepsPerEpoch, epochs, metrics = [] } = at;
  const epoch = Math.floor(step / stepsPerEpoch);
  const [t, total] = schedule.per === "epoch"
    ? [epoch, epochs]
    : [step, epochs * stepsPerEpoch];
  switch (schedule.kind) {
    case "constant":
      return { lr };
    case "exponential":
      return { lr: lr * schedule.gamma ** t };
    case "cosine": {
      const { over = total } = schedule;
      return { lr: cosine(lr, floorOf(schedule, lr), t / over) };
    }
    case "warmupCosine":
      return { lr: warmupCosine(schedule, lr, t, total) };
    case "linear": {
      const { startFactor, endFactor, over = total } = schedule;
      const done = Math.min(t / over, 1);
      return { lr: lr * linear(startFactor, endFactor, done) };
    }
    case "step":
      return { lr: lr * schedule.gamma ** Math.floor(t / schedule.size) };
    case "plateau":
      if (metrics.length < epoch) {
        throw new RangeError(
          `schedule plateau: ${metrics.length} validation values for ${epoch} epochs; give one per epoch`,
        );
      }
      return { lr: plateau(schedule, lr, metrics.slice(0, epoch)).lr };
    case "oneCycle":
      return oneCycle(schedule, lr, t, total);
    case "timmCosine":
      return { lr: timmCosine(schedule, lr, t, at) };
  }
}

/** Where a run is longer than its cosine, whose rate then rises again; or null. */
export function riseWarning(
  schedule: Schedule,
  { stepsPerEpoch, epochs }: RunLength,
): string | null {
  if (schedule.kind !== "cosine" && schedule.kind !== "warmupCosine") {
    return null;
  }
  const { per, over } = schedule;
  const total = per === "epoch" ? epochs : epochs * stepsPerEpoch;
  const start = "warmup" in schedule ? schedule.warmup : 0;
  if (over === undefined || total - 1 <= start + over) return null;
  return `recipe.schedule.over: ${over} ${per}s end before the run's ${total}, ` +
    `and from ${per} ${start + over + 2} on the rate rises again, as in ` +
    `PyTorch: give ${total - start}, or leave it out`;
}

/**
 * The whole curve, one point wherever the rate may change: a step, or the
 * first step of an epoch. `plateau` gives as many as `metrics` decides.
 */
export function scheduleCurve(
  schedule: Schedule,
  lr: number,
  run: RunLength & { metrics?: readonly number[] },
): (Rate & { step: number })[] {
  const { stepsPerEpoch, epochs, metrics = [] } = run;
  const [points, stride] = schedule.per === "step"
    ? [epochs * stepsPerEpoch, 1]
    : [epochs, stepsPerEpoch];
  const length = schedule.kind === "plateau"
    ? Math.min(points, metrics.length + 1)
    : points;
  return Array.from({ length }, (_, i) => {
    const step = i * stride;
    return { step, ...lrAt(schedule, lr, { ...run, step }) };
  });
}
