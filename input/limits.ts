/** What is read from outside at most. Far above what is in use; beyond it a file is refused by name, before it fills the memory. */

const mebibyte = 2 ** 20;

export const inputLimits = {
  /** Configs, inventories, preprocess contracts, keys. */
  configBytes: 4 * mebibyte,
  /** data.yaml: it may list pictures. */
  dataYamlBytes: 16 * mebibyte,
  /** Labels of one picture. */
  labelBytes: 64 * mebibyte,
  /** COCO JSON, lists of pictures, run.json, benchmark histories: the longest text that Node.js holds. */
  textBytes: 2 ** 29 - 24,
  /** Manifest and list of sums of a bundle. */
  manifestBytes: 64 * mebibyte,
  /** A model's file, and any other that the tool itself wrote: the most that Node.js reads at once. */
  wholeFileBytes: 2 ** 31 - 1,
  /** A picture's file. */
  pictureBytes: 2 ** 30,
  /** Levels of lists and maps in JSON and YAML. */
  depth: 100,
  /** Values of a YAML file, those that aliases repeat included. */
  yamlValues: 2_000_000,
  /** Aliases of a YAML file, counted through aliases of aliases. */
  yamlAliases: 100,
} as const;

/** What a device may answer at most. */
export const deviceLimits = {
  /** A line without end is no answer. */
  lineBytes: 64 * mebibyte,
  /** Output of one command. */
  outputBytes: 64 * mebibyte,
  /** Output of a command whose lines are used as they come (a benchmark of hours). */
  streamedBytes: 1024 * mebibyte,
  /** A file that is fetched. */
  fileBytes: 4096 * mebibyte,
} as const;

/** "64.0 MiB" */
export const mebibytes = (bytes: number): string => `${(bytes / mebibyte).toFixed(bytes < mebibyte ? 3 : 1)} MiB`;
