/// <reference lib="dom" />
/** The page's part: reads what the page holds, shows the panel, follows it. */
import type { Trial } from "../../rows/mod.ts";
import { both, brush, trialsOfMarks } from "./brush.ts";
import { readPage } from "./read_page.ts";
import { h, keepingFocus } from "./dom.ts";
import { changesShown, panelOf } from "./panel.ts";
import { NARROW, Report } from "./report.ts";
import { trialView } from "./trial_view.ts";
import {
  asWritten,
  fromHash,
  isAsWritten,
  type State,
  toHash,
} from "./state.ts";
import { STYLE } from "./panel_style.ts";

/** Builds the panel; `isOpen` where the reader asked for it. */
async function start(isOpen: boolean, picked?: string): Promise<void> {
  const embedded = document.getElementById("explore--data")!.textContent!;
  const { outputs, trials, calls } = await readPage(JSON.parse(embedded));
  const report = new Report(outputs, trials, calls);
  document.head.append(h("style", {}, STYLE));
  const asking = document.querySelector<HTMLElement>(".ask");
  const close = h("button", {
    ...{ type: "button", class: "close", "aria-label": "Close" },
    onclick: () => {
      open(false);
      asking?.focus();
    },
  }, "×");
  const contents = h("div"), view = h("section");
  const panel = h(
    "aside",
    { class: "ask-panel", "aria-label": "Question this report", hidden: true },
    close,
    h("h2", {}, "Question this report"),
    view,
    contents,
  );
  // One that stays: what changes in it is read aloud.
  const words = h("span", { role: "status" });
  const back = h("button", {
    type: "button",
    onclick: () => {
      change(asWritten());
      asking?.focus();
    },
  }, "As written");
  const line = h("div", { class: "ask-bar", hidden: true }, back, words);
  document.querySelector("main")!.prepend(line);
  document.body.append(panel);
  const known = {
    trials: [...trials.values()],
    claims: outputs.reduce((n, o) => n + (o.asked.claims?.length ?? 0), 0),
  };
  let { state, odd } = fromHash(location.hash, known);

  function open(isIt: boolean) {
    panel.hidden = !isIt;
    document.body.classList.toggle("asking", isIt);
    asking?.setAttribute("aria-expanded", String(isIt));
    if (isIt) fill();
  }
  /** The panel of a state; the field that was used keeps the focus. */
  function fill() {
    if (panel.hidden) return;
    const used = contents.contains(document.activeElement);
    keepingFocus(contents, () =>
      contents.replaceChildren(
        ...panelOf(report, state, change).filter((part) => part !== false),
      ));
    if (document.activeElement === document.body && used) close.focus();
  }
  async function follow() {
    const near = report.inSight();
    line.hidden = isAsWritten(state) && odd.length === 0;
    words.replaceChildren(
      ...line.hidden ? [] : changesShown(report, state, odd),
    );
    await report.show(state, near, fill);
    document.body.dataset.asked = String(performance.now());
  }
  function change(next: State) {
    [state, odd] = [next, []];
    try {
      history.replaceState(
        null,
        "",
        toHash(state) || location.pathname + location.search,
      );
    } catch { /* a page in a frame has no address */ }
    follow();
  }
  addEventListener("hashchange", () => {
    const next = fromHash(location.hash, known);
    if (toHash(next.state) === toHash(state) && !next.odd.length) return;
    ({ state, odd } = next);
    follow();
  });
  matchMedia(NARROW).addEventListener("change", follow);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) {
      open(false);
      (from?.isConnected ? from : asking)?.focus();
    }
  });
  asking?.addEventListener("click", () => {
    from = undefined;
    open(panel.hidden !== false);
    if (!panel.hidden) close.focus();
  });
  const shown: Trial[] = [];
  /** The chart from which the keyboard came. */
  let from: SVGElement | HTMLElement | undefined;
  /** A trial, beside the one that was picked before it. */
  function pick(id: string | undefined) {
    const trial = id === undefined ? undefined : trials.get(id);
    if (!trial) return;
    if (shown[0] !== trial) shown.unshift(trial);
    open(true);
    view.replaceChildren(...trialView(trial, shown[1], known.trials));
    panel.scrollTop = 0;
    const used = document.activeElement as SVGElement | null;
    if (!used?.matches("svg:focus-visible")) return;
    from = used;
    view.querySelector("h3")?.focus();
  }
  document.addEventListener("click", (event) => {
    const mark = (event.target as Element).closest<SVGElement>("[data-trial]");
    pick(mark?.dataset.trial);
  });
  brush(() => !panel.hidden, (marks) => {
    const picked = trialsOfMarks(marks, trials);
    if (picked) change({ ...state, only: both(state.only, picked) });
  });
  open(isOpen);
  pick(picked);
  if (isOpen && !panel.contains(document.activeElement)) close.focus();
  await follow();
  await report.check();
  document.body.dataset.checked = "";
}

/** The page's loader waits for it. */
Object.assign(globalThis, { ferlabAsk: start });
