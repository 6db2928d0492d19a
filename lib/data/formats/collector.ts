/** A listing in the making: its images, what is bad, what is left out. */
import type { ListedImage, Listing } from "../listing.ts";
import { DataError, type SkippedFile } from "../types.ts";

/** Left out where a list names a file again, with what it said before. */
export const LISTED_TWICE = "listed twice with one label";

/** Why an image that a list names cannot be used, in every format. */
export const MISSING = "listed, but the file is missing";

export class Collector {
  readonly images: ListedImage[] = [];
  readonly bad: SkippedFile[] = [];
  readonly left: Record<string, number> = {};
  /** What is said of a file or face, and where. */
  readonly #said = new Map<string, { what: string; where: string }>();

  refuse(path: string, reason: string): void {
    this.bad.push({ path, reason });
  }

  leave(reason: string, count = 1): void {
    if (count > 0) this.left[reason] = (this.left[reason] ?? 0) + count;
  }

  /**
   * Whether something is said of `name` for the first time. The same again is
   * left out, something else is bad.
   *
   * @param what as in "labelled 3"
   */
  isFirst(name: string, what: string, where: string): boolean {
    const before = this.#said.get(name);
    if (before === undefined) this.#said.set(name, { what, where });
    else if (before.what === what) this.leave(LISTED_TWICE);
    else {
      this.refuse(
        where,
        `${name} is ${what} here and ${before.what} at ${before.where}`,
      );
    }
    return before === undefined;
  }

  /** All names of which something was said. */
  get named(): ReadonlySet<string> {
    return new Set(this.#said.keys());
  }

  /**
   * What was collected in `dir`, with the format's facts.
   *
   * @throws DataError with the first reasons where nothing is left to use
   */
  listing(
    dir: string,
    facts: Pick<Listing, "format" | "layout" | "classes" | "unlisted">,
  ): Listing {
    const { images, bad, left } = this;
    if (images.length > 0) return { ...facts, images, bad, left };
    const shown = bad.slice(0, 3).map((b) => `\n  ${b.path}: ${b.reason}`);
    throw new DataError(
      `${dir}: no image can be used` +
        (bad.length > 0 ? `, ${bad.length} bad` : "") +
        `; check that it is the whole data set${shown.join("")}`,
    );
  }
}
