/** What an audit of a data set finds, and how much each kind of it matters. */
import type { SplitName } from "../types.ts";

const grave = (title: string) => ({ title, changesResults: true });
const note = (title: string) => ({ title, changesResults: false });

/** Kinds of findings, gravest first: what each is, and if it moves results. */
export const KINDS = {
  leak: grave("same image in several splits"),
  conflict: grave("same image with several labels"),
  subject: grave("subject in several splits"),
  missing: grave("listed file that is not there"),
  undecodable: grave("file that cannot be decoded"),
  unusable: grave("row or file that cannot be used"),
  counts: grave("count that differs from the published one"),
  nearLeak: grave("near copy in another split"),
  nearConflict: grave("near copy with another label"),
  duplicate: note("same image twice in a split"),
  nearDuplicate: note("near copy in one split"),
  blank: note("blank image"),
  absent: note("class without an image"),
  unlisted: note("folder of images that nothing lists"),
};

export type FindingKind = keyof typeof KINDS;

/** One thing found; `text` says it in one line, paths and all. */
export interface Finding {
  kind: FindingKind;
  text: string;
  /** Names of the images concerned, or paths of files; may be empty. */
  images: string[];
}

/** `all` where the data set has no official split. */
export type AuditSplit = SplitName | "all";

/** Images of each class, in the order of the classes. */
export type Counts = Partial<Record<AuditSplit, number[]>>;

/** Everything that an audit has to tell; plain JSON data. */
export interface Audit {
  /** When it was made, ISO 8601. */
  date: string;
  /** SHA-256 (hex) over names, splits, labels and contents of the images. */
  hash: string;
  format: string;
  layout: string;
  classes: string[];
  /** How many images are listed. */
  images: number;
  counts: Counts;
  /** The published counts of the same classes and splits, where known. */
  published?: Counts;
  /** Left out by rule: what → how many. */
  left: Record<string, number>;
  /** Sides in pixels, the most frequent first. */
  sizes: { width: number; height: number; count: number }[];
  /** Images of each split that have a copy in train, exact or near. */
  alsoInTrain: Partial<Record<SplitName, number>>;
  /** Gravest first. */
  findings: Finding[];
}

/** Says whether a finding makes results wrong, not only untidy. */
export function changesResults(finding: Pick<Finding, "kind">): boolean {
  return KINDS[finding.kind].changesResults;
}
