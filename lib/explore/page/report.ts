/// <reference lib="dom" />
/** A report's outputs under a state: judged and drawn again, or as written. */
import {
  answerText,
  claimsHtml,
  decisionText,
  type Effect,
  type Judgement,
  settled,
  type Shown,
  type Study,
} from "../../reports/mod.ts";
import type { Trial } from "../../rows/mod.ts";
import type { AskedClaim } from "../pack.ts";
import type { CallJson } from "../record.ts";
import type { Output } from "./read_page.ts";
import { h, keepingFocus } from "./dom.ts";
import { CallEvaluation } from "./evaluate.ts";
import { asWritten, isAsWritten, keeps, type State } from "./state.ts";
import { WITH_MARGIN } from "./functions.ts";

/** A claim now, and whether its rule could be asked. */
export interface ClaimNow extends AskedClaim {
  /** The library's rule, and its margin in points where it has one. */
  margin?: number;
  isAsked: boolean;
  now: Judgement;
}

/** Of what the same calls give another result of the same trials. */
const UNLIKE = "made again of all trials it came out differently";

const htmlOf = async (shown: Shown): Promise<string> =>
  (await shown[Symbol.for("Jupyter.display")]())["text/html"] ?? "";

/** Where a page shows a chart's drawing for narrow windows. */
export const NARROW = "(max-width: 40rem)";

/** What is seen of an output: of a chart in a wide window its first drawing. */
const seenOf = (shown: Shown): Promise<string> | string =>
  "svg" in shown && !matchMedia(NARROW).matches
    ? `<figure style="margin: 0">${shown.svg}</figure>`
    : htmlOf(shown);

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
  readonly #evaluations = new WeakMap<State, CallEvaluation>();
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
  #evaluation(state: State, margin?: number): CallEvaluation {
    const make = () =>
      new CallEvaluation(this.calls, this.trials, state, margin);
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
      (output.asked.claims ?? []).map((claim) => ({ output, claim }))
    ).map(({ output, claim }, i) => this.#claim(output, claim, i, state));
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
      return settled(
        { aboutFaces, onlyAt, ...judged as Judgement },
        studyOf(output),
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
          found.set(`${effect.pair} ${effect.sd}`, {
            ...effect,
            pairs: effect.n,
          });
        }
      } catch { /* it says so where it stands */ }
    });
    return [...found.values()];
  }

  /** Claims, and what is in sight: asked before anything moves. */
  inSight(): Set<Output> {
    return new Set(
      this.outputs.filter(({ asked, places }) =>
        asked.claims || places.some((place) => {
          const { top, bottom } = place.getBoundingClientRect();
          return bottom > -200 && top < innerHeight + 200;
        })
      ),
    );
  }

  /** Shows all outputs under a state: those near, then what `seen` does. */
  async show(
    state: State,
    near: ReadonlySet<Output>,
    seen: () => void,
  ): Promise<void> {
    const turn = ++this.#turn;
    if (isAsWritten(state)) {
      this.#restore();
      return seen();
    }
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
      if (!boxOf(place).classList.contains("asked")) continue;
      boxOf(place).classList.remove("asked", "as-written");
      tellCaption(place, false);
      place.replaceChildren(...nodes);
    }
  }

  async #draw(output: Output, state: State): Promise<void> {
    const { claims, root, by, answer, decision, stays } = output.asked;
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
    if (answer || by) return this.#answer(output, state);
    if (decision) return this.#decision(output, state);
    if (stays !== undefined) return this.#note(output, String(stays));
    if (root === undefined) return;
    try {
      if (!await this.#isSound(output)) throw new Error(UNLIKE);
      const made = this.#evaluation(state).call(root) as Shown;
      this.#put(output, await seenOf(made));
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
      mark(place, false);
      const isOpen = [...place.querySelectorAll("details")].map((d) => d.open);
      keepingFocus(place, () => {
        place.innerHTML = html;
        place.dispatchEvent(new Event("nb:drawn", { bubbles: true }));
      });
      place.querySelectorAll("details").forEach((details, i) => {
        details.open = isOpen[i] ?? false;
      });
    }
  }

  /** As written, with why it stays. */
  #note(output: Output, why: string): void {
    this.#place(output, (written) => [
      ...written,
      h("p", { class: "note" }, `As written: ${why}`),
    ], true);
  }

  /** Puts nodes into each place, made of those that are written there. */
  #place(
    { places }: Output,
    nodes: (written: readonly Node[]) => (string | Node)[],
    isAsWritten: boolean,
  ): void {
    for (const place of places) {
      mark(place, isAsWritten);
      place.replaceChildren(...nodes(this.#written.get(place)!));
    }
  }

  /** Which of the report's verdicts are others now. */
  #changes(state: State): string {
    const changed = this.claims(state)
      .filter((c) => c.now.verdict !== c.verdict)
      .map((c) => `“${c.claim}”: ${c.verdict} → ${c.now.verdict}`);
    return changed.length > 0
      ? `the verdicts that changed: ${changed.join("; ")}`
      : "no verdict of the report changed";
  }

  /** The sentence of the changed report, where the page can make it. */
  #answer(output: Output, state: State): void {
    const { by, answer } = output.asked, words = answer?.words;
    try {
      if (by?.call === undefined) {
        throw new Error("the notebook's own code made this sentence");
      }
      const judge = (state: State) =>
        this.#evaluation(state).call(by.call!) as Judgement;
      const was = judge(this.#original), now = judge(state);
      if (was.verdict !== by.verdict) throw new Error(UNLIKE);
      if (!words) {
        throw new Error(
          "numbers in this sentence are the notebook's own; its rule says " +
            (now.verdict === was.verdict
              ? `“${now.verdict}” as before (${now.ours})`
              : `“${now.verdict}”, no longer “${was.verdict}” (${now.ours})`),
        );
      }
      const tell = (state: State) =>
        answerText({
          ...words,
          by: { ...judge(state), aboutFaces: words.aboutFaces },
          number: String(this.#evaluation(state).value(words.number)),
        }, studyOf(output));
      if (tell(this.#original) !== answer!.text) {
        throw new Error(UNLIKE);
      }
      this.#sentence(output, state, tell(state), answer!.text);
    } catch (error) {
      this.#note(output, `${told(error)}; ${this.#changes(state)}`);
    }
  }

  #sentence(output: Output, state: State, now: string, was: string): void {
    const all = [...this.trials.values()], kept = all.filter(keeps(state));
    const count = kept.length === all.length
      ? `all ${all.length} trials`
      : `${kept.length} of ${all.length} trials`;
    const said = now === was
      ? `So it was written, and ${count} still say it. As written:`
      : `By ${count}, as they are judged now. As written: “${was}”`;
    this.#place(output, (written) => [
      h("p", { class: "answer" }, h("strong", {}, now)),
      h("p", { class: "note" }, [said, ...written.map(noteIn)].join(" ")),
    ], false);
  }

  /** What the rule of a decision chooses of the changed report. */
  #decision(output: Output, state: State): void {
    const { decision } = output.asked, { call, choice, name } = decision!;
    try {
      if (call === undefined) {
        throw new Error("the notebook's own rule decided");
      }
      const choose = (state: State) =>
        this.#evaluation(state).call(call) as string | undefined;
      if (String(choose(this.#original)) !== choice) {
        throw new Error(UNLIKE);
      }
      const now = choose(state);
      if (String(now) === choice) {
        return this.#note(output, "its rule chooses the same now");
      }
      const words = decisionText(now, {
        name,
        unless: now === undefined && "fewer than three paired seeds",
      });
      this.#place(output, (written) => [
        h("p", {}, h("strong", {}, "Decision."), ` ${words}`),
        h("p", { class: "note" }, "As written:"),
        h("div", { class: "note" }, ...written),
      ], false);
    } catch (error) {
      this.#note(output, told(error));
    }
  }
}

