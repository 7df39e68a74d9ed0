import { test } from "uvu";
import * as assert from "uvu/assert";
import { gradientRules } from "../../autodiff/rules.ts";
import { stops } from "../../autodiff/rule.ts";
import { checkGradient, type GradientCase } from "../helpers/gradient.ts";
import { convolutionCases } from "./cases/convolution.ts";
import { activationCases, elementwiseCases } from "./cases/elementwise.ts";
import { layoutCases } from "./cases/layout.ts";
import { matrixCases } from "./cases/matrix.ts";
import { reductionCases } from "./cases/reduction.ts";

const cases: readonly GradientCase[] = [
  ...elementwiseCases, ...activationCases, ...matrixCases, ...layoutCases, ...reductionCases, ...convolutionCases,
];

for (const spec of cases)
  test(`gradient of ${spec.op}: ${spec.name} matches finite differences`, () => checkGradient(spec));

test("every gradient rule has a case", () => {
  const covered = new Set(cases.map(({ op }) => op));
  assert.equal(Object.entries(gradientRules).filter(([op, rule]) => rule !== stops && !covered.has(op)).map(([op]) => op), []);
});

test("cases have unique names", () => {
  const names = cases.map(({ op, name }) => `${op}: ${name}`);
  assert.equal(names.filter((name, index) => names.indexOf(name) !== index), []);
});

test.run();
