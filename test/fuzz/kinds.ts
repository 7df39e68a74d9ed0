import type { Kind } from "./kind.ts";
import { archives, manifests } from "./kinds/bundles.ts";
import { configs } from "./kinds/configs.ts";
import { devices } from "./kinds/devices.ts";
import { edits } from "./kinds/edits.ts";
import { labels } from "./kinds/labels.ts";
import { models } from "./kinds/models.ts";
import { ownFaults } from "./kinds/own-faults.ts";
import { pictures } from "./kinds/pictures.ts";
import { records } from "./kinds/records.ts";

/** Everything that is fuzzed. A new kind is a row here and a file in kinds/. */
export const kinds: readonly Kind[] = [models, edits, pictures, labels, configs, archives, manifests, devices, records];

export const kindNamed = (name: string): Kind => {
  const found = [...kinds, ownFaults].find((kind) => kind.name === name);
  if (!found) throw new Error(`there is no kind "${name}"; known: ${kinds.map((kind) => kind.name).join(", ")}`);
  return found;
};
