/** Facial actions of each expression, drawn with intensity and noise. */
import type { Random } from "../random.ts";

/** How the parts of a face are moved; 0 is at rest, about -1..1. */
export interface Actions {
  /** Inner brow: up is positive. */
  browInner: number;
  browOuter: number;
  /** Eyelids: wide is positive, narrow is negative. */
  eyes: number;
  /** Mouth corners: up is positive. */
  corners: number;
  /** Jaw drop, 0..1. */
  jaw: number;
  /** Mouth width: wide is positive. */
  width: number;
  /** Upper lip raised, 0..1. */
  upperLip: number;
  /** Nose wrinkled, 0..1. */
  nose: number;
  /** Cheeks raised, 0..1. */
  cheeks: number;
  /** Teeth shown in an open mouth, 0..1. */
  teeth: number;
  /** One mouth corner up and pressed in, right (positive) or left. */
  smirk: number;
}

const REST: Omit<Actions, "smirk"> = {
  browInner: 0,
  browOuter: 0,
  eyes: 0,
  corners: 0,
  jaw: 0,
  width: 0,
  upperLip: 0,
  nose: 0,
  cheeks: 0,
  teeth: 0,
};

type Form = Partial<Actions>;

/**
 * Forms of each class as in EXPRESSIONS; one is drawn an image. They follow
 * FACS prototypes (Ekman and Friesen: brow raisers AU1/2, lowerer AU4, lids
 * AU5/7, cheek raiser AU6, nose wrinkler AU9, lip corners AU12/15, jaw AU26;
 * contempt is one-sided AU12 and AU14).
 */
const FORMS: readonly Form[][] = [
  [ // Angry
    { browInner: -1, browOuter: 0.25, eyes: -0.3, corners: -0.4, width: -0.35 },
    { browInner: -1, eyes: 0.3, jaw: 0.5, corners: -0.4, teeth: 1 },
  ],
  [ // Disgust
    {
      browInner: -0.6,
      browOuter: -0.3,
      eyes: -0.7,
      corners: -0.5,
      upperLip: 0.8,
      nose: 1,
    },
    { browInner: -0.7, eyes: -0.8, nose: 1, upperLip: 1, jaw: 0.3, teeth: 0.4 },
  ],
  [ // Fear
    { browInner: 0.9, browOuter: 0.3, eyes: 0.8, jaw: 0.35, width: 0.45 },
    {
      browInner: 0.9,
      browOuter: 0.1,
      eyes: 0.8,
      jaw: 0.7,
      corners: -0.4,
      teeth: 0.6,
    },
  ],
  [ // Happy
    { corners: 1, jaw: 0.4, width: 0.6, cheeks: 1, eyes: -0.4, teeth: 1 },
    { corners: 1, width: 0.5, cheeks: 0.8, eyes: -0.2 },
  ],
  [ // Sad
    { browInner: 0.7, browOuter: -0.6, eyes: -0.4, corners: -0.8 },
    { browInner: 0.4, browOuter: -0.6, eyes: -0.9, corners: -0.9, jaw: 0.15 },
  ],
  [ // Surprise
    { browInner: 0.9, browOuter: 1, eyes: 0.9, jaw: 1, width: -0.45 },
    { browInner: 0.9, browOuter: 1, eyes: 0.8, jaw: 0.5, width: -0.3 },
  ],
  [{}, { corners: 0.1 }], // Neutral
  [ // Contempt
    { smirk: 1, eyes: -0.4, browInner: -0.2 },
    { smirk: 1, eyes: -0.3, corners: -0.2, width: -0.15 },
  ],
];

/** Draws the actions of one face showing class `label`. */
export function drawActions(
  label: number,
  [least, greatest]: readonly [number, number],
  random: Random,
): Actions {
  const forms = FORMS[label];
  const form = forms[Math.floor(random.next() * forms.length)];
  const intensity = random.between(least, greatest);
  const out = { ...REST, smirk: 0 };
  for (const key of Object.keys(REST) as (keyof typeof REST)[]) {
    const target = form[key] ?? 0;
    out[key] = target * intensity * random.between(0.6, 1.2) +
      0.13 * random.normal();
  }
  // Unsigned actions start from rest.
  for (
    const key of ["jaw", "upperLip", "nose", "cheeks", "teeth"] as const
  ) out[key] = Math.max(0, out[key] - (form[key] ? 0 : 0.1));
  if (form.smirk) {
    out.smirk = (random.chance(0.5) ? 1 : -1) * form.smirk * intensity *
      random.between(0.6, 1.2);
  }
  return out;
}
