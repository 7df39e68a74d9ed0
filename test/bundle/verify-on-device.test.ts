import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { generateKeyPairSync } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFilesOf } from "../../bundle/checksums.ts";
import { readKey } from "../../bundle/signature.ts";
import { addSums } from "../../bundle/write.ts";
import { bundleRun } from "../../pipeline/bundle/run.ts";
import { verifyBundleFolder } from "../../pipeline/bundle/verify.ts";
import type { DeviceEntry } from "../../targets/inventory.ts";
import { sshTransport } from "../../targets/ssh.ts";
import { cli } from "../helpers/cli.ts";
import { refusal } from "../helpers/refusal.ts";
import { noSshd, startLoopbackDevice, type LoopbackDevice } from "../helpers/sshd.ts";
import { tinyRun } from "./tiny-run.ts";

/** Golden vectors on a device: a real sshd on this machine, the runner that travels, the real runtime. */

const missing = noSshd();
let [folder, bundle, inventory, key, publicKey] = ["", "", "", "", ""];
let device: LoopbackDevice;
let entry: DeviceEntry & { readonly node: string };

const onDevice = (name: string, body: () => Promise<void>): void => {
  test(name, async () => {
    if (missing !== undefined) return console.log(missing);
    await body();
  });
};

test.before(async () => {
  if (missing !== undefined) return;
  folder = await mkdtemp(join(tmpdir(), "edgestill-verify-device-"));
  const pair = generateKeyPairSync("ed25519");
  [key, publicKey, inventory] = [join(folder, "key.pem"), join(folder, "key.pub.pem"), join(folder, "targets.yaml")];
  await writeFile(key, pair.privateKey.export({ format: "pem", type: "pkcs8" }));
  await writeFile(publicKey, pair.publicKey.export({ format: "pem", type: "spki" }));
  const { runFolder } = await tinyRun(folder);
  bundle = (await bundleRun(runFolder, { out: join(folder, "out"), sign: key, formats: ["cpp"] })).folder;
  device = await startLoopbackDevice();
  entry = { name: "board", kind: "linux", host: device.host, sshConfig: device.sshConfig, node: execPath };
  await writeFile(inventory, JSON.stringify([entry, { name: "orin", kind: "jetson", host: device.host, sshConfig: device.sshConfig }]));
});

test.after(async () => {
  if (missing !== undefined) return;
  await device.stop();
  await rm(folder, { recursive: true, force: true });
});

onDevice("a bundle agrees on the device: float and int8 for the CPU run there, the TensorRT file is named as not run", async () => {
  const { exitCode, stdout, stderr } = await cli(["verify", bundle, "--key", publicKey, "--target", "board", "--targets", inventory, "--json"]);
  assert.is(exitCode, 0, stderr);
  const { signature, golden } = JSON.parse(stdout) as { readonly signature: string; readonly golden: unknown };
  assert.is(signature, "valid");
  assert.equal(golden, { pictures: 10, runs: 20, machine: "board", skipped: ["int8-tensorrt"] });
});

onDevice("nothing stays on the device but what is kept by its hash", async () => {
  assert.equal(await readdir(device.home), ["cache"]);
  const kept = await readdir(join(device.home, "cache", "edgestill"));
  assert.equal(kept.filter((name) => !/^(files|runtime-[0-9a-f]{16})$/.test(name)), []);
  assert.ok(kept.includes("files"));
});

/** The bundle with a golden output changed, its hashes and its signature made anew: only running the model can tell. */
const forged = async (file: string, change: (bytes: Buffer) => void): Promise<string> => {
  const at = join(await mkdtemp(join(folder, "forged-")), "bundle");
  await cp(bundle, at, { recursive: true });
  const bytes = await readFile(join(at, file));
  change(bytes);
  await writeFile(join(at, file), bytes);
  const files = await readFilesOf(at);
  const lists = ["SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.measured", "SHA256SUMS.measured.sig"];
  for (const name of lists) files.delete(name);
  addSums(files, await readKey(key, "private"));
  for (const name of lists) await writeFile(join(at, name), files.get(name)!);
  return at;
};

onDevice("a golden output that was changed and signed again: exit code 1 with the first difference and the device's name", async () => {
  const at = await forged("golden/portrait.int8_cpu.f32", (bytes) => bytes.writeFloatLE(bytes.readFloatLE(40) + 0.01, 40));
  assert.is((await verifyBundleFolder(at, { key: publicKey, run: false })).signature, "valid");
  const { exitCode, stderr, stdout } = await cli(["verify", at, "--key", publicKey, "--target", "board", "--targets", inventory]);
  assert.is(exitCode, 1);
  assert.is(stdout, "");
  assert.match(stderr, /GOLDEN_DIFFERS.*"portrait": value 10 of the output of int8_cpu on board differs: .* tolerance 0/);
  const here = await refusal(verifyBundleFolder(at, { key: publicKey }));
  assert.match(here.message, "value 10 of the output of int8_cpu differs");
});

onDevice("a device in use is named, with its owner", async () => {
  const transport = await sshTransport(entry);
  const lock = await transport.lock("anna@desk");
  const error = await refusal(verifyBundleFolder(bundle, { target: "board", targets: inventory }));
  await lock.release();
  await transport.close();
  assert.is(error.code, "DEVICE_BUSY");
  assert.match(error.message, "anna@desk");
});

onDevice("a Jetson runs TensorRT engines: the refusal says what can be checked, and how", async () => {
  const error = await refusal(verifyBundleFolder(bundle, { target: "orin", targets: inventory }));
  assert.is(error.code, "GOLDEN_TARGET");
  assert.match(error.nextStep, "EDGESTILL_ENGINE");
});

test("--target with --no-run is wrong use", async () => assert.is((await cli(["verify", "nowhere", "--target", "board", "--no-run"])).exitCode, 2));

test.run();
