import { UserError } from "../graph/error.ts";
import type { Node } from "../graph/node.ts";

/** How messages name a node. */
export const nodeLabel = (node: Node): string => `${node.opType} "${node.name || node.outputs[0]?.name || "(unnamed)"}"`;

export const batchIsFixed = (node: Node, reason: string): UserError =>
  new UserError("BATCH_IS_FIXED", `The model cannot take more than one picture at a time: ${nodeLabel(node)} ${reason}.`,
    "export the model with a dynamic batch axis, or without the part behind this node (its post-processing).");

export const noBatchAxis = (): UserError =>
  new UserError("BATCH_IS_FIXED", "The model has no input with a leading batch dimension of 1.", "check its inputs with `edgestill inspect`.");

export const sizeIsFixed = (node: Node, reason: string): UserError =>
  new UserError("SIZE_IS_FIXED", `The model cannot take another picture size: ${nodeLabel(node)} ${reason}.`,
    "export the model at the size you need, or set input.size to the model's own size.");

export const noImageInput = (found: string): UserError =>
  new UserError("NO_IMAGE_INPUT", `The model has no image input [N,C,height,width] whose size is known: ${found}.`, "check its inputs with `edgestill inspect`.");

export const sizeDoesNotFit = (width: number, height: number, node: Node, reason: string): UserError =>
  new UserError("SIZE_DOES_NOT_FIT", `An input of ${width}x${height} does not fit the model: ${nodeLabel(node)} ${reason}.`,
    "choose a width and a height that are multiples of the model's largest stride (usually 32).");

export const cannotUpgrade = (node: Node, from: number, to: number, reason: string): UserError =>
  new UserError("OPSET_UPGRADE", `Cannot upgrade the model from opset ${from} to ${to}: ${nodeLabel(node)} ${reason}.`,
    `export the model with opset ${to}, or add a row for the op to rewrite/opset-adapters.ts.`);

export const opsetTooOld = (version: number): UserError =>
  new UserError("OPSET_TOO_OLD", `The model uses opset ${version}; opsets before 7 are not supported.`, "export the model with opset 11 or newer.");

export const opsetTooNew = (version: number, target: number): UserError =>
  new UserError("OPSET_TOO_NEW", `Cannot bring the model to opset ${target}: only 8 to 17 can be reached from ${version}.`, "ask for opset 17.");