/** Of an answer what it rests on. */
const noteIn = (node: Node): string =>
  node instanceof Element && node.matches("p.note") ? node.textContent! : "";

const boxOf = (place: Element) => place.closest(".out") ?? place;

/** Shows that a place follows the changes, or stays as it is written. */
function mark(place: Element, isAsWritten: boolean): void {
  const { classList } = boxOf(place);
  classList.add("asked");
  classList.toggle("as-written", isAsWritten);
  tellCaption(place, !isAsWritten);
}

/** A caption with numbers says that they are those of the report as written. */
function tellCaption(place: Element, isChanged: boolean): void {
  const caption = place.closest("figure.numbered")
    ?.querySelector(":scope > figcaption");
  caption?.querySelector(".ask-caption")?.remove();
  if (!caption || !isChanged) return;
  const words = [...caption.childNodes].filter((node) =>
    !(node instanceof Element && node.matches("b, a, .take"))
  ).map((node) => node.textContent).join("");
  if (!/\d/.test(words)) return;
  const note = h("span", { class: "ask-caption" }, " (Numbers as written.)");
  caption.insertBefore(note, caption.querySelector(":scope > .take"));
}

/** What a verdict is worth where an output was made. */
const studyOf = ({ asked: { study } }: Output) =>
  ({
    profile: study?.profile,
    dataName: study?.dataName,
    job: study?.trains ? { recipe: {} } : {},
  }) as unknown as Study;

/** Lets the page answer the hand meanwhile. */
const pause = () => new Promise((done) => setTimeout(done));

const told = (error: unknown): string =>
  String((error as Error)?.message ?? error).split("\n")[0].slice(0, 300);
