/** Findings about copies: the same or nearly the same image more than once. */
import type { ListedImage, Listing } from "../listing.ts";
import { type NearPair, nearPairs } from "./near.ts";
import type { ImageFacts } from "./facts.ts";
import type { Finding } from "./types.ts";

/** Below this standard deviation, in grey levels, an image shows nothing. */
const BLANK_DEVIATION = 3;

export const isBlank = ({ signature }: ImageFacts) =>
  signature !== undefined && signature.deviation < BLANK_DEVIATION;

/** Members of a group that a line names; the rest are counted. */
const MOST_NAMED = 6;

/** Rows that share a file's bytes or its decoded pixels, joined transitively. */
function exactGroups(facts: readonly ImageFacts[]): number[][] {
  const parent = facts.map((_, i) => i);
  const root = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (const key of ["content", "pixels"] as const) {
    const first = new Map<string, number>();
    facts.forEach((fact, i) => {
      const value = fact[key];
      if (!value || isBlank(fact)) return;
      const before = first.get(value);
      if (before === undefined) first.set(value, i);
      else parent[root(i)] = root(before);
    });
  }
  const rows = facts.map((_, i) => i)
    .filter((i) => facts[i].signature && !isBlank(facts[i]));
  return [...Map.groupBy(rows, root).values()];
}

/** How an image of a group is tied to the first one. */
interface Member {
  row: number;
  /** The very image of the member before it. */
  same: boolean;
  /** What stands behind its name: "other bytes", "mirrored, 0.985". */
  how: string;
}

/** Members of one group of equal images. */
function same(
  rows: readonly number[],
  facts: readonly ImageFacts[],
  how = "",
): Member[] {
  return rows.map((row, i) => {
    if (i === 0) return { row, same: false, how };
    const isCopy = facts[row].content === facts[rows[0]].content;
    return { row, same: true, how: isCopy ? "" : "other bytes" };
  });
}

/** The members that a line names: each split and label once, then others. */
function toName(
  { images }: Listing,
  members: readonly Member[],
): readonly Member[] {
  if (members.length <= MOST_NAMED) return members;
  const byPlace = Map.groupBy(members, ({ row }) => {
    const { split, label } = images[row];
    return `${split} ${label}`;
  });
  const firsts = new Set([...byPlace.values()].map(([first]) => first));
  const others = members.filter((m) => !firsts.has(m));
  const kept = new Set([...firsts, ...others].slice(0, MOST_NAMED));
  return members.filter((m) => kept.has(m));
}

/** Findings of one group, exact or near: a leak and a conflict may be both. */
function findingsOf(
  listing: Listing,
  members: readonly Member[],
  near: boolean,
): Finding[] {
  const { images, classes } = listing;
  const group = members.map(({ row }) => images[row]);
  const differ = (of: (image: ListedImage) => unknown) =>
    new Set(group.map(of)).size > 1;
  const isConflict = differ((i) => i.label);
  const named = toName(listing, members);
  const words = named.map(({ row, same, how }, i) => {
    const { name, label } = images[row];
    const notes = [isConflict ? classes[label] : "", how].filter(Boolean);
    const mark = i === 0 ? "" : same ? " = " : " ~ ";
    return mark + name + (notes.length ? ` (${notes.join(", ")})` : "");
  });
  const more = members.length - named.length;
  const text = words.join("") + (more > 0 ? ` and ${more} more` : "");
  const finding = (kind: Finding["kind"]): Finding => ({
    kind,
    text,
    images: group.map((i) => i.name),
  });
  const found: Finding[] = [];
  if (differ((i) => i.split)) found.push(finding(near ? "nearLeak" : "leak"));
  if (isConflict) found.push(finding(near ? "nearConflict" : "conflict"));
  return found.length ? found : [finding(near ? "nearDuplicate" : "duplicate")];
}

/** Groups of groups that near pairs join, each with its way from the first. */
function nearGroups(
  groups: readonly number[][],
  pairs: readonly NearPair[],
  facts: readonly ImageFacts[],
): Member[][] {
  const edges = new Map<number, NearPair[]>();
  for (const pair of pairs) {
    for (const end of [pair.a, pair.b]) {
      edges.set(end, [...edges.get(end) ?? [], pair]);
    }
  }
  const seen = new Set<number>();
  return [...edges.keys()].sort((a, b) => a - b).flatMap((first) => {
    if (seen.has(first)) return [];
    seen.add(first);
    const members = same(groups[first], facts);
    const queue = [{ at: first, mirrored: false }];
    for (const from of queue) {
      for (const pair of edges.get(from.at)!) {
        const at = pair.a === from.at ? pair.b : pair.a;
        if (seen.has(at)) continue;
        seen.add(at);
        const mirrored = from.mirrored !== pair.mirrored;
        queue.push({ at, mirrored });
        const how = (mirrored ? "mirrored, " : "") +
          // Down, so that 1.000 is said of no pair that differs more.
          (Math.floor(pair.correlation * 1000) / 1000).toFixed(3);
        members.push(...same(groups[at], facts, how));
      }
    }
    return [members];
  });
}

/**
 * Everything that is in a data set more than once: by bytes, by decoded
 * pixels, or nearly (saved anew, mirrored, cropped a little). Blank images are
 * left out: they are alike without being copies. So are near copies of one
 * named subject: frames of a sequence, which stay in one split anyway.
 */
export function copies(
  listing: Listing,
  facts: readonly ImageFacts[],
  onProgress?: (done: number, total: number) => void,
): Finding[] {
  const groups = exactGroups(facts);
  const exact = groups.filter((g) => g.length > 1)
    .flatMap((rows) => findingsOf(listing, same(rows, facts), false));
  const subjectOf = (group: number) =>
    listing.images[groups[group][0]].subject ?? group;
  const signatures = groups.map(([first]) => facts[first].signature!);
  const pairs = nearPairs(signatures, onProgress)
    .filter(({ a, b }) => subjectOf(a) !== subjectOf(b));
  const near = nearGroups(groups, pairs, facts)
    .flatMap((members) => findingsOf(listing, members, true));
  return [...exact, ...near];
}
