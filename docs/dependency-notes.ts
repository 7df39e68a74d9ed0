/** What people say about the direct dependencies; docs/make-dependencies.ts makes the page of it, from package-lock.json and from the registry. */
export interface DependencyNote {
  readonly why: string;
  /** Network, child processes, files outside the project: what the audit found in the code that we use. */
  readonly habits: string;
  /** Why it stays although its newest release is old, or although a newer one exists. */
  readonly stays?: string;
}

const none = "none";

export const notes: Readonly<Record<string, DependencyNote>> = {
  "@cyclonedx/cyclonedx-library": { why: "the SBOM of a bundle, in the standard's own classes", habits: none },
  "@observablehq/plot": { why: "the plots of the report", habits: "d3-fetch (transitive) can fetch; nothing calls it" },
  commander: { why: "the command line", habits: "starts child processes for subcommands in files of their own; we have none", stays: "15 needs a newer Node.js than 20" },
  execa: { why: "ssh and the tools that a config names, without a shell; named by the user", habits: "starts the processes that we ask for", stays: "10 needs a newer Node.js than 20" },
  "fast-xml-parser": { why: "Pascal VOC labels", habits: none },
  linkedom: { why: "the document in which the report's plots are drawn, without a browser", habits: none },
  "modern-tar": { why: "bundles as .tar", habits: none },
  "onnx-proto": { why: "reads and writes ONNX's protobuf messages; named by the user", habits: none,
    stays: "its schema is ONNX 1.10; newer fields are carried beside it (docs/onnx.md), tested with today's schema" },
  "onnxruntime-node": { why: "runs and trains every model; named by the user",
    habits: "**telemetry in the native library**, switched off before it loads; the install script can download CUDA libraries and is not run" },
  protobufjs: { why: "the runtime of onnx-proto, and the walk over the bytes that finds what it skips", habits: "can fetch a .proto file; nothing calls it",
    stays: "onnx-proto's generated code needs 6, which still gets security releases" },
  "pure-rand": { why: "random numbers with a seed that one can jump to", habits: none },
  sharp: { why: "decodes and resizes pictures; named by the user", habits: "libvips contains a socket client of its base library; no call of it was seen" },
  "simple-statistics": { why: "medians, quantiles, the normal distribution", habits: none },
  "string-width": { why: "columns of text in a terminal (wide and combining characters)", habits: none, stays: "9 needs Node.js 22" },
  yaml: { why: "configs, with the line of every problem", habits: none },
  zod: { why: "checks of configs and of files that are read back; the JSON Schemas", habits: none },
  "@types/node": { why: "types of Node.js", habits: none, stays: "the types of the oldest Node.js that is supported" },
  "@xterm/headless": { why: "tests of the progress display in a real terminal", habits: none },
  esbuild: { why: "one file of the runner that travels to devices", habits: "starts its own native program; its install script is not run" },
  eslint: { why: "the linter", habits: none },
  micromark: { why: "tests of the Markdown that we write, read by a parser that is not ours", habits: none },
  "micromark-extension-gfm": { why: "the same, for tables", habits: none },
  parse5: { why: "tests of the HTML and SVG that we write, read as browsers read them", habits: none },
  tsx: { why: "runs TypeScript from the sources; named by the user", habits: "keeps a cache in the temporary folder" },
  typescript: { why: "the compiler", habits: none },
  "typescript-eslint": { why: "the linter's rules for types", habits: none },
  uvu: { why: "tests; named by the user", habits: none, stays: "small, complete and without dependencies that open anything; only tests use it" },
};
