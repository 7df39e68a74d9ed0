/** Session settings that a model or a bundle may ask for: how int8 is computed. Others load libraries and write files, and are never taken from a file. */
export const modelSettings: readonly string[] = ["session.x64quantprecision", "session.disable_quant_qdq", "session.qdqisint8allowed", "session.use_deterministic_compute"];

/** The first setting that a file may not ask for; undefined where all may be. */
export const forbiddenSetting = (settings: object): string | undefined =>
  Object.entries(settings).find(([key, value]) => !modelSettings.includes(key) || (value !== "0" && value !== "1"))?.[0];
