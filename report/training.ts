import * as Plot from "@observablehq/plot";
import { stageReport, type RunResult, type TrainingPoint } from "../pipeline/result.ts";
import { grouped, plain, points } from "./figures.ts";
import { html, type Html } from "./markup.ts";
import { figure, gridY } from "./plot.ts";
import { largest, smallest } from "../input/largest.ts";

interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly TrainingPoint[];
}

interface Sample {
  readonly curve: Curve;
  readonly epoch: number;
  readonly value: number;
}

/** Loss and accuracy over the epochs: distilled beside baseline, then the recovery after pruning and quantization-aware training. */
export function trainingSection(result: RunResult): Html | undefined {
  const curves = stageReport(result, "distill")?.curves;
  const student = [
    curve("baseline (no teacher)", "var(--baseline)", curves?.baseline),
    curve("distilled", "var(--distilled)", curves?.distilled),
  ].filter(hasPoints);
  const later = [
    curve("recovery after pruning", "var(--pruned)", stageReport(result, "prune")?.recovery),
    curve("quantization-aware training", "var(--int8)", stageReport(result, "quantize")?.qat),
  ].filter(hasPoints);
  if (student.length + later.length === 0) return undefined;
  return html`<section id="training"><h2>Training</h2>
<div class="grid">${plots("", student)}${later.map((one) => plots(`: ${one.name}`, [one]))}</div>
${lossTable([...student, ...later])}</section>`;
}

const curve = (name: string, colour: string, of: readonly TrainingPoint[] = []): Curve => ({ name, colour, points: of });
const hasPoints = ({ points: of }: Curve): boolean => of.length > 0;

function plots(suffix: string, curves: readonly Curve[]): Html[] {
  const accuracy = curves.flatMap((one) => samples(one, ({ map }) => (typeof map === "number" ? map * 100 : undefined)));
  const loss = curves.flatMap((one) => samples(one, totalLoss));
  const several = curves.length > 1;
  return [
    ...(accuracy.length > 1
      ? [lines(`mAP by epoch${suffix}`, curves, accuracy, "mAP (points)", `Measured on the validation set. Ends at ${ends(accuracy)}.${chosen(curves)}`)]
      : []),
    ...(loss.length > 1
      ? [
          lines(
            `Loss by epoch${suffix}`,
            curves,
            loss,
            "loss",
            several ? "The sum of each run's own terms: the distilled sum includes the teacher's, so compare shapes, not heights." : "The sum that the optimizer saw.",
          ),
        ]
      : []),
  ];
}

const ends = (all: readonly Sample[]): string =>
  [...new Set(all.map(({ curve: of }) => of))]
    .map((of) => `${points((all.findLast((sample) => sample.curve === of)?.value ?? 0) / 100)} for ${of.name}`)
    .join(" and ");

/** Which state each curve's variant is. */
const chosen = (curves: readonly Curve[]): string => {
  const kept = curves.flatMap(({ name, points: of }) => of.filter((point) => point.chosen === true).map(({ epoch, map }) =>
    `${epoch === 0 ? "the start" : `epoch ${epoch}`}${typeof map === "number" ? ` (${points(map)})` : ""}${curves.length > 1 ? ` of ${name}` : ""}`));
  return kept.length === 0 ? "" : ` Kept, as the best: ${kept.join(", ")}.`;
};

/** `total` where the trainer wrote it, else the sum of the terms. */
function totalLoss({ losses }: TrainingPoint): number | undefined {
  const terms = Object.values(losses);
  return losses["total"] ?? (terms.length > 0 ? terms.reduce((sum, term) => sum + term, 0) : undefined);
}

/** The curve's values over fractional epochs, where points inside an epoch are spread evenly; at most 300, evenly picked. */
function samples(of: Curve, value: (point: TrainingPoint) => number | undefined): Sample[] {
  const all = of.points.flatMap((point) => {
    const at = value(point);
    return at === undefined ? [] : [{ curve: of, epoch: position(of.points, point), value: at }];
  });
  const stride = Math.ceil(all.length / 300);
  return all.filter((_, at) => (all.length - 1 - at) % stride === 0);
}

function position(all: readonly TrainingPoint[], point: TrainingPoint): number {
  const last = all.at(-1);
  const repeats = all.some((other, at) => at > 0 && other.epoch === all[at - 1]?.epoch);
  if (!repeats || !last || last.step === 0) return point.epoch;
  return (point.step / last.step) * Math.max(1, last.epoch);
}

function lines(title: string, curves: readonly Curve[], data: readonly Sample[], label: "loss" | "mAP (points)", caption: string): Html {
  const text = (value: number): string => (label === "loss" ? plain(value) : `${points(value / 100)} points`);
  const single = data.length <= 40 || new Set(data.map(({ epoch }) => epoch)).size === 1;
  return figure({
    title,
    caption,
    legend: curves.length > 1 ? curves.map(({ name, colour }) => ({ label: name, colour })) : [],
    options: () => ({
      height: 250,
      marginLeft: 44,
      marginRight: 14,
      marginBottom: 38,
      x: { label: "epoch", ticks: epochTicks(data), tickFormat: "~g", tickSize: 0 },
      y: { label, zero: label === "loss", nice: true, ticks: 6, tickSize: 0 },
      marks: [
        gridY(),
        Plot.line(data, { x: "epoch", y: "value", z: (sample: Sample) => sample.curve.name, stroke: (sample: Sample) => sample.curve.colour, strokeWidth: 2.25, curve: "monotone-x" }),
        Plot.dot(single ? data : [], { x: "epoch", y: "value", fill: (sample: Sample) => sample.curve.colour, r: 2.5, title: (sample: Sample) => `${sample.curve.name}, epoch ${plain(sample.epoch)}: ${text(sample.value)}` }),
      ],
    }),
  });
}

/** Whole epochs where they are few; else about six ticks. */
function epochTicks(data: readonly Sample[]): number[] | number {
  const epochs = data.map(({ epoch }) => epoch);
  const [first, last] = [Math.ceil(smallest(epochs)), Math.floor(largest(epochs))];
  return last - first > 8 ? 6 : Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

function lossTable(curves: readonly Curve[]): Html {
  const rows = curves.flatMap(({ name, points: of }) => {
    const last = of.at(-1);
    const epochs = of.filter(({ epoch }) => epoch > 0);
    const speed = epochs.reduce((sum, point) => sum + point.imagesPerSecond, 0) / Math.max(1, epochs.length);
    return last ? [html`<tr><th scope="row">${name}</th><td>${grouped(last.step)}</td><td>${plain(speed)}</td><td class="text">${terms(last)}</td></tr>`] : [];
  });
  return html`<details><summary>Loss terms and speed</summary><div class="scroll"><table><thead><tr><th scope="col">run</th><th scope="col">steps</th><th scope="col">images/s</th><th scope="col" class="text">loss terms at the end</th></tr></thead><tbody>${rows}</tbody></table></div></details>`;
}

const terms = ({ losses }: TrainingPoint): string =>
  Object.entries(losses)
    .map(([name, value]) => `${name} ${plain(value)}`)
    .join(" · ");
