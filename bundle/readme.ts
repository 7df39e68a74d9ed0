import { markdownCode, markdownText } from "../escape/markdown.ts";
import type { Manifest } from "./manifest-schema.ts";

/** README.md: what lies where, and the two commands that check it. */
export const readmeText = ({ name, hash, models, formats, signature, statement }: Manifest): string => `# ${markdownText(name)}
A detector with what an integrator needs to plug it in and to check it. ${statement}

| path | what |
|---|---|
${models.map(({ file, role }) => `| ${markdownCode(file)} | ${role} |`).join("\n")}
| \`models/tensorrt/\` | recipe of a TensorRT engine; engines are built on the device |
| \`labels.txt\`, \`preprocess.json\` | class names by index; the preprocess contract |
| \`manifest.json\` (\`manifest.schema.json\`) | all facts, machine readable |
| \`MODEL_CARD.md\`, \`sbom.cdx.json\` | the same for people; software bill of materials (CycloneDX) |
| \`golden/\` | pictures, input tensors, raw outputs and boxes that every implementation must reproduce |
| \`evidence/\` | accuracy per class and slice with intervals, drift, requirements, the run |
${formats.includes("cpp") ? "| `cpp/`, `cmake/` | C++17 library: `find_package`, `ctest` runs the golden vectors |\n" : ""}${formats.includes("autoware") ? "| `autoware/` | data package for autoware_tensorrt_yolox |\n" : ""}${formats.includes("deepstream") ? "| `deepstream/` | nvinfer configuration and parser |\n" : ""}| \`SHA256SUMS\`${signature ? ", `SHA256SUMS.sig`" : ""} | sha256 of every other file${signature ? ", and its ed25519 signature" : ""} |

Check it: \`sha256sum -c SHA256SUMS\`${signature ? ", `openssl pkeyutl -verify -pubin -inkey <public key> -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig`" : ""}, or everything at once, models run included:
\`npx edgestill verify <this folder>${signature ? " --key <public key>" : ""}\`.

Every file name that a runtime caches under carries the hash \`${hash}\`.
`;
