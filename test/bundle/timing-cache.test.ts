import { execa } from "execa";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFilesOf } from "../../bundle/checksums.ts";
import { bundleRun } from "../../pipeline/bundle/run.ts";
import { verifyBundleFolder } from "../../pipeline/bundle/verify.ts";
import { stageReport } from "../../pipeline/result.ts";
import { noSshd, startLoopbackDevice } from "../helpers/sshd.ts";
import { installTools } from "../targets/jetson/bench-with-stand-ins.ts";
import { tinyRun } from "./tiny-run.ts";

test("stand-in, not a device: the timing cache of a Jetson comes from the benchmark into the bundle, no engine does, and the same run gives the same bytes", async () => {
  if (noSshd() !== undefined) return console.log(noSshd());
  const folder = await mkdtemp(join(tmpdir(), "edgestill-timing-"));
  await installTools(join(folder, "bin"));
  const device = await startLoopbackDevice({ PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`, STAND_IN_CLOCKS: join(folder, "clocks") });
  try {
    const { result, runFolder } = await tinyRun(folder, [`targets: [local, ${JSON.stringify({ name: "orin", kind: "jetson", host: device.host, sshConfig: device.sshConfig })}]`]);
    assert.is(result.variants.find(({ name }) => name === "int8.tensorrt")!.latency["orin"]?.provider, "tensorrt");
    const benchmark = (await readdir(runFolder)).find((name) => name.startsWith("benchmark-"))!;
    const [name, ...others] = (await readdir(join(runFolder, benchmark))).filter((file) => file.endsWith(".timing"));
    assert.equal(others, []);
    assert.match(name!, /^[\w.-]+\.trt10\.3\.0\.timing$/);
    const bundle = join(runFolder, stageReport(result, "bundle")!["folder"] as string);
    const files = await readFilesOf(bundle);
    assert.equal([...files.keys()].filter((path) => path.startsWith("models/tensorrt/")), ["models/tensorrt/build-engine.sh", `models/tensorrt/${name!}`]);
    assert.is(await readFile(join(bundle, "models/tensorrt", name!), "utf8"), "timing 100300", "the bytes that trtexec wrote on the device");
    assert.not([...files.keys()].some((path) => /\.(engine|plan|trt)$/.test(path)));
    await writeFile(join(folder, "bin", "trtexec"), `#!/bin/sh\necho "&&&& RUNNING TensorRT.trtexec [TensorRT v100300] # trtexec $*"\n`, { mode: 0o755 });
    await mkdir(join(folder, "engines"));
    const { all } = await execa("sh", [join(bundle, "models/tensorrt/build-engine.sh"), join(folder, "engines")], { all: true, env: { PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}` } });
    const [seeded] = await readdir(join(folder, "engines"));
    assert.match(all, `--timingCacheFile=${join(folder, "engines", seeded!)}`);
    assert.is(await readFile(join(folder, "engines", seeded!), "utf8"), "timing 100300", "the recipe starts from the bundle's cache");
    const again = await readFilesOf((await bundleRun(runFolder, { out: join(folder, "again") })).folder);
    assert.equal([...again.keys()], [...files.keys()]);
    for (const [path, bytes] of files) assert.is(Buffer.compare(bytes, again.get(path)!), 0, path);
    assert.is((await verifyBundleFolder(bundle, { run: false })).files, files.size - 1);
  } finally {
    await device.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

test.run();
