import { metricNames, metricOf } from "../bundle/evidence/requirements.ts";
import { sizeSlices } from "../bundle/evidence/slices.ts";
import type { SchemaProblem } from "../input/schema.ts";
import { isAccuracy as isFraction } from "../report/limits.ts";

/** Checks of a config that go beyond one value. They read the raw file, so that they speak even where the schema has complaints. */

type Loose = Readonly<Record<string, unknown>>;
const asObject = (value: unknown): Loose => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : {});

const teachersOf = (config: Loose): { path: (string | number)[]; value: Loose }[] => {
  const { teacher } = config;
  if (Array.isArray(teacher)) return teacher.map((value, index) => ({ path: ["teacher", index], value: asObject(value) }));
  return teacher === undefined ? [] : [{ path: ["teacher"], value: asObject(teacher) }];
};

/** Every file or folder that the config reads. */
export const fileFields = (raw: unknown): { path: (string | number)[]; file: string }[] => {
  const config = asObject(raw);
  const data = asObject(config["data"]);
  const candidates: [(string | number)[], unknown][] = [
    ...(data["generate"] === undefined ? ["train", "val", "test", "images"].map((key): [string[], unknown] => [["data", key], data[key]]) : []),
    [["data", "calibration"], data["calibration"]],
    ...Object.entries(asObject(data["slices"])).flatMap(([name, file]): [string[], unknown][] => (typeof file === "string" && file.endsWith(".txt") ? [[["data", "slices", name], file]] : [])),
    [["data", "generate", "module"], asObject(data["generate"])["module"]],
    [["student", "model"], asObject(config["student"])["model"]],
    ...teachersOf(config).map(({ path, value }): [(string | number)[], unknown] => [[...path, "model"], value["model"]]),
  ];
  return candidates.flatMap(([path, file]) => (typeof file === "string" && file !== "" ? [{ path, file }] : []));
};

const latencyGate = /^(.+)\.(p50Ms|p90Ms|p95Ms|p99Ms|meanMs)$/;
const plainGates = ["mapDrop", "map50Drop", "sizeRatio", "macsRatio"];

/** Values that exclude or need each other. */
export const crossChecks = (raw: unknown): SchemaProblem[] => {
  const config = asObject(raw);
  const found: SchemaProblem[] = [];
  const data = asObject(config["data"]);
  if (config["data"] !== undefined && data["generate"] === undefined) {
    for (const key of ["train", "val"]) if (data[key] === undefined) found.push({ path: ["data", key], message: `"data.${key}" is missing (or let data.generate make the data set)` });
  }
  const student = asObject(config["student"]);
  const teachers = teachersOf(config);
  if (student["from"] !== undefined && teachers.length === 0) found.push({ path: ["student", "from"], message: "student.from: teacher needs a teacher" });
  const scratch = student["model"] === undefined && student["from"] === undefined;
  if (scratch && teachers.length === 0 && asObject(config["input"])["size"] === undefined)
    found.push({ path: ["input"], message: `"input.size" is missing: no teacher or student model gives the student's input size` });
  const distill = asObject(config["distill"]);
  if (scratch && distill["epochs"] === 0) found.push({ path: ["distill", "epochs"], message: "distill.epochs: a student built from a spec must be trained, so at least 1" });
  if (distill["assignment"] === "teacher" && teachers.length === 0) found.push({ path: ["distill", "assignment"], message: "distill.assignment: teacher needs a teacher" });
  if (distill["alpha"] === 1 && teachers.length === 0) found.push({ path: ["distill", "alpha"], message: "distill.alpha: 1 leaves nothing to learn from without a teacher" });
  if (teachers.length > 0 && distill["variants"] === 0) found.push({ path: ["distill", "variants"], message: "distill.variants: with a teacher at least 1" });
  if (typeof distill["features"] === "string" && ["cwd", "pkd"].includes(distill["features"]) && teachers.length !== 1)
    found.push({ path: ["distill", "features"], message: `distill.features: ${distill["features"]} needs exactly one teacher` });
  const prune = asObject(config["prune"]);
  if (config["prune"] !== undefined && (prune["macs"] === undefined) === (prune["parameters"] === undefined)) found.push({ path: ["prune"], message: "prune needs one of macs and parameters" });
  return [...found, ...targetChecks(config), ...requirementChecks(config)];
};

const requirementChecks = (config: Loose): SchemaProblem[] => {
  const { requirements } = config;
  const data = asObject(config["data"]);
  const slices = ["all", ...sizeSlices, ...Object.keys(asObject(data["slices"]))];
  const ids: unknown[] = [];
  return (Array.isArray(requirements) ? requirements : []).flatMap((given, index): SchemaProblem[] => {
    const { id, metric, slice, limit } = asObject(given);
    const found: SchemaProblem[] = [];
    if (ids.includes(id)) found.push({ path: ["requirements", index, "id"], message: `requirements: "${String(id)}" is listed twice` });
    ids.push(id);
    if (typeof metric === "string" && !metricOf(metric)) found.push({ path: ["requirements", index, "metric"], message: `unknown metric "${metric}": use ${metricNames.join(", ")}` });
    if (typeof metric === "string" && typeof limit === "number" && isFraction(metric) && Math.abs(limit) > 1) found.push({ path: ["requirements", index, "limit"], message: notFraction(`requirements: ${metric}`, limit) });
    // A generator of pictures names slices of its own.
    if (typeof slice === "string" && data["generate"] === undefined && !slices.includes(slice)) found.push({ path: ["requirements", index, "slice"], message: `unknown slice "${slice}": use ${slices.join(", ")}` });
    return found;
  });
};

/** A limit of 2 "points" would never fail, or always. */
const notFraction = (name: string, limit: number): string => {
  const fraction = Number((limit / 100).toPrecision(6));
  return `${name}: the limit is a fraction of 1, so ${limit} can never decide anything; for ${limit} points of mAP write ${fraction}`;
};

const targetChecks = (config: Loose): SchemaProblem[] => {
  const targets = Array.isArray(config["targets"]) ? (config["targets"] as unknown[]) : ["local"];
  const names = targets.map((target) => (typeof target === "string" ? target : asObject(target)["name"]));
  const twice = names.flatMap((name, index) => (names.indexOf(name) < index ? [{ path: ["targets", index], message: `targets: "${String(name)}" is listed twice` }] : []));
  const gates = Object.entries(asObject(config["gates"])).flatMap(([gate, limit]): SchemaProblem[] => {
    if (isFraction(gate) && typeof limit === "number" && Math.abs(limit) > 1) return [{ path: ["gates", gate], message: notFraction(`gates.${gate}`, limit) }];
    if (plainGates.includes(gate)) return [];
    const target = latencyGate.exec(gate)?.[1];
    if (target === undefined) return [{ path: ["gates", gate], message: `unknown gate "${gate}": use ${plainGates.join(", ")} or <target>.p50Ms (p90Ms, p95Ms, p99Ms, meanMs)` }];
    return names.includes(target) ? [] : [{ path: ["gates", gate], message: `gate "${gate}": there is no target "${target}"` }];
  });
  return [...twice, ...gates];
};
