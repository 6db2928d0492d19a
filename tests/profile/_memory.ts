/** Prints how much memory a batch took, over the estimate. */
import { applyScope } from "../../lib/nn/mod.ts";
import {
  count,
  inference,
  inferenceMemory,
  measureMemory,
  trainingMemory,
} from "../../lib/profile/mod.ts";
import { compile, tf, Variable } from "../../lib/tensorflow/mod.ts";
import { forward, shape, state } from "./_model.ts";

async function growth(fn: () => Promise<void>): Promise<number> {
  const { before, peak } = await measureMemory(fn);
  return peak - before;
}

/** Loss and gradients of one batch. */
async function train(batch: number): Promise<void> {
  const variables = (entries: typeof state.parameters) =>
    [...entries].map(([name, { info, data }]) =>
      [name, new Variable(tf.tensor(data, info.shape))] as const
    );
  const read = (of: ReturnType<typeof variables>) =>
    Object.fromEntries(of.map(([name, v]) => [name, v.read()]));
  const parameters = variables(state.parameters);
  const buffers = variables(state.buffers);
  const step = compile((x) => {
    const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
      const scope = applyScope({
        parameters: Object.fromEntries(
          parameters.map(([name], i) => [name, values[i]]),
        ),
        buffers: read(buffers),
        training: true,
      });
      return tf.mean(tf.square(forward(scope, x as tf.Tensor4D))) as tf.Scalar;
    })(Object.values(read(parameters)));
    return [value, ...grads];
  });
  await step(tf.fill([batch, ...shape], 0.5));
}

/** Growth over estimate; what is measured first, as the engine keeps memory. */
const measured = {
  training: async () =>
    await growth(() => train(384)) /
    trainingMemory(count(forward, shape, { batch: 384 })),
  inference: async () => {
    const run = inference(forward, state, shape, { memory: Infinity });
    const grown = await growth(async () => {
      const prepared = await run(1024);
      await prepared.step();
      prepared.dispose();
    });
    return grown / inferenceMemory(count(forward, shape, { batch: 1024 }));
  },
};
const [what] = Deno.args as (keyof typeof measured)[];
console.log(JSON.stringify(await measured[what]()));
