/** What is wrong with what a user wrote, in one line each: fields, names, values, files. */
export { closeNames, meantText } from "./close_names.ts";
export {
  beta,
  inMessage,
  oneOf,
  positive,
  real,
  takes,
  wholeNumber,
} from "./fields.ts";
export { bareFileFault, fileFault } from "./file_fault.ts";
export { atMost, bare, dottedFrom, parsedBy } from "./issues.ts";
export { readAs } from "./json_file.ts";
export { notPlain } from "./plain_data.ts";
