import { test } from "uvu";
import * as assert from "uvu/assert";
import { gradientRules } from "../../autodiff/rules.ts";
import { stops } from "../../autodiff/rule.ts";
import { stopGradient } from "../../autodiff/stop-gradient.ts";
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

test("the check itself fails on a wrong gradient", async () => {
  const halved: GradientCase = { op: "Mul", name: "x times a stopped x", inputs: [[3]], build: (b, [x]) => [b.mul(x!, stopGradient(b, x!))] };
  const failure = await checkGradient(halved).then(() => undefined, (error: unknown) => error);
  assert.instance(failure, assert.Assertion);
});

test("cases have unique names", () => {
  const names = cases.map(({ op, name }) => `${op}: ${name}`);
  assert.equal(names.filter((name, index) => names.indexOf(name) !== index), []);
});

test.run();
