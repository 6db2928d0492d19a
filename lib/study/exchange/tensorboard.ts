/** Runs as TensorBoard's event files: scalars, hyper-parameters, pictures. */
import { Buffer } from "node:buffer";
import type { Type } from "protobufjs";
import type { ParamValue } from "../definition.ts";
import type { Run } from "./tracker_runs.ts";
import type { StudyRow } from "../store/mod.ts";

/**
 * What is used here of TensorFlow's event.proto and summary.proto, and of
 * TensorBoard 2's plugins/hparams, fields by their numbers there.
 */
const SCHEMA = `syntax = "proto3";
message Event {
  double wall_time = 1;
  int64 step = 2;
  string file_version = 3;
  Summary summary = 5;
}
message Summary { repeated SummaryValue value = 1; }
message SummaryValue {
  string tag = 1;
  oneof value {
    float simple_value = 2;
    Image image = 4;
  }
  SummaryMetadata metadata = 9;
}
message Image {
  int32 height = 1;
  int32 width = 2;
  int32 colorspace = 3;
  bytes encoded_image_string = 4;
}
message SummaryMetadata { PluginData plugin_data = 1; }
message PluginData { string plugin_name = 1; bytes content = 2; }
message HParamsPluginData {
  int32 version = 1;
  Experiment experiment = 2;
  SessionStartInfo session_start_info = 3;
  SessionEndInfo session_end_info = 4;
}
message Experiment {
  string description = 1;
  double time_created_secs = 3;
  repeated HParamInfo hparam_infos = 4;
  repeated MetricInfo metric_infos = 5;
}
message HParamInfo { string name = 1; int32 type = 4; }
message MetricInfo { MetricName name = 1; string display_name = 3; }
message MetricName { string group = 1; string tag = 2; }
message SessionStartInfo {
  map<string, Value> hparams = 1;
  string group_name = 4;
  double start_time_secs = 5;
}
message SessionEndInfo { int32 status = 1; double end_time_secs = 2; }
message Value {
  oneof kind {
    double number_value = 2;
    string string_value = 3;
    bool bool_value = 4;
  }
}
`;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? c >>> 1 ^ 0x82f63b78 : c >>> 1;
  return c;
});

/** CRC-32C (Castagnoli, RFC 3720), unsigned. */
export function crc32c(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 255] ^ c >>> 8;
  return ~c >>> 0;
}

/** The sum as TFRecord stores it (tensorflow/core/lib/hash/crc32c.h). */
const masked = (bytes: Uint8Array) => {
  const crc = crc32c(bytes);
  return ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0;
};

/** A TFRecord: length, its sum, the data, their sum; little-endian. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return bytes;
}

const typeNumber = { string: 1, boolean: 2, number: 3 };

/** The type that all of a parameter's values have; text where they differ. */
function hparamType(values: readonly ParamValue[]): number {
  const types = new Set(values.map((v) => typeof v));
  const [only] = types;
  return types.size === 1 ? typeNumber[only as "string"] : typeNumber.string;
}

/** A PNG and its sides. */
export interface Picture {
  png: Uint8Array;
  width: number;
  height: number;
}

const RESULT = "result/";
const STATUS: Record<string, number> = { COMPLETE: 1, FAIL: 2, RUNNING: 3 };

/**
 * Event files by their path: one that describes the experiment for the tab of
 * hyper-parameters, and one a run, in a folder of its name. Scalars are float32,
 * as TensorBoard's are; a confusion matrix is the picture `confusion`.
 *
 * @param pictureOf draws a run's confusion matrix
 */
export async function tensorboardFiles(
  study: StudyRow,
  runs: readonly Run[],
  pictureOf: (run: Run) => Promise<Picture | undefined>,
): Promise<Map<string, Uint8Array>> {
  // Loaded where it is wanted: start-up time counts.
  const { default: protobuf } = await import("protobufjs");
  const { root } = protobuf.parse(SCHEMA, { keepCase: true });
  const event: Type = root.lookupType("Event");
  const plugin: Type = root.lookupType("HParamsPluginData");
  const encoded = (content: object) => record(event.encode(content).finish());
  const fileOf = (start: number, events: object[]) =>
    Buffer.concat([
      encoded({ wall_time: start / 1000, file_version: "brain.Event:2" }),
      ...events.map(encoded),
    ]);
  const hparams = (tag: string, time: number, content: object) => ({
    wall_time: time / 1000,
    summary: {
      value: [{
        tag: `_hparams_/${tag}`,
        metadata: {
          plugin_data: {
            plugin_name: "hparams",
            content: plugin.encode({ version: 0, ...content }).finish(),
          },
        },
      }],
    },
  });

  const names = [...new Set(runs.flatMap((r) => Object.keys(r.params)))];
  const typeOf = new Map(names.map((name) => [
    name,
    hparamType(runs.flatMap((r) => r.params[name] ?? [])),
  ]));
  const valueOf = (name: string, value: ParamValue) =>
    typeOf.get(name) === typeNumber.string
      ? { string_value: String(value) }
      : typeof value === "boolean"
      ? { bool_value: value }
      : { number_value: value };
  const begun = Math.min(...runs.map((run) => run.start));
  const files = new Map<string, Uint8Array>();
  const NAME = "events.out.tfevents";
  files.set(
    `${NAME}.0.ferlab`,
    fileOf(begun, [
      hparams("experiment", begun, {
        experiment: {
          description: `FERLab study ${study.name}`,
          time_created_secs: begun / 1000,
          hparam_infos: names.map((name) => ({ name, type: typeOf.get(name) })),
          metric_infos: [{
            name: { group: "", tag: RESULT + study.metric },
            display_name: study.metric,
          }],
        },
      }),
    ]),
  );
  for (const run of runs) {
    const events: object[] = [
      hparams("session_start_info", run.start, {
        session_start_info: {
          hparams: Object.fromEntries(
            Object.entries(run.params).map(([k, v]) => [k, valueOf(k, v)]),
          ),
          group_name: run.name,
          start_time_secs: run.start / 1000,
        },
      }),
      ...run.scalars.map(({ name, step, value, time }) => ({
        wall_time: time / 1000,
        step,
        summary: { value: [{ tag: name, simple_value: value }] },
      })),
    ];
    const time = run.end ?? run.scalars.at(-1)?.time ?? run.start;
    const picture = await pictureOf(run);
    if (picture) {
      const { png, width, height } = picture;
      const image = { height, width, colorspace: 3, encoded_image_string: png };
      events.push({
        wall_time: time / 1000,
        step: run.scalars.at(-1)?.step ?? 0,
        summary: { value: [{ tag: "confusion", image }] },
      });
    }
    if (run.state !== "RUNNING") {
      events.push(hparams("session_end_info", time, {
        session_end_info: {
          status: STATUS[run.state] ?? 0,
          end_time_secs: time / 1000,
        },
      }));
    }
    files.set(
      `${run.name}/${NAME}.${Math.floor(run.start / 1000)}.ferlab`,
      fileOf(run.start, events),
    );
  }
  return files;
}
