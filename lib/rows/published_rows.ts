/** The notes' published numbers as rows: fields named as the recipe's, shares. */
import { pooledSd } from "../statistics/mod.ts";
import {
  type analysis,
  type Params,
  readPublished,
  readReplicates,
  StudyError,
} from "../study/mod.ts";
import { channels, wordsOf } from "../charts/mod.ts";
import { paramsOf, type Row, withParameterNames } from "./row.ts";
import { paramsText } from "./words.ts";

/** A published table with what is said about it. */
export interface Published
  extends Omit<Awaited<ReturnType<typeof readPublished>>, "tables"> {
  /** Of the table; of several the first one's. */
  rows: Row[];
  /** Where a file has several. */
  tables: { name: string; rows: Row[] }[];
}

/** Columns that set a run apart from others of its table, by the recipe. */
const SETTINGS: Record<string, string> = {
  ...{ depth: "depth", lr: "lr", eps: "eps", model: "model", arch: "arch" },
  ...{ attn_drop: "attentionDrop", alpha: "mixing.alpha" },
  ...{ beta1: "betas.0", beta2: "betas.1", batch_size: "batchSize" },
  ...{ scheduler: "scheduler", gamma: "schedule.gamma" },
};

/** Those that are measurements; accuracies come in percent. */
const MEASURED: Record<string, string> = {
  ...{ acc: "accuracy", acc_table: "accuracy" },
  ...{ final_running_max_acc: "accuracy", acc_figure: "figureAccuracy" },
  ...{ acc_unc: "uncertainty", acc_figure_unc: "uncertainty" },
  ...{ throughput: "imagesPerSecond", time_per_step: "secondsPerStep" },
};
const PERCENT = /acc|^(RAF-DB|FERPlus|AffectNet|CLS|Baseline \(.*\))$/;

function rowOf(
  record: Record<string, number | string | null>,
  also: Params,
): Row {
  const fields = Object.entries(record).map(([column, value]) => [
    SETTINGS[column] ?? MEASURED[column] ?? column,
    PERCENT.test(column) && typeof value === "number" ? value / 100 : value,
  ]);
  const settings = Object.keys(SETTINGS).filter((column) => column in record)
    .map((column) => SETTINGS[column]);
  return withParameterNames(
    { ...also, ...Object.fromEntries(fields) },
    [...new Set([...settings, ...Object.keys(also)])],
  );
}

/**
 * A published table of `data/published/ID.json`. Fields have the recipe's
 * names ("lr", "depth", "mixing.alpha", "attentionDrop"); `accuracy` is a
 * share, `imagesPerSecond` and `secondsPerStep` are as printed; what the recipe
 * does not know keeps the column's name.
 *
 * @param also What all runs of the table share and its columns do not say, such
 * as `{ depth: 4 }` of a search at one depth.
 * @throws StudyError for an id that there is not; the message lists those
 * there are
 */
export async function published(
  id: string,
  also: Params = {},
): Promise<Published> {
  const file = await readPublished(id);
  const [dataSet] = String(file.protocol.dataset ?? "").split(/,| test| \(/);
  const tables = file.tables.map(({ name, records }) => ({
    name,
    rows: records.map((record) =>
      Object.assign(rowOf(record, also), { [channels.DATA_SET]: dataSet })
    ),
  }));
  return { ...file, tables, rows: tables[0].rows };
}

/** Published runs of the same settings. */
const repeats = await readReplicates();

function pooledOver(stage: string, config = /./): analysis.NoiseFloor {
  const { sd, low, high, df } = pooledSd(
    repeats.filter((g) => g.stage === stage && config.test(g.config))
      .map((g) => g.accuracies),
  );
  return { sd: sd!, low: low!, high: high!, df };
}

/** The spread of one published run, pooled over what the notes ran again. */
export const publishedNoise = {
  /** 60 epochs from a pretrained backbone. */
  pretrained: pooledOver("60 epochs, pretrained"),
  /** 10 epochs from scratch, LR 1e-4 and 2e-4. */
  scratch: pooledOver("10 epochs, from scratch", /lr [12]e-4$/),
};

/** More published rows than these are cut. */
const MOST_ROWS = 8;

/** "62.39 % at depth 2, learning rate 4e-4; …"; a model's name comes first. */
export function publishedText(rows: readonly Row[]): string {
  const shown = rows.slice(0, MOST_ROWS).map((row) => {
    const share = row.accuracy ?? row.mean, rate = row.imagesPerSecond;
    if (share > 1) {
      throw new StudyError(
        `claims: a published accuracy is ${share}: give a share from 0 to 1`,
      );
    }
    const number = Number.isFinite(share)
      ? `${Number((100 * share).toFixed(3))} %`
      : Number.isFinite(rate)
      ? `${rate} images/s`
      : "no number";
    const { model, arch = model, ...others } = paramsOf(row);
    const at = paramsText(others, wordsOf);
    return (arch ? `${arch}: ` : "") + number + (at && ` at ${at}`);
  });
  const more = rows.length - shown.length;
  return shown.join("; ") + (more > 0 ? `; and ${more} more` : "") ||
    "no published run";
}
