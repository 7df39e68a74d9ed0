import { test } from "uvu";
import * as assert from "uvu/assert";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localTransport } from "../../targets/local-transport.ts";
import { sshTransport } from "../../targets/ssh.ts";
import { sha256File } from "../../files/digest.ts";
import type { Transport } from "../../targets/transport.ts";
import { refusal } from "../helpers/refusal.ts";
import { noSshd, startLoopbackDevice, waitFor, type LoopbackDevice } from "../helpers/sshd.ts";

interface Place {
  readonly transport: Transport;
  readonly folder: string;
  readonly end: () => Promise<void>;
  readonly device?: LoopbackDevice;
}

const here = async (): Promise<Place> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-transport-"));
  return { transport: localTransport({ XDG_CACHE_HOME: folder, TMPDIR: folder }), folder, end: () => rm(folder, { recursive: true }) };
};

const overSsh = async (): Promise<Place> => {
  const device = await startLoopbackDevice();
  const transport = await sshTransport({ name: "loopback", host: device.host, sshConfig: device.sshConfig });
  return { transport, folder: device.home, device, end: async () => { await transport.close(); await device.stop(); } };
};

const running = (marker: string): boolean => spawnSync("pgrep", ["-f", `sleep ${marker}`]).status === 0;

const both = (name: string, check: (place: Place) => Promise<void>): void => {
  test(`local: ${name}`, async () => {
    const place = await here();
    await check(place).finally(place.end);
  });
  test(`ssh: ${name}`, async () => {
    if (noSshd() !== undefined) return console.log(noSshd());
    const place = await overSsh();
    await check(place).finally(place.end);
  });
};

both("arguments arrive as they are, exit codes come back", async ({ transport }) => {
  const words = ["a b", "it's", "$HOME `id` \"x\"", "line\nline", "*", "", "-n", "ü → ;&|"];
  const { stdout } = await transport.run(["printf", "%s\\0", ...words]);
  assert.equal(stdout.split("\0").slice(0, -1), words);
  assert.is((await transport.script("exit 37")).exitCode, 37);
  assert.is((await transport.script("exit 255")).exitCode, 255);
  assert.is((await transport.run(["no-such-program"])).exitCode, 127);
  assert.is((await transport.script("kill -9 $$")).exitCode, 137);
  assert.equal((await transport.script("echo out; echo err >&2")), { exitCode: 0, stdout: "out\n", stderr: "err\n" });
});

both("a timeout ends the command on the device, with all that it started", async ({ transport }) => {
  const error = await refusal(transport.script("sleep 71.5 & sleep 71.5; echo", [], { timeoutMs: 500 }));
  assert.is(error.code, "REMOTE_TIMEOUT");
  assert.not(running("71.5"));
});

both("an abort ends the command on the device, even one that ignores TERM", async ({ transport }) => {
  const controller = new AbortController();
  const work = transport.script("trap '' TERM; echo started; while :; do sleep 72.5; done", [], { signal: controller.signal, onLine: () => { controller.abort(new Error("stop")); } });
  await work.then(() => assert.unreachable(), (error: Error) => assert.is(error.message, "stop"));
  assert.not(running("72.5"));
});

both("a file arrives, is not copied twice, goes on where it ended, and comes back", async ({ transport, folder }) => {
  const bytes = new Uint8Array(3_000_000).map((_, index) => (index * 7919) >> 5);
  const source = join(folder, "source.bin");
  await writeFile(source, bytes);
  const sha256 = await sha256File(source);
  const remote = await transport.cached(source, sha256, "model.onnx");
  assert.is(remote, `${await transport.cacheFolder()}/files/${sha256}/model.onnx`);
  assert.is(await sha256File(remote), sha256);
  const second: number[] = [];
  await transport.cached(source, sha256, "model.onnx", { onProgress: (done) => second.push(done) });
  assert.equal(second, [bytes.length]);

  const target = join(folder, "it's a copy.bin");
  await writeFile(`${target}.${sha256.slice(0, 12)}.part`, bytes.subarray(0, 1_000_000));
  const doneBytes: number[] = [];
  await transport.upload(source, target, { onProgress: (done) => doneBytes.push(done) });
  assert.is(doneBytes[0], 1_000_000);
  assert.is(doneBytes.at(-1), bytes.length);
  assert.is(await sha256File(target), sha256);

  await transport.download(target, join(folder, "back.bin"));
  assert.equal(new Uint8Array(await readFile(join(folder, "back.bin"))), bytes);
});

both("bytes that changed on the way are refused and removed", async ({ transport, folder }) => {
  const source = join(folder, "source.bin");
  await writeFile(source, "0123456789");
  const sha256 = await sha256File(source);
  const target = join(folder, "copy.bin");
  await writeFile(`${target}.${sha256.slice(0, 12)}.part`, "abc");
  assert.is((await refusal(transport.upload(source, target))).code, "COPY_FAILED");
  assert.not(await transport.exists(`${target}.${sha256.slice(0, 12)}.part`));
  assert.not(await transport.exists(target));
});

