/** Labels beside their points, where they cover nothing else. */

/** A point to be labelled, in pixels, with the ends of its interval. */
export interface Labelled {
  x: number;
  y: number;
  /** Of the label. */
  width: number;
  top: number;
  bottom: number;
}

/** Where a label's middle stands from its point; far ones need a line. */
export interface Placed {
  dx: number;
  dy: number;
  anchor: "start" | "middle" | "end";
  isFar: boolean;
}

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const RADIUS = 6;

/** Beside the point, above and below it, then around it farther and farther. */
function candidates(height: number): Placed[] {
  const near = height / 2 + RADIUS;
  const around = (far: number): Placed[] => [
    { dx: RADIUS + 3, dy: -far, anchor: "start", isFar: far > near },
    { dx: -RADIUS - 3, dy: -far, anchor: "end", isFar: far > near },
    { dx: RADIUS + 3, dy: far, anchor: "start", isFar: far > near },
    { dx: -RADIUS - 3, dy: far, anchor: "end", isFar: far > near },
  ];
  return [
    { dx: RADIUS + 3, dy: 0, anchor: "start", isFar: false },
    { dx: -RADIUS - 3, dy: 0, anchor: "end", isFar: false },
    { dx: 0, dy: -near, anchor: "middle", isFar: false },
    { dx: 0, dy: near, anchor: "middle", isFar: false },
    ...around(near),
    ...[24, 36, 48, 60, 76, 92, 110].flatMap(around),
  ];
}

function boxOf(p: Labelled, at: Placed, height: number): Box {
  const x = p.x + at.dx, y = p.y + at.dy;
  const left = at.anchor === "start"
    ? x
    : at.anchor === "end"
    ? x - p.width
    : x - p.width / 2;
  return {
    left,
    right: left + p.width,
    top: y - height / 2,
    bottom: y + height / 2,
  };
}

/** The area that both boxes cover, in square pixels. */
function overlap(a: Box, b: Box): number {
  const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return x > 0 && y > 0 ? x * y : 0;
}

/**
 * Places each label in turn where it covers no point, label or obstacle and is within `box`; where nowhere
 * is, where it covers the least.
 */
export function placeLabels(
  points: readonly Labelled[],
  { height, box, obstacles = [] }: {
    height: number;
    box: Box;
    obstacles?: readonly Box[];
  },
): Placed[] {
  const taken: Box[] = [...obstacles];
  taken.push(...points.flatMap((p) => [
    {
      left: p.x - RADIUS,
      right: p.x + RADIUS,
      top: p.y - RADIUS,
      bottom: p.y + RADIUS,
    },
    { left: p.x - 1.5, right: p.x + 1.5, top: p.top, bottom: p.bottom },
  ]));
  return points.map((p) => {
    let best: { at: Placed; own: Box; cost: number } | undefined;
    for (const at of candidates(height)) {
      const own = boxOf(p, at, height);
      const outside = p.width * height - overlap(own, box);
      const cost = 4 * Math.max(0, outside) +
        taken.reduce((sum, other) => sum + overlap(own, other), 0);
      if (best === undefined || cost < best.cost - 1e-9) {
        best = { at, own, cost };
      }
      if (cost < 1e-9) break;
    }
    taken.push(best!.own);
    return best!.at;
  });
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

/** A line's height at `x`, between its points in order; null beside them. */
export function heightAt(
  line: readonly { x: number; y: number }[],
  x: number,
): number | null {
  const i = line.findIndex((p) => p.x >= x);
  if (i < 1) return null;
  const a = line[i - 1], b = line[i];
  return a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x);
}
