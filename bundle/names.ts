import { quotedName } from "../escape/names.ts";
import { UserError } from "../graph/error.ts";
import type { BundledModel } from "./input.ts";
import type { ModelRole } from "./manifest-schema.ts";

/** All names that a bundle gives to files: every file that a runtime caches under carries the hash, so that nothing stale is loaded. */
export interface Names {
  /** Run and hash: the folder, and the start of model file names. */
  readonly base: string;
  readonly run: string;
  readonly hash: string;
  /** The run's name as a C, CMake and ROS identifier. */
  readonly identifier: string;
}

/** Throws UserError BUNDLE_NAME for a run's name that a file's name, a launch file or a script could not hold as it is. */
export const namesOf = (run: string, hash: string): Names => {
  if (!/^[A-Za-z0-9][A-Za-z0-9 ._-]*$/.test(run)) throw badName(run);
  return { base: `${run}-${hash}`, run, hash, identifier: identifierOf(run) };
};

const badName = (run: string): UserError =>
  new UserError("BUNDLE_NAME", `A bundle cannot carry the run's name ${quotedName(run)}: files, ROS packages and C++ namespaces are called by it.`,
    "use letters, digits, '.', '-' and '_' (name in the config) and run compress again.");

/** Words that C++ keeps to itself, macros of compilers and the names that the library uses: no namespace. */
const reserved = new Set((
  "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl concept const consteval constexpr constinit const_cast continue " +
  "co_await co_return co_yield decltype default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable namespace new noexcept " +
  "not not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template this " +
  "thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq std main edgestill posix linux unix i386 bundle errno stdin stdout stderr"
).split(" "));

/** Lower case, every run of other characters than a-z0-9 one `_`, no digit first, no word of C++. */
export const identifierOf = (name: string): string => {
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  return /^[a-z]/.test(plain) && !reserved.has(plain) ? plain : `m_${plain}`;
};

const suffixes: Readonly<Record<ModelRole, string>> = { float: "float", "int8-cpu": "int8.cpu", "int8-tensorrt": "int8.tensorrt" };

export const modelFile = ({ base }: Names, role: ModelRole): string => `models/${base}.${suffixes[role]}.onnx`;

/** How C++ and the golden vectors call a model file. */
export const modelKey = (role: ModelRole): string => role.replace("-", "_");

export const floatModel = (models: readonly BundledModel[]): BundledModel => {
  const [first] = models;
  if (first?.role !== "float") throw new Error("bug: a bundle starts with its float model");
  return first;
};
