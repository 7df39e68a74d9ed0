/* A batch module for data workers: the fixture's batches. */
import type { OpenedBatches } from "../../training/workers.ts";
import { mlpSource } from "./nets.ts";

export const openBatches = async (): Promise<OpenedBatches> => mlpSource().open(1);
