/// <reference lib="dom" />
/** A report's outputs under a state: judged and drawn again, or as written. */
import {
  claimsHtml,
  type Effect,
  type Judgement,
  settled,
  type Shown,
  type Study,
} from "../../reports/mod.ts";
import type { Row, Trial } from "../../rows/mod.ts";
import type { AskedClaim } from "../pack.ts";
import type { CallJson } from "../record.ts";
import type { Output } from "./data.ts";
import { Evaluation } from "./evaluate.ts";
import { asWritten, isAsWritten, type State } from "./state.ts";
import { WITH_MARGIN } from "./functions.ts";

/** A claim now, and whether its rule could be asked. */
export interface ClaimNow extends AskedClaim {
  /** The library's rule, and its margin in points where it has one. */
  margin?: number;
  isAsked: boolean;
  now: Judgement;
}

const htmlOf = async (shown: Shown): Promise<string> =>
  (await shown[Symbol.for("Jupyter.display")]())["text/html"] ?? "";

/** What a chart or a table says, whatever it looks like. */
const wordsIn = (root: Element) =>
  [...root.querySelectorAll("title, text, td, th")]
    .map((e) => e.textContent?.replace(/\s+/g, " ").trim()).join("\n");

export class Report {
  /** What a place holds as it is written. */
  readonly #written = new Map<Element, Node[]>();
  /** Whether an output comes out as it is written. */
  readonly #sound = new Map<Output, boolean>();
  readonly #original = asWritten();
  readonly #evaluations = new WeakMap<State, Evaluation>();
  readonly #claims = new WeakMap<State, ClaimNow[]>();
  #turn = 0;

  constructor(
    readonly outputs: readonly Output[],
    readonly trials: ReadonlyMap<string, Trial>,
    /** Of all outputs. */
    readonly calls: readonly CallJson[],
  ) {
    for (const { places } of outputs) {
      for (const place of places) {
        this.#written.set(place, [...place.childNodes]);
      }
    }
  }

