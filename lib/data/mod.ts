/** The data room's door: data sets in memory, loaders and synthetic faces. */
export { randomErasing, randomFlip, randomFlipAndErasing } from "./augment.ts";
export type { Erasing } from "./augment.ts";
export { colourJitter } from "./colour.ts";
export type { ColourJitter } from "./colour.ts";
export { movesNothing, randomAffine, randomResizedCrop } from "./geometry.ts";
export type { Affine, ResizedCrop } from "./geometry.ts";
export { applyMixing, mixes, mixingDraw, mixingInputs } from "./mixing.ts";
export type { Mixing, MixingDraw } from "./mixing.ts";
export { acrossSets } from "./across.ts";
export { describeDataset } from "./describe.ts";
export { auditListing } from "./audit/audit.ts";
export { auditSummary, changesResults } from "./audit/types.ts";
export type { Audit, AuditSummary } from "./audit/types.ts";
export { assignSplits } from "./split.ts";
export { balancedOrder } from "./sampler.ts";
export {
  classCounts,
  contentHash,
  gather,
  limited,
  stratified,
} from "./dataset.ts";
export { detectFormat, FORMATS } from "./formats/mod.ts";
export type { Format, ListedImage, Listing, ReadOptions } from "./listing.ts";
export { loadDataset } from "./load.ts";
export type { LoadOptions } from "./load.ts";
export { hash32, Random } from "./random.ts";
export { repeatedImages, repeatedLines } from "./repeats.ts";
export type { RepeatedImages } from "./repeats.ts";
export { syntheticFaces } from "./synthetic.ts";
export type { SyntheticOptions } from "./synthetic.ts";
export { readText } from "./text.ts";
export { DataError, FER_CLASSES, SPLITS } from "./types.ts";
export type {
  Dataset,
  DataSource,
  FaceOptions,
  SkippedFile,
  Split,
  SplitName,
  SplitRule,
  TrainPart,
} from "./types.ts";