both("files, folders and text", async ({ transport, folder }) => {
  const path = join(folder, "a b", "it's", "file.txt");
  await transport.writeFile(path, "text\n");
  assert.is(await transport.readFile(path), "text\n");
  assert.is(await transport.readFile(join(folder, "none")), undefined);
  await transport.mkdir(join(folder, "x", "y"));
  assert.ok(await transport.exists(join(folder, "x", "y")));
});

both("one owner at a time; a lock ends with its owner; clean leaves nothing", async ({ transport, folder }) => {
  const lock = await transport.lock("anna@desk");
  const busy = await refusal(transport.lock("ben@desk"));
  assert.is(busy.code, "DEVICE_BUSY");
  assert.match(busy.message, "anna@desk");
  assert.is((await refusal(transport.clean())).code, "DEVICE_BUSY");
  await lock.release();
  await (await transport.lock("ben@desk")).release();
  await transport.writeFile(`${await transport.cacheFolder()}/files/x`, "x".repeat(100_000));
  assert.ok(await transport.clean() >= 98_304);
  assert.not(await transport.exists(join(folder, "edgestill.lock")));
  assert.not(await transport.exists(join(folder, "cache", "edgestill")) || await transport.exists(join(folder, "edgestill")));
});

/** Tests of the connection itself need ssh. */
const onlySsh = (name: string, check: (place: Place & { readonly device: LoopbackDevice }) => Promise<void>): void => {
  test(`ssh: ${name}`, async () => {
    if (noSshd() !== undefined) return console.log(noSshd());
    const place = await overSsh();
    await check({ ...place, device: place.device! }).finally(place.end);
  });
};

onlySsh("a connection lost in mid-run is an error, the command ends, the lock is free again", async ({ transport, device }) => {
  await transport.lock("anna@desk");
  let cut: Promise<void> | undefined;
  const error = await refusal(transport.script("echo started; sleep 73.5", [], { onLine: () => { cut ??= device.cutConnections(); } }));
  assert.is(error.code, "CONNECTION_LOST");
  await cut;
  await waitFor(() => !running("73.5"));
  const again = await sshTransport({ name: "loopback", host: device.host, sshConfig: device.sshConfig });
  let lock: { release(): Promise<void> } | undefined;
  await waitFor(async () => (lock = await again.lock("ben@desk").catch(() => undefined)) !== undefined);
  await lock!.release();
  await again.close();
});

onlySsh("a copy goes on after the connection broke in its middle", async ({ transport, device, folder }) => {
  const source = join(folder, "source.bin");
  await writeFile(source, new Uint8Array(60_000_000).map((_, index) => index >> 3));
  const starts: number[] = [];
  let [last, cut] = [0, false];
  await transport.upload(source, join(folder, "copy.bin"), {
    onProgress: (done) => {
      if (starts.length === 0 || done < last) starts.push(done);
      last = done;
      if (done > 20_000_000 && !cut) { cut = true; void device.cutConnections(); }
    },
  });
  assert.ok(cut);
  assert.is(starts.length, 2, starts.join());
  assert.ok(starts[1]! > 0, "it began anew");
  assert.is(await sha256File(join(folder, "copy.bin")), await sha256File(source));
});

onlySsh("another host key, a wrong key, a closed port and an unknown host are named", async ({ transport, device }) => {
  const connect = (more: object): Promise<Transport> => sshTransport({ name: "pi", host: device.host, sshConfig: device.sshConfig, ...more });
  await transport.close();
  const wrongKey = join(device.folder, "wrong_config");
  await writeFile(wrongKey, (await readFile(device.sshConfig, "utf8")).replace("client_key", "other_key"));
  assert.is((await refusal(connect({ sshConfig: wrongKey }))).code, "SSH_AUTH");
  assert.is((await refusal(connect({ port: 1 }))).code, "SSH_UNREACHABLE");
  assert.is((await refusal(connect({ host: "no-such-host.invalid" }))).code, "SSH_UNREACHABLE");
  const strangers = join(device.folder, "strangers_config");
  await writeFile(strangers, (await readFile(device.sshConfig, "utf8")).replace("known_hosts", "no_known_hosts"));
  const unknown = await refusal(connect({ sshConfig: strangers }));
  assert.is(unknown.code, "SSH_HOST_KEY");
  assert.match(unknown.nextStep, "ssh ");
  await device.changeHostKey();
  const changed = await refusal(connect({}));
  assert.is(changed.code, "SSH_HOST_KEY");
  assert.match(changed.message, "not the one that is known");
});

test.run();
