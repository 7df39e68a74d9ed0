import { test } from "uvu";
import * as assert from "uvu/assert";
import { adamw, sgd, type TrainingOptions } from "../../training/options.ts";
import { train, type StepReport } from "../../training/train.ts";
import { baseOptions, distance, fixture, fixtureSource, mlpProblem, mlpSource, normProblem } from "./nets.ts";

const cosine = { kind: "cosine", warmupSteps: 3, finalRatio: 0.1 } as const;
const cases: Record<keyof typeof fixture.mlp.cases, Partial<TrainingOptions>> = {
  "adamw": { optimizer: adamw({ learningRate: 0.01, weightDecay: 0.05 }) },
  "adamw-clip-cosine-ema": {
    optimizer: adamw({ learningRate: 0.02, weightDecay: 0.05, beta1: 0.8, beta2: 0.99 }), clipNorm: 0.5, schedule: cosine, ema: { decay: 0.99, rampSteps: 5 },
  },
  "sgd": { optimizer: sgd({ learningRate: 0.05, momentum: 0.9, nesterov: false, weightDecay: 0.02 }) },
  "sgd-nesterov-clip": { optimizer: sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.02 }), clipNorm: 0.3, schedule: cosine },
};

for (const [name, options] of Object.entries(cases) as [keyof typeof cases, Partial<TrainingOptions>][]) {
  test(`${name}: ten steps equal PyTorch's to 1e-6`, async () => {
    const want = fixture.mlp.cases[name];
    const steps: StepReport[] = [];
    const { tensors } = await train(mlpProblem(), mlpSource(), { ...baseOptions, ...options }, { onStep: (step) => steps.push(step) });
    for (const [index, parameter] of ["w1", "b1", "w2", "b2"].entries())
      assert.ok(distance(tensors.get(parameter)!.floats, (want.average ?? want.weights)[index]!) < 1e-6, parameter);
    assert.ok(distance(steps.map((step) => step.loss), want.losses) < 1e-6, "losses");
    assert.ok(distance(steps.map((step) => step.gradientNorm), want.norms) < 2e-6, "gradient norms");
    assert.ok(distance(steps.map((step) => step.learningRate), want.rates) < 1e-12, "learning rates");
  });
}

const normSource = () => fixtureSource(fixture.norm.batches, [4, 2, 5, 5], [4, 3, 5, 5]);
for (const [frozenStatistics, rows] of [[false, 4], [true, 4], [false, "N"]] as const) {
  test(`batch norm with ${frozenStatistics ? "frozen" : "learned"} statistics equals PyTorch's to 1e-5 (batch ${rows})`, async () => {
    const want = frozenStatistics ? fixture.norm.frozen : fixture.norm.trained;
    const problem = normProblem(rows);
    const optimizer = adamw({ learningRate: 0.01, weightDecay: 0 });
    const losses: number[] = [];
    const { graph } = await train(problem, normSource(), { ...baseOptions, optimizer, statisticsMomentum: 0.1, frozenStatistics }, { onStep: ({ loss }) => losses.push(loss) });
    assert.ok(distance(losses, want.losses) < 1e-5, "losses");
    for (const [index, name] of ["weight", "scale", "shift", "mean", "variance"].entries())
      assert.ok(distance(graph.find(name)!.tensor!.floats, want.weights[index]!) < 1e-5, name);
    assert.equal([...graph.nodes].map((node) => node.opType), [...problem.graph.nodes].map((node) => node.opType));
  });
}

test.run();
