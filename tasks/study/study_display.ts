/** A running study on the terminal: a live table there, plain lines elsewhere. */
import stringWidth from "string-width";
import {
  clock,
  eventLines,
  type Study,
  Tally,
  type TrainingEvent,
  type TrialPoint,
} from "../../lib/study/commands.ts";
import {
  BOLD,
  clean,
  DIM,
  fit,
  NARROWEST,
  pad,
  RED,
  short,
  YELLOW,
} from "../text.ts";
import { describeParams, shownValue, withUnit } from "./values.ts";
import {
  type Line,
  screen,
  type ScreenOptions,
  stderrScreen,
  writer,
} from "../screen.ts";

/** Of a study, what its display shows. */
type Shown = Pick<Study, "name" | "direction" | "metric" | "repeats">;

export interface DisplayOptions extends ScreenOptions {
  study: Shown;
}

export interface LiveDisplay {
  onEvent(event: TrainingEvent): void;
  /** Leaves the last state on the screen, and the cursor as it was. */
  end(): void;
}

/** Running trials with a line of their own. */
const MOST_LINES = 10;
const BAR = 12;

const COLOURS: Partial<Record<TrainingEvent["type"], number>> = {
  ...{ pruned: DIM, failed: RED },
  ...{ interrupted: YELLOW, lost: YELLOW, warning: YELLOW },
};

/** Makes the line that an event leaves for good, if it leaves one. */
function lines(study: Shown, tally: Tally) {
  const lineOf = eventLines(tally, {
    setting: (point) => named(study, point),
    value: (value) => withUnit(value, study.metric),
  });
  return (event: TrainingEvent): Line | undefined => {
    const line = lineOf(event), colour = COLOURS[event.type];
    return line && { ...line, text: clean(line.text), colour };
  };
}

/** A point as words, with its repeat where there are several. */
function named({ repeats }: Shown, { params, repeat }: TrialPoint): string {
  const setting = describeParams(params);
  if (repeats === 1) return setting || "the only setting";
  return [setting, `repeat ${repeat}`].filter(Boolean).join(", ");
}

/** The display of a running study; call `end` when it ends, however it does. */
export function liveDisplay(o: DisplayOptions): LiveDisplay {
  return o.isTerminal ? liveTable(o) : plainLines(o);
}

/** The display on this process's standard error. */
export const stderrDisplay = (study: Shown): LiveDisplay =>
  liveDisplay({ study, ...stderrScreen() });

function plainLines(o: DisplayOptions): LiveDisplay {
  const tally = new Tally(o.study.direction, o.now);
  const lineOf = lines(o.study, tally);
  const write = writer(o);
  return {
    onEvent(event) {
      tally.take(event);
      const line = lineOf(event);
      if (line) write(`${line.text}\n`);
      else if (event.type === "epoch") {
        const { epoch, value } = event.report;
        const shown = shownValue(value, o.study.metric);
        write(`    ${named(o.study, event.point)}: epoch ${epoch}: ${shown}\n`);
      }
    },
    end() {},
  };
}

function progressBar(share: number): string {
  const full = Math.round(BAR * Math.min(1, Math.max(0, share)));
  return "█".repeat(full) + "░".repeat(BAR - full);
}

/** The lines of the table: how the study stands, then its running trials. */
function tableFrame(
  o: DisplayOptions,
  tally: Tally,
  room: number,
  ended: boolean,
): Line[] {
  const { study } = o;
  const value = (v: number) => shownValue(v, study.metric);
  const facts = [
    `${tally.done}/${tally.total} done`,
    tally.failed && `${tally.failed} failed`,
    tally.pruned && `${tally.pruned} pruned`,
    tally.best !== undefined &&
    `best ${tally.before ? "of this run " : ""}${
      withUnit(tally.best, study.metric)
    }`,
    clock(tally.elapsed()),
    !ended && tally.left(),
  ];
  const head = [clean(study.name), ...facts].filter(Boolean).join(
    " · ",
  );

  const running = [...tally.running.values()];
  const rows = running.slice(0, MOST_LINES).map((trial) => {
    const { number, point, epoch } = trial;
    const { step, steps, loss } = trial.step ?? {};
    return {
      number: `#${number}`,
      setting: named(study, point),
      bar: step === undefined ? "" : progressBar(step / steps!),
      steps: step === undefined ? "" : `${step}/${steps}`,
      epoch: epoch ? `epoch ${epoch.epoch}: ${value(epoch.value)}` : "",
      loss: loss === undefined ? "" : `loss ${short(loss)}`,
    };
  });
  const width = (key: keyof typeof rows[0]) =>
    Math.max(0, ...rows.map((row) => stringWidth(row[key])));
  // What a narrow terminal has no room for, the least wanted first.
  let shown = (["bar", "steps", "epoch", "loss"] as const)
    .filter((key) => width(key) > 0);
  const others = () =>
    (["number", ...shown] as const).reduce((sum, k) => sum + width(k) + 2, 0);
  for (const key of ["bar", "loss", "epoch"]) {
    if (others() + NARROWEST > room) shown = shown.filter((k) => k !== key);
  }
  const settings = Math.min(
    Math.max(NARROWEST, room - others()),
    width("setting"),
  );
  const trials = rows.map((row) => ({
    text: [
      pad(row.number, width("number"), true),
      pad(fit(row.setting, settings), settings),
      ...shown.map((key) => pad(row[key], width(key), key === "steps")),
    ].join("  ").trimEnd(),
  }));
  const more = running.length - rows.length;
  return [
    { text: head, colour: BOLD },
    ...trials,
    ...(more > 0 ? [{ text: `and ${more} more`, colour: DIM }] : []),
  ];
}

function liveTable(o: DisplayOptions): LiveDisplay {
  const tally = new Tally(o.study.direction, o.now);
  const lineOf = lines(o.study, tally);
  const shown = screen(
    o,
    (room, ended) => tally.started ? tableFrame(o, tally, room, ended) : [],
  );
  return {
    onEvent(event) {
      tally.take(event);
      shown.changed(lineOf(event));
    },
    end: shown.end,
  };
}
