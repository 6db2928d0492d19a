/** How many nodes TensorFlow runs of what is compiled. */
import { context } from "./binding.ts";
import { C, checkStatus, status } from "./c_api.ts";
import { fields } from "./opdefs.ts";

const NEW_BUFFER_BYTES = 24; // TF_Buffer { data, length, data_deallocator }

/** The messages in field `number` of a message. */
const within = (message: Uint8Array, number: number) =>
  [...fields(message)].filter(([field]) => field === number)
    .map(([, value]) => value as Uint8Array);

/**
 * The nodes of all functions that `run` is the first to call, as they are run:
 * after the library has rewritten them, arguments and results included.
 */
export async function graphNodes(run: () => Promise<unknown>): Promise<number> {
  C.TFE_ContextEnableRunMetadata(context);
  try {
    await run();
    const buffer = new BigUint64Array(NEW_BUFFER_BYTES / 8);
    C.TFE_ContextExportRunMetadata(context, buffer, status);
    checkStatus("run metadata");
    const [data, length] = buffer;
    if (length === 0n) return 0;
    const metadata = new Uint8Array(
      Deno.UnsafePointerView.getArrayBuffer(
        Deno.UnsafePointer.create(data)!,
        Number(length),
      ),
    );
    // RunMetadata.function_graphs = 4; FunctionGraphs.partition_graphs = 1;
    // GraphDef.node = 1 (tensorflow/core/protobuf/config.proto).
    return within(metadata, 4).flatMap((graphs) => within(graphs, 1))
      .reduce((sum, graph) => sum + within(graph, 1).length, 0);
  } finally {
    C.TFE_ContextDisableRunMetadata(context);
  }
}
