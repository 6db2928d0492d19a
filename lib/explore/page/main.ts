/// <reference lib="dom" />
/** The page's part: reads what the page holds, shows the panel, follows it. */
import type { Trial } from "../../rows/mod.ts";
import { both, brush, trialsOf } from "./brush.ts";
import { readPage } from "./data.ts";
import { h } from "./dom.ts";
import { bar, panelOf } from "./panel.ts";
import { Report } from "./report.ts";
import { trialView } from "./trial.ts";
import { fromHash, isAsWritten, type State, toHash } from "./state.ts";
import { STYLE } from "./style.ts";

/** Builds the panel; `isOpen` where the reader asked for it. */
async function start(isOpen: boolean, picked?: string): Promise<void> {
  const embedded = document.getElementById("explore--data")!.textContent!;
  const { outputs, trials, calls } = await readPage(JSON.parse(embedded));
  const report = new Report(outputs, trials, calls);
  document.head.append(h("style", {}, STYLE));
  const close = h("button", {
    ...{ type: "button", class: "close", "aria-label": "Close" },
    onclick: () => open(false),
  }, "×");
  const contents = h("div"), view = h("section", { "aria-live": "polite" });
  const panel = h(
    "aside",
    { class: "ask-panel", "aria-label": "Question this report", hidden: true },
    close,
    h("h2", {}, "Question this report"),
    view,
    contents,
  );
  const line = h("div", { class: "ask-bar", hidden: true });
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
    document.querySelector(".ask")?.setAttribute("aria-expanded", String(isIt));
    if (isIt) fill();
  }
  /** The panel of a state; the field that was used keeps the focus. */
  function fill() {
    if (panel.hidden) return;
    const fields =
      () => [...contents.querySelectorAll("input, select, button")];
    const at = fields().indexOf(document.activeElement!);
    contents.replaceChildren(
      ...panelOf(report, state, change).filter((part) => part !== false),
    );
    if (at >= 0) (fields()[at] as HTMLElement | undefined)?.focus();
  }
  async function follow() {
    const near = report.inSight();
    line.hidden = isAsWritten(state) && odd.length === 0;
    line.replaceChildren(...line.hidden ? [] : bar(report, state, odd, change));
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
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) {
      open(false);
      document.querySelector<HTMLElement>(".ask")?.focus();
    }
  });
  document.querySelector(".ask")?.addEventListener("click", () => {
    open(panel.hidden !== false);
    if (!panel.hidden) close.focus();
  });
  const shown: Trial[] = [];
  /** A trial, beside the one that was picked before it. */
  function pick(id: string | undefined) {
    const trial = id === undefined ? undefined : trials.get(id);
    if (!trial) return;
    if (shown[0] !== trial) shown.unshift(trial);
    open(true);
    view.replaceChildren(...trialView(trial, shown[1], known.trials));
    panel.scrollTop = 0;
  }
  document.addEventListener("click", (event) => {
    const mark = (event.target as Element).closest<SVGElement>("[data-trial]");
    pick(mark?.dataset.trial);
  });
  brush(() => !panel.hidden, (marks) => {
    const picked = trialsOf(marks, trials);
    if (picked) change({ ...state, only: both(state.only, picked) });
  });
  open(isOpen);
  if (isOpen) close.focus();
  pick(picked);
  await follow();
  await report.check();
  document.body.dataset.checked = "";
}

/** The page's loader waits for it. */
Object.assign(globalThis, { ferlabAsk: start });
