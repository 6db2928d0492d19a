/** Charts that have a drawing of their own for narrow windows. */
import { type Chart, wrap } from "./theme.ts";

/** Pixels that a phone has beside a page's margins. */
const WIDTH = 320;

const isOnce = (of: unknown): of is Iterable<unknown> =>
  typeof (of as Iterator<unknown> | undefined)?.next === "function";

/**
 * `draw`, drawn again for a phone where nobody said how wide. The second drawing
 * is hidden, until a page that is narrow shows it in place of the first.
 *
 * @param at which argument holds the options
 */
export function alsoNarrow<A extends unknown[]>(
  draw: (...args: A) => Chart,
  at = 1,
): (...args: A) => Chart {
  return (...given) => {
    // What can be read only once is read before both.
    const args = given.map((of) => isOnce(of) ? [...of] : of) as A;
    const chart = draw(...args), o = args[at] as { width?: number } | undefined;
    const [, wide] = / width="(\d+)"/.exec(chart.svg) ?? [];
    if (o?.width !== undefined || Number(wide) <= WIDTH) return chart;
    const again = Object.assign([...args], { [at]: { ...o, width: WIDTH } });
    return wrap(chart.svg, () => draw(...again as A).svg);
  };
}
