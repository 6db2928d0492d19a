/** Whether a glob pattern can be looked up in bounded time. */

const LONGEST = 300; // characters
const MOST_WORDS = 256; // that the braces may come to
const MOST_STARS = 3; // between two slashes: names are matched by trying
const MOST_DEEP = 2; // `**`

/** Into how many patterns the braces come apart, at the most. */
function words(pattern: string): number {
  let all = 1;
  const open: { from: number; choices: number }[] = [];
  const close = (to: number) => {
    const { from, choices } = open.pop()!;
    const [, a, b] = /^(-?\d+)\.\.(-?\d+)/.exec(pattern.slice(from, to)) ?? [];
    all *= Math.max(choices, a ? Math.abs(Number(a) - Number(b)) + 1 : 1);
  };
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === "{") open.push({ from: i + 1, choices: 1 });
    else if (pattern[i] === "," && open.length) open.at(-1)!.choices++;
    else if (pattern[i] === "}" && open.length) close(i);
  }
  while (open.length) close(pattern.length);
  return all;
}

/** Why a pattern is refused; undefined when it is not. */
export function tooWide(pattern: string): string | undefined {
  if (pattern.length > LONGEST) return `has more than ${LONGEST} characters`;
  if (/[!?+*@]\(/.test(pattern)) return "has a group like !(a) or +(a)";
  if (words(pattern) > MOST_WORDS) {
    return `stands for more than ${MOST_WORDS} patterns`;
  }
  const parts = pattern.split("/");
  const stars = (part: string) => part.match(/\*/g)?.length ?? 0;
  if (parts.some((part) => part !== "**" && stars(part) > MOST_STARS)) {
    return `has more than ${MOST_STARS} stars in one name`;
  }
  if (parts.filter((part) => part === "**").length > MOST_DEEP) {
    return `has more than ${MOST_DEEP} times **`;
  }
}
