/** Expression names, one for each of the many words that data sets use. */

/** The seven basic expressions in FER2013's order, then contempt. */
export const EXPRESSIONS = [
  "Angry",
  "Disgust",
  "Fear",
  "Happy",
  "Sad",
  "Surprise",
  "Neutral",
  "Contempt",
] as const;

export type Expression = typeof EXPRESSIONS[number];

const WORDS = new Map<string, Expression>(Object.entries({
  anger: "Angry",
  angry: "Angry",
  disgust: "Disgust",
  disgusted: "Disgust",
  fear: "Fear",
  fearful: "Fear",
  afraid: "Fear",
  happy: "Happy",
  happiness: "Happy",
  joy: "Happy",
  sad: "Sad",
  sadness: "Sad",
  surprise: "Surprise",
  surprised: "Surprise",
  neutral: "Neutral",
  contempt: "Contempt",
}));

/** The expression that a data set's word means; undefined for another word. */
export function expressionOf(word: string): Expression | undefined {
  return WORDS.get(word.trim().toLowerCase());
}
