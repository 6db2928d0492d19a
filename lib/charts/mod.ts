/** The room's door: charts of plain rows, as SVG text. */
export { confusionMatrixChart } from "./confusion_matrix.ts";
export {
  faceGridChart,
  type FaceGridOptions,
  type FaceRow,
} from "./face_grid.ts";
export {
  type LearningCurveRow,
  learningCurvesChart,
} from "./learning_curves.ts";
export {
  lrAccuracyChart,
  type LrAccuracyRow,
  type PublishedLrRow,
} from "./lr_accuracy.ts";
export {
  type Chart,
  type ChartOptions,
  escapeMarkup,
  percent,
} from "./theme.ts";
