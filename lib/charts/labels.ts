/** Labels beside their points, where they cover nothing else. */

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface LabelledPoint {
  x: number;
  y: number;
  /** Of the label. */
  width: number;
  isNeeded: boolean;
}

/** Moves sorted `ys` apart to at least `gap`, within [top, bottom]. */
export function spread(
  ys: readonly number[],
  gap: number,
  top: number,
  bottom: number,
): number[] {
  const out = [...ys];
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.max(out[i], i === 0 ? top : out[i - 1] + gap);
  }
  for (let i = out.length - 1; i >= 0; i--) {
    out[i] = Math.min(out[i], i === out.length - 1 ? bottom : out[i + 1] - gap);
  }
  return out;
}

/** How far from its point a label stands, in pixels. */
const AWAY = 9;

/** Right and left of a point, above, below and at its corners. */
const SIDES = [[1, 0], [-1, 0], [0, -1], [0, 1]];
const PLACES = [...SIDES, [1, -1], [-1, -1], [1, 1], [-1, 1]];

const overlaps = (a: Box, b: Box) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/**
 * Where each label, of a width and one height, stands from its point: where it
 * covers no point, no label before it and nothing of `lines`, unless it is needed
 * and there is no such place; null where there is none within `box`.
 */
export function freePlaces(
  points: readonly LabelledPoint[],
  { height, box, lines }: { height: number; box: Box; lines: readonly Box[] },
): ({ dx: number; dy: number; anchor: "start" | "middle" | "end" } | null)[] {
  const taken = points.map(({ x, y }): Box => (
    { left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }
  ));
  return points.map(({ x, y, width, isNeeded }) => {
    const places = PLACES.map(([right, down]) => {
      const dx = AWAY * right, dy = (height / 2 + AWAY - 3) * down;
      const left = x + dx - width * (1 - right) / 2;
      const top = y + dy - height / 2;
      const own = { left, right: left + width, top, bottom: top + height };
      const anchor = (["end", "middle", "start"] as const)[right + 1];
      return { dx, dy, anchor, own };
    }).filter(({ own }) =>
      own.left >= box.left && own.right <= box.right && own.top >= box.top &&
      own.bottom <= box.bottom && !taken.some((other) => overlaps(own, other))
    );
    const best = places.find(({ own }) =>
      !lines.some((line) => overlaps(own, line))
    ) ?? (isNeeded ? places[0] ?? null : null);
    if (best) taken.push(best.own);
    return best;
  });
}
