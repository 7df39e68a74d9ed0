import tseslint from "typescript-eslint";

const only = (name, where, instead) => ({ name, message: `Only ${where} may use it; ${instead}.` });
const onnxruntime = only("onnxruntime-node", "runtime/", "use runtime/session.ts");
const protobuf = [only("onnx-proto", "onnx/", "use onnx/load.ts and onnx/save.ts"), only("protobufjs", "onnx/", "use onnx/load.ts and onnx/save.ts")];
const sharp = only("sharp", "vision/", "use vision/image.ts");
const restrict = (...paths) => ({ "no-restricted-imports": ["error", { paths }] });

export default tseslint.config(
  { ignores: ["dist/", "runs/", "node_modules/", "**/*.js", "test/fixtures/"] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true, varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "no-empty": "error",
      "no-restricted-globals": ["error", { name: "process", message: "Only cli/ reads the environment." }, { name: "console", message: "Only cli/ prints." }],
      "no-restricted-syntax": ["error", { selector: "CallExpression[callee.object.name='Math'] > SpreadElement", message: "A long list overflows the stack; use input/largest.ts." }],
      ...restrict(onnxruntime, ...protobuf, sharp),
    },
  },
  { files: ["runtime/**"], rules: restrict(...protobuf, sharp) },
  { files: ["onnx/**"], rules: restrict(onnxruntime, sharp) },
  { files: ["vision/**"], rules: restrict(onnxruntime, ...protobuf) },
  { files: ["cli/**"], rules: { "no-restricted-globals": "off" } },
  { files: ["test/**", "benchmarks/**", "examples/**", "docs/**"], rules: { "no-restricted-globals": "off", "no-restricted-imports": "off", "no-restricted-syntax": "off" } },
);