  /** What a state makes of the calls, each made once. */
  #evaluation(state: State, margin?: number): Evaluation {
    const make = () => new Evaluation(this.calls, this.trials, state, margin);
    if (margin !== undefined) return make();
    const known = this.#evaluations.get(state) ?? make();
    this.#evaluations.set(state, known);
    return known;
  }

  /** Each claim under a state; those that rows cannot be asked stay. */
  claims(state: State): ClaimNow[] {
    const known = this.#claims.get(state);
    if (known) return known;
    const claims = this.outputs.flatMap((output) =>
      (output.asked.claims ?? []).map((claim, i) =>
        this.#claim(output, claim, i, state)
      )
    );
    this.#claims.set(state, claims);
    return claims;
  }

  #claim(output: Output, claim: AskedClaim, i: number, state: State): ClaimNow {
    const { ours, verdict, why, call } = claim;
    const written = { ours, verdict, why };
    if (call === undefined) return { ...claim, isAsked: false, now: written };
    const judge = (state: State, margin?: number) => {
      const judged = this.#evaluation(state, margin).call(call);
      const { aboutFaces, onlyAt } = claim;
      const { study } = output.asked;
      return settled(
        { aboutFaces, onlyAt, ...judged as Judgement },
        {
          profile: study?.profile,
          dataName: study?.dataName,
          job: study?.trains ? { recipe: {} } : {},
        } as unknown as Study,
      );
    };
    try {
      const same = judge(this.#original);
      const isSame = (["ours", "verdict", "why"] as const)
        .every((field) => same[field] === written[field]);
      if (!isSame) return { ...claim, isAsked: false, now: written };
      const [name, , words] = this.calls[call];
      const margin = WITH_MARGIN.has(name)
        ? Number(words?.[1]?.points ?? 1)
        : undefined;
      const now = isAsWritten(state) ? same : judge(state, state.margins[i]);
      const isOwn = typeof words?.[1]?.ours === "string";
      return {
        ...claim,
        ...margin === undefined ? {} : { margin },
        isAsked: true,
        now: isOwn && !isAsWritten(state)
          ? { ...now, ours: `as written: ${now.ours}` }
          : now,
      };
    } catch (error) {
      return {
        ...claim,
        isAsked: false,
        now: { ...written, why: told(error) },
      };
    }
  }

  /** All effects that stand in the report's outputs, under a state, once each. */
  comparisons(state: State): (Effect & { pairs: number })[] {
    const found = new Map<string, Effect & { pairs: number }>();
    const evaluation = this.#evaluation(state);
    this.calls.forEach(([name], at) => {
      if (name !== "effects") return;
      try {
        for (const effect of evaluation.call(at) as Effect[]) {
          if (effect.published || effect.sd === null) continue;
          found.set(`${effect.less} ${effect.sd}`, {
            ...effect,
            pairs: effect.n,
          });
        }
      } catch { /* it says so where it stands */ }
    });
    return [...found.values()];
  }

  /** Shows all outputs under a state: those in sight, then what `seen` does. */
  async show(state: State, seen: () => void): Promise<void> {
    const turn = ++this.#turn;
    if (isAsWritten(state)) {
      this.#restore();
      return seen();
    }
    // Where things stand is asked before anything moves.
    const near = new Set(
      this.outputs.filter(({ asked, places }) =>
        asked.claims || places.some((place) => {
          const { top, bottom } = place.getBoundingClientRect();
          return bottom > -200 && top < innerHeight + 200;
        })
      ),
    );
    const far = this.outputs.filter((output) => !near.has(output));
    for (const output of near) await this.#draw(output, state);
    // For whoever measures: what is in sight is drawn.
    document.body.dataset.seen = String(performance.now());
    await pause();
    if (turn !== this.#turn) return;
    seen();
    for (const output of far) {
      await pause();
      if (turn !== this.#turn) return;
      await this.#draw(output, state);
    }
  }

  /** Finds out what comes out as it is written, before a change needs it. */
  async check(): Promise<void> {
    for (const output of this.outputs) {
      await pause();
      if (output.asked.root !== undefined) {
        await this.#isSound(output).catch(() => {});
      }
    }
  }

  #restore(): void {
    for (const [place, nodes] of this.#written) {
      if (!place.classList.contains("asked")) continue;
      place.classList.remove("asked", "as-written");
      place.replaceChildren(...nodes);
    }
  }

  async #draw(output: Output, state: State): Promise<void> {
    const { claims, root, by } = output.asked;
    if (claims) {
      const list = this.claims(state).filter((c) =>
        claims.some((own) => own.claim === c.claim)
      );
      return this.#put(
        output,
        claimsHtml(list.map(({ isAsked, now, ...c }) => ({
          ...{ claim: c.claim, published: c.published, ...now },
          why: isAsked
            ? now.why
            : `As written, by the notebook's own rule: ${now.why}`,
        }))),
      );
    }
    if (by) return this.#answer(output, state);
    if (root === undefined) return;
    try {
      if (!await this.#isSound(output)) throw new Error("it is not as written");
      const made = this.#evaluation(state).call(root) as Shown;
      this.#put(output, await htmlOf(made));
    } catch (error) {
      this.#note(output, told(error));
    }
  }

  /** Whether a chart or table is as written where nothing is changed. */
  async #isSound(output: Output): Promise<boolean> {
    let isSound = this.#sound.get(output);
    if (isSound === undefined) {
      const made = this.#evaluation(this.#original)
        .call(output.asked.root!) as Shown;
      const [place] = output.places, was = document.createElement("div");
      was.append(...this.#written.get(place)!.map((n) => n.cloneNode(true)));
      const is = document.createElement("div");
      is.innerHTML = await htmlOf(made);
      isSound = wordsIn(was) === wordsIn(is);
      this.#sound.set(output, isSound);
    }
    return isSound;
  }

  #put({ places }: Output, html: string): void {
    for (const place of places) {
      place.classList.add("asked");
      place.innerHTML = html;
      place.dispatchEvent(new Event("nb:drawn", { bubbles: true }));
    }
  }

  /** As written, with why it stays. */
  #note(output: Output, why: string): void {
    for (const place of output.places) {
      const note = document.createElement("p");
      note.className = "note";
      note.textContent = `As written: ${why}`;
      place.classList.add("asked", "as-written");
      place.replaceChildren(...this.#written.get(place)!, note);
    }
  }

  /** The sentence stays: its number was put into words by the notebook. */
  #answer(output: Output, state: State): void {
    const { by } = output.asked;
    if (by?.call === undefined) {
      return this.#note(output, "the sentence is the notebook's own");
    }
    try {
      const was = this.#evaluation(this.#original).call(by.call) as Row;
      if (was.verdict !== by.verdict) throw new Error("it is not as written");
      const { verdict, ours } = this.#evaluation(state).call(
        by.call,
      ) as Judgement;
      this.#note(
        output,
        verdict === by.verdict
          ? `the rule behind it says the same of the changed report: ${verdict} (${ours})`
          : `the rule behind it said “${by.verdict}” and says “${verdict}” of the ` +
            `changed report (${ours})`,
      );
    } catch (error) {
      this.#note(output, told(error));
    }
  }
}

/** Lets the page answer the hand meanwhile. */
const pause = () => new Promise((done) => setTimeout(done));

const told = (error: unknown): string =>
  String((error as Error)?.message ?? error).split("\n")[0].slice(0, 300);
