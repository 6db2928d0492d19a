/** A trained net's ONNX for `deno task weights convert`. */
import { onnxOf, trainedNet } from "../lib/trained/mod.ts";
import { namesInOption, readRecipe } from "./cli.ts";

/**
 * The ONNX of the net in `file`, what the file does not say of it, and its
 * input and output in words.
 *
 * @throws UsageError for a recipe's file that is none; WeightsError or
 * RecipeError where `file` holds no usable net
 */
export async function netAsOnnx(
  file: string,
  { recipe, classes, ...options }: {
    recipe?: string;
    classes?: string;
    key?: string;
    average?: boolean;
  },
): Promise<{ bytes: Uint8Array; notes: string[]; about: string }> {
  const net = await trainedNet(file, {
    ...options,
    recipe: recipe === undefined ? undefined : await readRecipe(recipe),
    classes: classes === undefined ? undefined : namesInOption(classes),
  });
  const { recipe: { size, model }, channels, averaged } = net;
  const mean = averaged ? ", the running mean of its weights" : "";
  return {
    bytes: await onnxOf(net),
    notes: net.notes.filter((note) => !note.includes("confusion matrix")),
    about: `${model}${mean}: images [batch, ${channels}, ${size}, ${size}] ` +
      `from 0 to 1 → logits [batch, ${net.classes.length}] ` +
      `(${net.classes.join(", ")})`,
  };
}
