/** Work that the native library does for a model, while it does it. */
export interface NativeWork {
  readonly doing: "loading" | "running";
  /** The model's file where it is known, else its graph. */
  readonly model: string;
  /** True where the model has a Loop or Scan: nothing but a run tells how long one takes. */
  readonly hasLoops: boolean;
}

/** Is told before native work starts, and with undefined after it. What it does must be done when it returns: the process may end right after. */
export type NativeWorkListener = (work: NativeWork | undefined) => void;

const told: { listener: NativeWorkListener | undefined } = { listener: undefined };

/** Sets the one listener of this process; none is set unless a program asks. */
export const onNativeWork = (listener: NativeWorkListener | undefined): void => { told.listener = listener; };

/** Tells the listener what native code does elsewhere for this process. */
export const tellNativeWork = (work: NativeWork | undefined): void => { told.listener?.(work); };

/** Runs `work`, and tells the listener what the native library is doing. */
export const duringNativeWork = async <Result>(what: NativeWork, work: () => Promise<Result>): Promise<Result> => {
  told.listener?.(what);
  try {
    return await work();
  } finally {
    told.listener?.(undefined);
  }
};

/** NodeProto.op_type (field 4) as bytes. */
const loopTypes = ["Loop", "Scan"].map((name) => Buffer.from([0x22, name.length, ...Buffer.from(name)]));

/** Whether serialized bytes of a model hold a node that repeats a subgraph, in whatever subgraph or function: read from the bytes, nothing is parsed. */
export const hasLoopBytes = (bytes: Uint8Array): boolean => {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return loopTypes.some((pattern) => view.includes(pattern));
};
