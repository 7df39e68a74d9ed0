import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import type { Manifest } from "./manifest-schema.ts";

/** Software bill of materials, CycloneDX 1.6 JSON: the models with their hashes, the C++ library, what made them and what runs them. No serial number and no time: the same bundle gives the same bytes. */
export const sbomText = ({ name, hash, tool, models, provenance, formats }: Manifest): string => {
  const bundle = new Models.Component(Enums.ComponentType.Firmware, name, { version: hash, bomRef: name, description: "Detector bundle" });
  const bom = new Models.Bom({
    metadata: new Models.Metadata({
      component: bundle,
      tools: new Models.Tools({ components: new Models.ComponentRepository([library("edgestill", tool.version), library("onnxruntime", tool.onnxruntime)]) }),
    }),
  });
  const parts = models.map(({ file, sha256, role }) => new Models.Component(Enums.ComponentType.MachineLearningModel, file, {
    version: sha256.slice(0, 12), bomRef: file, description: `detector, ${role}`, hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-256"], sha256]]),
  }));
  const teachers = provenance.teachers.map(({ file, sha256 }) => new Models.Component(Enums.ComponentType.MachineLearningModel, `teacher ${file}`, {
    version: sha256.slice(0, 12), bomRef: `teacher ${sha256.slice(0, 12)}`, scope: Enums.ComponentScope.Excluded, description: "learned from, not in the bundle",
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-256"], sha256]]),
  }));
  const code = formats.includes("cpp") ? [library("edgestill-cpp", tool.version, "header-only C++17 library in cpp/")] : [];
  for (const part of [...parts, ...code]) {
    bom.components.add(part);
    bundle.dependencies.add(part.bomRef);
  }
  for (const teacher of teachers) bom.components.add(teacher);
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
};

const library = (name: string, version: string, description?: string): Models.Component =>
  new Models.Component(Enums.ComponentType.Library, name, { version, bomRef: `${name}@${version}`, ...(description !== undefined && { description }) });
