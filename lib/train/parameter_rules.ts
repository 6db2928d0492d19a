/** Which parameters learn and decay how, by their names. */
import type { ParameterInfo } from "../nn/mod.ts";
import { type Recipe, RecipeError } from "./recipe.ts";

export interface ParameterRule {
  name: string;
  shape: number[];
  /** Factor of the learning rate; 0 where the parameter is frozen. */
  lr: number;
  /** Weight decay a step, before the learning rate; 0 where there is none. */
  weightDecay: number;
}

type Settings = Pick<Recipe, "weightDecay" | "weightDecayOn" | "groups">;

function decays({ layout, shape }: ParameterInfo, on: Recipe["weightDecayOn"]) {
  switch (on) {
    case "kernels":
      return layout !== "none";
    case "matrices":
      return shape.length > 1;
    case "all":
      return true;
  }
}

/**
 * The rule of each parameter: the first group whose `match` begins its name
 * scales what the recipe says of all.
 *
 * @throws RecipeError for a group that no parameter belongs to.
 */
export function parameterRules(
  parameters: Iterable<ParameterInfo>,
  { weightDecay, weightDecayOn, groups }: Settings,
): ParameterRule[] {
  const used = new Set<unknown>();
  const rules = Array.from(parameters, (info) => {
    const own = groups.find((g) => info.name.startsWith(g.match));
    if (own) used.add(own);
    const { name, shape } = info;
    return {
      name,
      shape,
      lr: own?.lr ?? 1,
      weightDecay: decays(info, weightDecayOn)
        ? weightDecay * (own?.weightDecay ?? 1)
        : 0,
    };
  });
  groups.forEach((g, i) => {
    if (!used.has(g)) {
      throw new RecipeError(
        `recipe.groups[${i}].match: no parameter's name begins with ${
          JSON.stringify(g.match)
        } that an earlier group does not have; see the names of \`parameterRules\``,
      );
    }
  });
  return rules;
}
