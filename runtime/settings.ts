/** Session settings that decide how quantized nodes compute: all that a file may ask for. Others name files, libraries and providers. */
const known: ReadonlySet<string> = new Set(["session.x64quantprecision", "session.disable_quant_qdq", "session.qdqisint8allowed"]);

/** What is wrong with session settings that a model's metadata or a bundle brings; undefined where they are numeric switches that we know. */
export const settingsProblem = (settings: unknown): string | undefined => {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) return "they are no object";
  const wrong = Object.entries(settings).find(([key, value]) => !known.has(key) || (value !== "0" && value !== "1"));
  return wrong && `"${wrong[0].slice(0, 60)}" is none of ${[...known].join(", ")} with "0" or "1"`;
};
