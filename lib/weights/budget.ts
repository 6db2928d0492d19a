/** How much memory the content of a file may take, counted before it is taken. */
import type { Refuse } from "./tensor.ts";

const MIB = 2 ** 20;
/** The largest models of many experts have some 100,000. */
const MOST_TENSORS = 250_000;

/**
 * Four times a file's size and 512 MiB, for all that is unpacked, widened and
 * copied from it together: what real files need several times over, and what
 * small ones that unfold to gigabytes do not get.
 */
export class Budget {
  readonly #limit: number;
  readonly #refuse: Refuse;
  #left: number;
  #tensors = 0;

  constructor(fileSize: number, refuse: Refuse) {
    this.#limit = this.#left = 512 * MIB + 4 * fileSize;
    this.#refuse = refuse;
  }

  /** Counts tensors, whose names and shapes take more than their numbers may. */
  addTensors(count: number): void {
    this.#tensors += count;
    if (this.#tensors <= MOST_TENSORS) return;
    this.#refuse(`more than ${MOST_TENSORS} tensors, which are not read`);
  }

  /** Counts `bytes` for `what`, and refuses the file where they are too many. */
  spend(bytes: number, what: string): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    this.#refuse(
      `${what} would take more memory than a file of this size is given (${
        Math.round(this.#limit / MIB)
      } MiB: four times its size and 512 MiB)`,
    );
  }
}
