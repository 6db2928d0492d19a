/**
 * Notes on terms of statistics, which a page's script shows under the pointer,
 * the finger and the keyboard, at a term's first use in each section.
 */

/** What a reader may not know, by a pattern of how texts write it. */
const NOTES: Record<string, string> = {
  "Holm(?:’s|'s)?":
    "Holm's correction: p values of several comparisons are raised, so that " +
    "the chance of even one false difference stays at 5 %.",
  "Benjamini.Hochberg":
    "Controls the share of false differences among those that are reported.",
  "paired(?! t)":
    "Both sides of a comparison use the same seeds, so that what a seed does " +
    "to a run cancels in the difference.",
  "paired t(?: |-)tests?|paired t":
    "Tests whether the mean of the differences of pairs is zero, from how far " +
    "the pairs differ among themselves.",
  "noise floor|noise ±":
    "The standard deviation of runs that differ in nothing but their seed. " +
    "Smaller differences of single runs say nothing.",
  "Wilson":
    "Wilson's interval of a share, such as an accuracy: which true shares a " +
    "sample of this size could well come from.",
  "McNemar(?:’s|'s)?":
    "McNemar's test compares two models on the same images: it counts the " +
    "images that only one of them gets right.",
  "Clopper.Pearson":
    "The exact interval of a share: never too short, rather too long.",
  "Welch(?:’s|'s)?":
    "A t test of two groups that are not paired and may spread differently.",
  "Friedman":
    "Tests by ranks whether several settings differ over the same repeats.",
  "Nemenyi":
    "Tells after Friedman's test which settings differ in their ranks.",
  "Tukey(?:’s|'s)?":
    "Compares all pairs of groups with one common level of error.",
  "Wilcoxon(?:’s|'s)?":
    "Tests by signs and ranks of the differences of pairs; assumes no shape of " +
    "their distribution but symmetry.",
  "sign.flip":
    "An exact test: how often random signs of the paired differences give a " +
    "mean as large as the one seen.",
  "permutation test":
    "How often a random exchange of the labels gives a difference as large as " +
    "the one seen.",
  "bootstrap(?:ped)?":
    "The interval comes from samples drawn anew from the data, with " +
    "replacement; it assumes no distribution.",
  "80 % power|power":
    "The chance that a test sees a difference of that size when it is real.",
  "95 % interval|confidence interval":
    "Of many intervals made this way 95 % hold the true value: what lies " +
    "outside is hard to reconcile with the data.",
  "equivalen(?:t|ce)":
    "The interval of the difference lies within the margin that was set " +
    "before: any difference is too small to matter.",
  "Spearman(?:’s|'s)?":
    "Correlation of ranks: 1 when one value always rises with the other.",
  "Kendall(?:’s|'s)?":
    "Correlation of ranks from pairs in the same and in the opposite order.",
  "sd(?= of)": "Standard deviation.",
  "\\d+ df|degrees of freedom":
    "Degrees of freedom: how many values the spread was estimated from, less " +
    "what was estimated before. Few make wide intervals.",
  "Pareto front":
    "The points that no other beats in one respect without losing in the other.",
  "nuisance(?: parameters?)?":
    "A parameter that is no question of the study but has to be tuned, so that " +
    "the comparison is fair.",
  "expected calibration error|ECE":
    "The mean distance between how sure a model is and how often it is right.",
  "thop":
    "A common FLOP counter for PyTorch; it counts a multiplication with its " +
    "addition as one operation.",
  "simple effects?":
    "The effect of one parameter at each value of another, not averaged over it.",
  "main effects?":
    "The effect of one parameter, averaged over the values of the others.",
};

export const TERMS = `
const notes = ${
  JSON.stringify(
    Object.entries(NOTES).map(([pattern, note]) => [pattern, note]),
  ).replaceAll("<", "\\u003c")
}.map(([pattern, note]) => ({ pattern: new RegExp("(?<![\\\\p{L}\\\\d])(?:" + pattern + ")(?![\\\\p{L}])", "u"), note }));
const plain = (node) => !node.parentElement.closest(
  "a, summary, h1, h2, h3, h4, h5, h6, .take, figcaption b");
const isLeftOut = (node) => node.nodeType === 1 && node.matches("code, pre, style, svg, .katex");
const noteOn = (e, note) => {
  e.dataset.note = "";
  const at = () => {
    const box = e.getBoundingClientRect();
    say(note, box.left - 14, box.top);
  };
  const away = () => { tip.hidden = true; };
  e.addEventListener("pointerenter", at);
  e.addEventListener("pointerleave", away);
  e.addEventListener("focus", at);
  e.addEventListener("blur", away);
  e.addEventListener("keydown", (event) => { if (event.key === "Escape") away(); });
};
let told = new Set();
const main = document.getElementById("main--");
const texts = document.createTreeWalker(main, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT,
  (node) => isLeftOut(node) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
const found = [];
for (let node = texts.nextNode(), read = 0; node && read < 400000; node = texts.nextNode()) {
  if (node.nodeType === 1) {
    if (/^h[1-3]$/.test(node.localName)) told = new Set();
    continue;
  }
  read += node.length;
  if (node.length < 2 || !plain(node)) continue;
  for (const [i, { pattern }] of notes.entries()) {
    if (told.has(i)) continue;
    const m = pattern.exec(node.data);
    if (!m) continue;
    told.add(i);
    found.push({ node, i, start: m.index, end: m.index + m[0].length });
  }
}
// From a text's end, so that its other places stay where they are.
found.sort((a, b) => a.node === b.node ? b.start - a.start : 0);
let least = new Map();
for (const { node, i, start, end } of found) {
  if (end > (least.get(node) ?? Infinity)) continue;
  least.set(node, start);
  const button = node.parentElement.closest("button");
  if (button) {
    noteOn(button, notes[i].note);
    continue;
  }
  const range = document.createRange();
  range.setStart(node, start);
  range.setEnd(node, end);
  const term = document.createElement("span");
  term.className = "term";
  term.tabIndex = 0;
  range.surroundContents(term);
  noteOn(term, notes[i].note);
}
`;
