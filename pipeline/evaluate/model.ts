import { loadDetector } from "../../detection/detector.ts";
import type { StageContext, VariantFile } from "../stage.ts";
import { variantPath } from "../variant-files.ts";

/** A given teacher keeps what the config says about it; our own files say it themselves. */
export const modelOf = async ({ plan, runFolder }: StageContext, variant: VariantFile) =>
  plan.teachers.find(({ name }) => name === variant.name)?.model ?? (await loadDetector(variantPath(runFolder, variant.model)));

/** What the outputs of `modelOf` depend on besides the variant's file. */
export const readingOf = ({ plan }: StageContext, variant: VariantFile) => plan.teachers.find(({ name }) => name === variant.name)?.identity ?? plan.student.contract;
