import { checkSchema, problemText } from "../input/schema.ts";
import { benchmarkRecord, type BenchmarkRecord } from "../pipeline/result.ts";
import { badAnswer } from "./device/answer.ts";

/**
 * Records as they are read back: what a device answered must not make a file that the next command refuses. Throws UserError DEVICE_ANSWER.
 * A number that JSON cannot hold would become null there.
 */
export const checkedRecords = (records: readonly BenchmarkRecord[], label: string): BenchmarkRecord[] => records.map((record) => {
  const text = JSON.stringify(record, (key, value: unknown) => {
    if (typeof value === "number" && !Number.isFinite(value)) throw badAnswer(label, `the figure "${key}" of ${record.model} is no number`);
    return value;
  });
  const { problems } = checkSchema(benchmarkRecord, JSON.parse(text));
  if (problems) throw badAnswer(label, `the record of ${record.model}: ${problemText(problems, 1)}`);
  return record;
});
