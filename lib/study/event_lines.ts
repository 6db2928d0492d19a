/** The lines that a running study leaves, for a terminal and for a cell. */
import type { TrialPoint } from "./points.ts";
import type { Tally } from "./tally.ts";
import type { TrainingEvent } from "./training.ts";

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
