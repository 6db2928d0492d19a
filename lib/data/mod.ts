/** Data sets in memory, loaders and synthetic faces: what others may import. */
export { acrossSets } from "./across_sets.ts";
export { describeDataset } from "./describe.ts";
export { auditListing } from "./audit/audit.ts";
export { changesResults } from "./audit/types.ts";
export type { Audit } from "./audit/types.ts";
export { assignSplits } from "./split.ts";
export {
  classCounts,
  contentHash,
  imagesOf,
  limited,
  stratified,
} from "./dataset.ts";
export { detectFormat, FORMATS, titleOf } from "./formats/mod.ts";
export { readText } from "./formats/text_files.ts";
export type { Crop, Format, ListedImage, Listing } from "./listing.ts";
export { imagesAt } from "./photos.ts";
export { loadDataset } from "./load.ts";
export type { LoadOptions } from "./load.ts";
export { hash32, Random } from "./random.ts";
export { expandGray, isGray } from "./read/decode_images.ts";
export { decodeImage } from "./read/decode_image.ts";
export { readImageFile } from "./read/image_file.ts";
export { repeatedImages, repeatedLines } from "./repeated_images.ts";
export type { RepeatedImages } from "./repeated_images.ts";
export { type PlanData, PlanDataSchema } from "./source.ts";
export { syntheticFaces } from "./synthetic/faces.ts";
export type { SyntheticOptions } from "./synthetic/faces.ts";
export { DataError, FER_CLASSES, SPLITS } from "./types.ts";
export type {
  Dataset,
  DataSource,
  FaceOptions,
  ReadOptions,
  SkippedFile,
  Split,
  SplitName,
  SplitRule,
  TrainPart,
} from "./types.ts";
