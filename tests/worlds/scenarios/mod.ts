/**
 * All scenarios, by name.
 *
 * @module
 */
import { crowdedLan } from "./crowded_lan.ts";
import { forming } from "./forming.ts";
import { oneSeed } from "./one_seed.ts";
import { powerCut } from "./power_cut.ts";
import { quickChange } from "./quick_change.ts";
import { type Finding, Findings, type Scenario } from "./scenario.ts";
import { thirdLies } from "./third_lies.ts";
import { thirdVanishes } from "./third_vanishes.ts";
import { twoIslands } from "./two_islands.ts";

export { type Finding, Findings, type Scenario };
export {
  crowdedLan,
  forming,
  oneSeed,
  powerCut,
  quickChange,
  thirdLies,
  thirdVanishes,
  twoIslands,
};

/** In the order in which a list shows them. */
export const scenarios: readonly Scenario[] = [
  powerCut,
  crowdedLan,
  thirdVanishes,
  oneSeed,
  twoIslands,
  thirdLies,
  forming,
  quickChange,
];
