/**
 * The room's door: reports that can be asked. A notebook has the library's
 * functions from here. Their results keep the call that gave them (record.ts):
 * `effects(trials, o)` its rows and options, an item of it its place, a verdict
 * the effects it was judged by, a chart what it draws. What a cell shows then
 * has, beside its HTML, these calls as JSON (pack.ts); claims and answer also
 * have their studies' trials (packed_trials.ts), without pictures, folders and hosts.
 * A function among them is its values, by what it reads of a row. What has
 * nothing to do with trials keeps no call; what cannot be made again elsewhere
 * keeps why, and stays as it is written.
 *
 * `nb export` puts both into the page, unread, with the page's part of this
 * room (page/): the functions of `reports`, `charts` and `statistics` that ran
 * in the notebook, bundled from the same modules and allowed by its hash. The
 * page makes the calls again (evaluate.ts) under a state: trials that are left
 * out, the number that is judged, margins, level, correction, pairing. First of
 * all it makes them as written: what does not come out as it stands in the
 * report is left alone, and said to be. The state is in the address. Nothing is
 * read from an output but texts, numbers and names of these functions, and what
 * is damaged leaves the page as it would be without a script.
 */
export * from "./recorded_library.ts";
export { EXPLORE_TYPE } from "./pack.ts";
