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

for (const name of ["1e3", "0x10", "0o17", "007", "1.0", "+5", "1_000.", ".5"])
  test(`the class name ${name} is what stands in the file, or refused with its line`, () => inFolder(async (folder) => {
    for (const list of [`[car, ${name}]`, `{0: car, 1: ${name}}`]) {
      const found = await namesOf(folder, list);
      if (found instanceof UserError) assert.match(`${found.code} ${found.message}`, /BAD_DATA_YAML.*line 3.*quotes/);
      else assert.equal(found, ["car", name]);
    }
    assert.equal(await namesOf(folder, `[car, "${name}"]`), ["car", name]);
  }));

test("null is no class name; words and plain numbers are what they say", () => inFolder(async (folder) => {
  assert.instance(await namesOf(folder, "[car, null]"), UserError);
  assert.equal(await namesOf(folder, "[yes, true, 7, 1.5]"), ["yes", "true", "7", "1.5"]);
}));

test.run();
