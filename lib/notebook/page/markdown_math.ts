/** Formulas in Markdown: `$…$`, `$$…$$` and bare environments. */
import type { MarkdownIt } from "markdown-it";

/** A formula in a text and where it ends. */
interface Found {
  tex: string;
  display: boolean;
  end: number;
}

type BlockState = Parameters<
  Parameters<MarkdownIt["block"]["ruler"]["push"]>[1]
>[0];

// As in pandoc: no space inside the dollars, no digit after the last one.
const DOLLARS =
  /\$((?:[^\s$\\]|\\[^])(?:(?:[^$\\]|\\[^])*(?:[^\s$\\]|\\[^]))?)\$(?!\d)/y;
const BEGIN =
  /\\begin\{((?:align|alignat|equation|eqnarray|gather|multline)\*?|(?:[bBpvV]?small|[bBpvV])?matrix\*?|array|cases|rcases|aligned|gathered|CD)\}/y;

/** No one begins a formula in a line and ends it after so many characters. */
const LONGEST_HEAD = 2_000;

/** The end of an environment that begins at `at`, with those of its name in it. */
function environmentEnd(text: string, at: number, name: string): number {
  let depth = 0;
  const either = new RegExp(
    `\\\\(begin|end)\\{${name.replace("*", "\\*")}\\}`,
    "g",
  );
  either.lastIndex = at;
  for (let m = either.exec(text); m; m = either.exec(text)) {
    depth += m[1] === "begin" ? 1 : -1;
    if (depth === 0) return either.lastIndex;
  }
  return -1;
}

/** The formula that begins at `at`, if one does. */
export function formulaAt(text: string, at: number): Found | undefined {
  if (text.startsWith("$$", at)) {
    const end = text.indexOf("$$", at + 3);
    if (end < 0) return;
    return { tex: text.slice(at + 2, end), display: true, end: end + 2 };
  }
  if (text[at] === "$") {
    DOLLARS.lastIndex = at;
    const tex = DOLLARS.exec(text)?.[1];
    return tex === undefined
      ? undefined
      : { tex, display: false, end: DOLLARS.lastIndex };
  }
  BEGIN.lastIndex = at;
  const name = BEGIN.exec(text)?.[1];
  const end = name === undefined ? -1 : environmentEnd(text, at, name);
  if (end >= 0) return { tex: text.slice(at, end), display: true, end };
}

/** Whether a formula that begins in the text before `boundary` ends after it. */
function crosses(text: string, boundary: number): boolean {
  let at = 0;
  while (at < boundary) {
    const c = text[at];
    if (c === "`") {
      const fence = /^`+/.exec(text.slice(at, at + 100))![0];
      const close = text.indexOf(fence, at + fence.length);
      at = (close < 0 ? at : close) + fence.length;
      continue;
    }
    const found = c === "$" || c === "\\" ? formulaAt(text, at) : undefined;
    if (found && found.end > boundary) return true;
    at = found ? found.end : at + (c === "\\" ? 2 : 1);
  }
  return false;
}

/** A paragraph that a line of a formula (`+ b$`) does not end as a list would. */
function paragraph(state: BlockState, start: number, end: number): boolean {
  const ends = state.md.block.ruler.getRules("paragraph");
  const before = state.parentType;
  const text = (from: number, to: number) =>
    state.getLines(from, to, state.blkIndent, true);
  const inFormula = (line: number) => {
    let stop = line;
    while (stop < Math.min(end, line + 20) && !state.isEmpty(stop)) stop++;
    const head = text(start, line);
    return head.length < LONGEST_HEAD && /[$\\]/.test(head) &&
      crosses(head + text(line, stop), head.length);
  };
  state.parentType = "paragraph";
  let next = start + 1;
  for (; next < end && !state.isEmpty(next); next++) {
    if (state.sCount[next] - state.blkIndent > 3) continue;
    if (state.sCount[next] < 0) continue;
    if (ends.some((rule) => rule(state, next, end, true)) && !inFormula(next)) {
      break;
    }
  }
  state.line = next;
  const map: [number, number] = [start, next];
  state.push("paragraph_open", "p", 1).map = map;
  const inline = state.push("inline", "", 0);
  inline.content = text(start, next).trim();
  inline.map = map;
  inline.children = [];
  state.push("paragraph_close", "p", -1);
  state.parentType = before;
  return true;
}

/** Tokens `math`: `content` is the formula, `meta.display` how it stands. */
export function addMath(md: MarkdownIt) {
  md.inline.ruler.before("escape", "math", (state, silent) => {
    const c = state.src[state.pos];
    if (c !== "$" && c !== "\\") return false;
    const found = formulaAt(state.src, state.pos);
    if (!found || found.end > state.posMax) return false;
    if (!silent) {
      const token = state.push("math", "", 0);
      token.content = found.tex;
      token.meta = { display: found.display };
    }
    state.pos = found.end;
    return true;
  });
  md.block.ruler.before("fence", "math", (state, start, end, silent) => {
    const at = state.bMarks[start] + state.tShift[start];
    const bare = state.src.startsWith("\\begin{", at);
    if (!bare && !state.src.startsWith("$$", at)) return false;
    // No formula is longer; a text without an end is not read again and again.
    const last = Math.min(end, start + 1_000);
    const text = state.getLines(start, last, state.blkIndent, false)
      .trimStart();
    const found = formulaAt(text, 0);
    if (!found) return false;
    const rest = /[^\n]*/y;
    rest.lastIndex = found.end;
    if (rest.exec(text)![0].trim()) return false;
    if (silent) return true;
    const token = state.push("math", "", 0);
    token.block = true;
    token.content = found.tex;
    token.meta = { display: true };
    state.line = start + text.slice(0, found.end).split("\n").length;
    token.map = [start, state.line];
    return true;
  }, { alt: ["paragraph", "blockquote", "list"] });
  md.block.ruler.at("paragraph", paragraph);
}
