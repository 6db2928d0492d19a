/** A running study, from its events: counts, times, what is left, a line each. */
import type { TrialPoint } from "./points.ts";
import type { EpochReport } from "./store/mod.ts";
import type { TrainingEvent } from "./training.ts";

interface RunningTrial {
  point: TrialPoint;
  number: number;
  /** When it started, and its first step that was seen: both in ms. */
  start: number;
  first?: { step: number; at: number };
  step?: { step: number; steps: number; loss: number };
  epoch?: EpochReport;
}

/** Seconds as `4:07` or `1:04:07`. */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  const [h, m, s] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Seconds as `about 12 min left`. */
export function timeLeft(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const amount = seconds < 55
    ? `${Math.max(5, 5 * Math.round(seconds / 5))} s`
    : minutes < 60
    ? `${Math.max(1, minutes)} min`
    : hours < 48
    ? `${hours} h ${minutes % 60} min`
    : `${Math.round(hours / 24)} days`;
  return `about ${amount} left`;
}

/** Follows a study's events; times are of `now`, in milliseconds. */
export class Tally {
  started = false;
  total = 0;
  /** Settled points, those of earlier runs included. */
  done = 0;
  /** Points that were settled before this run. */
  before = 0;
  failed = 0;
  pruned = 0;
  /** The best value of this run. */
  best?: number;
  /** By the key of the point. */
  readonly running = new Map<string, RunningTrial>();
  #start: number;
  #most = 1;
  #ended = { trials: 0, ms: 0 };

  constructor(
    readonly direction: "maximize" | "minimize",
    readonly now: () => number,
  ) {
    this.#start = now();
  }

  take(event: TrainingEvent): void {
    switch (event.type) {
      case "start":
        this.started = true;
        this.total = event.total;
        this.done = this.before = event.total - event.missing;
        break;
      case "trial": {
        const { point, number } = event;
        this.running.set(point.key, { point, number, start: this.now() });
        this.#most = Math.max(this.#most, this.running.size);
        break;
      }
      case "step": {
        const trial = this.running.get(event.point.key);
        if (!trial) return;
        const { step, steps, loss } = event;
        trial.first ??= { step, at: this.now() };
        trial.step = { step, steps, loss };
        break;
      }
      case "epoch": {
        const trial = this.running.get(event.point.key);
        if (trial) trial.epoch = event.report;
        break;
      }
      case "complete":
      case "pruned":
      case "failed":
        this.#settle(event.point);
        if (event.type === "failed") this.failed++;
        if (event.type === "pruned") this.pruned++;
        if (event.type === "complete") this.#note(event.value);
        break;
      case "interrupted":
      case "lost":
        this.running.delete(event.point.key);
    }
  }

  #settle({ key }: TrialPoint): void {
    const trial = this.running.get(key);
    this.running.delete(key);
    this.done++;
    if (!trial) return;
    this.#ended.trials++;
    this.#ended.ms += this.now() - trial.start;
  }

  #note(value: number): void {
    const { best, direction } = this;
    const better = best === undefined ||
      (direction === "maximize" ? value > best : value < best);
    if (better) this.best = value;
  }

  /** Seconds since the study started. */
  elapsed(): number {
    return (this.now() - this.#start) / 1000;
  }

  /**
   * How many seconds the rest takes: the mean time of the trials that ended,
   * else what the steps of the running ones tell, for each point that is open,
   * shared by as many trials as ran at once. Nothing while nothing is known.
   */
  secondsLeft(): number | undefined {
    const open = this.total - this.done;
    if (open <= 0) return;
    const now = this.now();
    const running = [...this.running.values()];
    const { trials, ms } = this.#ended;
    const mean = trials ? ms / trials : meanOf(running.flatMap((trial) => {
      const { first, step } = trial;
      if (!first || !step || step.step === first.step) return [];
      const perStep = (now - first.at) / (step.step - first.step);
      return [perStep * step.steps];
    }));
    if (mean === undefined) return;
    const spent = running.reduce(
      (sum, trial) => sum + Math.min(mean, now - trial.start),
      0,
    );
    return (open * mean - spent) / this.#most / 1000;
  }

  /** The same as words, to be put into a line. */
  left(): string | undefined {
    const seconds = this.secondsLeft();
    return seconds === undefined ? undefined : timeLeft(seconds);
  }
}

function meanOf(values: number[]): number | undefined {
  if (values.length === 0) return;
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** A line, and of a trial's the words of its setting in it. */
export interface EventLine {
  text: string;
  setting?: string;
}

/**
 * Makes the line that an event leaves for good, if it leaves one, of a tally
 * that has taken it.
 */
export function eventLines(
  tally: Pick<Tally, "done" | "total">,
  words: {
    setting: (point: TrialPoint) => string;
    value: (value: number) => string;
  },
): (event: TrainingEvent) => EventLine | undefined {
  let waits = 0;
  const trials = (n: number) => `${n} trial${n === 1 ? "" : "s"}`;
  return (event) => {
    const setting = "point" in event ? words.setting(event.point) : "";
    const ended = (how: string) => ({
      text: `trial ${tally.done} of ${tally.total}: ${setting}: ${how}`,
      setting,
    });
    switch (event.type) {
      case "start": {
        const { missing, total, resumed } = event;
        const broken = resumed
          ? `, ${resumed} of them broken off by a dead process`
          : "";
        return {
          text: missing
            ? `${missing} of ${total} trials to run${broken}`
            : `nothing to do: ${total} of ${total} trials are on record`,
        };
      }
      case "complete":
        return ended(words.value(event.value));
      case "pruned":
      case "failed":
        return ended(`${event.type}, ${event.reason}`);
      case "interrupted":
      case "lost": {
        const why = "reason" in event ? `: ${event.reason}` : "";
        return { text: `${event.type}: ${setting}${why}`, setting };
      }
      case "warning":
        return { text: `warning: ${event.message}` };
      case "changed":
      case "budget":
        return { text: event.message };
      case "waiting":
        if (event.running === waits) return;
        waits = event.running;
        return { text: `waits for ${trials(waits)} of other processes` };
    }
  };
}
