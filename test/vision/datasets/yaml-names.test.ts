import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../../graph/error.ts";
import { readDataYamlNames } from "../../../vision/datasets/yolo-yaml.ts";
import { inFolder } from "../../helpers/cli.ts";

const namesOf = async (folder: string, names: string): Promise<readonly string[] | UserError> => {
  const file = join(folder, "data.yaml");
  await writeFile(file, `train: a\nval: a\nnames: ${names}\n`);
  return readDataYamlNames(file).catch((error: unknown) => { if (error instanceof UserError) return error; throw error; });
};

const isRefused = (found: unknown, line: number): boolean => found instanceof UserError && found.code === "BAD_DATA_YAML" && new RegExp(`line ${line}\\): put it in quotes`).test(found.message);

/** Names without quotes, and what `str(yaml.safe_load(text))` of PyYAML 6, by which trainers read the file, makes of them; null is an error there. */
const pyYaml: Readonly<Record<string, string | null>> = {
  "yes": "True", "no": "False", "on": "True", "off": "False", "Yes": "True", "NO": "False", "On": "True",
  "y": "y", "n": "n", "true": "True", "True": "True", "TRUE": "True", "false": "False", "null": "None",
  "Null": "None", "~": "None", "1e3": "1e3", "1.0e3": "1.0e3", "1.5e+3": "1500.0", "0x10": "16", "007": "7",
  "010": "8", "0o7": "0o7", "08": "08", "1_000": "1000", ".inf": "inf", "-.inf": "-inf", ".nan": "nan",
  ".NaN": "nan", "12:30:45": "45045", "1:30": "90", "190:20:30.15": "685230.15", "2026-01-01": "2026-01-01",
  "2026-01-01T00:00:00Z": "2026-01-01 00:00:00+00:00", "2026-1-1": "2026-1-1", "0b101": "5", "+1": "1",
  "-1": "-1", "1.": "1.0", ".5": "0.5", "1.0": "1.0", "1.50": "1.5", "1e+3": "1e+3", "1.e+3": "1000.0",
  "=": null, "<<": null, "12": "12", "0": "0", "-0": "0", "+.inf": "inf", "1_0.5": "10.5",
  "685_230.15": "685230.15", "_1": "_1", "0x_1F": "31", "1:60": "1:60",
  "100000000000000000000": "100000000000000000000", "1e400": "1e400", "1.0e+20": "1e+20",
  "100000000000000000.0": "1e+17", "0.00001": "1e-05", "1__0": "10", "0xFF": "255", "-0x10": "-16",
  "+0b1": "1", "0.1": "0.1", "1.25": "1.25", "1e5": "1e5", "12e03": "12e03", "-2E+05": "-2E+05",
  "0o14": "0o14", ".5e+3": "500.0", "2001-12-14t21:59:43.10-05:00": "2001-12-14 21:59:43.100000-05:00",
  "NULL": "None", "FALSE": "False", "oN": "oN", "yES": "yES", "None": "None", "Off": "False", "N": "N",
  "Y": "Y", "car": "car", "2026-02-30": null, "2024-02-29": "2024-02-29", "0x": "0x", "0_0": "0", "00": "0",
  "-.5": "-.5", "1e+400": "1e+400", "12.50": "12.5", "3.14159": "3.14159", "-7": "-7", "1e21": "1e21",
  "9007199254740993": "9007199254740993", "0.0001": "0.0001", "123456789.125": "123456789.125", "12:30": "750",
  "v1.0": "v1.0", "nan": "nan", "inf": "inf", "NaN": "NaN", "Infinity": "Infinity", "1,000": "1,000",
  "5g": "5g",
};
/** Refusing all would be safe and of no use: these are names, and stay so. */
const mustStay = ["y", "n", "N", "None", "12", "0", "-7", "0.1", "1.25", "3.14159", "123456789.125", "2026-01-01", "2024-02-29", "2026-1-1", "_1", "v1.0", "5g", "1,000", "oN", "nan", "car"];

test("a class name without quotes is what trainers read, or is refused with its line; in quotes it is what stands there", () => inFolder(async (folder) => {
  for (const [name, right] of Object.entries(pyYaml)) {
    for (const [names, line] of [[`\n- car\n- ${name}`, 5], [`\n  0: car\n  1: ${name}`, 5], [`&n\n- car\n- &a ${name}\nother: *a`, 5]] as const) {
      const found = await namesOf(folder, names);
      if (mustStay.includes(name)) assert.equal(found, ["car", name], name);
      else if (!isRefused(found, line)) assert.equal(found, ["car", right], name);
    }
    for (const quoted of [`"${name}"`, `'${name}'`, `!!str ${name}`]) if (name !== "<<" || !quoted.startsWith("!")) assert.equal(await namesOf(folder, `\n- car\n- ${quoted}`), ["car", name], quoted);
  }
}));

test("a name that is missing, tagged or an alias of an unclear one is refused", () => inFolder(async (folder) => {
  for (const names of ["\n- car\n-", "\n  0: car\n  1:", "\n- car\n- !x bus", "\n- car\n- !!int 7", "\n- !!str &a yes\n- !!bool yes", "\n- 'x'\n- yes"])
    assert.ok(isRefused(await namesOf(folder, names), 5), names);
  const file = join(folder, "data.yaml");
  await writeFile(file, "train: a\nval: a\nother: [&a yes, &b [car, off]]\nnames: [car, *a]\n");
  assert.ok(isRefused(await readDataYamlNames(file).catch((error: unknown) => error), 3));
  await writeFile(file, "train: a\nval: a\nother: &b [car, off]\nnames: *b\n");
  assert.ok(isRefused(await readDataYamlNames(file).catch((error: unknown) => error), 3));
}));

test("class numbers are decimal: YAML readers differ on 010, 0x1 and 1_0", () => inFolder(async (folder) => {
  for (const number of ["01", "0x1", "0o1", "0b1", "+1", "1.0", "1_", "1e0"]) assert.ok(isRefused(await namesOf(folder, `\n  0: car\n  ${number}: bus`), 5), number);
  assert.equal(await namesOf(folder, `\n  1: bus\n  "0": car`), ["car", "bus"]);
}));

test.run();
